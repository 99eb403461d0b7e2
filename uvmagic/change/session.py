"""What every command on a project does around its work: where it is, healing, waiting, uv."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.errors import UsageError, UvFailed
from uvmagic.grammar import hint_for_refusal
from uvmagic.progress import Progress
from uvmagic.system.journal import Journal, heal
from uvmagic.system.project_lock import project_lock
from uvmagic.system.uv import environment_for_uv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from uvmagic.grammar import Command
    from uvmagic.system.host import Host
    from uvmagic.system.uv import Uv

AS_THEY_WERE = "pyproject.toml and uv.lock are as they were"
"""What every failed change can say."""


def start_folder(command: Command, host: Host) -> Path:
    """Where the project is looked for: the current folder, or what uv's options name."""
    folder = host.cwd
    for option in ("--directory", "--project"):
        folder = folder / (command.value(option) or "")
    return folder


def heal_if_needed(folder: Path, host: Host) -> str | None:
    """Undo what a killed process left half done in a project; says what was done.

    Looks at the journal alone: a pyproject.toml that was cut in the middle is what it heals.
    A command that is still running holds the lock, and is waited for.
    """
    for root in (folder, *folder.parents):
        if Journal(root).is_open:
            with project_lock(root, waiting(host)):
                return heal(root)
    return None


def run_uv(
    uv: Uv, arguments: list[str], command: Command, host: Host, descriptor: int
) -> list[str]:
    """Run uv to its end and give the lines that it left.

    Raises UvFailed, or UsageError when uv refuses the call itself.
    """
    result = uv.run(
        arguments,
        cwd=host.cwd,
        environ=environment_for_uv(host.environ),
        on_progress=host.reporter.progress,
        inherit=(descriptor,),
    )
    if result.returncode == 0:
        return result.transcript.said()
    told = f"uv {arguments[0]} failed; {AS_THEY_WERE}."
    said = result.transcript.error() or f"uv ended with status {result.returncode} in silence."
    if result.returncode == 2 and command.unknown:
        raise UsageError(f"{told}\n{said}", hint_for_refusal(command))
    raise UvFailed(f"{told}\n{said}")


def waiting(host: Host) -> Callable[[str], None]:
    """How a face shows that somebody else holds the project."""
    return lambda sentence: host.reporter.progress(Progress(sentence))
