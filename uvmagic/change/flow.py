"""`add`, `remove`, `sync`, `lock`: healed, answered from the files, or else transacted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.change import report
from uvmagic.change.already import already
from uvmagic.change.place import heal_if_needed, settled_project, start_folder
from uvmagic.errors import UsageError
from uvmagic.grammar import CHOICES
from uvmagic.kernel.whereabouts import Whereabouts

if TYPE_CHECKING:
    from pathlib import Path

    from uvmagic.grammar import Command
    from uvmagic.outcome import Outcome
    from uvmagic.project import Project
    from uvmagic.system.host import Host


def change(command: Command, host: Host) -> Outcome:
    """Change the project that the host's folder belongs to, unless it is so already.

    Raises:
        ProjectMissing, ProjectUnclear, ProjectInvalid, UvUnavailable, UsageError: nothing was
            tried.
        UvFailed, ChangeRejected, FilesUnwritable, Interrupted: the files are as they were,
            byte for byte.
    """
    names_something = command.positionals or command.has("--requirements", *CHOICES)
    if command.word in ("add", "remove") and not names_something:
        raise UsageError(f"{command.word} what?", f"For instance  %uv {command.word} pandas")
    folder = start_folder(command, host)
    healed = heal_if_needed(folder, host)
    with report.told_also(healed):
        outcome = already(command, host, _meant(command, host, folder))
        if outcome is None:
            from uvmagic.change.transacted import changed  # an answer from the files needs none

            outcome = changed(command, host, folder)
    return report.with_note(outcome, healed)


def _meant(command: Command, host: Host, folder: Path) -> Project:
    """The project that a call means; in a notebook it stops where that cannot be told."""
    here = None
    if host.frontend is not None and not command.has("--project", "--directory"):
        where = Whereabouts.of(folder, host)
        where.stop_if_unclear(command.word)
        here = where.here
    return here or settled_project(folder, host)
