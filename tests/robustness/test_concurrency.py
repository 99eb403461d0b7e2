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
    """Eight processes, each with a change of its own of one project."""

    def __init__(self, folder: Folder, world: Path, command: Callable[[str], list[str]]) -> None:
        self._world = world
        self.running = {name: self._start(folder, name, command(name)) for name in _NAMES}

    def _start(self, folder: Folder, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._world / f"said-{name}").open("wb") as said:
            return subprocess.Popen(
                command,
                cwd=folder.path,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self, name: str) -> str:
        return (self._world / f"said-{name}").read_text()

    def all_wait(self) -> bool:
        """Whether all eight have come to the lock that this process holds, and none further."""
        waits = f"Waiting for process {os.getpid()}"
        return all(waits in self.said(name) for name in _NAMES) and self.all_run()

    def all_run(self) -> bool:
        return [process.poll() for process in self.running.values()] == [None] * 8

    def end_well(self) -> None:
        for name, process in self.running.items():
            assert process.wait(4 * PATIENCE) == 0, self.said(name)
            assert re.search(rf"^(Added|Removed) {name}$", self.said(name), re.MULTILINE)
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


def _are_there(names: list[str], folder: Folder, world: Path) -> None:
    """The names and no other in pyproject.toml, lock and environment; and nothing is left."""
    pyproject, lock = (tomllib.loads((content or b"").decode()) for content in folder.contents())
    assert sorted(re.split("[>=]", e)[0] for e in pyproject["project"]["dependencies"]) == names
    assert {package["name"] for package in lock["package"]} == {"project", *names}
    assert folder.installed() == set(names)
    assert not (folder.path / ".uvmagic" / "journal").exists()
    nobody_is_left(world)


@pytest.mark.parametrize("command", [_from_a_command, _from_a_shell])
def test_eight_that_wait_for_one_project_all_get_their_turn(
    folder: Folder, tmp_path: Path, command: Callable[[str], list[str]]
) -> None:
    with contextlib.ExitStack() as gate:
        gate.enter_context(project_lock(folder.path))
        with _eight(folder, tmp_path, command) as many:
            wait_until(many.all_wait, "all eight to wait")
            gate.close()
            many.end_well()
    _are_there(_NAMES, folder, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("command", [_from_a_command, _from_a_shell])
def test_eight_at_once_on_a_fresh_project_lose_nothing(
    folder: Folder, tmp_path: Path, index: PackageIndex, command: Callable[[str], list[str]]
) -> None:
    index.delay("/simple/*", 0.4)
    with _eight(folder, tmp_path, command) as many:
        wait_until(lambda: index.requests, "the first request")
        assert many.all_run()  # the first waits for the index, the other seven are there
        many.end_well()
    _are_there(_NAMES, folder, tmp_path)


def test_four_adds_and_four_removes_at_once_are_all_done(folder: Folder, tmp_path: Path) -> None:
    assert folder.uvmagic("add", *_NAMES[:4]).returncode == 0

    def command(name: str) -> list[str]:
        return uvmagic_command("remove" if name in _NAMES[:4] else "add", name)

    with contextlib.ExitStack() as gate:
        gate.enter_context(project_lock(folder.path))
        with _eight(folder, tmp_path, command) as many:
            wait_until(many.all_wait, "all eight to wait")
            gate.close()
            many.end_well()
    _are_there(_NAMES[4:], folder, tmp_path)


def test_a_file_that_is_just_being_written_is_read_when_it_is_whole(folder: Folder) -> None:
    text = folder.pyproject.read_text()
    with project_lock(folder.path):
        folder.pyproject.write_text("")  # as uv's own writing leaves it for a moment
        adding = folder.start("add", "alpha")
        assert adding.stderr is not None
        told = adding.stderr.readline()
        folder.pyproject.write_text(text)
    _, rest = adding.communicate(timeout=PATIENCE)
    assert adding.returncode == 0, told + rest
    assert told.startswith("Waiting for process ")
    assert "alpha" in folder.pyproject.read_text()
