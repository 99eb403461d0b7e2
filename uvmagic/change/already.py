"""An `add` that is true already, answered from the files alone: what Restart and Run All asks.

Kept light: it is the first thing that a notebook does in a new kernel, and has 20 ms for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic import project
from uvmagic.change import report
from uvmagic.change.place import working_folder
from uvmagic.grammar import CHOICES
from uvmagic.kernel import follow, live, registry, support
from uvmagic.outcome import Outcome
from uvmagic.project import Table
from uvmagic.system import agreement
from uvmagic.system.environment import Environment

if TYPE_CHECKING:
    from uvmagic.grammar import Command
    from uvmagic.project import Project
    from uvmagic.system.host import Host

_LEAVES_AS_IT_IS = frozenset(
    {"--dev", "--dry-run", "--group", "--json", "--offline", "--optional", "--quiet", *CHOICES}
)
"""Options with which an `add` that is already true changes nothing."""


def already(command: Command, host: Host, found: Project) -> Outcome | None:
    """The answer to an `add` that is true already, from the files alone; else None."""
    names_something = command.positionals or command.has(*CHOICES)
    if command.word != "add" or not names_something or command.unknown:
        return None
    if not command.options.keys() <= _LEAVES_AS_IT_IS:
        return None
    cwd = working_folder(command, host)
    tables = [Table.of(command.options)]
    if command.has(*CHOICES):
        from uvmagic.change.chosen import extras, is_chosen  # most calls do without

        if not is_chosen(command, host, found):
            return None
        tables += extras(found)
    if not all(
        any(project.lists(found, table, wanted, cwd) for table in tables)
        for wanted in command.positionals
    ):
        return None
    environment = Environment(found.environment(host.environ))
    if not agreement.agrees(found, environment):
        return None
    makes_kernel = host.frontend is not None and host.auto_register
    if makes_kernel and not registry.of_project(found) and not support.missing(found.pyproject):
        return None
    installed = environment.installed()
    names = [project.requirement_name(found, w, cwd) for w in command.positionals]
    told = ", ".join(
        f"{name} {installed.get(str(name), '')}".strip() for name in names or ["torch"]
    )
    next_steps = (
        follow.in_this_kernel(found, environment, host, (), live.Before()) if host.frontend else []
    )
    return Outcome(
        "add",
        f"Already there: {told}",
        facts=report.facts(found, host),
        next_steps=tuple(next_steps),
    )
