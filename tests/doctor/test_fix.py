"""`doctor --fix` does what is safe, tells what it did, and tells what is left."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from conftest import Folder
from robustness.aftermath import wait_until

from doctor.test_checks import FAULTS
from uvmagic.kernel import registry
from uvmagic.system import links
from uvmagic.system.journal import unfinished
from uvmagic.system.space import space

if TYPE_CHECKING:
    from doctor.world import World


def imported(world: World, name: str) -> str:
    """What a module of the project's environment says of its version."""
    done = subprocess.run(
        [
            str(world.folder.path / ".venv" / "bin" / "python"),
            "-c",
            f"import {name}; print({name}.__version__)",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def test_links_into_a_cleaned_cache_are_installed_anew(world: World) -> None:
    """uv itself says that all is well, and the import gives an empty module."""
    world.uv("sync", "--reinstall", UV_LINK_MODE="symlink")
    world.uv("cache", "clean")
    world.uv("sync", "--check")
    assert "has no attribute '__version__'" in imported(world, "alpha")
    found = world.found()["files-missing"]
    assert (
        found.seen == "2 distributions consist of links into a cache that was cleaned: alpha, beta."
    )
    assert found.remedy.startswith(
        "uvmagic sync --inexact --reinstall-package alpha --reinstall-package beta"
    )
    assert found.fix == ("reinstall", "alpha", "beta")

    outcome = world.run("doctor", "--fix")

    assert outcome.findings == ()
    assert "Installed anew: alpha, beta." in outcome.notes[0]
    assert imported(world, "alpha") == "2.0"


def test_files_that_are_gone_are_installed_anew(world: World) -> None:
    shutil.rmtree(world.site_packages / "alpha")
    found = world.found()["files-missing"]
    assert (
        found.seen
        == "1 distribution consists of files that are gone, such as alpha/__init__.py: alpha."
    )
    assert world.found("--fix") == {}
    assert imported(world, "alpha") == "2.0"


def test_several_faults_are_mended_at_once(world: World) -> None:
    for name in ("kernels-dead", "lock-behind", "environment-behind", "environment-extra"):
        FAULTS[name][2](world)
    world.pip_install("p0")
    assert registry.installed()
    outcome = world.run("doctor", "--fix")
    # what somebody has installed by hand is not taken away
    assert [finding.id for finding in outcome.findings] == ["environment-extra"]
    assert outcome.title == "All is well; 1 note."
    assert len(outcome.notes) == 2
    assert outcome.notes[1] == "Removed 1 kernel whose project is gone."
    assert registry.installed() == []
    assert imported(world, "alpha") == "2.0"
    assert world.folder.installed() == {"alpha", "beta", "gamma", "p0"}


def test_a_change_that_was_killed_is_undone(world: World) -> None:
    before = world.folder.contents()
    world.index.drip("*heavy*.whl", 1000)
    with world.folder.start("add", "heavy") as running:
        wait_until(
            lambda: any("heavy-1.0" in path for path in world.index.requests), "the download"
        )
        under_way = world.found()
        assert under_way.keys() == {"change-unfinished"}  # uv, which would wait, is not asked
        assert under_way["change-unfinished"].level == "note"
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    killed = ("add heavy", False)
    wait_until(lambda: unfinished(world.folder.path) == killed, "the end of its uv")
    assert world.folder.contents() != before
    found = world.found()["change-unfinished"]
    assert (found.level, found.fix) == ("error", ("heal",))
    assert "add heavy" in found.seen
    assert unfinished(world.folder.path) == killed  # looking heals nothing

    outcome = world.run("doctor", "--fix")

    assert outcome.findings == ()
    assert outcome.notes[0].startswith("A killed  add heavy  was found: pyproject.toml")
    assert world.folder.contents() == before


def test_another_uv_at_work_is_not_waited_for(world: World) -> None:
    with (world.folder.path / ".venv" / ".lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        world.ask_for("alpha", "beta", "gamma")
        assert world.found().keys() == {"lock-behind"}


def test_a_journal_that_cannot_be_read_is_left_alone(world: World) -> None:
    FAULTS["change-unfinished"][2](world)
    entry = world.folder.path / ".uvmagic" / "journal" / "entry.json"
    entry.write_text("{")
    found = world.found("--fix")["change-unfinished"]
    assert found.fix == ()
    assert "Look at pyproject.toml and uv.lock" in found.remedy
    assert entry.exists()


def test_what_cannot_be_mended_is_told_and_stays(world: World) -> None:
    world.ask_for("alpha", "nonesuch")
    before = world.folder.contents()
    outcome = world.run("doctor", "--fix")
    assert [finding.id for finding in outcome.findings] == ["lock-behind"]
    assert outcome.notes[0].startswith("The sync could not be mended: uv sync failed;")
    assert world.folder.contents() == before


@pytest.mark.parametrize("name", ["credentials", "files-edited", "torch-incomplete"])
def test_what_is_not_safe_is_only_told(world: World, name: str) -> None:
    FAULTS[name][2](world)
    assert world.found()[name].fix == ()


# --- edits, and how much is shared ----------------------------------------------------------------


def test_an_edit_by_hand_is_in_every_environment(world: World) -> None:
    other = world.path / "other"
    shutil.copytree(world.folder.path, other, ignore=shutil.ignore_patterns(".venv"))
    world.uv("sync", "--project", str(other))
    file = world.site_packages / "alpha" / "__init__.py"
    content = file.read_text()
    file.write_text(content.replace("2.0", "6.6"))  # of the same size
    now = file.stat().st_mtime
    os.utime(file, (now + 60, now + 60))  # as if a minute later

    (found,) = replace(world, folder=Folder(other)).found().values()
    assert found.id == "files-edited"
    assert "alpha/__init__.py" in found.seen
    assert "all of them have the edit" in found.why
    assert found.remedy.startswith("uvmagic cache clean alpha   and uvmagic sync")

    world.uv("cache", "clean", "alpha")
    for project in (world.folder.path, other):
        world.uv("sync", "--reinstall-package", "alpha", "--project", str(project))
    assert world.found() == {}


def test_an_edit_that_left_the_cache_alone_is_told_so(world: World) -> None:
    file = world.site_packages / "alpha" / "__init__.py"
    content = file.read_text()
    file.unlink()
    file.write_text(f"{content}# by an editor that writes anew\n")
    found = world.found()["files-edited"]
    assert found.why == "No lock tells of it, and the next reinstall undoes it."
    assert found.remedy.startswith("uvmagic sync --inexact --reinstall-package alpha")


@pytest.mark.parametrize("mode", ["clone", "copy", "hardlink"])
def test_how_much_is_shared_is_measured(world: World, mode: str) -> None:
    world.uv("sync", "--reinstall", UV_LINK_MODE=mode)
    found = links.inspected(world.site_packages)
    assert (found.linked, found.broken, found.edited) == ((), (), ())
    fast = space(world.site_packages)
    assert fast.bytes == found.space.bytes > 0
    if mode == "copy":
        assert (fast.shared, found.space.shared) == (0, 0)
    if mode == "hardlink":
        assert found.space.bytes - found.space.shared == 2 * len("uv")  # INSTALLER is its own
        assert fast.shared == fast.bytes
        world.uv("cache", "clean")
        assert space(world.site_packages).shared == 0
