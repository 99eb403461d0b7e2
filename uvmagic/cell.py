"""A call from a cell: what it says, and what is known of its notebook."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from uvmagic import app, grammar
from uvmagic.cell_output import face
from uvmagic.errors import FoundWrong, UsageError, UvmagicError
from uvmagic.kernel.frontends import keeps_its_kernel
from uvmagic.system.host import Frontend, Host, current_folder

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from uvmagic.cell_output import Shown
    from uvmagic.magics import UvMagics
    from uvmagic.outcome import Outcome
    from uvmagic.system.host import AutoMove


_typed = partial(grammar.as_typed, call="%uv")
"""What is said of a call as it is typed in a cell."""


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
    line, is_silenced = grammar.without_semicolon(line)
    tokens, stdin_text = _tokens(line, cell, shell)
    command = grammar.parse(tokens)
    if command.wants_help:
        print(grammar.help_text(command.word))
        return None
    is_json = command.has("--json")
    shown: Shown = "none" if is_json or command.has("--quiet") else cast("Shown", magics.display)
    showing = face(shell, shown, is_silenced=is_silenced)
    host = Host(
        cwd=current_folder(),
        environ=os.environ,
        reporter=showing,
        frontend=_frontend(shell),
        auto_register=magics.auto_register and _can_change_kernel(shell),
        auto_move=cast("AutoMove", magics.auto_move),
        default_mirror=magics.default_mirror,
        stdin_text=stdin_text,
    )
    try:
        outcome = app.run(command, host)
    except BaseException as error:
        showing.failed(command)
        if isinstance(error, UvmagicError):
            error.message = _typed(error.message)
            error.hint = error.hint and _typed(error.hint)
        raise
    if outcome is None:
        return None
    outcome = outcome.said_as(_typed)
    if is_json:
        print(json.dumps(outcome.json(), ensure_ascii=False))
    value = None if is_json else showing.end(outcome, shell.execution_count)
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


def _can_change_kernel(shell: InteractiveShell) -> bool:
    return hasattr(shell, "kernel") and not keeps_its_kernel(os.environ)
