"""The shell face: `uvmagic WORD …`, also `jupyter uvmagic WORD …`."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, cast

import uvmagic
from uvmagic import app, grammar, terminal
from uvmagic.errors import Interrupted, UvmagicError
from uvmagic.outcome import SCHEMA
from uvmagic.system.host import Host, current_folder

if TYPE_CHECKING:
    from types import ModuleType

    from uvmagic.outcome import Outcome

_GRAMMARS = "rfc3987_syntax"
"""What jsonschema, and so nbformat, imports where it is there, beside JupyterLab: 38 grammars of
IRIs, 1.8 s. No notebook has an IRI to check; in the shell's own process it is passed over."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows `uvmagic`; by default the process's own.

    Returns:
        The exit status: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted.
    """
    gc.freeze()  # what was imported stays; to look through it again, at the exit, takes 7 ms
    sys.modules.setdefault(_GRAMMARS, cast("ModuleType", None))
    tokens = sys.argv[1:] if arguments is None else arguments
    wants_json = "--json" in tokens
    reporter = terminal.TerminalReporter()
    try:
        if tokens in (["--version"], ["-V"]):
            print(f"uvmagic {uvmagic.__version__}")
            return 0
        command = grammar.parse(tokens)
        if command.wants_help:
            print(grammar.help_text(command.word, call="uvmagic"))
            return 0
        outcome = app.run(command, Host(current_folder(), os.environ, reporter))
        reporter.clear()
        return 0 if outcome is None else _shown(outcome, as_json=command.has("--json"))
    except UvmagicError as error:
        if isinstance(error, Interrupted):  # pressed again: it ends now in any case
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        reporter.clear()
        if wants_json:
            told = {"schema": SCHEMA, "error": error.message, "hint": error.hint}
            print(json.dumps({**told, "kind": type(error).__name__}))
        else:
            print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `uvmagic … | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _shown(outcome: Outcome, *, as_json: bool) -> int:
    """Print an outcome. Gives its exit status."""
    if as_json:
        print(json.dumps(outcome.json(), ensure_ascii=False))
    else:
        terminal.show(outcome)
    sys.stdout.flush()
    return outcome.exit_code
