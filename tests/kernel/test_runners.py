"""Cells run in the project by whatever runs cells: papermill, jupyter's commands, a terminal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import nbformat
import pexpect
import pytest
from conftest import Folder
from nbformat.v4 import new_code_cell, new_notebook
from robustness.aftermath import nobody_is_left

from uvmagic import notebook as notebooks
from uvmagic.kernel.warm import warm
from uvmagic.system.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kept import Kept

pytestmark = [pytest.mark.network, pytest.mark.heavy]

WHERE = "import sys; print(sys.prefix)"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def project(empty: Folder, kept: Kept) -> Folder:
    """A project with ipykernel; there is no kernel but the one for all projects."""
    kept.copy("ipykernel", empty.path, _make_project)
    assert empty.uvmagic("sync").returncode == 0
    return with_launcher(empty)


def _make_project(path: Path) -> None:
    for call in (["init"], ["add", "--dev", "ipykernel"]):
        assert Folder(path).uvmagic(*call).returncode == 0
    warm(Environment(path / ".venv"), os.environ)
    shutil.rmtree(path / ".uvmagic")


def with_launcher(folder: Folder) -> Folder:
    assert folder.uvmagic("kernel", "install", "uv").returncode == 0
    return folder


def a_notebook(file: Path, *cells: str) -> Path:
    """A notebook that was saved with the kernel for all projects."""
    kernelspec = {"name": "uv", "language": "python", "display_name": "uv"}
    notebook = new_notebook(  # type: ignore[no-untyped-call]
        cells=[new_code_cell(cell) for cell in cells],  # type: ignore[no-untyped-call]
        metadata={"kernelspec": kernelspec},
    )
    nbformat.write(notebook, file)  # type: ignore[no-untyped-call]
    return file


def with_parameters(file: Path, *cells: str) -> Path:
    """The same, its first cell tagged for papermill."""
    notebook = notebooks.read(a_notebook(file, *cells))
    notebook.cells[0].metadata.tags = ["parameters"]
    nbformat.write(notebook, file)  # type: ignore[no-untyped-call]
    return file


def run(cwd: Path, arguments: Sequence[str | Path], status: int = 0) -> str:
    """Run a command of the tests' environment; gives what it tells of errors."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return _ANSI.sub("", done.stderr)


def printed(file: Path) -> list[str]:
    """The lines that a notebook's cells have printed."""
    cells = notebooks.read(file).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    streams = [output["text"] for output in outputs if output["output_type"] == "stream"]
    return "".join(streams).splitlines()


def is_told(text: str) -> None:
    """Assert that the kernel has said that there is no project, and did not die."""
    assert "No project here" in text
    assert "%uv init" in text
    assert "Dead" not in text
    assert "died" not in text


# --- papermill ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_option", [True, False])
def test_papermill(project: Folder, tmp_path: Path, by_option: bool) -> None:
    file = with_parameters(tmp_path / "n.ipynb", "size = 1", WHERE, "print(size * 2)")
    made = tmp_path / "made.ipynb"
    where = ["--cwd", str(project.path)] if by_option else []
    cwd = tmp_path if by_option else project.path
    run(cwd, ["papermill", file, made, "-p", "size", "21", *where])
    assert printed(made) == [str(project.path / ".venv"), "42"]
    nobody_is_left(tmp_path)


def test_papermill_without_a_project(empty: Folder, tmp_path: Path) -> None:
    with_launcher(empty)
    made = tmp_path / "made.ipynb"
    file = with_parameters(tmp_path / "n.ipynb", "size = 1", WHERE)
    is_told(run(empty.path, ["papermill", file, made, "-p", "size", "21"], status=1))
    outputs = [o for cell in notebooks.read(made).cells for o in cell.get("outputs", [])]
    (error,) = [output for output in outputs if output["output_type"] == "error"]
    is_told("\n".join(error["traceback"]))
    nobody_is_left(tmp_path)


# --- jupyter execute ------------------------------------------------------------------------------


def test_jupyter_execute(project: Folder, tmp_path: Path) -> None:
    below = project.path / "notebooks"
    below.mkdir()
    file = a_notebook(below / "n.ipynb", WHERE)
    run(tmp_path, ["jupyter", "execute", "--inplace", file])
    assert printed(file) == [str(project.path / ".venv")]
    nobody_is_left(tmp_path)


def test_jupyter_execute_without_a_project(empty: Folder, tmp_path: Path) -> None:
    file = a_notebook(with_launcher(empty).path / "n.ipynb", WHERE)
    is_told(run(tmp_path, ["jupyter", "execute", "--inplace", file], status=1))
    nobody_is_left(tmp_path)


# --- jupyter nbconvert ----------------------------------------------------------------------------


def test_jupyter_nbconvert(project: Folder, tmp_path: Path) -> None:
    file = a_notebook(project.path / "n.ipynb", WHERE)
    convert = ["jupyter", "nbconvert", "--execute", "--to", "notebook", "--inplace"]
    run(tmp_path, [*convert, file])
    assert printed(file) == [str(project.path / ".venv")]
    nobody_is_left(tmp_path)


def test_jupyter_nbconvert_without_a_project(empty: Folder, tmp_path: Path) -> None:
    file = a_notebook(with_launcher(empty).path / "n.ipynb", WHERE)
    is_told(run(tmp_path, ["jupyter", "nbconvert", "--execute", "--to", "html", file], status=1))
    nobody_is_left(tmp_path)


# --- jupyter console ------------------------------------------------------------------------------


@pytest.fixture
def console(empty: Folder) -> Iterator[pexpect.spawn[str]]:
    """A console in the empty folder, not started in a terminal of this process's."""
    with_launcher(empty)
    with on_a_terminal(empty, "jupyter", "console", "--kernel", "uv", "--simple-prompt") as running:
        yield running


def on_a_terminal(folder: Folder, *command: str) -> pexpect.spawn[str]:
    """A module of this interpreter's, run with a dumb terminal that is wide enough."""
    return pexpect.spawn(
        sys.executable,
        ["-m", *command],
        cwd=str(folder.path),
        env={**os.environ, "TERM": "dumb"},
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 400),
    )


def typed(console: pexpect.spawn[str], line: str) -> str:
    """Type a line at the prompt; gives what is shown until the next one."""
    console.expect(r"In \[\d+\]: ")
    console.sendline(line)
    console.expect_exact(line)
    console.expect(r"(?=In \[\d+\]: )")
    return _ANSI.sub("", console.before or "")


def left(console: pexpect.spawn[str]) -> None:
    """Leave the console by Ctrl-D, as one does."""
    console.expect(r"In \[\d+\]: ")
    console.sendeof()
    console.expect_exact("Do you really want to exit")
    console.sendline("y")
    console.expect(pexpect.EOF)


def test_jupyter_console(project: Folder, console: pexpect.spawn[str], tmp_path: Path) -> None:
    assert str(project.path / ".venv") in typed(console, WHERE).split()
    assert "42" in typed(console, "print(6 * 7)").split()
    left(console)
    nobody_is_left(tmp_path)


def test_jupyter_console_without_a_project(console: pexpect.spawn[str], tmp_path: Path) -> None:
    told = typed(console, "print(6 * 7)")
    is_told(told)
    assert "42" not in told.split()
    left(console)
    nobody_is_left(tmp_path)


# --- ipython on a terminal ------------------------------------------------------------------------


def test_ipython_on_a_terminal(folder: Folder, tmp_path: Path) -> None:
    """There is no kernel: the project is changed, and what runs on stays in its environment."""
    options = ("--simple-prompt", "--no-banner", "--colors=NoColor")
    with on_a_terminal(folder, "IPython", *options) as running:
        typed(running, "%load_ext uvmagic")
        told = typed(running, "%uv add alpha")
        assert "Added alpha" in told
        assert "→ This IPython does not run in the project;  uv run --with ipython ipython" in told
        assert "No project here" not in typed(running, "%uv status")
        refused = typed(running, "%uv add pandsa")
        assert "There is no package pandsa" in refused
        assert "Traceback" not in refused
        assert "for a cell of a notebook" in typed(running, "%uv kernel use")
        left(running)
    assert folder.installed() == {"alpha"}
    nobody_is_left(tmp_path)
