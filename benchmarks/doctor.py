"""`doctor` and `status` of a project whose environment is as large as one for data science."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from index import PackageIndex, wheel
from kernels import Kernel

from benchmarks.measure import Figure, figure, project, timed, uvmagic

_DISTRIBUTIONS = 100
_FILES = 200
"""Files of each: 20,000 in all, about what numpy, pandas, scipy, matplotlib and torch have."""


def doctor(runs: int) -> dict[str, Figure]:
    """`doctor` in a shell and in a cell: where all agrees, and where uv has to be asked."""
    with PackageIndex() as index, tempfile.TemporaryDirectory() as scratch:
        folder = _large(Path(scratch) / "one", index)
        agreed = [timed(lambda: _looked(folder)) for _ in range(runs)]
        with Kernel("python3", folder) as kernel:
            kernel.run("%load_ext uvmagic")
            cell = [_inside(kernel, "doctor") for _ in range(runs)]
        pyproject = folder / "pyproject.toml"
        pyproject.write_text(f"{pyproject.read_text()}\n# edited\n")
        asked = [timed(lambda: _looked(folder)) for _ in range(runs)]
    return {
        "uvmagic doctor": figure(agreed),
        "where pyproject.toml was edited": figure(asked),
        "%uv doctor, inside the kernel": figure(cell),
    }


def status(runs: int) -> dict[str, Figure]:
    """`status` likewise."""
    with PackageIndex() as index, tempfile.TemporaryDirectory() as scratch:
        folder = _large(Path(scratch) / "one", index)
        shell = [timed(lambda: uvmagic(folder, "status")) for _ in range(runs)]
        first, later = [], []
        with Kernel("python3", folder) as kernel:
            kernel.run("%load_ext uvmagic")
            later = [_inside(kernel, "status") for _ in range(runs)]
        for _ in range(runs):
            with Kernel("python3", folder) as kernel:
                kernel.run("%load_ext uvmagic")
                first.append(_inside(kernel, "status"))
    return {
        "uvmagic status": figure(shell),
        "%uv status, first in a new kernel": figure(first),
        "%uv status, later": figure(later),
    }


def _large(folder: Path, index: PackageIndex) -> Path:
    """A project that is synced, and that uvmagic knows to agree."""
    names = [f"base{n}" for n in range(_DISTRIBUTIONS)]
    for name in names:
        index.add(wheel(name, "1.0", modules={f"{name}/m{n}.py": "#\n" for n in range(_FILES)}))
    made = project(folder, index, *names)
    uvmagic(made, "sync")
    return made


def _looked(folder: Path) -> None:
    """`uvmagic doctor`, whatever it finds."""
    command = [sys.executable, "-m", "uvmagic", "doctor"]
    subprocess.run(command, cwd=folder, check=False, capture_output=True)


def _inside(kernel: Kernel, word: str) -> float:
    """What a word takes by the kernel's own clock, in seconds, its display left out."""
    text = kernel.run(
        "import time; _t = time.perf_counter()\n"
        f"try:\n    get_ipython().run_line_magic('uv', '{word}')\n"
        "finally:\n    print('took', time.perf_counter() - _t)"
    ).text
    return float(text.split("took")[1].split()[0])
