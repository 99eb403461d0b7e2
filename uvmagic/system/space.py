"""How many bytes an environment takes, and how many of them are also elsewhere."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIZES = re.compile(r",([0-9]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Space:
    """The bytes of an environment's distributions, and how many of them are also elsewhere.

    A clone shares its blocks with the cache, which no inode tells: it counts as a file of its own.
    """

    bytes: int = 0
    shared: int = 0


def space(site_packages: Path | None) -> Space:
    """The same as `links.inspected` tells, about, and much faster: a distribution is linked as one.

    One file of each is asked how it lies on disk.
    """
    total = shared = 0
    for _, info, record in records(site_packages):
        size = sum(map(int, _SIZES.findall(record)))
        total += size
        shared += size if is_elsewhere(info / "METADATA") else 0
    return Space(total, shared)


def records(site_packages: Path | None) -> Iterator[tuple[str, Path, str]]:
    """Each distribution of an environment: its name, its .dist-info, the text of its RECORD."""
    for info in sorted(site_packages.glob("*.dist-info")) if site_packages else ():
        name = normalise(info.name.removesuffix(".dist-info").rpartition("-")[0])
        try:
            text = (info / "RECORD").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        yield name, info, text


def is_elsewhere(file: Path) -> bool:
    """Whether a file has other names, or is one of another's."""
    try:
        lies = file.lstat()
    except OSError:
        return False
    return lies.st_nlink > 1 or stat.S_ISLNK(lies.st_mode)
