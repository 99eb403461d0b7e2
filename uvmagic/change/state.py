"""What a change may change, at one moment, and how two moments differ."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.kernel import live
from uvmagic.lockfile import Lockfile
from uvmagic.names import normalise
from uvmagic.outcome import Outcome, changes_between

if TYPE_CHECKING:
    from uvmagic.grammar import Command
    from uvmagic.project import Project
    from uvmagic.system.environment import Environment


@dataclass(frozen=True, slots=True)
class State:
    """What a change may change, at one moment."""

    pyproject: str
    locked: dict[str, str]
    installed: dict[str, str]
    kernel: live.Before

    @classmethod
    def of(cls, found: Project, environment: Environment) -> State:
        """The state of a project and its environment, now."""
        locked = lockfile(found)
        versions = locked.versions() if locked else {}
        versions.pop(normalise(found.name), None)  # the project itself
        return cls(
            pyproject=found.file.read_text(encoding="utf-8-sig"),
            locked={name: ", ".join(known) for name, known in versions.items() if known},
            installed=environment.installed(),
            kernel=live.Before.of(environment.site_packages())
            if environment.is_running()
            else live.Before(),
        )


def lockfile(found: Project) -> Lockfile | None:
    """The project's uv.lock, None where there is none."""
    return (
        Lockfile(found.lock.read_text(encoding="utf-8", errors="replace"))
        if found.lock.exists()
        else None
    )


def dry_outcome(command: Command, before: State, after: State, notes: list[str]) -> Outcome:
    """What a dry run found: the lock's changes, the diff of pyproject.toml, uv's own notes."""
    texts = (before.pyproject.splitlines(), after.pyproject.splitlines())
    diff = list(difflib.unified_diff(*texts, "pyproject.toml", "pyproject.toml", lineterm=""))
    return Outcome(
        command.word,
        f"Would change this; nothing was changed ({command.word} --dry-run).",
        changes_between(before.locked, after.locked),
        notes=(*notes, *diff),
        data={"diff": "\n".join(diff)},
    )
