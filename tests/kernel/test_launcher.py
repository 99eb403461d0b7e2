"""The kernel for all projects: it becomes the notebook's project's, or says why it cannot."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import nbclient
import pytest
from kernels import Cell, Kernel
from robustness.aftermath import nobody_is_left, wait_until

from uvmagic import notebook as notebooks
from uvmagic.kernel.fallback import is_ours
from uvmagic.kernel.frontends import notebook_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Folder

network = pytest.mark.network
heavy = pytest.mark.heavy


@pytest.fixture
def project(capable: Folder) -> Folder:
    """A project that is a kernel, and the kernel for all projects."""
    assert capable.uvmagic("kernel", "install").returncode == 0
    return with_launcher(capable)


def with_launcher(folder: Folder) -> Folder:
    installed = folder.uvmagic("kernel", "install", "uv", "--json")
    assert installed.returncode == 0, installed.stderr
    return folder


def refused(cell: Cell) -> str:
    assert cell.status == "error"
    assert "Traceback" not in cell.text
    assert "The cell after that runs in the project." in cell.text
    return cell.text


# --- the project's kernel -------------------------------------------------------------------------


@network
@heavy
def test_it_becomes_the_kernel_of_the_nearest_project(project: Folder, tmp_path: Path) -> None:
    below = project.path / "notebooks" / "deep"
    below.mkdir(parents=True)
    with Kernel("uv", below) as kernel:
        assert kernel.prefix() == str(project.path / ".venv")
        assert kernel.run("%uv --version").status == "ok"  # uvmagic is loaded
        pid = int(kernel.run("import os; print(os.getpid())").text)
        started: Any = kernel.manager.provisioner
        assert started.pid == pid  # it is that process, not one below it
    nobody_is_left(tmp_path)


@network
@heavy
@pytest.mark.parametrize("is_locked", [True, False])
@pytest.mark.parametrize("is_whole", [True, False])
def test_an_environment_that_is_gone_is_made_again(
    project: Folder, is_locked: bool, is_whole: bool, tmp_path: Path
) -> None:
    lock = project.lock.read_bytes()
    if is_whole:
        shutil.rmtree(project.path / ".venv")
    else:  # its Python was uninstalled
        python = project.path / ".venv" / "bin" / "python"
        python.unlink()
        python.symlink_to(tmp_path / "uninstalled")
    if not is_locked:
        project.lock.unlink()
    with Kernel("uv", project.path) as kernel:
        assert kernel.prefix() == str(project.path / ".venv")
    assert not is_locked or project.lock.read_bytes() == lock


@network
@heavy
def test_it_is_stopped_as_any_other(project: Folder, tmp_path: Path) -> None:
    came = tmp_path / "came"
    with Kernel("uv", project.path) as kernel:
        code = f"import pathlib, time; pathlib.Path({str(came)!r}).touch(); time.sleep(60)"
        request = kernel.client.execute(code)
        wait_until(came.exists, "the cell")
        kernel.manager.interrupt_kernel()
        while (reply := kernel.client.get_shell_msg(timeout=30))["parent_header"][
            "msg_id"
        ] != request:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert kernel.prefix() == str(project.path / ".venv")
    nobody_is_left(tmp_path)


@network
@heavy
def test_a_notebook_is_run_in_its_project_without_a_front_end(
    project: Folder, tmp_path: Path
) -> None:
    cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "id": "a"}
    cell |= {"source": "import sys; print(sys.prefix)", "execution_count": None}
    text = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    file = tmp_path / "n.ipynb"
    file.write_text(json.dumps(text))
    notebook = notebooks.read(file)
    nbclient.execute(notebook, cwd=str(project.path), kernel_name="uv")
    assert notebook.cells[0].outputs[0].text.strip() == str(project.path / ".venv")
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="No project here"):
        nbclient.execute(notebook, cwd=str(tmp_path), kernel_name="uv")


# --- the one that explains ------------------------------------------------------------------------


@network
@heavy
def test_without_a_project_it_says_so_and_a_cell_makes_one(empty: Folder) -> None:
    with Kernel("uv", with_launcher(empty).path) as kernel:
        told = refused(kernel.run("1 + 1"))
        assert "No project here" in told
        assert "%uv init" in told
        assert "2" not in refused(kernel.run("print(1 + 1)")).splitlines()
        done = kernel.run("%load_ext uvmagic\n%uv init\n%uv add six")
        assert done.status == "ok", done.text
        assert "From the next cell on this notebook runs in the project" in done.text
        assert kernel.prefix() == str(empty.path / ".venv")
        assert kernel.run("import six").status == "ok"
        kernel.restart()  # the launcher looks again
        assert kernel.prefix() == str(empty.path / ".venv")
        assert kernel.run("import six").status == "ok"


def _no_ipykernel(project: Folder) -> None:
    text = project.pyproject.read_text()
    start = text.index("[dependency-groups]")
    project.pyproject.write_text(text[:start] + text[text.index("[tool.uv", start) :])
    shutil.rmtree(project.path / ".venv")


def _stale_lock(project: Folder) -> None:
    text = project.pyproject.read_text()
    project.pyproject.write_text(text.replace("dependencies = []", 'dependencies = ["six"]'))


@network
@heavy
@pytest.mark.parametrize(
    ("spoil", "told"),
    [(_no_ipykernel, "asks for no ipykernel"), (_stale_lock, "needs to be updated")],
)
def test_what_is_wrong_is_told_and_a_sync_mends_it(
    project: Folder, spoil: Callable[[Folder], None], told: str
) -> None:
    spoil(project)
    with Kernel("uv", project.path) as kernel:
        assert told in " ".join(refused(kernel.run("1 + 1")).split())
        mended = kernel.run("%uv sync")
        assert mended.status == "ok", mended.text
        assert kernel.prefix() == str(project.path / ".venv")


@network
@heavy
def test_a_lock_that_does_not_resolve_is_told(project: Folder) -> None:
    text = project.pyproject.read_text()
    project.pyproject.write_text(text.replace("dependencies = []", 'dependencies = ["six==99"]'))
    project.lock.unlink()
    with Kernel("uv", project.path) as kernel:
        assert "six" in refused(kernel.run("1 + 1"))
        assert kernel.run("# a comment\n\n%uv --version").status == "ok"


@network
@heavy
def test_without_a_uv_it_says_so(project: Folder, tmp_path: Path) -> None:
    shutil.rmtree(project.path / ".venv")
    with Kernel("uv", project.path, {"UV": str(tmp_path / "no-uv")}) as kernel:
        assert "there is no such program" in refused(kernel.run("1 + 1"))


def test_a_foreign_kernel_of_that_name_is_never_overwritten(empty: Folder) -> None:
    file = with_launcher(empty).path.parent / "jupyter" / "data" / "kernels" / "uv" / "kernel.json"
    assert empty.uvmagic("kernel", "remove", "uv").returncode == 0
    assert not file.exists()
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"argv": ["python"], "display_name": "theirs"}))
    before = file.read_bytes()
    done = empty.uvmagic("kernel", "install", "uv")
    assert done.returncode == 1
    assert "was not made by uvmagic" in done.stderr
    assert file.read_bytes() == before


# --- without a kernel -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "is_uvmagics"),
    [
        ("%uv sync", True),
        ("%load_ext uvmagic\n# first\n\n%uv init\n%uv add six", True),
        ("%%uv add\nsix\nidna", True),
        ("", True),
        ("exit", True),
        ("quit()\n", True),
        ("1 + 1", False),
        ("exit; 1 + 1", False),
        ("%uv sync\n1 + 1", False),
        ("!rm -r data", False),
        ("%run script.py", False),
    ],
)
def test_only_cells_that_are_uvmagics_alone_are_run(code: str, is_uvmagics: bool) -> None:
    assert is_ours(code) is is_uvmagics


def test_the_notebook_is_the_servers_word(tmp_path: Path) -> None:
    notebook = tmp_path / "n.ipynb"
    assert notebook_file({"JPY_SESSION_NAME": str(notebook)}) == str(notebook)
    assert notebook_file({}) is None
    for other in ("n.ipynb", f"{os.sep}no{os.sep}n"):
        assert notebook_file({"JPY_SESSION_NAME": other}) is None
