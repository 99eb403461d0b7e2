"""What a cell shows of a call: progress and outcome in one display, or less if that is wished."""

from __future__ import annotations

import contextlib
import re
import sys
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol

from IPython.core.getipython import get_ipython

from uvmagic.display import html, text
from uvmagic.outcome import MARK, Outcome
from uvmagic.system.host import Reporter

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from uvmagic.display.drawing import Drawing
    from uvmagic.display.pace import Moment
    from uvmagic.grammar import Command
    from uvmagic.progress import Progress

Shown = Literal["rich", "text", "none"]
"""What of an outcome a cell shows: HTML and text, text alone, or only what is wrong."""


class Face(Reporter, Protocol):
    """A reporter that also ends a cell."""

    def failed(self, command: Command) -> None:
        """The command raised."""

    def end(self, outcome: Outcome, execution_count: int) -> Outcome | None:
        """The command is done; gives the cell's value."""


def face(shell: InteractiveShell, shown: Shown, *, is_silenced: bool) -> Face:
    """Where a call from a cell shows what it does.

    Args:
        shell: that runs the cell.
        shown: what is wished.
        is_silenced: the call ends in `;`: nothing but errors is shown, and it has no value.
    """
    has_kernel = hasattr(shell, "kernel")
    loud: Face = _CellFace(has_html=shown == "rich") if has_kernel else _console_face()
    if is_silenced or shown == "none":
        return _QuietFace(loud, is_silenced=is_silenced, has_value=has_kernel and not is_silenced)
    return loud


class _CellFace:
    """One display that is updated while a command works, and holds its end at the end."""

    def __init__(self, *, has_html: bool) -> None:
        self._has_html = has_html
        self._drawing: Drawing | None = None
        self._display: Any = None

    def progress(self, progress: Progress) -> None:
        if self._drawing is None:
            from uvmagic.display.drawing import Drawing  # an add that is true already does without

            self._drawing = Drawing(self._draw)
        self._drawing.hear(progress)

    def write(self, stream: str, text: str) -> None:
        getattr(sys, stream).write(text)
        getattr(sys, stream).flush()

    def failed(self, _command: Command) -> None:
        """Leave no progress standing over an error: of nothing, nothing is drawn."""
        self._end_progress()
        if self._display is not None:
            self._show({})

    def end(self, outcome: Outcome, execution_count: int) -> Outcome:
        """Show the outcome in place of the progress; give the cell's value."""
        self._end_progress()
        self._show(_bundle(outcome, has_html=self._has_html))
        return CellOutcome.of(outcome, execution_count, has_html=self._has_html)

    def _end_progress(self) -> None:
        if self._drawing is not None:
            self._drawing.end()

    def _draw(self, moment: Moment) -> None:
        if self._display is None and _is_console():
            return
        also = {"text/html": html.moment(moment)} if self._has_html else {}
        self._show({"text/plain": text.moment(moment), **also})

    def _show(self, data: dict[str, str]) -> None:
        if self._display is None:
            self._display = _display(data, display_id=True)
        else:
            self._display.update(data, raw=True, metadata={MARK: True})


class _QuietFace:
    """Nothing but what is wrong.

    Args:
        loud: the face that shows that.
        is_silenced: what a passed-through command writes is shown only where it fails.
        has_value: the outcome is the cell's value.
    """

    def __init__(self, loud: Face, *, is_silenced: bool, has_value: bool) -> None:
        self._loud, self._is_silenced, self._has_value = loud, is_silenced, has_value
        self._held: list[tuple[str, str]] = []

    def progress(self, progress: Progress) -> None:
        """Show nothing."""

    def write(self, stream: str, text: str) -> None:
        self._held.append((stream, text))
        if not self._is_silenced:
            self._release()

    def failed(self, _command: Command) -> None:
        self._release()

    def end(self, outcome: Outcome, execution_count: int) -> Outcome | None:
        wrong = outcome.wrong()
        if wrong is not None:
            self._loud.end(wrong, execution_count)
        return CellOutcome.of(outcome, execution_count) if self._has_value else None

    def _release(self) -> None:
        for stream, written in self._held:
            self._loud.write(stream, written)
        self._held.clear()


def _is_console() -> bool:
    """Whether this is a kernel of `jupyter console` or `qtconsole`.

    Neither knows how a display is updated: it would show the first progress, and never the outcome.
    """
    import psutil  # 9 ms, in the thread that draws

    with contextlib.suppress(psutil.Error):
        started_by = (part for one in psutil.Process().parents() for part in one.cmdline()[:4])
        return any(re.search(r"(jupyter[-_]|qt)console", part) for part in started_by)
    return False


def _console_face() -> Face:
    from uvmagic import terminal

    class ConsoleFace(terminal.TerminalReporter):
        """In IPython on a terminal: `Out[…]` shows the outcome, unless it is assigned."""

        def failed(self, _command: Command) -> None:
            self.clear()

        def end(self, outcome: Outcome, _execution_count: int) -> Outcome:
            self.clear()
            return CellOutcome.of(outcome, shown_at=-1)

    return ConsoleFace()


# --- the value of a cell --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CellOutcome(Outcome):
    """An outcome as a cell's value: its own cell has shown it already, later ones show it.

    Attributes:
        shown_at: the execution count of its own cell.
        has_html: whether it is shown as HTML, where there is a kernel.
    """

    shown_at: int = -1
    has_html: bool = True

    @classmethod
    def of(cls, outcome: Outcome, shown_at: int, *, has_html: bool = True) -> CellOutcome:
        """An outcome as the value of a cell that has shown what it is to show."""
        values = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
        return cls(**values, shown_at=shown_at, has_html=has_html)

    def _ipython_display_(self) -> None:
        shell = get_ipython()
        if shell is not None and shell.execution_count == self.shown_at:
            return
        if shell is not None and hasattr(shell, "kernel"):
            _display(_bundle(self, has_html=self.has_html))
            return
        from uvmagic import terminal

        print()  # below `Out[…]:`
        terminal.show(self)


def _bundle(outcome: Outcome, *, has_html: bool) -> dict[str, str]:
    return {
        "text/plain": outcome.text(),
        **({"text/html": outcome.html()} if has_html else {}),
    }


def _display(data: dict[str, str], **options: Any) -> Any:
    from IPython.display import display

    return display(data, raw=True, metadata={MARK: True}, **options)  # type: ignore[no-untyped-call]
