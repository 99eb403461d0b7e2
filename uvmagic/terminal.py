"""How a terminal shows things: progress in one line on stderr, the outcome on stdout."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from uvmagic.display import text
from uvmagic.display.drawing import Drawing
from uvmagic.display.visible import visible

if TYPE_CHECKING:
    from typing import TextIO

    from uvmagic.display.layout import Tone
    from uvmagic.display.pace import Moment
    from uvmagic.outcome import Outcome
    from uvmagic.progress import Progress

_STYLES: dict[Tone, str] = {
    "title": "bold",
    "added": "green",
    "removed": "red",
    "changed": "yellow",
    "error": "red",
    "warning": "yellow",
    "next": "cyan",
}


class TerminalReporter:
    """Progress on stderr: one line that is replaced on a terminal, a line each elsewhere.

    Attributes:
        is_quiet: none is shown.
    """

    is_quiet = False

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawing = Drawing(_draw)
        self._told = ""

    def progress(self, progress: Progress) -> None:
        """Show what is being done now."""
        if self.is_quiet:
            return
        if self._is_terminal:
            self._drawing.hear(progress)
            return
        told = visible(progress.activity.partition("  ")[0])
        if told != self._told:
            self._told = told
            sys.stderr.write(f"{told}\n")
            sys.stderr.flush()

    def write(self, stream: str, text: str) -> None:
        """Pass output on."""
        getattr(sys, stream).write(text)
        getattr(sys, stream).flush()

    def clear(self) -> None:
        """Remove the progress line."""
        self._drawing.end()
        if self._is_terminal:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def _draw(moment: Moment) -> None:
    columns = shutil.get_terminal_size().columns - 1
    sys.stderr.write(f"\r\x1b[2K{text.moment(moment, columns)}")
    sys.stderr.flush()


def show(outcome: Outcome) -> None:
    """Print an outcome, in colour where stdout is a terminal that wants it (NO_COLOR)."""
    _print(text.lines(outcome, _columns(sys.stdout)), sys.stdout)


def show_error(told: str) -> None:
    """Print an error likewise on stderr; what it says to do comes last."""
    columns = _columns(sys.stderr)
    first, *more = visible(f"error: {told}").split("\n")
    lines: list[text.Line] = [("error", line) for line in text.wrapped(first, columns)]
    for line in more:
        tone: Tone = "next" if line.startswith("→") else "note"
        lines += [(tone, part) for part in text.wrapped(line, columns)]
    _print(lines, sys.stderr)


def _columns(stream: TextIO) -> int | None:
    """The width to keep to; None where nobody reads along and a line may be of any length."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def _print(lines: list[text.Line], stream: TextIO) -> None:
    if not stream.isatty():
        print("\n".join(line for _, line in lines), file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for tone, line in lines:
        console.print(Text(line, style=_STYLES.get(tone, "")))
