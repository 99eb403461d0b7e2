"""`python -m uvmagic.kernel.launcher -f FILE`: becomes the kernel of the notebook's project.

One kernelspec serves all projects so, and nothing need be installed beside the Jupyter server. What
stands in the way is told by the kernel of `uvmagic.kernel.fallback`, never by a kernel that dies.
It stays light: while the project's files and environment agree, no uv is started.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from uvmagic import project
from uvmagic.errors import KernelRefused, UvmagicError
from uvmagic.kernel.spec import CARRIED, LAUNCHED, REASON, kernel_argv
from uvmagic.system import agreement
from uvmagic.system.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvmagic.progress import Progress
    from uvmagic.project import Project


def main() -> NoReturn:
    """Become the project's kernel, or the one that explains why not."""
    environ = {**os.environ, LAUNCHED: str(os.getpid())}
    for told_before in (REASON, CARRIED):
        environ.pop(told_before, None)
    try:
        notebook = notebook_file(os.environ)
        environment = _carried(notebook, os.environ) if notebook is not None else None
        if environment is not None:
            environ[CARRIED] = str(environment.folder)
        else:
            folder = notebook.parent if notebook is not None else Path.cwd()
            environment = ready(folder, os.environ)
    except UvmagicError as error:
        _explain(error.message, error.hint, environ)
    except Exception as error:  # nobody foresaw it: still no kernel that dies without a word
        _explain(f"uvmagic failed: {type(error).__name__}: {error}.", "Please report it.", environ)
    extension = ["--ext", "uvmagic"] if "uvmagic" in environment.installed() else []
    _become([*kernel_argv(environment.python), *sys.argv[1:], *extension], environ)


def _explain(message: str, hint: str | None, environ: Mapping[str, str]) -> NoReturn:
    """Become the kernel that says why there is no other."""
    argv = [*kernel_argv(Path(sys.executable), "uvmagic.kernel.fallback"), *sys.argv[1:]]
    reason = json.dumps({"message": message, "hint": hint})
    _become(argv, {**environ, REASON: reason})


def ready(folder: Path, environ: Mapping[str, str]) -> Environment:
    """The environment of a folder's project, once it is what the lock says.

    Raises:
        UvmagicError: there is no project, or its environment cannot be made.
    """
    found = project.find(folder)
    environment = Environment(found.environment(environ))
    is_whole = environment.exists and "ipykernel" in environment.installed()
    if not (is_whole and agreement.agrees(found, environment)):
        _bring_up_to_date(found, environ)
    if "ipykernel" not in environment.installed():
        raise KernelRefused(
            f"{found.name} asks for no ipykernel, and a kernel cannot run without.",
            "%uv sync  adds it.",
        )
    return environment


def notebook_file(environ: Mapping[str, str]) -> Path | None:
    """The notebook, where the server tells it; it may not be saved yet."""
    told = Path(environ.get("JPY_SESSION_NAME", ""))
    return told if told.is_absolute() and told.parent.is_dir() else None


def _carried(notebook: Path, environ: Mapping[str, str]) -> Environment | None:
    """The environment of what a notebook carries itself; None for nothing carried."""
    with contextlib.suppress(OSError):  # it is not saved yet
        if b"# /// script" in notebook.read_bytes():
            from uvmagic.kernel.carried import environment  # most notebooks do without

            return environment(notebook, environ)
    return None


def _bring_up_to_date(found: Project, environ: Mapping[str, str]) -> None:
    """Make the environment what the lock says; a lock that is there stays as it is."""
    from uvmagic import grammar
    from uvmagic.change.flow import change
    from uvmagic.kernel import support
    from uvmagic.system.host import Host

    is_undeclared = "ipykernel" in support.missing(found.pyproject)
    if is_undeclared:  # a sync would take one away that is there
        return
    locked = ["--locked"] if found.lock.exists() else []
    change(grammar.parse(["sync", *locked]), Host(found.folder, environ, _Silent()))


class _Silent:
    """Nobody looks on yet."""

    def progress(self, progress: Progress) -> None:
        """Show nothing."""

    def write(self, stream: str, text: str) -> None:
        """Show nothing."""


def _become(argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Go on as another program, with the same process id where the system can do that."""
    if sys.platform == "win32":  # there execve ends this process, which Jupyter watches
        sys.exit(os.spawnve(os.P_WAIT, argv[0], argv, dict(environ)))  # noqa: S606  likewise
    os.execve(argv[0], argv, dict(environ))  # noqa: S606  an argument list, no shell


if __name__ == "__main__":
    main()
