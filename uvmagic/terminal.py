"""How a terminal shows things: progress in one line on stderr, the outcome on stdout."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvmagic.outcome import Outcome, Tone
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
    """Progress on stderr: one line that is replaced on a terminal, a line each elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._activity = ""

    def progress(self, progress: Progress) -> None:
        """Show what is being done now."""
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[2K{progress.text()[:width]}")
        elif progress.activity.partition("  ")[0] != self._activity:
            self._activity = progress.activity.partition("  ")[0]
            sys.stderr.write(f"{self._activity}\n")
        sys.stderr.flush()

    def write(self, stream: str, text: str) -> None:
        """Pass output on."""
        getattr(sys, stream).write(text)
        getattr(sys, stream).flush()

    def clear(self) -> None:
        """Remove the progress line."""
        if self._is_terminal:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def show(outcome: Outcome) -> None:
    """Print an outcome, in colour where stdout is a terminal that wants it (NO_COLOR)."""
    if not sys.stdout.isatty():
        print(outcome.text())
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for tone, line in outcome.lines():
        console.print(Text(line.rstrip(), style=_STYLES.get(tone, "")))
