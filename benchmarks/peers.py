"""What stands beside uvmagic: a Jupyter that has all of it installed, and juv in its own place.

Everything comes from PyPI once, and stays in uv's cache. uv is the same for all: what a peer has
of its own is of the version of the one that runs this.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import UV, uv
from benchmarks.study import built_wheel

JUV, LOCAL_KERNEL = "juv==0.5.0", "pyproject-local-kernel==0.12.1"


@dataclass(frozen=True)
class Peers:
    """Two environments, gone with this process.

    Attributes:
        jupyter: has JupyterLab, uvmagic, pyproject-local-kernel, and for IPython's `%uv` a uv.
        juv: has juv, as `uv tool install` would make it.
        scratch: holds both.
    """

    jupyter: Path
    juv: Path
    scratch: tempfile.TemporaryDirectory[str]

    def program(self, name: str) -> str:
        """The path of one of their programs."""
        return str((self.juv if name == "juv" else self.jupyter) / "bin" / name)

    def versions(self) -> dict[str, str]:
        """What is compared, by the names that PyPI has for it."""
        names = ("ipython", "ipykernel", "jupyterlab", "pyproject-local-kernel")
        ask = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
        told = [_output(self.jupyter, ask, *names), _output(self.juv, ask, "juv")]
        return dict(zip((*names, "juv"), " ".join(told).split(), strict=True))


def _output(environment: Path, code: str, *arguments: str) -> str:
    command = [str(environment / "bin" / "python"), "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@functools.cache
def peers() -> Peers:
    """Make them, once for all subjects."""
    scratch = tempfile.TemporaryDirectory()
    place = Path(scratch.name)
    same_uv = subprocess.run([UV, "--version"], check=True, capture_output=True, text=True)
    own_uv = f"uv=={same_uv.stdout.split()[1]}"
    made = Peers(place / "jupyter", place / "juv", scratch)
    for environment, wanted in (
        (made.jupyter, ["jupyterlab", LOCAL_KERNEL, str(built_wheel()), own_uv]),
        (made.juv, [JUV, own_uv]),
    ):
        uv(place, "venv", "--python", sys.executable, str(environment))
        uv(place, "pip", "install", "--compile-bytecode", "--python", str(environment), *wanted)
    return made
