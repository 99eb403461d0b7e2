"""What every change does around its work: running uv, and showing that it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.change import refusals
from uvmagic.errors import UsageError, UvFailed
from uvmagic.grammar import hint_for_refusal
from uvmagic.progress import Progress
from uvmagic.system.uv import environment_for_uv

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvmagic.grammar import Command
    from uvmagic.system.host import Host
    from uvmagic.system.uv import Uv

AS_THEY_WERE = "pyproject.toml and uv.lock are as they were"
"""What every failed change can say."""


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
    said = result.transcript.error() or f"uv ended with status {result.returncode} in silence."
    if slip := refusals.in_a_sentence(command, said):
        raise UvFailed(f"{slip[0]}; {AS_THEY_WERE}.", slip[1])
    told = f"uv {command.word} failed; {AS_THEY_WERE}.\n{refusals.in_own_words(said)}"
    if result.returncode == 2 and command.unknown:
        if hint := hint_for_refusal(command):
            raise UsageError(f"{command.word} has no such option; {AS_THEY_WERE}.", hint)
        raise UsageError(told)
    raise UvFailed(told)


def waiting(host: Host) -> Callable[[str], None]:
    """How a face shows that somebody else holds the project."""
    return lambda sentence: host.reporter.progress(Progress(sentence))
