"""A notebook moves to its project, or its kernel begins anew: what is said, refused and kept."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from kernels import Cell, Kernel
from robustness.aftermath import nobody_is_left, wait_until

from uvmagic.kernel.frontends import clicks, front_end, restart_clicks
from uvmagic.kernel.move import hindrance, keeps_gpu
from uvmagic.kernel.use import listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder, Shell

network = pytest.mark.network
heavy = pytest.mark.heavy


@pytest.fixture
def project(capable: Folder) -> Folder:
    """A project that is a kernel."""
    done = capable.uvmagic("kernel", "install", "--display-name", "Mein Kernel")
    assert done.returncode == 0, done.stderr
    return capable


@pytest.fixture
def kernel(project: Folder) -> Iterator[Kernel]:
    """A kernel of another environment, in the project's folder, with uvmagic loaded."""
    with Kernel("python3", project.path) as running:
        assert running.run("%load_ext uvmagic").status == "ok"
        yield running


def refused(cell: Cell) -> str:
    assert cell.status == "error"
    assert "Traceback" not in cell.text
    return cell.text


@network
@heavy
def test_a_notebook_moves_and_loses_nothing_unasked(
    project: Folder, kernel: Kernel, tmp_path: Path
) -> None:
    before = kernel.prefix()
    kernel.run("import json\nhere, there = 1, 2")
    told = refused(kernel.run("%uv kernel use"))
    assert "A move loses what is defined here: json, here, there." in told
    assert "%uv kernel use --force" in told
    assert kernel.prefix() == before
    assert kernel.run("print(here)").text.strip() == "1"

    moved = kernel.run("%uv kernel use --force")
    assert moved.status == "ok", moved.text
    assert "From the next cell on this notebook runs there." in moved.text
    assert "Lost with the old kernel: json, here, there." in moved.text
    assert kernel.prefix() == str(project.path / ".venv")
    assert kernel.run("here").status == "error"
    assert kernel.run("print(1)\n%uv kernel use").text.count("runs there already") == 1

    kernel.manager.shutdown_kernel()
    nobody_is_left(tmp_path)


@network
@heavy
def test_a_change_of_the_project_moves_a_notebook_without_variables(
    project: Folder, kernel: Kernel
) -> None:
    there = str(project.path / ".venv")
    kernel.run("answer = 42")
    stays = kernel.run("%uv add six")
    assert "not in the project:  %uv kernel use --force  moves it there" in stays.text
    assert kernel.prefix() != there
    kernel.run("del answer")
    kernel.run("%config UvMagics.auto_move = 'never'")
    stays = kernel.run("%uv add six")  # true already: answered from the files
    assert "not in the project:  %uv kernel use  moves it there." in stays.text
    assert kernel.prefix() != there
    kernel.run("answer = 42")
    kernel.run("%config UvMagics.auto_move = 'always'")
    moves = kernel.run("%uv add six")
    assert "From the next cell on this notebook runs in the project" in moves.text
    assert kernel.prefix() == there
    assert kernel.run("import six").status == "ok"


@network
@heavy
def test_init_of_what_is_a_project_already_moves_too(project: Folder, kernel: Kernel) -> None:
    done = kernel.run("%uv init")
    assert "empty is a project already." in done.text
    assert "From the next cell on this notebook runs in the project" in done.text
    assert kernel.prefix() == str(project.path / ".venv")


@network
@heavy
def test_a_kernel_begins_anew_in_its_environment(project: Folder, tmp_path: Path) -> None:
    (name,) = (spec["name"] for spec in _kernels(project))
    with Kernel(name, project.path) as kernel:
        assert kernel.run("%uv add idna").status == "ok"
        kernel.run("import idna\nx = 1")
        older = kernel.run('%uv add "idna<3.10"')
        assert "Restart the kernel: it has loaded the old version of idna" in older.text
        again = kernel.run("%uv kernel restart")
        assert "Lost with the old one: idna, x." in again.text
        assert kernel.run("x").status == "error"
        loaded = kernel.run("import idna; print(idna.__version__)").text
        assert loaded.startswith(("3.9", "3.8"))
        for _ in range(2):  # and once more, and again: one process relays, whatever the number
            assert kernel.run("%uv kernel restart").status == "ok"
            assert kernel.prefix() == str(project.path / ".venv")
        parents = kernel.run("import os; print(os.getppid())").text.strip()
        assert int(parents) == kernel.manager.provisioner.pid  # type: ignore[union-attr]
    nobody_is_left(tmp_path)


@network
@heavy
def test_where_the_new_kernel_does_not_start_the_notebook_stays(
    project: Folder, kernel: Kernel, tmp_path: Path
) -> None:
    before = kernel.prefix()
    site_packages = next(project.path.glob(".venv/lib/python3.*/site-packages"))
    launcher = site_packages / "ipykernel" / "kernelapp.py"
    launcher.unlink()  # a link into uv's cache
    launcher.write_text("raise RuntimeError('spoiled')")
    told = refused(kernel.run("%uv kernel use 'Mein Kernel'"))
    assert "did not start: RuntimeError: spoiled" in " ".join(told.split())
    assert kernel.prefix() == before
    kernel.manager.shutdown_kernel()
    nobody_is_left(tmp_path)


@network
@heavy
def test_the_stop_button_stops_what_runs_after_a_move(
    project: Folder, kernel: Kernel, tmp_path: Path
) -> None:
    assert kernel.run("%uv kernel use").status == "ok"
    came = tmp_path / "came"
    request = kernel.client.execute(
        f"import pathlib, time; pathlib.Path({str(came)!r}).touch(); time.sleep(60)"
    )
    wait_until(came.exists, "the cell")
    kernel.manager.interrupt_kernel()
    while (reply := kernel.client.get_shell_msg(timeout=30))["parent_header"]["msg_id"] != request:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert kernel.prefix() == str(project.path / ".venv")


@network
@heavy
def test_another_kernel_of_uvmagics_is_used_by_its_name(kernel: Kernel, project: Folder) -> None:
    told = refused(kernel.run('%uv kernel use "Dein Kernel"'))
    assert "uvmagic made no kernel Dein Kernel." in told
    moved = kernel.run('%uv kernel use "Mein Kernel"')
    assert moved.status == "ok", moved.text
    assert kernel.prefix() == str(project.path / ".venv")
    twice = kernel.run("%uv kernel restart\n%uv kernel restart")
    assert "moves at the end of this cell already" in refused(twice)
    assert kernel.prefix() == str(project.path / ".venv")


def _kernels(folder: Folder) -> list[dict[str, str]]:
    kernels: list[dict[str, str]] = json.loads(folder.uvmagic("kernel", "list", "--json").stdout)[
        "kernels"
    ]
    return kernels


# --- where it cannot be ---------------------------------------------------------------------------


def test_a_shell_and_a_terminal_have_no_kernel_to_move(empty: Folder, shell: Shell) -> None:
    done = empty.uvmagic("kernel", "use")
    assert done.returncode == 2
    assert "is for a cell of a notebook" in done.stderr
    error = shell.attempt("%uv kernel restart").error_in_exec
    assert "is for a cell of a notebook" in str(error)


class _Of6:
    """As much of ipykernel 6's kernel as is looked at."""

    shell_channel_thread = None
    control_thread = iopub_thread = object()

    def dispatch_shell(self) -> None:
        """Be there."""


def test_a_kernel_that_cannot_give_its_place_away_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "7 can" in str(hindrance(_Of6()))
    monkeypatch.setattr("sys.platform", "win32")
    assert "Windows" in str(hindrance(_Of6()))


def test_a_process_that_would_keep_a_gpu_is_known(tmp_path: Path) -> None:
    (tmp_path / "3").symlink_to("/dev/null")
    assert not keeps_gpu(tmp_path)
    assert not keeps_gpu(tmp_path / "none")
    (tmp_path / "4").symlink_to("/dev/nvidia0")
    assert keeps_gpu(tmp_path)


@pytest.mark.parametrize(
    ("environ", "name", "click", "again"),
    [
        ({"COLAB_RELEASE_TAG": "x", "JPY_SESSION_NAME": "n"}, "Colab", "%pip install", "Runtime"),
        (
            {"VSCODE_HANDLES_UNCAUGHT_ERRORS": "true"},
            "VS Code",
            "Select Another Kernel…",
            "Click Restart",
        ),
        ({"VSCODE_PID": "1"}, "VS Code", "Select Another Kernel…", "Click Restart"),
        ({"JPY_SESSION_NAME": "n"}, "Jupyter", "Change Kernel… → “study (uv)”", "Kernel → Restart"),
        ({}, "", "Kernel → Change Kernel…", "Kernel → Restart"),
    ],
)
def test_the_clicks_are_those_of_the_front_end(
    environ: dict[str, str], name: str, click: str, again: str
) -> None:
    assert front_end(environ) == name
    assert click in clicks("study (uv)", environ)
    assert again in restart_clicks(environ)


def test_many_names_are_told_in_short() -> None:
    assert listed(("a", "b")) == "a, b"
    assert listed([f"v{n}" for n in range(11)]) == "v0, v1, v2, v3, v4, v5, v6, v7 and 3 more"


def test_what_a_killed_relay_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from uvmagic.kernel.successor import _sweep

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("uvmagic.kernel.successor._LONGEST_PLACE", 1000)
    left, used = (
        tmp_path / "uvmagic-kernel-99999999-a",
        tmp_path / f"uvmagic-kernel-{os.getpid()}-b",
    )
    for folder in (left, used):
        folder.mkdir()
    _sweep()
    assert not left.exists()
    assert used.exists()


@network
@heavy
def test_a_move_needs_no_short_temporary_folder(project: Folder, tmp_path: Path) -> None:
    temporary = tmp_path / ("long" * 20)
    temporary.mkdir()
    with Kernel("python3", project.path, {"TMPDIR": str(temporary)}) as kernel:
        kernel.run("%load_ext uvmagic")
        moved = kernel.run("%uv kernel use")
        assert moved.status == "ok", moved.text
        assert kernel.prefix() == str(project.path / ".venv")


@network
@heavy
def test_a_front_end_sees_nothing_of_the_relays_own(project: Folder, kernel: Kernel) -> None:
    for _ in range(2):
        assert kernel.run("%uv kernel restart").status == "ok"
    request = kernel.client.execute("import time; time.sleep(3)")
    seen = []
    while True:
        message = kernel.client.get_iopub_msg(timeout=30)
        ours = message["parent_header"].get("msg_id") == request
        if message["msg_type"] == "status" and ours:
            seen.append(message["content"]["execution_state"])
            if seen[-1] == "idle":
                break
        elif seen:
            assert ours, f"while the cell runs came {message['msg_type']} of somebody else"
    assert seen == ["busy", "idle"]
