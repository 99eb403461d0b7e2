"""A project that is a kernel, uvmagic beside it as beside a Jupyter server, and the kernelspecs.

uvmagic is installed from its wheel, as a user has it, so that nothing depends on the source folder.
Needs PyPI once: for ipykernel, for what builds the wheel, and for pyproject-local-kernel.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import HERE, UV, uv

PLAIN = "plain"
"""The kernelspec that ipykernel itself writes for the project's environment."""
LAUNCHER = "uv"
"""uvmagic's for all projects."""
UV_RUN = "uv-run"
"""`uv run python -m ipykernel_launcher`, as uv's documentation might have it in a kernelspec."""
BESIDE = "beside"
"""The kernel of the environment beside the project, from which a notebook moves into it."""
PEER = "pyproject_local_kernel"
"""pyproject-local-kernel's, which starts `uv run --with ipykernel python`."""
PEER_VENV = "pyproject_local_kernel_use_venv"
"""Its other one, which starts the Python of `.venv` once that has said that it has ipykernel."""


@dataclass(frozen=True)
class Study:
    """The project, ready to run: up to date, and every kernelspec in Jupyter's folder.

    Attributes:
        notebook: a notebook in the project's folder.
        registered: the name of the project's kernel that uvmagic registered.
        scratch: holds all of it; gone with this process.
    """

    notebook: Path
    registered: str
    scratch: tempfile.TemporaryDirectory[str]

    @property
    def environment(self) -> Path:
        """The project's environment."""
        return self.notebook.parent / ".venv"

    @property
    def distributions(self) -> int:
        """How many it has."""
        return len(list(self.environment.glob("lib/python3.*/site-packages/*.dist-info")))


_DISTRIBUTIONS = tempfile.TemporaryDirectory()


@functools.cache
def built_wheel() -> Path:
    """Uvmagic as a wheel, built once."""
    uv(HERE.parent, "build", "--wheel", "--out-dir", _DISTRIBUTIONS.name)
    (wheel,) = Path(_DISTRIBUTIONS.name).glob("*.whl")
    return wheel


@functools.cache
def study() -> Study:
    """Make it, once for all subjects; JUPYTER_DATA_DIR must be set."""
    scratch = tempfile.TemporaryDirectory()
    place = Path(scratch.name)
    beside = place / "beside"
    uv(place, "venv", "--python", sys.executable, str(beside))
    uv(place, "pip", "install", "--python", str(beside), str(built_wheel()))
    folder = place / "study"
    folder.mkdir()
    notebook = folder / "study.ipynb"
    shutil.copyfile(HERE.parent / "notebooks" / "quickstart.ipynb", notebook)
    uvmagic = str(beside / "bin" / "uvmagic")
    _output(folder, uvmagic, "init")
    (registered,) = json.loads(_output(folder, uvmagic, "kernel", "install", "--json"))["kernels"]
    _output(folder, uvmagic, "kernel", "install", LAUNCHER)
    for python, name in ((folder / ".venv", PLAIN), (beside, BESIDE)):
        install = ("-m", "ipykernel", "install", "--user", "--name", name)
        _output(folder, str(python / "bin" / "python"), *install)
    _install_uv_run()
    _install_peer(place / "peer")
    return Study(notebook, registered["name"], scratch)


def _output(folder: Path, *command: str) -> str:
    return subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout.decode()


def _kernels() -> Path:
    return Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels"


def _install_uv_run() -> None:
    spec = json.loads((_kernels() / PLAIN / "kernel.json").read_text())
    file = _kernels() / UV_RUN / "kernel.json"
    file.parent.mkdir()
    argv = [UV, "run", "--quiet", "python", *spec["argv"][1:]]
    file.write_text(json.dumps({**spec, "argv": argv, "display_name": UV_RUN}))


def _install_peer(place: Path) -> None:
    """pyproject-local-kernel, where this process's jupyter_client finds it: it runs inside that.

    Its provisioner looks for `uv` on the PATH.
    """
    package = ["--no-deps", "pyproject-local-kernel"]
    uv(place.parent, "pip", "install", "--python", sys.executable, "--target", str(place), *package)
    sys.path.append(str(place))
    shutil.copytree(place / "share" / "jupyter" / "kernels", _kernels(), dirs_exist_ok=True)
    found = shutil.which(UV)
    if found and shutil.which("uv") is None:
        os.environ["PATH"] = f"{Path(found).parent}{os.pathsep}{os.environ['PATH']}"
