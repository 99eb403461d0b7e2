"""Where a command works, and that the place is sound before it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic import project
from uvmagic.errors import ProjectInvalid, ProjectMissing

if TYPE_CHECKING:
    from pathlib import Path

    from uvmagic.grammar import Command
    from uvmagic.project import Project
    from uvmagic.system.host import Host


def working_folder(command: Command, host: Host) -> Path:
    """What relative paths in a call are relative to: uv changes to `--directory` first."""
    return host.cwd / (command.value("--directory") or "")


def start_folder(command: Command, host: Host) -> Path:
    """Where the project is looked for: the current folder, or what uv's options name."""
    return working_folder(command, host) / (command.value("--project") or "")


def heal_if_needed(folder: Path, host: Host) -> str | None:
    """Undo what a killed process left half done in a project; says what was done.

    Looks at the journal alone: a pyproject.toml that was cut in the middle is what it heals.
    A command that is still running holds the lock, and is waited for.
    """
    from uvmagic.system.journal import Journal, heal  # not by what only asks for a place
    from uvmagic.system.project_lock import project_lock

    for root in (folder, *folder.parents):
        if Journal(root).is_open:
            from uvmagic.change.session import waiting

            with project_lock(root, waiting(host)):
                return heal(root)
    return None


def settled_project(folder: Path, host: Host) -> Project:
    """The project of a folder; a file that another change is just writing is read when it is whole.

    Raises:
        ProjectMissing, ProjectInvalid: as `project.find` does.
    """
    try:
        return project.find(folder)
    except (ProjectMissing, ProjectInvalid):
        from uvmagic.system.project_lock import has_lock, project_lock

        for root in (folder, *folder.parents):
            if has_lock(root):  # it may be free again by now, and the file whole
                from uvmagic.change.session import waiting

                with project_lock(root, waiting(host)):
                    return project.find(folder)
        raise
