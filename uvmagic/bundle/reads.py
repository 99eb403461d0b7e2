"""The files that a notebook and its modules read by paths that are spelled out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from uvmagic.bundle.contents import (
    GENERATED,
    LITTER,
    MANIFEST,
    files_below,
    is_file,
    is_folder,
    straight,
)
from uvmagic.bundle.modules import bases, is_absolute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from uvmagic.code import Code

LARGEST = 50_000_000
"""Bytes that go along without being named: of a file, a folder, or all that a pattern gives."""
_LONGEST = 255
"""Characters of a path; a longer text is something else."""
_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Reads:
    """What was found.

    Attributes:
        files: those that go along.
        large: what is too large to go unasked, and its files: a file, a folder or a pattern,
            relative to the project's root.
        outside: what lies outside the project, as the code spells it.
    """

    files: frozenset[Path]
    large: dict[str, frozenset[Path]]
    outside: tuple[str, ...]


def data_files(code: Iterable[Code], working: Sequence[Path], root: Path) -> Reads:
    """The files that some code reads by a relative path.

    A folder goes along with all that is below it, and of a pattern what it matches, where the call
    says that it reads (`listdir`, `glob`, `read_parquet`); but no folder that the notebook itself
    is in, for it holds the whole project. Nothing is opened.

    Args:
        code: the notebook's and its modules'.
        working: the folders that the notebook runs in.
        root: the project's folder, its workspace's root if it has one; resolved.
    """
    files: set[Path] = set()
    large: dict[str, frozenset[Path]] = {}
    outside: set[str] = set()
    for each in code:
        for read in each.reads():
            text = read.place.path
            if not text.isprintable() or len(text) > _LONGEST or is_absolute(read.place):
                continue
            named = [_Named(base, text, read.is_whole) for base in bases(read.place, each, working)]
            held = {one.path: one.files(working, root) for one in named if one.is_in(root)}
            for path, found in held.items():
                if size_of(found) > LARGEST:
                    large[path.relative_to(root).as_posix()] = frozenset(found)
                else:
                    files |= found
            if not any(held.values()) and any(n.exists() for n in named if not n.is_in(root)):
                outside.add(text)
    return Reads(frozenset(files), dict(sorted(large.items())), tuple(sorted(outside)))


def size_of(files: Iterable[Path]) -> int:
    """The bytes of some files."""
    return sum(file.stat().st_size for file in files)


class _Named:
    """A path, or a pattern, as seen from a folder.

    Args:
        base: the folder.
        text: relative to it.
        is_whole: whether a folder or a pattern may be meant by it.
    """

    def __init__(self, base: Path, text: str, is_whole: bool) -> None:
        parts = PurePosixPath(text).parts
        plain = [*takewhile(lambda part: _MAGIC.isdisjoint(part), parts)]
        self.path = straight(base / text)
        self.is_whole = is_whole
        self._folder = straight(base.joinpath(*plain))
        self._pattern = "/".join(parts[len(plain) :])

    def is_in(self, root: Path) -> bool:
        """Whether it is written as one inside a folder."""
        return self.path.is_relative_to(root) and self._folder.is_relative_to(root)

    def exists(self) -> bool:
        """Whether there is something of that name; a pattern's folder does."""
        folder = is_folder(self._folder) and self._folder.name not in LITTER
        return is_file(self.path) or (self.is_whole and folder)

    def files(self, working: Sequence[Path], root: Path) -> set[Path]:
        """The files inside the project that it means."""
        if is_file(self.path):
            return {self.path} if LITTER.isdisjoint(self.path.relative_to(root).parts) else set()
        if not self.is_whole:
            return set()
        if is_folder(self.path):
            holds_the_notebook = any(folder.is_relative_to(self.path) for folder in working)
            below: Iterable[Path] = () if holds_the_notebook else files_below(self.path)
        else:
            below = self._matched()
        return {file for file in below if _is_data(file, root)}

    def _matched(self) -> list[Path]:
        """What the pattern matches, without what is hidden, as `glob` has it."""
        try:
            found = [*self._folder.glob(self._pattern)] if self._pattern else []
        except (ValueError, OSError):  # to Python it is no pattern
            return []
        below = len(self._folder.parts)
        return [path for path in found if not any(p[0] == "." for p in path.parts[below:])]


def _is_data(file: Path, root: Path) -> bool:
    """Whether what a folder or a pattern gives is data, and not what makes a project or a bundle.

    What is to be refused by name is told, as a link to a folder is; what is no file is not, for
    nothing reads it.
    """
    if not file.is_relative_to(root):
        return False
    relative = file.relative_to(root)
    above = [root / folder for folder in [*relative.parents][:-1]]
    return (
        (is_file(file) or (file.is_symlink() and is_folder(file)))
        and LITTER.isdisjoint(relative.parts)
        and str(relative) not in GENERATED
        and not any(is_file(folder / MANIFEST) for folder in above)
    )
