"""Bundles rerun for real, and what came compared with what was saved."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat import v4

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder

pytestmark = [pytest.mark.network, pytest.mark.heavy]


def cell(source: str, *outputs: nbformat.NotebookNode, **metadata: Any) -> nbformat.NotebookNode:
    """A code cell with saved outputs."""
    made: nbformat.NotebookNode = v4.new_code_cell(  # type: ignore[no-untyped-call]
        source, outputs=list(outputs), metadata=metadata
    )
    return made


def value(text: str) -> nbformat.NotebookNode:
    made: nbformat.NotebookNode = v4.new_output(  # type: ignore[no-untyped-call]
        "execute_result", data={"text/plain": text}, execution_count=1
    )
    return made


def error(name: str, message: str) -> nbformat.NotebookNode:
    made: nbformat.NotebookNode = v4.new_output(  # type: ignore[no-untyped-call]
        "error", ename=name, evalue=message, traceback=[message]
    )
    return made


def write(path: Path, *cells: nbformat.NotebookNode) -> None:
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = v4.new_notebook(cells=list(cells), metadata={"kernelspec": spec})  # type: ignore[no-untyped-call]
    nbformat.write(made, path)  # type: ignore[no-untyped-call]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


@pytest.fixture
def project(empty: Folder) -> Folder:
    """A project without requirements, with an environment."""
    assert empty.uvmagic("init").returncode == 0
    assert empty.uvmagic("sync").returncode == 0
    return empty


def test_what_science_shows_is_the_same_in_two_environments(project: Folder) -> None:
    added = project.uvmagic("add", "numpy", "pandas", "jinja2", "matplotlib")
    assert added.returncode == 0, added.stderr
    write(
        project.path / "study.ipynb",
        cell("import numpy as np, pandas as pd, matplotlib.pyplot as plt"),
        cell("np.sin(np.linspace(0, 1, 7))"),
        cell("frame = pd.DataFrame({'a': [1, 2.5], 'b': ['x', 'y']})\nframe"),
        cell("frame.style"),
        cell("plt.title('sine')\nplt.plot(np.sin(np.linspace(0, 9, 99)))"),
        cell("set('abcdefgh'), object()"),
        cell("set(np.arange(9))"),
        cell("import tempfile\ntempfile.mkdtemp()"),
        cell("import time, sys\nprint(time.time(), file=sys.stderr)"),
    )
    assert project.uvmagic("bundle", "study.ipynb").returncode == 0
    refused = project.uvmagic("rerun", "study-bundle", "--compare")
    assert refused.returncode == 2
    assert "no saved outputs" in refused.stderr
    assert "--keep-outputs" in refused.stderr
    first = project.uvmagic("rerun", "study-bundle", "-o", "first.ipynb", PYTHONHASHSEED="1")
    assert first.returncode == 0, first.stderr

    shutil.copy(project.path / "first.ipynb", project.path / "study.ipynb")
    assert project.uvmagic("bundle", "study.ipynb", "--keep-outputs").returncode == 0
    again = project.uvmagic("rerun", "study-bundle", "--compare", PYTHONHASHSEED="2")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "8 outputs as saved." in again.stdout
    shown = [
        [o.get("data", {}) for o in c.outputs if o.output_type != "stream"]
        for name in ("first", "study-rerun")
        for c in read(project.path / f"{name}.ipynb").cells
    ]
    assert shown[:9] != shown[9:], "the files are not the same, what they say is"
    assert "image/png" in shown[4][1]
    page = (project.path / "study-rerun-compare.html").read_text(encoding="utf-8")
    assert "8 outputs as saved." in page


def test_what_differs_is_told_with_its_cell_and_fails(project: Folder) -> None:
    write(
        project.path / "study.ipynb",
        cell("alpha = 1.0", tags=["parameters"]),
        cell("1 / 0", error("ZeroDivisionError", "division by zero")),
        cell("alpha / 3", value("0.33333333333")),
        cell("{'b', 'a'}", value("{'a', 'b'}")),
        cell("len([])", tags=["raises-exception"]),
    )
    assert project.uvmagic("bundle", "study.ipynb", "--keep-outputs").returncode == 0
    (project.path / "params.yaml").write_text("alpha: 1\n")
    same = project.uvmagic("rerun", "study-bundle", "-f", "params.yaml", "--compare")
    assert same.returncode == 1, same.stdout + same.stderr
    assert "1 of 4 cells with outputs differs from what is saved." in same.stdout
    assert "code cell 5  output: saved nothing, came 0" in same.stdout
    assert "Raised, as expected: code cell 2 (ZeroDivisionError)." in same.stdout
    assert "Expected to raise, and did not: code cell 5." in same.stdout
    executed = (project.path / "study-rerun.ipynb").read_text(encoding="utf-8")
    assert "injected-parameters" in executed
    assert "An Exception was encountered" not in executed

    (project.path / "params.yaml").write_text("alpha: 2\n")
    other = project.uvmagic(
        *("rerun", "study-bundle", "-f", "params.yaml", "--compare", "--json"),
        *("-o", "two.ipynb", "--report", "two.html"),
    )
    assert other.returncode == 1
    told = json.loads(other.stdout)
    assert [(d["cell"], d["where"]) for d in told["differences"]] == [
        (3, "saved 0.33333333333, came 0.6666666666666666"),
        (5, "saved nothing, came 0"),
    ]
    assert told["same"] is False
    page = (project.path / "two.html").read_text(encoding="utf-8")
    assert "<mark>0.6666666666666666</mark>" in page
    within = project.uvmagic(
        "rerun", "study-bundle", "-p", "alpha", "1.001", "--compare", "--tolerance", "0.01"
    )
    assert "code cell 3" not in within.stdout
    assert "1 of 4 cells" in within.stdout


def test_another_error_than_the_one_that_was_saved_and_a_timeout_fail(project: Folder) -> None:
    write(
        project.path / "other.ipynb",
        cell("1"),
        cell("{}['x']", error("ZeroDivisionError", "division by zero")),
    )
    assert project.uvmagic("bundle", "other.ipynb").returncode == 0
    done = project.uvmagic("rerun", "other-bundle")
    assert done.returncode == 1
    assert "cell 2 raised KeyError: 'x'" in done.stderr

    write(
        project.path / "slow.ipynb",
        cell("1 / 0", error("ZeroDivisionError", "division by zero")),
        cell("import time\ntime.sleep(100)"),
        cell("2"),
    )
    assert project.uvmagic("bundle", "slow.ipynb").returncode == 0
    done = project.uvmagic("rerun", "slow-bundle", "--timeout", "3")
    assert done.returncode == 1
    assert "slow.ipynb: cell 2 ran longer than 3 s (--timeout)" in done.stderr
    assert "Traceback" not in done.stderr
    assert (project.path / "slow-rerun.ipynb").exists()
