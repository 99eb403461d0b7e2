"""What the options for backends choose, and whether a project has chosen so already."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from uvmagic.accelerator import choice, present
from uvmagic.accelerator.present import Placed
from uvmagic.data import torch
from uvmagic.errors import ProjectInvalid, UsageError
from uvmagic.project import Table

if TYPE_CHECKING:
    from uvmagic.accelerator.choice import Choice
    from uvmagic.accelerator.drivers import Drivers
    from uvmagic.data.torch import Backend
    from uvmagic.grammar import Command
    from uvmagic.project import Project
    from uvmagic.system.host import Host


def chosen(command: Command, host: Host) -> list[Choice]:
    """What the options for backends mean on this machine. Raises UsageError."""
    return [
        choice.chosen(kind, value, lambda: detected(host), sys.platform)
        for kind in torch.kinds()
        if command.has(f"--{kind}")
        for value in command.options[f"--{kind}"] or (None,)
    ]


def placed(command: Command, host: Host, found: Project) -> tuple[list[Placed], list[str]]:
    """The backends that an `add` chooses, each with its index, and notes; none where it does not.

    Raises:
        UsageError, ProjectInvalid: they do not go together, or with the rest of the call.
    """
    if command.word != "add":
        return [], []
    mirror = command.value("--mirror")
    choices = chosen(command, host)
    notes = [one.note or choice.warning(one.backend, detected(host)) for one in choices]
    backends = [one.backend for one in choices]
    if mirror is not None and not backends:
        backends = [one.backend for one in present.placed_in(found.pyproject)]
        if not backends:
            raise UsageError(
                "--mirror says where a backend's wheels come from, and no backend was chosen.",
                "Choose one:  %uv add torch --cuda 126 --mirror nju",
            )
    _refuse_what_contradicts(command, backends, found)
    places, defaulted = list[Placed](), list[str]()
    for backend in backends:
        place = _place_said(backend, mirror, found)
        if place is None:
            asked = host.default_mirror or None
            url, form = choice.index_url(backend, asked, by="UvMagics.default_mirror =")
            place = Placed(backend, url, form)
            defaulted += [backend.name] if asked else []
        places.append(place)
    if defaulted:
        told = ", ".join(defaulted)
        notes.append(f"{told} from the mirror {host.default_mirror}: UvMagics.default_mirror.")
    return places, [note for note in notes if note]


def _refuse_what_contradicts(command: Command, backends: list[Backend], found: Project) -> None:
    if backends and command.has("--index"):
        raise UsageError(
            "--index and an option for a backend both say where torch comes from.",
            "Add what the index is for by another call; or give its address to --mirror.",
        )
    if len(set(backends)) < len(backends):
        raise UsageError("One backend was chosen twice.", "Name each once.")
    if len(backends) > 1 and Table.of(command.options).kind != "project":
        raise UsageError(
            "Several backends make extras of their own: --dev, --group and --optional do not "
            "go with them.",
            "Leave that option out.",
        )
    if len(backends) > 1 and "project" not in found.pyproject:
        raise ProjectInvalid(
            "Several backends make extras, and this pyproject.toml has no [project] for them.",
            "Name one backend, or go to a project of the workspace.",
        )


def _place_said(backend: Backend, mirror: str | None, found: Project) -> Placed | None:
    """A backend at a mirror; where none is named, where the project has it or its others."""
    if mirror is not None:
        return Placed(backend, *choice.index_url(backend, mirror))
    there = present.place_of(found.pyproject, backend)
    if there is not None:
        return there
    for one in present.placed_in(found.pyproject):
        url = choice.index_url_beside(backend, one.backend, one.url)
        if url is not None:
            return Placed(backend, url, one.format)
    return None


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
