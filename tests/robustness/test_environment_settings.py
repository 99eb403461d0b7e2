"""What uv is told by environment variables, uvmagic hears too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from index import wheel

from uvmagic.system.uv import environment_for_uv, find_uv

if TYPE_CHECKING:
    from conftest import Folder
    from index import PackageIndex

    from uvmagic.progress import Progress


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


@pytest.mark.parametrize(
    "variables",
    [
        {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"},  # as ipykernel sets them
        {"JPY_SESSION_NAME": "/study.ipynb"},  # as Jupyter Server does
        {"TERM": "dumb"},
        {"TERM": ""},  # a service, such as a Jupyter that no terminal has started
    ],
)
def test_bytes_are_told_whatever_front_end_and_terminal_are_named(
    folder: Folder, index: PackageIndex, variables: dict[str, str]
) -> None:
    index.drip("*.whl", 5_000_000)
    shown: list[Progress] = []
    find_uv(os.environ).run(
        ["add", "heavy"],
        cwd=folder.path,
        environ=environment_for_uv({**os.environ, **variables}),
        on_progress=shown.append,
    )
    under_way = [progress for progress in shown if progress.total]
    assert any(progress.done for progress in under_way)
    assert {progress.files for progress in under_way} == {("heavy",)}


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
