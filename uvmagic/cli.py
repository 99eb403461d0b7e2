"""The shell face: `uvmagic WORD …`, also `jupyter uvmagic WORD …`."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, cast

import uvmagic
from uvmagic import app, grammar, terminal
from uvmagic.errors import Interrupted, UvmagicError
from uvmagic.outcome import SCHEMA
from uvmagic.system.host import Host, current_folder

if TYPE_CHECKING:
    from types import ModuleType

    from uvmagic.grammar import Command
    from uvmagic.outcome import Outcome

_GRAMMARS = "rfc3987_syntax"
"""What jsonschema, and so nbformat, imports where it is there, beside JupyterLab: 38 grammars of
IRIs, 1.8 s. No notebook has an IRI to check; in the shell's own process it is passed over."""


_COMPLETE = "--complete"
"""What a shell calls at a Tab:  complete -C 'uvmagic --complete' uvmagic   in bash, and in zsh
after  autoload -U bashcompinit && bashcompinit."""
_typed = partial(grammar.as_typed, call="uvmagic")
"""What is said of a call as it is typed in a shell."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows `uvmagic`; by default the process's own.

    Returns:
        The exit status: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # an encoding may lack an arrow, or a letter
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.modules.setdefault(_GRAMMARS, cast("ModuleType", None))
    tokens = sys.argv[1:] if arguments is None else arguments
    if tokens[:1] == [_COMPLETE]:
        return _completed(*tokens[1:2])
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
        reporter.is_quiet = command.has("--quiet")
        outcome = app.run(command, Host(current_folder(), os.environ, reporter))
        reporter.clear()
        return 0 if outcome is None else _shown(outcome, command)
    except UvmagicError as error:
        if isinstance(error, Interrupted):  # pressed again: it ends now in any case
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        reporter.clear()
        if wants_json:
            hint = error.hint and _typed(error.hint)
            told = {"schema": SCHEMA, "error": _typed(error.message), "hint": hint}
            print(json.dumps({**told, "kind": type(error).__name__}))
        else:
            terminal.show_error(_typed(str(error)))
        return error.exit_code
    except BrokenPipeError:  # `uvmagic … | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        gc.freeze()  # else Python looks through all that was imported as it ends: 8 ms


def _completed(program: str = "uvmagic") -> int:
    """Print what may stand at the cursor of the line that a shell tells; an error is nobody's."""
    with contextlib.suppress(Exception):
        from uvmagic.grammar.completion import complete
        from uvmagic.offers import Offers

        line = os.environ["COMP_LINE"].encode()[: int(os.environ["COMP_POINT"])].decode()
        text = line.partition(f"{program} ")[2]
        found = complete(text, len(text), Offers(current_folder(), os.environ))
        print(*(one.text for one in found.candidates), sep="\n")
    return 0


def _shown(outcome: Outcome, command: Command) -> int:
    """Print an outcome; quietly, what of it is wrong. Gives its exit status."""
    outcome = outcome.said_as(_typed)
    told = outcome.wrong() if command.has("--quiet") else outcome
    if command.has("--json"):
        print(json.dumps(outcome.json(), ensure_ascii=False))
    elif told is not None:
        terminal.show(told)
    sys.stdout.flush()
    return outcome.exit_code
