"""Which file system a path lies on, and how much room it has."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def file_system(path: Path) -> tuple[Path, int, int]:
    """(the nearest folder that exists, its device, bytes free for this user)."""
    place = next(each for each in (path, *path.parents) if each.exists())
    return place, place.stat().st_dev, shutil.disk_usage(place).free
