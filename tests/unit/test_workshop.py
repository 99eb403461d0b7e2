"""The folder where reruns of one lock are made, one after another."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from uvmagic.system.workshop import BYTECODE, workshop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"UVMAGIC_CACHE_DIR": str(tmp_path / "own")}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_next_finds_what_was_compiled_and_nothing_else(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with workshop("a", tmp_path, environ) as first:
        (first / BYTECODE).mkdir()
        (first / "bundle" / "deep").mkdir(parents=True)
        (first / "file").touch()
    assert names(first) == [BYTECODE]
    with workshop("a", tmp_path, environ) as second:
        assert second == first
        assert names(second) == [BYTECODE]


def test_what_a_killed_run_has_left_is_gone(tmp_path: Path, environ: dict[str, str]) -> None:
    with workshop("a", tmp_path, environ) as folder:
        pass
    (folder / "bundle").mkdir()
    with workshop("a", tmp_path, environ) as again:
        assert names(again) == []


def test_a_run_that_fails_leaves_as_little(tmp_path: Path, environ: dict[str, str]) -> None:
    def fail(folder: Path) -> None:
        (folder / "bundle").mkdir()
        raise RuntimeError

    with pytest.raises(RuntimeError), workshop("a", tmp_path, environ) as folder:
        fail(folder)
    assert names(folder) == []


def test_two_at_once_are_apart(tmp_path: Path, environ: dict[str, str]) -> None:
    with workshop("a", tmp_path, environ) as first, workshop("a", tmp_path, environ) as second:
        assert first != second
        (second / "x").touch()
    assert not second.exists()
    assert first.exists()


def test_where_it_cannot_be_a_temporary_one_does(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with workshop("a", tmp_path, {"UVMAGIC_CACHE_DIR": str(tmp_path / "file")}) as folder:
        assert folder.is_dir()
    assert not folder.exists()
    with workshop("a", tmp_path / "nowhere", {"UVMAGIC_CACHE_DIR": str(tmp_path)}) as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_one_that_nobody_comes_to_goes(tmp_path: Path, environ: dict[str, str]) -> None:
    for name in ("old", "used"):
        with workshop(name, tmp_path, environ) as folder:
            (folder / BYTECODE).mkdir()
    long_ago = time.time() - 31 * 86400
    os.utime(folder.parent / "old.lock", (long_ago, long_ago))
    with workshop("new", tmp_path, environ):
        pass
    assert {path.name for path in folder.parent.iterdir()} == {
        "new",
        "new.lock",
        "used",
        "used.lock",
    }
