"""A disk that is full, or takes no writes: told, and nothing is lost."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from conftest import Folder
from index import wheel
from robustness.aftermath import Aftermath, message_of, nobody_is_left
from robustness.mounts import PAGE, full, read_only, tmpfs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from index import PackageIndex


@pytest.fixture
def small(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """A project with `beta` on a disk of its own, cache and environment elsewhere.

    Its pyproject.toml takes some pages, so that a write of it can stop in the middle.
    """
    monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", str(tmp_path / "environment"))
    text = folder.pyproject.read_text()
    with tmpfs(folder.path, 512 * 1024):
        comment = "".join(f"# line {number} of many\n" for number in range(500))
        folder.pyproject.write_text(f"{text}\n{comment}")
        assert folder.pyproject.stat().st_size > 2 * PAGE
        yield folder


@pytest.mark.heavy
@pytest.mark.parametrize("is_fresh", [True, False])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])  # the latter is put back in the end
def test_wherever_the_disk_becomes_full_the_files_are_as_they_were(
    small: Folder, tmp_path: Path, index: PackageIndex, is_fresh: bool, line_end: bytes
) -> None:
    """From no space at all up to enough: each time a later write is the one that fails."""
    small.pyproject.write_bytes(small.pyproject.read_bytes().replace(b"\n", line_end))
    tags = [f"cp3{n}-cp3{n}-manylinux_2_17_x86_64" for n in range(11, 60)]
    wheels = [wheel("wide", "1.0", tag=tag) for tag in ("py3-none-any", *tags)]
    index.add(*wheels)  # so many that the entry in uv.lock takes some pages
    if not is_fresh:
        assert small.uvmagic("add", "beta").returncode == 0
    aftermath = Aftermath(small, tmp_path)
    failures = []
    for pages in range(60):
        with full(small.path, but=pages * PAGE):
            done = small.uvmagic("add", "wide")
            if done.returncode == 0:
                break
            failures.append(aftermath.is_clean(done))
            assert "o space left" in failures[-1], failures[-1]
            shutil.rmtree(small.path / ".uvmagic" / "journal", ignore_errors=True)
        assert sorted(path.name for path in small.path.iterdir() if path.is_file()) == sorted(
            ["pyproject.toml", *(["uv.lock"] if aftermath.before[1] else [])]
        )
    assert done.returncode == 0, done.stderr
    assert any(
        message.startswith(f"error: No space left to write {small.path}") for message in failures
    )
    assert any(message.startswith("error: uv add failed; ") for message in failures)
    assert b"wide" in small.pyproject.read_bytes()
    assert small.lock.stat().st_size > 2 * PAGE
    Aftermath(small, tmp_path).works_again()


def test_without_any_space_the_place_is_named_and_what_to_do(small: Folder, tmp_path: Path) -> None:
    aftermath = Aftermath(small, tmp_path)
    with full(small.path):
        message = aftermath.is_clean(
            small.uvmagic("add", "alpha"),
            f"No space left to write {small.path}",
            "Nothing was changed.",
            "→ Free some and try again.",
        )
    assert len(message.splitlines()) == 2
    aftermath.works_again()
    assert (small.path / ".uvmagic" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("pages", [2, 4, 6])
def test_copies_that_a_full_disk_made_useless_take_no_more_of_it(
    small: Folder, tmp_path: Path, pages: int
) -> None:
    aftermath = Aftermath(small, tmp_path)
    with full(small.path, but=pages * PAGE):
        aftermath.is_clean(small.uvmagic("add", "alpha"), "No space left")
        assert not (small.path / ".uvmagic" / "journal").exists()
    aftermath.works_again()


def test_without_another_inode_nothing_is_changed(folder: Folder, tmp_path: Path) -> None:
    text = folder.pyproject.read_text()
    environ = {"UV_PROJECT_ENVIRONMENT": str(tmp_path / "environment")}
    failures = 0
    for inodes in range(3, 20):
        with tmpfs(folder.path, 512 * 1024, nr_inodes=inodes):
            folder.pyproject.write_text(text)
            aftermath = Aftermath(folder, tmp_path)
            done = folder.uvmagic("add", "alpha", **environ)
            if done.returncode == 0:
                break
            aftermath.is_clean(done, "o space left")
            failures += 1
    assert failures >= 3
    assert done.returncode == 0, done.stderr


def test_a_kill_on_a_full_disk_is_healed_on_the_full_disk(
    small: Folder, tmp_path: Path, index: PackageIndex
) -> None:
    """What a kill left half done is put back by renaming: that needs no space."""
    assert small.uvmagic("add", "beta").returncode == 0
    aftermath = Aftermath(small, tmp_path)
    index.drip("*heavy*.whl", 1000)
    with small.start("add", "heavy") as running:
        while not any("heavy-1.0" in path for path in index.requests):
            assert running.poll() is None
        os.killpg(running.pid, 9)
        running.wait()
    assert small.contents() != aftermath.before
    small.pyproject.write_bytes(b"half of")
    with full(small.path):
        done = small.uvmagic("tree")
        assert done.returncode == 0, done.stderr
        assert "A killed  add heavy  was found: pyproject.toml" in done.stderr
        aftermath.is_unharmed()
    index.heal()
    aftermath.works_again()


@pytest.mark.parametrize("name", ["environment", "cache"])
def test_without_space_for_the_packages_the_files_are_as_they_were(
    folder: Folder, tmp_path: Path, name: str
) -> None:
    place = tmp_path / name
    place.mkdir(exist_ok=True)
    environ = {
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "environment"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_LINK_MODE": "copy",
    }
    aftermath = Aftermath(folder, tmp_path)
    with tmpfs(place, 2 * 1024 * 1024):
        message = aftermath.is_clean(
            folder.uvmagic("add", "heavy", **environ), "heavy", "No space left on device"
        )
        assert message.startswith(
            "error: uv add failed; pyproject.toml and uv.lock are as they were."
        )
        aftermath.works_again(**environ)
    shutil.rmtree(tmp_path / "environment", ignore_errors=True)
    assert folder.uvmagic("add", "heavy", **environ).returncode == 0


@pytest.mark.parametrize("is_fresh", [True, False])
@pytest.mark.parametrize("word", ["add", "remove", "sync", "lock", "init"])
def test_a_folder_that_takes_no_writes_is_named(
    folder: Folder, tmp_path: Path, word: str, is_fresh: bool
) -> None:
    if not is_fresh:
        assert folder.uvmagic("add", "beta").returncode == 0
    target = folder
    arguments = {"add": ["alpha"], "remove": ["beta"]}.get(word, [])
    if word == "init":
        target = Folder(folder.path / "below")
        target.path.mkdir()
    names = sorted(path.name for path in folder.path.iterdir())
    aftermath = Aftermath(folder, tmp_path)
    with read_only(folder.path):
        done = target.uvmagic(word, *arguments)
        aftermath.is_clean(
            done,
            f"{target.path}",
            "cannot be written: Read-only file system. Nothing was changed.",
            "→ Is it yours?",
        )
    assert sorted(path.name for path in folder.path.iterdir()) == names
    aftermath.works_again()


def test_what_needs_no_write_works_in_a_folder_that_takes_none(
    folder: Folder, tmp_path: Path
) -> None:
    assert folder.uvmagic("add", "alpha").returncode == 0
    aftermath = Aftermath(folder, tmp_path)
    with read_only(folder.path):
        done = folder.uvmagic("add", "alpha")
        assert done.returncode == 0, done.stderr
        assert "Already there: alpha 2.0" in done.stdout
    aftermath.is_unharmed()


def test_a_kill_is_not_healed_where_nothing_can_be_written_and_that_is_told(
    folder: Folder, tmp_path: Path, index: PackageIndex
) -> None:
    index.drip("*heavy*.whl", 1000)
    aftermath = Aftermath(folder, tmp_path)
    with folder.start("add", "heavy") as running:
        while not any("heavy-1.0" in path for path in index.requests):
            assert running.poll() is None
        os.killpg(running.pid, 9)
        running.wait()
    index.heal()
    half_done = folder.contents()
    assert half_done != aftermath.before
    with read_only(folder.path):
        done = folder.uvmagic("add", "alpha")
        assert done.returncode == 1
        assert "cannot be written: Read-only file system" in message_of(done.stderr)
        assert folder.contents() == half_done
    nobody_is_left(tmp_path)
    done = folder.uvmagic("lock")
    assert "A killed  add heavy  was found: pyproject.toml" in done.stdout


def test_a_link_to_another_file_system_is_put_back_through_the_link(
    folder: Folder, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with tmpfs(elsewhere, 512 * 1024):
        (elsewhere / "real.toml").write_bytes(folder.pyproject.read_bytes())
        folder.pyproject.unlink()
        folder.pyproject.symlink_to(elsewhere / "real.toml")
        aftermath = Aftermath(folder, tmp_path)
        aftermath.is_clean(folder.uvmagic("add", "nonesuch"), "There is no package nonesuch")
        assert folder.pyproject.is_symlink()
        aftermath.works_again()
        assert folder.pyproject.is_symlink()
        assert [path.name for path in elsewhere.iterdir()] == ["real.toml"]
