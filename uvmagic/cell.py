"""A call from a cell: what is known of its notebook, and how it is shown there."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from IPython.core.getipython import get_ipython

from uvmagic import app, grammar
from uvmagic.errors import FoundWrong, UsageError
from uvmagic.kernel.frontends import keeps_its_kernel
from uvmagic.outcome import Outcome, html_lines
from uvmagic.system.host import Frontend, Host, Reporter, current_folder

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from uvmagic.grammar import Command
    from uvmagic.magics import UvMagics
    from uvmagic.progress import Progress
    from uvmagic.system.host import AutoMove


def run(magics: UvMagics, line: str, cell: str | None) -> Outcome | None:
    """Do what a call from a cell says. Gives the cell's value.

    Args:
        magics: the instance that was called.
        line: what follows `%uv`.
        cell: the lines below `%%uv`, None for `%uv`.

    Raises:
        UvmagicError: as the command does; FoundWrong for an outcome that is shown, and is none
            that a Run All should go on after.
    """
    shell = magics.shell
    assert shell is not None
    tokens, stdin_text = _tokens(line, cell, shell)
    command = grammar.parse(tokens)
    if command.wants_help:
        print(grammar.help_text(command.word))
        return None
    reporter = _reporter(shell)
    host = Host(
        cwd=current_folder(),
        environ=os.environ,
        reporter=reporter,
        frontend=_frontend(shell),
        auto_register=magics.auto_register and _can_change_kernel(shell),
        auto_move=cast("AutoMove", magics.auto_move),
        stdin_text=stdin_text,
    )
    try:
        outcome = app.run(command, host)
    except BaseException:
        reporter.failed(command)
        raise
    if outcome is None:
        return None
    if command.has("--json"):
        import json

        reporter.clear()
        print(json.dumps(outcome.json(), ensure_ascii=False))
        value = None
    else:
        value = reporter.end(outcome, shell.execution_count)
    if outcome.exit_code:
        raise FoundWrong(outcome.title)
    return value


def _tokens(line: str, cell: str | None, shell: InteractiveShell) -> tuple[list[str], str | None]:
    """The tokens of a call, and the text for the command's standard input."""
    tokens = grammar.expand(grammar.tokenise(line), shell.user_ns.__getitem__)
    if cell is None:
        return tokens, None
    word = next((token for token in tokens if not token.startswith("-")), "")
    if word == "add":
        listed = grammar.tokenise_requirements(cell)
        return [*tokens, *grammar.expand(listed, shell.user_ns.__getitem__)], None
    if word == "run":
        return [*tokens, "-"], cell
    raise UsageError(
        f"%%uv {word} takes no cell." if word else "%%uv needs a word.",
        "%%uv add takes one requirement a line, %%uv run a script; else use %uv.",
    )


def _frontend(shell: InteractiveShell) -> Frontend:
    hidden = shell.user_ns_hidden
    variables = (
        name
        for name, value in shell.user_ns.items()
        if not name.startswith("_") and value is not hidden.get(name, shell)
    )
    return Frontend(_notebook(shell), getattr(shell, "kernel", None), tuple(variables))


def _notebook(shell: InteractiveShell) -> Path | None:
    """The notebook's path as VS Code, papermill or Jupyter Server tells it, else None.

    Sources: `__vsc_ipynb_file__` is set by VS Code's Jupyter extension, PAPERMILL_INPUT_PATH by
    `papermill --inject-paths`, JPY_SESSION_NAME by jupyter_server (absolute in JupyterLab; a
    console's is no path, so the file must exist).
    """
    names = ("__vsc_ipynb_file__", "PAPERMILL_INPUT_PATH")
    variables = (shell.user_ns.get(name) for name in names)
    for told in (*variables, os.environ.get("JPY_SESSION_NAME")):
        if isinstance(told, str) and Path(told).suffix == ".ipynb" and Path(told).is_file():
            return Path(told)
    return None


def _is_kernel(shell: InteractiveShell) -> bool:
    return hasattr(shell, "kernel")


def _can_change_kernel(shell: InteractiveShell) -> bool:
    return _is_kernel(shell) and not keeps_its_kernel(os.environ)


# --- showing ------------------------------------------------------------------------------------


class _Face(Reporter, Protocol):
    """A reporter that also ends a cell."""

    def clear(self) -> None:
        """Leave nothing of the progress."""

    def failed(self, command: Command) -> None:
        """The command raised."""

    def end(self, outcome: Outcome, execution_count: int) -> Outcome:
        """The command is done; gives the cell's value."""


class _CellReporter:
    """One display that is updated while a command works, and holds its end at the end."""

    def __init__(self) -> None:
        self._display: Any = None

    def _show(self, data: dict[str, str]) -> None:
        from IPython.display import display

        if self._display is None:
            self._display = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._display.update(data, raw=True)

    def progress(self, progress: Progress) -> None:
        text = progress.text()
        self._show({"text/plain": text, "text/html": html_lines([("fact", text)])})

    def write(self, stream: str, text: str) -> None:
        getattr(sys, stream).write(text)
        getattr(sys, stream).flush()

    def clear(self) -> None:
        """Leave nothing of the progress."""
        if self._display is not None:
            self._show({"text/plain": ""})

    def failed(self, command: Command) -> None:
        """Leave no progress standing over an error."""
        if self._display is not None:
            self._show({"text/plain": f"{command.word}: not done"})

    def end(self, outcome: Outcome, execution_count: int) -> Outcome:
        """Show the outcome in place of the progress; give the cell's value."""
        self._show(outcome._repr_mimebundle_())
        values = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
        return CellOutcome(**values, shown_at=execution_count)


@dataclass(frozen=True, slots=True)
class CellOutcome(Outcome):
    """An outcome as a cell's value: its own cell has shown it already, later ones show it.

    Attributes:
        shown_at: the execution count of its own cell.
    """

    shown_at: int = -1

    def _ipython_display_(self) -> None:
        shell = get_ipython()
        if shell is None or shell.execution_count != self.shown_at:
            from IPython.display import display

            display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]


def _reporter(shell: InteractiveShell) -> _Face:
    if _is_kernel(shell):
        return _CellReporter()
    from uvmagic.terminal import TerminalReporter

    class ConsoleReporter(TerminalReporter):
        """In IPython on a terminal: `Out[…]` shows the outcome, unless it is assigned."""

        def failed(self, _command: Command) -> None:
            self.clear()

        def end(self, outcome: Outcome, _execution_count: int) -> Outcome:
            self.clear()
            return outcome

    return ConsoleReporter()
