"""Whoever is killed, of a kernel's processes or above it: nobody stays behind."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from clients import OverWebsocket
from kernels import Kernel
from robustness.aftermath import nobody_is_left, processes_of
from servers import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from conftest import Folder

pytestmark = [pytest.mark.network, pytest.mark.heavy]

_TO_NOTICE = 5.0
"""Seconds in which a process must end whose parent has; ipykernel looks for it each second."""

_STARTER = """\
import sys
from jupyter_client.manager import start_new_kernel

name, *cells = sys.argv[1:]
_, client = start_new_kernel(kernel_name=name, extra_arguments=["--IPKernelApp.log_level=ERROR"])
for cell in cells:
    reply = client.execute_interactive(cell, timeout=60, output_hook=lambda message: None)
    print("ENDED", reply["content"]["status"], flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Case:
    """A kernel of uvmagic's in a folder.

    Attributes:
        folder: where it runs.
        name: the kernelspec's name.
        cells: the cells after which it is what it is to be.
        ends: how each of them ends.
        processes: how many it has then.
    """

    folder: Path
    name: str
    cells: Sequence[str]
    ends: Sequence[str]
    processes: int = 1


@pytest.fixture(params=["in its project", "explaining", "moved"])
def case(request: pytest.FixtureRequest, empty: Folder) -> Case:
    """The kernel for all projects in one, or without; or one that has moved to its project."""
    assert empty.uvmagic("kernel", "install", "uv").returncode == 0
    if request.param == "explaining":
        return Case(empty.path, "uv", ["1"], ["error"])
    project: Folder = request.getfixturevalue("capable")
    assert project.uvmagic("kernel", "install").returncode == 0
    in_project = f"assert __import__('sys').prefix == {str(project.path / '.venv')!r}"
    if request.param == "in its project":
        return Case(project.path, "uv", [in_project], ["ok"])
    moves = ["%load_ext uvmagic", "%uv kernel use", in_project]
    return Case(project.path, "python3", moves, ["ok"] * 3, processes=2)


@contextlib.contextmanager
def started(case: Case) -> Iterator[list[psutil.Process]]:
    """A process that starts the kernel, and the kernel's own; the first is killed in the end."""
    command = [sys.executable, "-c", _STARTER, case.name, *case.cells]
    with subprocess.Popen(
        command, cwd=case.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            ends = [running.stdout.readline().split() for _ in case.cells]
            assert ends == [["ENDED", end] for end in case.ends]
            starter = psutil.Process(running.pid)
            yield [starter, *starter.children(recursive=True)]
        finally:
            running.kill()


def nobody_stays(world: Path, *, but: Sequence[int] = ()) -> None:
    """Assert that no process is left, once each had the time to notice that its parent is gone."""
    deadline = time.monotonic() + _TO_NOTICE
    while processes_of(world, but=but) and time.monotonic() < deadline:
        time.sleep(0.05)
    nobody_is_left(world, but=but)


def test_nobody_stays_when_one_of_them_is_killed(case: Case, tmp_path: Path) -> None:
    for victim in range(1 + case.processes):
        with started(case) as processes:
            assert len(processes) == 1 + case.processes
            assert {p.pid for p in processes} == {p.pid for p in processes_of(tmp_path)}
            processes[victim].kill()
            starter = processes[0].pid
            nobody_stays(tmp_path, but=[starter] if victim else [])
        nobody_is_left(tmp_path)


def test_nobody_stays_when_the_server_is_killed(case: Case, tmp_path: Path) -> None:
    (case.folder / "n.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    session: dict[str, Any] = {"path": "n.ipynb", "name": "n.ipynb", "type": "notebook"}
    session["kernel"] = {"name": case.name}
    with running_server(case.folder) as server:
        client = OverWebsocket(server, server.ask("sessions", session)["kernel"]["id"])
        ends = [client.answer(client.execute(cell)).status for cell in case.cells]
        assert ends == case.ends
        assert len(processes_of(tmp_path)) == 1 + case.processes
        server.process.kill()
        nobody_stays(tmp_path)
        client.close()


def test_a_restart_and_a_shutdown_leave_nobody(case: Case, tmp_path: Path) -> None:
    with Kernel(case.name, case.folder) as kernel:
        assert [kernel.run(cell).status for cell in case.cells] == case.ends
        before = {process.pid for process in processes_of(tmp_path)}
        assert len(before) == case.processes
        kernel.restart()
        now = {process.pid for process in processes_of(tmp_path)}
        assert len(now) == 1
        assert not now & before
        kernel.manager.shutdown_kernel()
        nobody_is_left(tmp_path)
