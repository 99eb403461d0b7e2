"""What a change may change, at one moment, and how two moments differ."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.change.roles import with_roles
from uvmagic.kernel import live, support
from uvmagic.lockfile import Lockfile
from uvmagic.names import normalise
from uvmagic.outcome import Outcome, changes_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from uvmagic.grammar import Command
    from uvmagic.outcome import Change
    from uvmagic.project import Project
    from uvmagic.system.environment import Environment


@dataclass(frozen=True, slots=True)
class State:
    """What a change may change, at one moment."""

    project: str
    pyproject: str
    lock: Lockfile | None
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
            project=normalise(found.name),
            pyproject=found.file.read_text(encoding="utf-8-sig"),
            lock=locked,
            locked={name: ", ".join(known) for name, known in versions.items() if known},
            installed=environment.installed(),
            kernel=live.Before.of(environment.site_packages())
            if environment.is_running()
            else live.Before(),
        )

    def told_apart(
        self, changes: Iterable[Change], before: State, command: Command, named: Set[str]
    ) -> tuple[Change, ...]:
        """Changes up to now, each with why.

        Args:
            changes: of the environment, else of the lock.
            before: the state that they began from.
            command: an `add` or `remove` is about what it names and what is asked for since, or no
                longer; another about all that the project itself asks for.
            named: what the call names, normalised.
        """
        if not (changes := tuple(changes)):
            return ()
        asked = self._asked()
        if command.word in ("add", "remove"):
            asked ^= before._asked()
        return with_roles(changes, named | asked - {*support.NAMES}, self.project, self.lock)

    def _asked(self) -> set[str]:
        """What the project itself asks for, as its lock has it."""
        asked = self.lock.asked_for(self.project) if self.lock else None
        return set(map(normalise, asked or ()))


def lockfile(found: Project) -> Lockfile | None:
    """The project's uv.lock, None where there is none."""
    return (
        Lockfile(found.lock.read_text(encoding="utf-8", errors="replace"))
        if found.lock.exists()
        else None
    )


def dry_outcome(
    command: Command, before: State, after: State, notes: list[str], named: Set[str]
) -> Outcome:
    """What a dry run found: the lock's changes, the diff of pyproject.toml, uv's own notes."""
    texts = (before.pyproject.splitlines(), after.pyproject.splitlines())
    diff = list(difflib.unified_diff(*texts, "pyproject.toml", "pyproject.toml", lineterm=""))
    return Outcome(
        command.word,
        f"Would change this; nothing was changed ({command.word} --dry-run).",
        after.told_apart(changes_between(before.locked, after.locked), before, command, named),
        notes=tuple(notes),
        data={"diff": "\n".join(diff)},
        listing=tuple(diff),
    )
