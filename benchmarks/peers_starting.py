"""From an empty folder to a first cell that has its packages: in JupyterLab, and without.

All is asked of PyPI once, in a first round that is not counted; then uv is offline, so that no
network takes part. The packages are in uv's cache, and in no environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.lab import run_in_lab, running_lab
from benchmarks.measure import UV, Figure, compared, figure, in_turn, timed, uvmagic
from benchmarks.peers import peers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ROUNDS = 5
"""At most: each takes half a minute."""
_CELL = "import pandas as pd\npd.DataFrame({'x': range(10)}).describe()"
_COMMANDS, _LAB, _CELLS = "commands in a shell", "JupyterLab's start", "the notebook's cells"


# --- in JupyterLab --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Way:
    """How one gets there.

    Attributes:
        lab: the command that starts JupyterLab.
        commands: those that go before, in a shell.
        kernel: which one is chosen.
        cells: those that go before the first with pandas.
    """

    lab: Sequence[str]
    commands: Sequence[Sequence[str]] = ()
    kernel: str = "python3"
    cells: Sequence[str] = ()


def first_cell_against_peers(runs: int) -> dict[str, Figure]:
    """From an empty folder to the reply of a cell with pandas, a JupyterLab's start included.

    Then the same folder again: a new JupyterLab, all cells of the notebook.
    """
    place = peers()
    lab, juv = place.program("jupyter-lab"), place.program("juv")
    init = (UV, "init", "--bare")
    ways = {
        "uvmagic": _Way([lab], cells=["%load_ext uvmagic", "%uv init", "%uv add pandas"]),
        "juv": _Way(
            [juv, "run", "n.ipynb", "--"],
            [(juv, "init", "n.ipynb"), (juv, "add", "n.ipynb", "pandas")],
        ),
        "pyproject-local-kernel": _Way(
            [lab], [init, (UV, "add", "pandas", "ipykernel")], "pyproject_local_kernel"
        ),
        "uv run --with jupyterlab": _Way(
            [UV, "run", "--with", "jupyterlab", "jupyter-lab"], [init, (UV, "add", "pandas")]
        ),
    }
    seconds: dict[str, list[_Seconds]] = {kind: [] for kind in ways}

    def begin_and_return(kind: str) -> float:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "study"
            folder.mkdir()
            seconds[kind].append(_Seconds(_begun(ways[kind], folder), _again(ways[kind], folder)))
        return 0

    _warm_in_turn({kind: partial(begin_and_return, kind) for kind in ways}, runs)
    figures = {}
    for kind, (_, *found) in seconds.items():  # the first was not offline
        figures[kind] = figure([sum(each.first.values()) for each in found])
        figures[f"{kind}, again"] = figure([sum(each.again.values()) for each in found])
        for part in (_COMMANDS, _LAB, _CELLS):
            figures[f"{kind}: {part}"] = figure([each.first[part] for each in found])
    return figures


class _Seconds(NamedTuple):
    """Where they went, the first time and when the notebook is opened again."""

    first: dict[str, float]
    again: dict[str, float]


def _begun(way: _Way, folder: Path) -> dict[str, float]:
    commands = timed(lambda: _run_all(folder, way.commands))
    return {_COMMANDS: commands, **_again(way, folder)}


def _again(way: _Way, folder: Path) -> dict[str, float]:
    began = time.perf_counter()
    with running_lab(way.lab, folder) as server:
        answered = time.perf_counter()
        run_in_lab(server, "n.ipynb", way.kernel, [*way.cells, _CELL])
        return {_LAB: answered - began, _CELLS: time.perf_counter() - answered}


# --- without --------------------------------------------------------------------------------------


def headless_against_peers(runs: int) -> dict[str, Figure]:
    """A notebook of two cells with pandas run to its end, without Jupyter's server.

    By uvmagic from a bundle, in an environment that is made anew from its lock; by papermill in one
    that uv makes of what the call names; by juv as a script, in no kernel.
    """
    place = peers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        juv = place.program("juv")
        _run_all(folder, [(juv, "init", "juv.ipynb"), (juv, "add", "juv.ipynb", "pandas")])
        _write_notebook(folder / "n.ipynb")
        _append_cell(folder / "juv.ipynb")
        uvmagic(folder, "init")
        uvmagic(folder, "add", "pandas")
        uvmagic(folder, "bundle", "n.ipynb")
        papermill = [UV, "run", "--no-project"]
        papermill += [f"--with={each}" for each in ("papermill", "ipykernel", "pandas")]
        papermill += ["papermill", "n.ipynb", "out.ipynb", "-k", "python3"]
        times = _warm_in_turn(
            {
                "uvmagic rerun": lambda: timed(lambda: uvmagic(folder, "rerun", "n-bundle")),
                "uv run --with papermill": lambda: timed(lambda: _run(folder, *papermill)),
                "juv exec": lambda: timed(lambda: _run(folder, juv, "exec", "juv.ipynb")),
            },
            runs,
        )
    ours, *others = times
    return {kind: figure(taken) for kind, taken in times.items()} | {
        f"{ours}, over {kind}": compared(times[kind], times[ours]) for kind in others
    }


def _write_notebook(file: Path) -> None:
    told = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [_cell()]}
    file.write_text(json.dumps(told), encoding="utf-8")


def _append_cell(file: Path) -> None:
    told = json.loads(file.read_text(encoding="utf-8"))
    told["cells"][-1] = _cell()
    file.write_text(json.dumps(told), encoding="utf-8")


def _cell() -> dict[str, object]:
    kept: dict[str, object] = {"metadata": {}, "execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": "a", "source": _CELL, **kept}


# --- both -----------------------------------------------------------------------------------------


def _warm_in_turn(works: Mapping[str, Callable[[], float]], runs: int) -> dict[str, list[float]]:
    """Each in turn; uv is online in the first round only, which is not counted."""
    before = dict(os.environ)
    os.environ["UV_PYTHON"] = sys.executable

    def go_offline() -> None:
        os.environ["UV_OFFLINE"] = "1"

    try:
        return in_turn(works, min(runs, _ROUNDS), go_offline)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run_all(folder: Path, commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        _run(folder, *command)


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
