"""What the launcher does where the environment is not at hand: it is made, or told why not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import project
from uvmagic.errors import KernelRefused, UvmagicError
from uvmagic.kernel import carried
from uvmagic.kernel.frontends import notebook_file
from uvmagic.kernel.spec import CARRIED, REASON, kernel_argv
from uvmagic.system import agreement
from uvmagic.system.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvmagic.progress import Progress
    from uvmagic.project import Project


def prepared(environ: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """How the kernel of the notebook is started, or the one that explains why there is none.

    Args:
        environ: the environment variables of this process.

    Returns:
        The argument list up to the connection file, and the environment variables.
    """
    try:
        told = notebook_file(environ)
        environment = carried.environment(Path(told), environ) if told else None
        if environment is not None:
            environ = {**environ, CARRIED: str(environment.folder)}
        else:
            environment = ready(Path(told).parent if told else Path.cwd(), environ)
    except UvmagicError as error:
        return _explaining(error.message, error.hint, environ)
    except Exception as error:  # nobody foresaw it: still no kernel that dies without a word
        told = f"uvmagic failed: {type(error).__name__}: {error}."
        return _explaining(told, "Please report it.", environ)
    return kernel_argv(environment.python), environ


def _explaining(
    message: str, hint: str | None, environ: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The kernel that says why there is no other."""
    reason = json.dumps({"message": message, "hint": hint})
    return kernel_argv(sys.executable, "uvmagic.kernel.fallback"), {**environ, REASON: reason}


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
