"""SIGKILL at any moment: the next command finds the files as before, or as after, and says so."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest
from conftest import Folder
from index import sdist, wheel
from robustness.aftermath import (
    Aftermath,
    end,
    ended,
    message_of,
    nobody_is_left,
    processes_of,
    wait_until,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Shell
    from index import PackageIndex

_MOMENTS = 50
_CHUNKS = 5
_FOUND = "A killed  add journey  was found: "


class _Journey:
    """An add that takes a while, and the same project again for every moment of it.

    Each phase takes its share: resolving, downloading, building, installing many files.
    """

    def __init__(self, folder: Folder, world: Path, index: PackageIndex) -> None:
        index.add(
            sdist("journey", "1.0", requires=["heavy", "many"], build_seconds=0.1),
            wheel("many", "1.0", modules={f"many/m{n}.py": "" for n in range(800)}),
        )
        assert folder.uvmagic("add", "alpha").returncode == 0
        index.delay("/simple/*", 0.08)
        index.drip("*.whl", 20_000_000)
        self._world = world
        self._template = world / "template"
        self._template.mkdir()
        folder.path.rename(self._template / "project")
        (world / "cache").rename(self._template / "cache")
        folder.path.mkdir()  # a test's current folder
        self.old = Folder(self._template / "project").contents()
        started = time.monotonic()
        with self.start(self.copy("whole")) as running:
            assert ended(running).returncode == 0
        self.seconds = time.monotonic() - started
        self.new = Folder(world / "whole" / "project").contents()
        assert self.old != self.new

    def copy(self, name: str) -> Folder:
        """The project before the add, with a cache that knows nothing of it."""
        shutil.copytree(self._template, self._world / name, symlinks=True)
        return Folder(self._world / name / "project")

    def start(self, folder: Folder) -> subprocess.Popen[str]:
        return folder.start("add", "journey", UV_CACHE_DIR=str(folder.path.parent / "cache"))

    def killed(self, name: str, after: float, *, with_its_uv: bool) -> Folder:
        """The project in which the add was killed, with its uv or without, after some seconds."""
        folder = self.copy(name)
        with self.start(folder) as running:
            time.sleep(after)
            if with_its_uv:
                os.killpg(running.pid, signal.SIGKILL)
            else:
                running.kill()
            running.wait()
        return folder


@pytest.mark.heavy
@pytest.mark.parametrize("chunk", range(_CHUNKS))
def test_killed_at_any_moment_the_files_are_the_old_or_the_new(
    folder: Folder, tmp_path: Path, index: PackageIndex, chunk: int
) -> None:
    journey = _Journey(folder, tmp_path, index)
    moments = random.Random(chunk)
    healed = 0
    share = 1.1 * journey.seconds / (_MOMENTS // _CHUNKS)
    for number in range(_MOMENTS // _CHUNKS):
        name = f"moment-{number}"
        after = (number + moments.random()) * share
        killed = journey.killed(name, after, with_its_uv=bool((number + chunk) % 2))
        half_done = (killed.path / ".uvmagic" / "journal" / "entry.json").exists()

        done = killed.uvmagic("lock", UV_CACHE_DIR=str(killed.path.parent / "cache"))

        assert done.returncode == 0, (after, done.stderr)
        assert "Traceback" not in done.stderr
        assert (_FOUND in done.stdout) == half_done, (after, done.stdout)
        assert killed.contents() in ([journey.old] if half_done else [journey.old, journey.new])
        assert {path.name for path in killed.path.iterdir()} <= {
            *("pyproject.toml", "uv.lock", ".venv", ".uvmagic")
        }
        nobody_is_left(killed.path.parent)
        healed += half_done
    assert healed > 0  # else no moment of this chunk was one that matters
    Aftermath(killed, killed.path.parent).works_again("gamma")


def _is_downloading(index: PackageIndex) -> Callable[[], bool]:
    return lambda: any("heavy-1.0" in path and path.endswith(".whl") for path in index.requests)


@pytest.fixture
def half_done(folder: Folder, index: PackageIndex, tmp_path: Path) -> Aftermath:
    """A project with `alpha` in which an add was killed, with its uv, while downloading."""
    assert folder.uvmagic("add", "alpha").returncode == 0
    aftermath = Aftermath(folder, tmp_path)
    index.drip("*heavy*.whl", 1000)
    with folder.start("add", "heavy") as running:
        wait_until(_is_downloading(index), "the download")
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    nobody_is_left(tmp_path)
    index.heal()
    assert folder.contents() != aftermath.before
    return aftermath


def test_the_half_written_file_of_a_killed_uv_is_removed_and_no_older_one(
    half_done: Aftermath,
) -> None:
    folder = half_done.folder.path
    of_uv, older = folder / ".tmpAb12Cd", folder / ".tmpEf34Gh"
    of_uv.touch()
    older.touch()
    os.utime(older, (1, 1))
    half_done.folder.uvmagic("lock")
    assert not of_uv.exists()
    assert older.exists()


def test_a_uv_whose_parent_was_killed_keeps_the_project_until_it_ends(
    folder: Folder, index: PackageIndex, tmp_path: Path
) -> None:
    assert folder.uvmagic("add", "alpha").returncode == 0
    aftermath = Aftermath(folder, tmp_path)
    index.drip("*heavy*.whl", 1000)
    # quiet, for else uv ends as soon as it finds that nobody hears it
    with folder.start("add", "heavy", "--no-progress") as running:
        wait_until(_is_downloading(index), "the download")
        running.kill()
        running.wait()
    (orphan,) = processes_of(tmp_path)
    assert orphan.name() == "uv"

    with folder.start("lock") as other:
        assert other.stderr is not None
        waits = other.stderr.readline()
        was_alive, under_way = orphan.is_running(), folder.contents()
        end(orphan)
        done = ended(other)

    assert waits == f"Waiting for process {running.pid}, which is changing this project\n"
    assert was_alive
    assert under_way != aftermath.before  # nobody heals what is still being changed
    assert done.returncode == 0, done.stderr
    assert "A killed  add heavy --no-progress  was found: pyproject.toml" in done.stdout
    aftermath.is_unharmed()
    index.heal()
    aftermath.works_again("heavy")


def test_what_was_edited_by_hand_after_a_kill_is_kept_aside(half_done: Aftermath) -> None:
    folder = half_done.folder
    edited = b"[project\nname = by hand, and not yet done\xff"
    folder.pyproject.write_bytes(edited)
    folder.lock.write_bytes(edited[::-1])

    done = folder.uvmagic("lock")

    assert done.returncode == 0, done.stderr
    assert "A killed  add heavy  was found: pyproject.toml and uv.lock put back" in done.stdout
    half_done.is_unharmed()
    kept = {path.name: path.read_bytes() for path in (folder.path / ".uvmagic/kept").iterdir()}
    assert sorted(kept.values()) == sorted([edited, edited[::-1]])
    assert sorted(name.split("-")[-1] for name in kept) == ["pyproject.toml", "uv.lock"]
    half_done.works_again("gamma")


def test_what_was_edited_by_hand_in_every_member_of_a_workspace_is_kept_aside(
    folder: Folder, index: PackageIndex
) -> None:
    with folder.pyproject.open("a") as stream:
        stream.write('\n[tool.uv.workspace]\nmembers = ["one", "two"]\n')
    files = [folder.pyproject]
    for name in ("one", "two"):
        member = folder.path / name
        member.mkdir()
        files.append(member / "pyproject.toml")
        files[-1].write_text(
            f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        )
    before = [file.read_bytes() for file in files]
    index.drip("*heavy*.whl", 1000)
    with folder.start("add", "heavy") as running:
        wait_until(_is_downloading(index), "the download")
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    index.heal()
    edited = [content + f"# edit {number}\n".encode() for number, content in enumerate(before)]
    for file, content in zip(files, edited, strict=True):
        file.write_bytes(content)

    done = folder.uvmagic("lock")

    assert done.returncode == 0, done.stderr
    assert "A killed  add heavy  was found" in done.stdout
    assert [file.read_bytes() for file in files] == before
    kept = [path.read_bytes() for path in (folder.path / ".uvmagic/kept").iterdir()]
    assert set(edited) <= set(kept)


def test_a_file_that_was_deleted_after_a_kill_is_put_back(half_done: Aftermath) -> None:
    half_done.folder.pyproject.unlink()
    half_done.folder.lock.unlink()
    done = half_done.folder.uvmagic("add", "alpha")
    assert done.returncode == 0, done.stderr
    assert "A killed  add heavy  was found: pyproject.toml and uv.lock put back" in done.stdout
    half_done.is_unharmed()


def test_a_word_passed_through_to_uv_heals_first(half_done: Aftermath) -> None:
    done = half_done.folder.uvmagic("tree")
    assert done.returncode == 0, done.stderr
    assert "A killed  add heavy  was found" in done.stderr
    assert "alpha" in done.stdout
    assert "heavy" not in done.stdout
    half_done.is_unharmed()


def test_a_cell_heals_first(half_done: Aftermath, shell: Shell) -> None:
    outcome = shell.outcome("%uv add gamma")
    assert outcome.title == "Added gamma"
    assert outcome.notes[0].startswith("A killed  add heavy  was found: pyproject.toml")
    assert half_done.folder.installed() == {"alpha", "gamma"}
    assert b"heavy" not in b"".join(content or b"" for content in half_done.folder.contents())


def test_healing_is_told_also_when_the_next_command_fails(half_done: Aftermath) -> None:
    done = half_done.folder.uvmagic("add", "nonesuch")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "There is no package nonesuch" in done.stderr
    half_done.is_unharmed()
    assert "A killed  add heavy  was found: pyproject.toml" in done.stderr


def test_a_project_that_was_moved_after_a_kill_is_healed(
    half_done: Aftermath, tmp_path: Path
) -> None:
    moved = Folder(tmp_path / "moved")
    half_done.folder.path.rename(moved.path)
    done = moved.uvmagic("lock")
    assert done.returncode == 0, done.stderr
    assert "A killed  add heavy  was found" in done.stdout
    assert moved.contents() == half_done.before


def test_a_second_kill_while_healing_loses_nothing(half_done: Aftermath) -> None:
    """The first file was put back, then the healer died: the second still can be."""
    folder = half_done.folder
    journal = folder.path / ".uvmagic" / "journal"
    rows = json.loads((journal / "entry.json").read_bytes())["files"]
    copy = next(row["copy"] for row in rows if row["path"] == "pyproject.toml")
    (journal / copy).replace(folder.pyproject)
    done = folder.uvmagic("lock")
    assert done.returncode == 0, done.stderr
    assert "A killed  add heavy  was found" in done.stdout
    half_done.is_unharmed()


@pytest.mark.parametrize("entry", [b"", b"{", b"{}", b"null", b"[]", b"\xff\xfe", b'{"files": 1}'])
def test_a_journal_that_cannot_be_read_is_one_clear_error(
    half_done: Aftermath, entry: bytes
) -> None:
    folder = half_done.folder
    journal = folder.path / ".uvmagic" / "journal"
    files = folder.contents()
    (journal / "entry.json").write_bytes(entry)

    done = folder.uvmagic("lock")

    assert done.returncode == 1
    message = message_of(done.stderr)
    assert f"The journal {journal / 'entry.json'} cannot be read" in message
    assert "→ Look at pyproject.toml and uv.lock, then remove that folder." in message
    assert folder.contents() == files
    assert (journal / "0").exists()  # what the files were is there to look at
    shutil.rmtree(journal)
    folder.pyproject.write_bytes(half_done.before[0] or b"")
    half_done.works_again("gamma")
