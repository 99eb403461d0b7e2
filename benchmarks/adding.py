"""`%uv add` in a cell against bare uv, of what is there already, and the extension's loading."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from index import PackageIndex, wheel
from kernels import Kernel

from benchmarks.measure import Figure, figure, project, timed, uv


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
