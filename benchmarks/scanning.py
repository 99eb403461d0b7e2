"""`scan` of many notebooks, and of a large one: how long, and how much memory at most."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import figure

if TYPE_CHECKING:
    from benchmarks.measure import Figure

_CELLS = 50
_COUNTS = (100, 1_000)
_FIRST = """\
%matplotlib inline
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
"""
_STEP = """\
# Fit the model for group {n}
subset = frame[frame["group"] == {n}]
X, y = subset[["a", "b", "c"]], subset["target"]
model = LinearRegression().fit(X, y)
print(f"{n}: {{model.score(X, y):.3f}}")
ax = subset.plot.scatter(x="a", y="target", title="group {n}")
ax.set_xlabel("a")
"""
_MEASURED = """\
import re, sys, time
from pathlib import Path
from uvmagic.cli import main
began = time.perf_counter()
main(["scan", *sys.argv[1:], "--json"])
took = time.perf_counter() - began
# of this program alone: getrusage tells what the one that started it held
held = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(took, held[1], file=sys.stderr)
"""


def _cell(source: str, outputs: list[Any]) -> dict[str, Any]:
    kept = {"metadata": {}, "execution_count": 1, "outputs": outputs}
    return {"cell_type": "code", "source": source.splitlines(keepends=True), **kept}


def _write(file: Path, cells: list[dict[str, Any]]) -> None:
    told = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    file.write_text(json.dumps(told), encoding="utf-8")


def _scan(folder: Path) -> tuple[float, float]:
    """Seconds that it took, start of Python included, and MiB that it held at most."""
    command = [sys.executable, "-c", _MEASURED, str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    seconds, kibibytes = done.stderr.split()[-2:]
    return float(seconds), float(kibibytes) / 1024


def scan_of_many(runs: int) -> dict[str, Figure]:
    """Notebooks of 50 cells: every tenth cell with a magic or a shell line, one in 20 an import."""
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory() as name:
        for count in _COUNTS:
            folder = Path(name) / str(count)
            folder.mkdir()
            for number in range(count):
                steps = [_STEP.format(n=n) for n in range(1, _CELLS)]
                steps[::10] = [f"%time total = {number}\n!ls\n{step}" for step in steps[::10]]
                steps[::20] = [f"import scipy.stats\n{step}" for step in steps[::20]]
                _write(folder / f"n{number}.ipynb", [_cell(s, []) for s in [_FIRST, *steps]])
            measured = [_scan(folder) for _ in range(min(runs, 5))]
            figures[f"{count} notebooks"] = figure([took for took, _ in measured])
            figures[f"{count} notebooks, memory"] = {"max_MiB": round(max(m for _, m in measured))}
    return figures


def scan_of_a_large_one(runs: int) -> dict[str, Figure]:
    """A notebook of 100 MB, nearly all of it outputs."""
    picture = {"output_type": "display_data", "data": {"image/png": "iVBO" * 250_000}}
    with tempfile.TemporaryDirectory() as name:
        cells = [_cell(_STEP.format(n=n), [{**picture, "metadata": {}}]) for n in range(100)]
        _write(Path(name) / "large.ipynb", [_cell(_FIRST, []), *cells])
        measured = [_scan(Path(name)) for _ in range(min(runs, 5))]
    return {
        "100 MB": figure([took for took, _ in measured]),
        "100 MB, memory": {"max_MiB": round(max(m for _, m in measured))},
    }
