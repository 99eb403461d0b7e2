"""SIGINT while uv works: stopped, the files as they were, nothing left running."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest
from conftest import Folder
from index import sdist
from robustness.aftermath import (
    Aftermath,
    ended,
    fake_uv,
    impatient_command,
    processes_of,
    wait_until,
)

from uvmagic.system.project_lock import project_lock

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from index import PackageIndex

_STOPPED = "error: Stopped; pyproject.toml and uv.lock are as they were."


def _as_a_shell_sees_it(
    done: subprocess.CompletedProcess[str],
) -> subprocess.CompletedProcess[str]:
    """Of a process that a SIGINT ends after its last words, a shell says 130 as well."""
    if done.returncode == -signal.SIGINT:
        done.returncode = 130
    return done


Press = Callable[[int], None]


def _the_process(pid: int) -> None:
    os.kill(pid, signal.SIGINT)


def _the_group(pid: int) -> None:
    os.killpg(pid, signal.SIGINT)


def _the_process_twice(pid: int) -> None:
    os.kill(pid, signal.SIGINT)
    time.sleep(0.002)
    os.kill(pid, signal.SIGINT)


def _the_group_twice(pid: int) -> None:
    os.killpg(pid, signal.SIGINT)
    time.sleep(0.002)
    os.killpg(pid, signal.SIGINT)


_PRESSES = [_the_process, _the_group, _the_process_twice, _the_group_twice]


@pytest.fixture
def aftermath(folder: Folder, tmp_path: Path) -> Aftermath:
    """A project with `beta`."""
    assert folder.uvmagic("add", "beta").returncode == 0
    return Aftermath(folder, tmp_path)


def _slow_to_resolve(index: PackageIndex) -> None:
    index.add(sdist("slow", "1.0"))
    index.delay("/simple/slow/", 60)


def _slow_to_download(index: PackageIndex) -> None:
    index.add(sdist("slow", "1.0", requires=["heavy"]))
    index.drip("*heavy*.whl", 1000)


def _slow_to_build(index: PackageIndex) -> None:
    index.add(sdist("slow", "1.0", build_seconds=60))


def _resolves(index: PackageIndex, _: Path) -> bool:
    return "/simple/slow/" in index.requests


def _downloads(index: PackageIndex, _: Path) -> bool:
    return "/files/heavy-1.0-py3-none-any.whl" in index.requests


def _builds(_: PackageIndex, world: Path) -> bool:
    return any(map(_is_building, processes_of(world)))


def _is_building(process: psutil.Process) -> bool:
    try:
        told = " ".join(process.cmdline())
        return "backend.build_wheel(" in told and process.status() == psutil.STATUS_SLEEPING
    except psutil.Error:  # gone meanwhile
        return False


_PHASES = [
    pytest.param(_slow_to_resolve, _resolves, id="resolving"),
    pytest.param(_slow_to_download, _downloads, id="downloading"),
    pytest.param(_slow_to_build, _builds, id="building"),
]


@pytest.mark.parametrize("press", _PRESSES)
@pytest.mark.parametrize(("slow", "has_come"), _PHASES)
def test_stopped_while_uv_works_the_files_are_as_they_were(
    aftermath: Aftermath,
    index: PackageIndex,
    slow: Callable[[PackageIndex], None],
    has_come: Callable[[PackageIndex, Path], bool],
    press: Press,
) -> None:
    slow(index)
    with aftermath.folder.start("add", "slow") as running:
        wait_until(lambda: has_come(index, aftermath.world), "that phase")
        press(running.pid)
        done = ended(running)
    assert aftermath.is_clean(done, status=130) == _STOPPED
    index.heal()
    aftermath.works_again()


@pytest.mark.heavy
@pytest.mark.parametrize("chunk", range(3))
def test_pressed_again_and_again_at_any_moment_the_files_are_as_they_were(
    aftermath: Aftermath, index: PackageIndex, chunk: int
) -> None:
    """An impatient user: the presses come also while the files are being put back."""
    moments = random.Random(chunk)
    index.drip("*heavy*.whl", 1000)
    for _ in range(6):
        index.requests.clear()
        with aftermath.folder.start("add", "heavy") as running:
            wait_until(lambda: _downloads(index, aftermath.world), "the download")
            for _ in range(moments.randint(2, 6)):
                os.kill(running.pid, signal.SIGINT)
                time.sleep(moments.random() * 0.006)
            done = _as_a_shell_sees_it(ended(running))
        assert aftermath.is_clean(done, status=130).startswith("error: Stopped")
    index.heal()
    aftermath.works_again()


def test_stopped_while_it_waits_for_another_it_just_stops(aftermath: Aftermath) -> None:
    with project_lock(aftermath.folder.path), aftermath.folder.start("add", "alpha") as running:
        assert running.stderr is not None
        assert running.stderr.readline().startswith("Waiting for ")
        _the_process(running.pid)
        done = ended(running)
    assert aftermath.is_clean(done, status=130) == "error: Stopped."
    aftermath.works_again()


def test_stopped_while_a_uv_is_asked_for_its_version_it_just_stops(
    aftermath: Aftermath, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    program = fake_uv(tmp_path / "fake", "", version="")
    with open(program, "w") as stream:  # noqa: PTH123
        stream.write(f"#!/bin/sh\n: > '{asked}'\nexec sleep 60\n")
    with aftermath.folder.start("add", "alpha", UV=program) as running:
        wait_until(asked.exists, "the question")
        _the_process(running.pid)
        done = ended(running)
    assert aftermath.is_clean(done, status=130) == "error: Stopped."
    aftermath.works_again()


@pytest.mark.parametrize("press", _PRESSES)
def test_stopped_while_a_passed_through_word_runs_nothing_is_left(
    aftermath: Aftermath, tmp_path: Path, press: Press
) -> None:
    came = tmp_path / "came"
    code = f"import pathlib, time; pathlib.Path({str(came)!r}).touch(); time.sleep(60)"
    with aftermath.folder.start("run", "python", "-c", code) as running:
        wait_until(came.exists, "the child")
        press(running.pid)
        done = ended(running)
    assert done.returncode == 130
    assert "error: Stopped." in done.stderr
    assert "uvmagic" not in done.stderr  # the child may tell of its own end, uvmagic does not
    aftermath.is_unharmed()
    aftermath.works_again()


@pytest.mark.parametrize("word", ["remove", "sync", "lock"])
def test_the_other_words_stop_as_add_does(
    aftermath: Aftermath, index: PackageIndex, word: str
) -> None:
    index.add(sdist("slow", "1.0", build_seconds=60))
    pyproject = aftermath.folder.pyproject
    pyproject.write_text(pyproject.read_text().replace('"beta', '"slow", "gamma", "beta'))
    aftermath = Aftermath(aftermath.folder, aftermath.world)
    index.delay("/simple/slow/", 60)
    with aftermath.folder.start(word, *["gamma"][: word == "remove"]) as running:
        wait_until(lambda: _resolves(index, aftermath.world), "the request")
        _the_process(running.pid)
        done = ended(running)
    assert aftermath.is_clean(done, status=130) == _STOPPED


@pytest.mark.heavy
def test_a_uv_that_does_not_stop_is_killed_and_the_files_are_put_back(
    aftermath: Aftermath, tmp_path: Path
) -> None:
    program = fake_uv(
        tmp_path / "fake",
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "Path('pyproject.toml').write_text('half of what')\n"
        "Path('uv.lock').unlink()\n"
        "Path('edited').touch()\n"
        "time.sleep(100)\n",
    )
    edited = aftermath.folder.path / "edited"
    folder = Folder(aftermath.folder.path, impatient_command)
    with folder.start("add", "alpha", UV=program) as running:
        wait_until(edited.exists, "the edit")
        _the_process(running.pid)
        done = ended(running)
    assert aftermath.is_clean(done, status=130) == _STOPPED
    aftermath.works_again()


@pytest.mark.heavy
def test_a_uv_that_does_not_stop_however_often_it_is_pressed_is_killed(
    aftermath: Aftermath, tmp_path: Path
) -> None:
    program = fake_uv(
        tmp_path / "fake",
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "Path('pyproject.toml').write_text('half of what')\n"
        "Path('edited').touch()\n"
        "time.sleep(100)\n",
    )
    edited = aftermath.folder.path / "edited"
    with aftermath.folder.start("add", "alpha", UV=program) as running:
        wait_until(edited.exists, "the edit")
        while running.poll() is None:
            _the_process(running.pid)
            time.sleep(0.2)
        done = _as_a_shell_sees_it(ended(running))
    assert aftermath.is_clean(done, status=130).startswith("error: Stopped")
    aftermath.works_again()
