"""Many at once on one project: nobody's change is lost."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import uvmagic_command
from robustness.aftermath import PATIENCE, nobody_is_left, wait_until

from uvmagic.system.project_lock import project_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Folder
    from index import PackageIndex

_NAMES = [f"p{n}" for n in range(8)]
_ONE_SHELL = Path(__file__).with_name("one_shell.py")


def _from_a_command(name: str) -> list[str]:
    return uvmagic_command("add", name)


def _from_a_shell(name: str) -> list[str]:
    return [sys.executable, str(_ONE_SHELL), f"%uv add {name}"]


class _Many:
    """Eight processes, each of which adds one distribution to one project."""

    def __init__(self, folder: Folder, world: Path, command: Callable[[str], list[str]]) -> None:
        self._said = {name: world / f"said-{name}" for name in _NAMES}
        self.running = {
            name: subprocess.Popen(
                command(name),
                cwd=folder.path,
                stdin=subprocess.DEVNULL,
                stdout=self._said[name].open("wb"),
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            for name in _NAMES
        }

    def said(self, name: str) -> str:
        return self._said[name].read_text()

    def end_well(self) -> None:
        for name, process in self.running.items():
            assert process.wait(4 * PATIENCE) == 0, self.said(name)
            assert f"Added {name}" in self.said(name)
            assert "Traceback" not in self.said(name)


@contextlib.contextmanager
def _eight(folder: Folder, world: Path, command: Callable[[str], list[str]]) -> Iterator[_Many]:
    many = _Many(folder, world, command)
    try:
        yield many
    finally:
        for process in many.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _all_eight_are_there(folder: Folder, world: Path) -> None:
    pyproject, lock = (tomllib.loads((content or b"").decode()) for content in folder.contents())
    assert sorted(re.split("[>=]", e)[0] for e in pyproject["project"]["dependencies"]) == _NAMES
    assert {package["name"] for package in lock["package"]} == {"project", *_NAMES}
    assert folder.installed() == set(_NAMES)
    assert not (folder.path / ".uvmagic" / "journal").exists()
    nobody_is_left(world)


@pytest.mark.heavy
@pytest.mark.parametrize("command", [_from_a_command, _from_a_shell])
def test_eight_that_wait_for_one_project_all_get_their_turn(
    folder: Folder, tmp_path: Path, command: Callable[[str], list[str]]
) -> None:
    with contextlib.ExitStack() as gate:
        gate.enter_context(project_lock(folder.path))
        with _eight(folder, tmp_path, command) as many:
            waits = f"Waiting for process {os.getpid()}"
            wait_until(lambda: all(waits in many.said(name) for name in _NAMES), "all to wait")
            assert [process.poll() for process in many.running.values()] == [None] * 8
            gate.close()
            many.end_well()
    _all_eight_are_there(folder, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("command", [_from_a_command, _from_a_shell])
def test_eight_at_once_on_a_fresh_project_lose_nothing(
    folder: Folder, tmp_path: Path, index: PackageIndex, command: Callable[[str], list[str]]
) -> None:
    index.delay("/simple/*", 0.5)
    with _eight(folder, tmp_path, command) as many:
        wait_until(lambda: index.requests, "the first request")
        assert [process.poll() for process in many.running.values()] == [None] * 8
        many.end_well()
    _all_eight_are_there(folder, tmp_path)


@pytest.mark.heavy
def test_adds_and_removes_at_once_leave_what_the_last_of_each_says(
    folder: Folder, tmp_path: Path
) -> None:
    assert folder.uvmagic("add", *_NAMES).returncode == 0
    with contextlib.ExitStack() as gate:
        gate.enter_context(project_lock(folder.path))

        def command(name: str) -> list[str]:
            return uvmagic_command("remove" if name < "p4" else "lock", *[name][: name < "p4"])

        with _eight(folder, tmp_path, command) as many:
            waits = f"Waiting for process {os.getpid()}"
            wait_until(lambda: all(waits in many.said(name) for name in _NAMES), "all to wait")
            gate.close()
            assert [process.wait() for process in many.running.values()] == [0] * 8
    assert folder.installed() == set(_NAMES[4:])
    nobody_is_left(tmp_path)
