"""What the outcome of a change says: title, facts, and a dry run's diff."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from uvmagic.errors import UvmagicError
from uvmagic.grammar import CHOICES
from uvmagic.kernel import registry
from uvmagic.system.environment import Environment
from uvmagic.system.host import Host, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uvmagic.grammar import Command
    from uvmagic.outcome import Change, Outcome
    from uvmagic.project import Project


def title(command: Command, was_edited: bool, changes: Sequence[Change]) -> str:
    """The one sentence that would do.

    Args:
        command: what was done.
        was_edited: whether pyproject.toml has changed.
        changes: what has changed in the environment, else in the lock.
    """
    files = [f"what {file} lists" for file in command.options.get("--requirements", ())]
    named = ", ".join([*command.positionals, *files])
    if command.word == "add" and not named:
        chosen = " ".join(
            token
            for option in CHOICES
            if option in command.options
            for token in (option, *command.options[option])
        )
        return f"Chosen: {chosen}" if was_edited or changes else f"So it is already: {chosen}"
    if command.word == "add":
        return f"Added {named}" if was_edited or changes else f"Already there: {named}"
    if command.word == "remove":
        return f"Removed {named}"
    subject = "The lock" if command.word == "lock" else "The environment"
    return f"{subject} is up to date{'.' if changes else '; nothing changed.'}"


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


@contextlib.contextmanager
def told_also(note: str | None) -> Iterator[None]:
    """What fails in the block tells the note too, first."""
    try:
        yield
    except UvmagicError as error:
        if note:
            error.message = f"{note}\n{error.message}"
        raise


def with_note(outcome: Outcome, note: str | None) -> Outcome:
    """The outcome with one more note, first."""
    return dataclasses.replace(outcome, notes=(note, *outcome.notes)) if note else outcome
