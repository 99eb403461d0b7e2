"""What uv is told by environment variables, uvmagic hears too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from index import wheel

if TYPE_CHECKING:
    from conftest import Folder


def test_no_sync_in_the_environment_locks_only(folder: Folder) -> None:
    done = folder.uvmagic("add", "alpha", UV_NO_SYNC="1")
    assert done.returncode == 0, done.stderr
    assert "Locked only: the environment has not changed." in done.stdout
    assert "project  0" not in done.stdout
    assert folder.installed() == set()
    assert folder.uvmagic("add", "alpha").returncode == 0
    assert folder.installed() == {"alpha"}


def test_frozen_in_the_environment_edits_only(folder: Folder) -> None:
    done = folder.uvmagic("add", "alpha", UV_FROZEN="true")
    assert done.returncode == 0, done.stderr
    assert '"alpha"' in folder.pyproject.read_text()
    assert not folder.lock.exists()


@pytest.mark.parametrize("option", ["--directory", "--project"])
def test_a_path_is_relative_to_where_uv_goes(folder: Folder, option: str) -> None:
    made = wheel("library", "1.0")
    file = folder.path.parent / made.filename
    file.write_bytes(made.data)
    inside = folder.path / "notebooks"
    inside.mkdir()
    place = os.path.relpath(file, inside if option == "--directory" else folder.path)
    done = folder.uvmagic(option, "notebooks", "add", place)
    assert done.returncode == 0, done.stderr
    assert folder.installed() == {"library"}
    again = folder.uvmagic(option, "notebooks", "add", place)
    assert "Already there" in again.stdout
