"""The engine `local`: uv on this machine, in a folder of its own; and what every engine gives."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.bundle import recipe
from uvmagic.bundle.manifest import sha256
from uvmagic.errors import UvFailed
from uvmagic.progress import Progress
from uvmagic.system.environment import Environment
from uvmagic.system.process import run_captured
from uvmagic.system.uv import environment_for_uv, find_uv
from uvmagic.system.workshop import BYTECODE, removed_meanwhile, workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uvmagic.bundle.manifest import Manifest
    from uvmagic.system.host import Host
    from uvmagic.system.uv import Uv

_NOT_INHERITED = ("PYTHONPATH", "PYTHONSTARTUP", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON")


@dataclass(frozen=True, slots=True)
class Run:
    """The end of a run: its exit status, the executed copy, and what the runner said."""

    returncode: int
    executed: Path
    said: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What a call sets of a run.

    Attributes:
        parameters: names and values for the cell tagged `parameters`; they win over files.
        parameter_files: YAML or JSON with more of them.
        timeout: how many seconds a cell may run; None: as long as it takes.
    """

    parameters: Sequence[tuple[str, str]] = ()
    parameter_files: Sequence[Path] = ()
    timeout: int | None = None

    def arguments(self) -> list[str]:
        """Papermill's arguments for them."""
        timeout = ["--execution-timeout", str(self.timeout)] if self.timeout else []
        files = [part for file in self.parameter_files for part in ("-f", str(file))]
        values = [part for name, value in self.parameters for part in ("-p", name, value)]
        return [*timeout, *files, *values]


@contextlib.contextmanager
def local(bundle: Path, manifest: Manifest, settings: Settings, host: Host) -> Iterator[Run]:
    """Run a bundle in a fresh environment made from its lock, as its Dockerfile does.

    The environment's files are hard links to uv's cache where they can be, and Python finds again
    what it has compiled of the same lock; nothing else of an earlier run is left.

    Args:
        bundle: the bundle's folder; it is not written to.
        manifest: its manifest.
        settings: parameters and timeout.
        host: where it runs.

    Raises:
        UvFailed: the environment could not be made.
        Interrupted: by the user.
    """
    uv = find_uv(host.environ)
    environ = environment_for_uv(host.environ)
    environ = {k: v for k, v in environ.items() if k not in _NOT_INHERITED}
    with workshop(sha256(bundle / "uv.lock")[:16], _cache(uv, environ, host), environ) as scratch:
        root, home = scratch / "bundle", scratch / "home"
        shutil.copytree(bundle, root, ignore=shutil.ignore_patterns(".venv"))
        home.mkdir()
        result = uv.run(
            ["sync", "--locked", "--python", manifest.python],
            cwd=root,
            environ=environ,
            on_progress=host.reporter.progress,
        )
        if result.returncode != 0:
            raise UvFailed(
                "The bundle's environment could not be made from its lock.\n"
                + result.transcript.error()
            )
        host.reporter.progress(Progress(f"Running {manifest.notebook}"))
        executed = home / "executed.ipynb"
        arguments = recipe.run_arguments(manifest.notebook, str(root), str(executed))
        arguments += settings.arguments()
        returncode, said = run_captured(
            [str(Environment(root / ".venv").python), *arguments],
            cwd=root,
            environ={
                **_environment_of_run(environ, root, home),
                "PYTHONPYCACHEPREFIX": str(scratch / BYTECODE),
            },
            heard=cells_told(manifest.notebook, host),
        )
        with removed_meanwhile(root):
            yield Run(returncode, executed, said)


_ENDED = re.compile(r"^(cell \d+ of \d+): .* s$", re.MULTILINE)
"""What the bundle's runner says of each cell (bundle/carried/run.py)."""


def cells_told(notebook: str, host: Host) -> Callable[[str], None]:
    """What listens to the bundle's runner and tells which cell has ended."""

    def heard(text: str) -> None:
        for ended in _ENDED.findall(text):
            host.reporter.progress(Progress(f"Running {notebook}: {ended}"))

    return heard


def _environment_of_run(environ: dict[str, str], root: Path, home: Path) -> dict[str, str]:
    """Nothing of the user's own Jupyter or IPython takes part."""
    return {
        **environ,
        **recipe.environment(str(root)),
        "PATH": os.pathsep.join([str(root / ".venv/bin"), environ.get("PATH", os.defpath)]),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "PYTHONNOUSERSITE": "1",
    }


def _cache(uv: Uv, environ: dict[str, str], host: Host) -> Path:
    """The folder of uv's cache, made."""
    cache = Path(uv.run(["cache", "dir"], cwd=host.cwd, environ=environ).stdout.strip())
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
    return cache
