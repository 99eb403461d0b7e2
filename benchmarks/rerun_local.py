"""`rerun --engine local` against what it cannot do without: the sync, and papermill alone."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, compared, figure, timed, uv, uvmagic

_NOTEBOOK = """{"cells": [
 {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [],
  "source": "import numpy as np\\nimport pandas as pd"},
 {"cell_type": "code", "id": "b", "metadata": {}, "execution_count": null, "outputs": [],
  "source": "pd.DataFrame({'x': np.arange(10.0)}).describe()"}
], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"""


def rerun_local(runs: int) -> dict[str, Figure]:
    """A rerun of a bundle with pandas, and in turn `uv sync` of it anew and papermill in one ready.

    Needs PyPI once; uv's cache is warm.
    """
    alone, rerun = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "study"
        folder.mkdir()
        uvmagic(folder, "init")
        uvmagic(folder, "add", "numpy", "pandas")
        (folder / "n.ipynb").write_text(_NOTEBOOK)
        uvmagic(folder, "bundle", "n.ipynb")
        ready, anew = Path(name) / "ready", Path(name) / "anew"
        shutil.copytree(folder / "n-bundle", ready)
        uv(ready, "sync", "--locked")
        for run in range(runs + 1):
            shutil.rmtree(anew, ignore_errors=True)
            shutil.copytree(folder / "n-bundle", anew)
            sync = timed(lambda: uv(anew, "sync", "--locked"))
            papermill = timed(lambda: _papermill(ready))
            whole = timed(lambda: uvmagic(folder, "rerun", "n-bundle"))
            if run:  # the first fills caches
                alone.append(sync + papermill)
                rerun.append(whole)
    return {
        "uv sync + papermill": figure(alone),
        "uvmagic rerun": figure(rerun),
        "rerun / (sync + papermill)": compared(alone, rerun),
    }


def _papermill(folder: Path) -> None:
    command = [".venv/bin/papermill", "n.ipynb", "out.ipynb", "--no-progress-bar"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
