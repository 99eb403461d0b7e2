"""How an environment's files lie on disk: their own, one inode with uv's cache, or links into it.

uv clones, hard-links, copies or symlinks what it installs from its cache. A hard link is one file
under several names: an edit of it is in every environment that has it. A symlink needs its cache:
once that is cleaned, uv still says that all is well, and an import gives an empty module.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from uvmagic.system.space import Space, is_elsewhere, records

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNPACKING = 2.0
"""Seconds that the files of one distribution may lie apart, as uv unpacked them."""
_HASHED = 64 * 1024 * 1024
"""How many bytes are compared with RECORD's hashes: a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A file that is not what its distribution brought.

    Attributes:
        distribution: whose it is.
        path: from site-packages on.
        is_shared: whether the cache, and other environments, have the same file.
    """

    distribution: str
    path: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Links:
    """How the files of an environment lie on disk.

    Attributes:
        space: of all of them.
        linked: the distributions whose files are symlinks.
        broken: those of which some files are not there, each with one of these files.
        edited: files that were changed since they were installed.
    """

    space: Space = field(default_factory=Space)
    linked: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    edited: tuple[Edited, ...] = ()


def inspected(site_packages: Path | None) -> Links:
    """Look at every file that a RECORD lists, without reading it.

    Only one that is larger, smaller or later than it should be is compared with its hash: an edit
    that left size and time as they were is not seen.
    """
    found = _Found()
    for name, info, record in records(site_packages):
        found.look_at(name, info, _rows(record))
    return Links(
        Space(found.bytes, found.shared),
        tuple(sorted(found.linked)),
        tuple(sorted(found.broken.items())),
        tuple(_edited(found.suspects)),
    )


# --- what was installed -------------------------------------------------------------------------


class _Row(NamedTuple):
    """A file of a RECORD: its path from site-packages on, hash and size."""

    path: str
    digest: str
    size: int


def _rows(record: str) -> list[_Row]:
    """Those that have a hash; split by hand, for `csv` takes three times as long."""
    rows = []
    for line in record.splitlines():
        path, _, rest = line.rpartition(",")
        path, _, digest = path.rpartition(",")
        if digest and rest.isdecimal():
            rows.append(_Row(path.strip('"').replace('""', '"'), digest, int(rest)))
    return rows


# --- how it lies on disk ------------------------------------------------------------------------


class _Suspect(NamedTuple):
    distribution: str
    file: str
    row: _Row
    is_shared: bool


@dataclass
class _Found:
    """What was found so far."""

    bytes: int = 0
    shared: int = 0
    linked: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    suspects: list[_Suspect] = field(default_factory=list)

    def look_at(self, name: str, info: Path, rows: list[_Row]) -> None:
        latest, folder = _installed_by(info), str(info.parent)
        for row in rows:
            file = f"{folder}/{row.path}"
            try:
                lies = is_ = os.lstat(file)
                if stat.S_ISLNK(lies.st_mode):
                    self.linked.add(name)
                    is_ = os.stat(file)  # noqa: PTH116  thirty thousand of them
            except OSError:
                self.broken.setdefault(name, row.path)
                continue
            is_shared = lies.st_nlink > 1 or lies is not is_
            self.bytes += is_.st_size
            self.shared += is_.st_size if is_shared else 0
            if is_.st_size != row.size or is_.st_mtime > latest:
                self.suspects.append(_Suspect(name, file, row, is_shared))


def _installed_by(info: Path) -> float:
    """When the files of a distribution had all been written.

    A hard link and a symlink have the time at which uv unpacked the wheel, as its METADATA has;
    a copy has its own, and RECORD is the last that is written.
    """
    try:
        is_linked = is_elsewhere(info / "METADATA")
        return (info / ("METADATA" if is_linked else "RECORD")).stat().st_mtime + _UNPACKING
    except OSError:
        return float("inf")


def _edited(suspects: list[_Suspect]) -> Iterator[Edited]:
    """Those whose content is another, the small ones first, as far as can be read in a moment."""
    left = _HASHED
    for suspect in sorted(suspects, key=lambda one: (one.row.size, one.row.path)):
        left -= suspect.row.size
        if left < 0:
            return
        algorithm, _, digest = suspect.row.digest.partition("=")
        try:
            content = Path(suspect.file).read_bytes()
            actual = hashlib.new(algorithm, content).digest()
        except (OSError, ValueError):
            continue
        if base64.urlsafe_b64encode(actual).rstrip(b"=").decode() != digest.rstrip("="):
            yield Edited(suspect.distribution, suspect.row.path, suspect.is_shared)
