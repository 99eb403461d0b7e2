"""`run(command, host) → Outcome`: the one place that knows which flow a word starts."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from uvmagic import grammar, project
from uvmagic.change.place import heal_if_needed, start_folder
from uvmagic.errors import Interrupted, UsageError, UvFailed, UvmagicError
from uvmagic.kernel.whereabouts import Whereabouts

if TYPE_CHECKING:
    import importlib.metadata
    from pathlib import Path

    from uvmagic.grammar import Command
    from uvmagic.outcome import Outcome
    from uvmagic.system.host import Host
    from uvmagic.system.uv import Uv


_CHANGES = ("upgrade", "venv")
_CHANGES_BY_PIP = ("install", "sync", "uninstall")
_NAMES_THE_PLACE = frozenset(
    {"--directory", "--prefix", "--project", "--python", "--system", "--target", "-p"}
)
"""Options of uv's by which a call says itself what it changes."""


def run(command: Command, host: Host) -> Outcome | None:
    """Do what a command says.

    Args:
        command: as `grammar.parse` gives it, not asking for help.
        host: where it runs.

    Returns:
        What happened; None for a word passed through to uv, which has said it all itself.

    Raises:
        UvmagicError: one of the tree in errors.py, and no other.
    """
    try:
        bundle = host.bundle()
        if bundle is not None:
            return _answer_frozen(command, bundle)
        if not command.is_owned:
            _pass_through(command, host)
            return None
        return _owned(command, host)
    except KeyboardInterrupt as interrupt:
        raise _already_told(interrupt) or Interrupted("Stopped.") from interrupt
    except OSError as error:  # what no flow foresaw: still one clear error
        raise UvmagicError(f"{error.filename or 'The system'}: {error.strerror}.") from error


def _already_told(again: BaseException) -> Interrupted | None:
    """The stop that was under way when it was pressed again: it tells what has become of it."""
    told: BaseException | None = again
    while told is not None and not isinstance(told, Interrupted):
        told = told.__context__
    return told


def _owned(command: Command, host: Host) -> Outcome:
    """Each flow is imported when it is asked for: a cell pays for its own word only."""
    match command.word:
        case "init":
            from uvmagic.change.init import init

            return init(command, host)
        case "add" | "remove" | "sync" | "lock":
            from uvmagic.change.flow import change

            return change(command, host)
        case "adopt":
            from uvmagic.adopt.flow import adopt

            return adopt(command, host)
        case "bundle":
            from uvmagic.bundle.flow import bundle

            return bundle(command, host)
        case "rerun":
            from uvmagic.rerun.flow import rerun

            return rerun(command, host)
        case "kernel":
            from uvmagic.kernel.flow import kernel

            return kernel(command, host)
        case "scan":
            from uvmagic.scan.flow import scan

            return scan(command, host)
        case "status":
            from uvmagic.status import status

            return status(command, host)
        case "doctor":
            from uvmagic.doctor.flow import doctor

            return doctor(command, host)
        case "demo":
            from uvmagic.demo import demo

            return demo(command, host)
    raise AssertionError(command.word)


def _pass_through(command: Command, host: Host) -> None:
    from uvmagic.data.uv import commands
    from uvmagic.system.uv import find_uv

    uv = find_uv(host.environ)
    if command.word and command.word not in commands():
        _stop_if_unknown(uv, command, host)
    folder = start_folder(command, host)
    healed = heal_if_needed(folder, host)
    if healed:
        host.reporter.write("stderr", healed + "\n")
    if host.frontend is not None and _changes_something(command):
        Whereabouts.of(folder, host).stop_if_unclear(command.word)
    if host.frontend is None:
        status = uv.inherit_terminal(command.argv, environ=host.environ)
    else:
        status = uv.stream(
            command.argv,
            cwd=host.cwd,
            environ=_environment_of_cell(folder, host),
            write=host.reporter.write,
            stdin=host.stdin_text,
        )
    if status != 0:
        hint = grammar.hint_for_refusal(command) if status == 2 else None
        raise UvFailed(f"uv {command.word} ended with status {status}.", hint, exit_code=status)


def _stop_if_unknown(uv: Uv, command: Command, host: Host) -> None:
    """Stop a call whose word no table has, unless this uv is newer than the table and knows it."""
    from uvmagic.system.uv import environment_for_uv

    environ = environment_for_uv(host.environ)
    if uv.run([command.word, "--help"], cwd=host.cwd, environ=environ).returncode != 0:
        from uvmagic.change.refusals import unknown_word

        raise UsageError(*unknown_word(command))


def _changes_something(command: Command) -> bool:
    """Whether a word of uv's own changes the environment of a project that the call leaves open."""
    is_named = {token.partition("=")[0] for token in command.argv} & _NAMES_THE_PLACE
    action = (command.positionals or ("",))[0]
    changes = command.word in _CHANGES or (command.word == "pip" and action in _CHANGES_BY_PIP)
    return changes and not is_named


def _environment_of_cell(folder: Path, host: Host) -> dict[str, str]:
    """The project's environment is uv's to find; without a project it is the kernel's own."""
    from uvmagic.system.uv import environment_for_uv

    environ = environment_for_uv(host.environ)
    try:
        project.find(folder)
    except UvmagicError:
        if sys.prefix != sys.base_prefix:
            environ["VIRTUAL_ENV"] = sys.prefix
    return environ


def _answer_frozen(command: Command, bundle: Path) -> Outcome:
    import importlib.metadata  # 20 ms that nobody else need take

    from uvmagic import frozen

    def distribution(name: str) -> importlib.metadata.Distribution | None:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.distribution(name)
        return None

    return frozen.answer(command, project.find(bundle), distribution)
