"""`bundle`: what it takes on top of uv's own re-lock, and how it grows with a notebook."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import nbformat
from index import PackageIndex, wheel

from benchmarks.measure import Figure, figure, project, timed, uv, uvmagic

_DISTRIBUTIONS = 200
_CELLS = (1_250, 2_500, 5_000, 10_000)
_CELL = "frame = table.loc[table['x'] > {n}, ['x', 'y']].groupby('x').mean()  # step {n}"


def _write_notebook(file: Path, cells: int) -> None:
    coded = [nbformat.v4.new_code_cell(_CELL.format(n=n), id=f"c{n}") for n in range(cells)]  # type: ignore[no-untyped-call]
    nbformat.write(nbformat.v4.new_notebook(cells=coded), file)  # type: ignore[no-untyped-call]


def _prepared(scratch: Path, index: PackageIndex, count: int) -> Path:
    """A synced project of so many distributions, with what a bundle adds to it at hand."""
    index.add(*(wheel(f"base{n}", "1.0") for n in range(count)))
    index.add(wheel("ipykernel", "7.0"), wheel("papermill", "2.7"))
    folder = project(scratch / "project", index, *(f"base{n}" for n in range(count)))
    text = (folder / "pyproject.toml").read_text()
    named = text.replace("[[tool.uv.index]]", '[[tool.uv.index]]\nname = "main"')
    (folder / "pyproject.toml").write_text(named)
    uv(folder, "sync", "--python", sys.executable)
    return folder


def bundle_of_200(runs: int) -> dict[str, Figure]:
    """`uvmagic bundle` of 200 distributions, and `uv lock` of what it locks, in turn.

    The index is on the loopback, its pages in uv's cache.
    """
    whole, lock = [], []
    with PackageIndex() as index, tempfile.TemporaryDirectory() as name:
        folder = _prepared(Path(name), index, _DISTRIBUTIONS)
        _write_notebook(folder / "n.ipynb", 20)
        relocked = Path(name) / "relocked"
        for run in range(runs + 1):
            took = timed(lambda: uvmagic(folder, "bundle", "n.ipynb", "--keep-index", "main"))
            shutil.rmtree(relocked, ignore_errors=True)
            relocked.mkdir()
            shutil.copy(folder / "n-bundle" / "pyproject.toml", relocked)
            shutil.copy(folder / "uv.lock", relocked)
            of_uv = timed(lambda: uv(relocked, "lock"))
            if run:  # the first fills caches
                whole.append(took)
                lock.append(of_uv)
    over = [a - b for a, b in zip(whole, lock, strict=True)]
    return {
        "uvmagic bundle": figure(whole),
        "uv lock of the same": figure(lock),
        "on top of it, paired": figure(over),
    }


def bundle_of_many_cells(runs: int) -> dict[str, Figure]:
    """`uvmagic bundle` of notebooks of several sizes, in turn."""
    times: dict[int, list[float]] = {cells: [] for cells in _CELLS}
    with PackageIndex() as index, tempfile.TemporaryDirectory() as name:
        folder = _prepared(Path(name), index, 1)
        for cells in _CELLS:
            _write_notebook(folder / f"n{cells}.ipynb", cells)
        for _ in range(min(runs, 5)):
            for cells in _CELLS:
                call = ("bundle", f"n{cells}.ipynb", "--keep-index", "main")
                times[cells].append(timed(lambda call=call: uvmagic(folder, *call)))  # type: ignore[misc]
    first, *_, last = _CELLS
    smallest, largest = statistics.median(times[first]), statistics.median(times[last])
    growth = (largest - smallest) / (last - first)
    half = (statistics.median(times[last // 2]) - smallest) / (last // 2 - first)
    return {
        **{f"{cells} cells": figure(taken) for cells, taken in times.items()},
        "a thousand cells more, of all": {"median_ms": round(growth * 1e6, 1)},
        "a thousand cells more, of half": {"median_ms": round(half * 1e6, 1)},
    }
