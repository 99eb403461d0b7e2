"""The stop button of a notebook: a clean message, the kernel alive, nothing left running."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from kernels import Cell, Kernel
from robustness.aftermath import PATIENCE, Aftermath, fake_uv, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Folder
    from index import PackageIndex

_PRESSES = [pytest.param(1, id="once"), pytest.param(2, id="twice")]


@pytest.fixture
def notebook(folder: Folder, tmp_path: Path) -> Iterator[tuple[Kernel, Aftermath]]:
    """A real kernel in a project with `beta`, that makes no kernel of the project."""
    assert folder.uvmagic("add", "beta").returncode == 0
    with Kernel("python3", folder.path) as kernel:
        assert kernel.run("%load_ext uvmagic").status == "ok"
        assert kernel.run("%config UvMagics.auto_register = False").status == "ok"
        yield kernel, Aftermath(folder, tmp_path)


def _stopped(
    kernel: Kernel,
    code: str,
    has_come: Callable[[], object],
    presses: int = 1,
    seconds_between: float = 0,
) -> Cell:
    """Run a cell and press stop when its moment has come."""
    request = kernel.client.execute(code, allow_stdin=False)
    wait_until(has_come, "the moment")
    for _ in range(presses):
        kernel.manager.interrupt_kernel()
        time.sleep(seconds_between)
    cell = Cell()
    while True:
        message = kernel.client.get_iopub_msg(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["content"].get("execution_state") == "idle":
            break
        cell.take(message)
    while (reply := kernel.client.get_shell_msg(timeout=PATIENCE)) is not None:
        if reply["parent_header"]["msg_id"] == request:
            cell.status = reply["content"]["status"]
            break
    return cell


def _is_downloading(index: PackageIndex) -> Callable[[], bool]:
    index.requests.clear()
    return lambda: "/files/heavy-1.0-py3-none-any.whl" in index.requests


def _all_is_well(kernel: Kernel, aftermath: Aftermath) -> None:
    """No process but the kernel, which works, and so does `%uv`."""
    pid = int(kernel.run("import os; os.getpid()").text)
    aftermath.is_unharmed(but=[pid])
    assert kernel.run("6 * 7").text == "42"
    done = kernel.run("%uv add alpha")
    assert done.status == "ok", done.text
    assert "Added alpha" in done.text
    assert aftermath.folder.installed() == {"alpha", "beta"}


@pytest.mark.parametrize("presses", _PRESSES)
def test_a_stopped_add_leaves_a_clean_message_and_a_kernel_that_works(
    notebook: tuple[Kernel, Aftermath], index: PackageIndex, presses: int
) -> None:
    kernel, aftermath = notebook
    index.drip("*heavy*.whl", 1000)
    cell = _stopped(kernel, "%uv add heavy", _is_downloading(index), presses)
    assert cell.status == "error"
    assert "Stopped; pyproject.toml and uv.lock are as they were." in cell.text
    assert "Traceback" not in cell.text
    assert "KeyboardInterrupt" not in cell.text
    _all_is_well(kernel, aftermath)


@pytest.mark.parametrize("presses", _PRESSES)
def test_a_stopped_run_leaves_a_clean_message_and_a_kernel_that_works(
    notebook: tuple[Kernel, Aftermath], tmp_path: Path, presses: int
) -> None:
    kernel, aftermath = notebook
    came = tmp_path / "came"
    code = f"import pathlib, time; pathlib.Path('{came}').touch(); time.sleep(60)"
    cell = _stopped(kernel, f'%uv run python -c "{code}"', came.exists, presses)
    assert cell.status == "error"
    assert cell.text.strip() == "Stopped."
    _all_is_well(kernel, aftermath)


def test_presses_while_uv_takes_its_time_to_stop_change_nothing(
    notebook: tuple[Kernel, Aftermath], tmp_path: Path, uv: str
) -> None:
    kernel, aftermath = notebook
    program = fake_uv(
        tmp_path / "fake",
        "def stop(*_):\n"
        "    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "    time.sleep(1)\n"
        "    sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        "Path('pyproject.toml').write_text('half of what')\n"
        "Path('edited').touch()\n"
        "time.sleep(100)\n",
    )
    assert kernel.run(f"%env UV={program}").status == "ok"
    edited = aftermath.folder.path / "edited"
    cell = _stopped(kernel, "%uv add gamma", edited.exists, presses=4, seconds_between=0.1)
    assert cell.status == "error"
    assert "Stopped; pyproject.toml and uv.lock are as they were." in cell.text
    assert "Traceback" not in cell.text
    assert kernel.run(f"%env UV={uv}").status == "ok"
    _all_is_well(kernel, aftermath)


def test_stopped_again_and_again_the_kernel_goes_on(
    notebook: tuple[Kernel, Aftermath], index: PackageIndex
) -> None:
    kernel, aftermath = notebook
    index.drip("*heavy*.whl", 1000)
    for _ in range(8):
        cell = _stopped(kernel, "%uv add heavy", _is_downloading(index))
        assert cell.status == "error"
        assert "Stopped; pyproject.toml and uv.lock are as they were." in cell.text
        assert "Traceback" not in cell.text
    _all_is_well(kernel, aftermath)
