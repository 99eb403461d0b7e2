"""What the outcome of a change says: title, facts, and a dry run's diff."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.kernel import live, registry
from uvmagic.lockfile import Lockfile
from uvmagic.outcome import Outcome, changes_between
from uvmagic.system.environment import Environment
from uvmagic.system.host import Host, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uvmagic.grammar import Command
    from uvmagic.outcome import Change
    from uvmagic.project import Project


@dataclass(frozen=True, slots=True)
class State:
    """What a change may change, at one moment."""

    pyproject: str
    locked: dict[str, str]
    installed: dict[str, str]
    path_files: frozenset[str]

    @classmethod
    def of(cls, found: Project, environment: Environment) -> State:
        """The state of a project and its environment, now."""
        locked = lockfile(found)
        versions = locked.versions() if locked else {}
        return cls(
            pyproject=found.file.read_text(encoding="utf-8-sig"),
            locked={name: ", ".join(known) for name, known in versions.items() if known},
            installed=environment.installed(),
            path_files=live.path_files(environment.site_packages()),
        )


def lockfile(found: Project) -> Lockfile | None:
    """The project's uv.lock, None where there is none."""
    return (
        Lockfile(found.lock.read_text(encoding="utf-8", errors="replace"))
        if found.lock.exists()
        else None
    )


def title(command: Command, changes: Sequence[Change]) -> str:
    """The one sentence that would do."""
    named = ", ".join(command.positionals)
    if command.word == "add":
        return f"Added {named}"
    if command.word == "remove":
        return f"Removed {named}"
    subject = "The lock" if command.word == "lock" else "The environment"
    return f"{subject} is up to date{'.' if changes else '; nothing changed.'}"


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


def facts(found: Project, host: Host) -> tuple[tuple[str, str], ...]:
    """Where all this is: project, environment, kernel."""
    environment = Environment(found.environment(host.environ))
    python = environment.python_version()
    where = f"{shorten(environment.folder)} (Python {python})" if python else "none yet"
    kernel = registry.of_project(found)
    return (
        ("project", f"{found.name} in {shorten(found.root)}"),
        ("environment", where),
        ("kernel", kernel.display_name if kernel else "none yet"),
    )


def with_note(outcome: Outcome, note: str | None) -> Outcome:
    """The outcome with one more note, first."""
    return dataclasses.replace(outcome, notes=(note, *outcome.notes)) if note else outcome
