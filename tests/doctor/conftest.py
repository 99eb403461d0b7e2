"""A world for each test of `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doctor.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder
    from index import PackageIndex


@pytest.fixture
def world(
    folder: Folder, index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A healthy project."""
    made = World.made(folder, index, tmp_path, monkeypatch)
    with made.undo:
        yield made
