"""What a kernel imports, compiled before its first start: that takes 0.3 s then, not 1.1.

uv compiles nothing by default, and compiling all that it has installed takes five times as long.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from uvmagic.errors import Interrupted
from uvmagic.progress import Progress
from uvmagic.system.process import run_captured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvmagic.system.environment import Environment
    from uvmagic.system.host import Host

_MODULES = "ipykernel.kernelapp, ipykernel.ipkernel, ipykernel.zmqshell, ipykernel.debugger"
"""What ipykernel imports by name once it starts; these bring all else."""


def is_cold(environment: Environment) -> bool:
    """Whether no kernel has run from an environment yet that has ipykernel."""
    site_packages = environment.site_packages()
    if site_packages is None or not (site_packages / "ipykernel").is_dir():
        return False
    return not (site_packages / "ipykernel" / "__pycache__").is_dir()


def warm_if_cold(environment: Environment, host: Host) -> None:
    """Compile what a kernel of an environment imports, where none has run from it yet."""
    if is_cold(environment):
        host.reporter.progress(Progress("Compiling what a kernel needs"))
        warm(environment, host.environ)


def warm(environment: Environment, environ: Mapping[str, str]) -> None:
    """Compile what a kernel of an environment imports; one that cannot be is slow, no error.

    Args:
        environment: it has ipykernel.
        environ: the environment variables.
    """
    # as `uv sync --compile-bytecode` does it: that variable is about what running code writes
    environ = {name: v for name, v in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [str(environment.python), "-Xfrozen_modules=off", "-c", f"import {_MODULES}"]
    with contextlib.suppress(Interrupted, OSError):
        run_captured(command, cwd=environment.folder, environ=environ)
