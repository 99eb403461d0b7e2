"""The figures that README promises, measured: `uv run python benchmarks/run.py`.

Every comparison is paired (one of each in turn, so that a drifting machine hits both) and told as
median with minimum and maximum. Results go to benchmarks/results.json. Needs PyPI once, for the
kernel of the project; what is timed needs only a loopback index.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from index import PackageIndex, wheel  # noqa: E402
from kernels import Kernel  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps its bytecode
os.environ.pop("VIRTUAL_ENV", None)
UV = os.environ.get("UV", "uv")

Figure = dict[str, float]


def figure(seconds: list[float]) -> Figure:
    """Median, minimum and maximum, in milliseconds."""
    times = [1000 * value for value in seconds]
    return {
        "median_ms": round(statistics.median(times), 1),
        "min_ms": round(min(times), 1),
        "max_ms": round(max(times), 1),
        "runs": len(times),
    }


def timed(work: Callable[[], object]) -> float:
    """How long something takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def uv(folder: Path, *arguments: str) -> None:
    """Bare uv, its output read as a notebook would read it."""
    subprocess.run([UV, *arguments], cwd=folder, check=True, capture_output=True)


def project(folder: Path, index: PackageIndex, *requirements: str) -> Path:
    """A project that has something already, so that an add is a user's ordinary add."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "bench"\nversion = "0"\nrequires-python = ">=3.11"\n'
        f'dependencies = []\n\n[[tool.uv.index]]\nurl = "{index.url}"\ndefault = true\n'
    )
    uv(folder, "add", *requirements)
    return folder


def add_in_a_cell(runs: int) -> dict[str, Figure]:
    """`%uv add new` in a cell of a real kernel, and `uv add new` from a process, in turn.

    Warm: uv's cache has the distribution. Both projects hold 30 distributions; each run removes
    the new one again, untimed.
    """
    bare, cell = [], []
    with PackageIndex() as index, tempfile.TemporaryDirectory() as scratch:
        index.add(*(wheel(f"base{n}", "1.0") for n in range(30)), wheel("new", "1.0"))
        base = [f"base{n}" for n in range(30)]
        one = project(Path(scratch) / "one", index, *base)
        two = project(Path(scratch) / "two", index, *base)
        with Kernel("python3", two) as kernel:
            kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
            for run in range(runs + 1):
                first = timed(lambda: uv(one, "add", "new"))
                second = timed(lambda: kernel.run("%uv add new"))
                if run:  # the first fills caches
                    bare.append(first)
                    cell.append(second)
                uv(one, "remove", "new")
                uv(two, "remove", "new")
    over = [1000 * (b - a) for a, b in zip(bare, cell, strict=True)]
    ratio = statistics.median(b / a for a, b in zip(bare, cell, strict=True))
    difference = round(statistics.median(over), 1)
    return {
        "bare uv add": figure(bare),
        "%uv add in a cell": figure(cell),
        "difference, paired": {"median_ms": difference, "median_ratio": round(ratio, 3)},
    }


def add_of_what_is_there(runs: int) -> dict[str, Figure]:
    """`%uv add` of what is there, timed inside the kernel, and an empty cell's round trip."""
    with PackageIndex() as index, tempfile.TemporaryDirectory() as scratch:
        index.add(*(wheel(f"base{n}", "1.0") for n in range(30)))
        folder = project(Path(scratch) / "one", index, "base0")
        with Kernel("python3", folder) as kernel:
            kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
            kernel.run("%uv add " + " ".join(f"base{n}" for n in range(30)))
            inside = [_inside(kernel) for _ in range(runs)]
            round_trip = [timed(lambda: kernel.run("%uv add base0 base1")) for _ in range(runs)]
            nothing = [timed(lambda: kernel.run("pass")) for _ in range(runs)]
        first = []
        for _ in range(runs):
            with Kernel("python3", folder) as kernel:
                kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
                first.append(_inside(kernel))
    return {
        "first in a new kernel": figure(first),
        "later, inside the kernel": figure(inside),
        "cell, round trip": figure(round_trip),
        "empty cell, round trip": figure(nothing),
    }


def _inside(kernel: Kernel) -> float:
    """What `%uv add` of what is there takes, by the kernel's own clock, in seconds."""
    text = kernel.run(
        "import time; _t = time.perf_counter()\n%uv add base0 base1\n"
        "print('took', time.perf_counter() - _t)"
    ).text
    if "Already there" not in text:
        raise RuntimeError(text)
    return float(text.split("took")[1])


def load_ext(runs: int) -> dict[str, Figure]:
    """`%load_ext uvmagic` in fresh IPython shells."""
    code = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
began = time.perf_counter()
shell.run_line_magic("load_ext", "uvmagic")
print(time.perf_counter() - began)
"""
    times = []
    for run in range(runs + 1):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        if run:  # the first writes the bytecode
            times.append(float(done.stdout.split()[-1]))
    return {"%load_ext uvmagic": figure(times)}


def main() -> None:
    """Run all, print a table, write results.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as own:
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "UV_CACHE_DIR"):
            os.environ[name] = str(Path(own) / name.lower())
        results = {
            "add in a cell": add_in_a_cell(runs),
            "add of what is there": add_of_what_is_there(runs),
            "load_ext": load_ext(runs),
        }
    version = subprocess.run([UV, "--version"], capture_output=True, text=True, check=True).stdout
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {version.strip()}"
    machine += f", Python {platform.python_version()}"
    for title, figures in results.items():
        print(title)
        for name, values in figures.items():
            print(f"  {name:<24} {values}")
    told = {"machine": machine, "results": results}
    (HERE / "results.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
