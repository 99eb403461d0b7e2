"""What the options for backends choose, and whether a project has chosen so already."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from uvmagic import data
from uvmagic.accelerator import choice, present
from uvmagic.project import Table

if TYPE_CHECKING:
    from uvmagic.accelerator.choice import Choice
    from uvmagic.accelerator.drivers import Drivers
    from uvmagic.grammar import Command
    from uvmagic.project import Project
    from uvmagic.system.host import Host


def chosen(command: Command, host: Host) -> list[Choice]:
    """What the options for backends mean on this machine. Raises UsageError."""
    return [
        choice.chosen(kind, value, lambda: detected(host), sys.platform)
        for kind in data.accelerator_kinds()
        if command.has(f"--{kind}")
        for value in command.options[f"--{kind}"] or (None,)
    ]


def detected(host: Host) -> Drivers:
    """What this machine computes on."""
    from uvmagic.system import drivers  # psutil: 20 ms, for --cuda auto alone

    return drivers.detect(host.environ)


def is_chosen(command: Command, host: Host, found: Project) -> bool:
    """Whether a project takes torch from the backends that a call chooses, and from no other."""
    placed = present.placed_in(found.pyproject)
    backends = {one.backend for one in chosen(command, host)}
    mirror = command.value("--mirror")
    if mirror is not None:
        places = {choice.index_url(one.backend, mirror)[0] for one in placed}
        if places != {one.url for one in placed}:
            return False
    names = present.family(present.name_of(token) for token in command.positionals)
    has_sources = present.sources_of(found.pyproject).keys() >= set(names)
    is_same = not backends or backends == {one.backend for one in placed}
    return bool(placed) and has_sources and is_same


def extras(found: Project) -> list[Table]:
    """The extras that stand for backends: there, too, a requirement is listed."""
    return [Table("extra", extra) for extra in present.extras_of(found.pyproject)]
