"""Where each file of a project goes in its bundle, and that none comes from outside it."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANIFEST = "bundle.json"
"""The file by which a folder is a bundle."""
GENERATED = frozenset(
    {
        MANIFEST,
        ".devcontainer",
        ".dockerignore",
        "Dockerfile",
        "README.md",
        "compose.yaml",
        "kernels",
        "pylock.toml",
        "pyproject.toml",
        "uv.lock",
        "wheels",
    }
)
"""What uvmagic itself writes at a bundle's root; no file of the project may take its place."""
LITTER = frozenset({".git", ".hg", ".ipynb_checkpoints", ".uvmagic", ".venv", "__pycache__"})
"""Folders that are never source."""


def files_below(folder: Path) -> Iterator[Path]:
    """The regular files below a folder, without caches, environments and version control."""
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(set(folders) - LITTER)
        # A link to a folder is not walked, for it may lead round in a circle; it is told as a file,
        # so that it is refused and not passed over.
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in sorted([*names, *links]))


def is_file(path: Path) -> bool:
    """Whether there is a regular file; what may not be looked at is none. Nothing is opened."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder; what may not be looked at is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def included(pattern: str, cwd: Path) -> set[Path]:
    """The files that an `--include` pattern names, relative to the current folder.

    Raises:
        BundleRefused: the pattern is absolute, climbs, or matches nothing.
    """
    if Path(pattern).is_absolute() or pattern.startswith("~"):
        raise BundleRefused(
            f"--include {pattern}: an absolute path means another file on another machine.",
            "Name it relative to this folder.",
        )
    if ".." in PurePosixPath(pattern.replace("\\", "/")).parts:
        raise BundleRefused(
            f"--include {pattern}: '..' is not taken.", "Run bundle from the project's folder."
        )
    found: set[Path] = set()
    try:
        matched = list(cwd.glob(pattern))
    except ValueError as error:
        raise BundleRefused(
            f"--include {pattern}: {error}.", "For instance 'data/*.csv'."
        ) from error
    for path in matched:
        if LITTER.isdisjoint(path.relative_to(cwd).parts):
            found |= set(files_below(path)) if path.is_dir() else {path}
    if not found:
        raise BundleRefused(f"--include {pattern} matches no file in {cwd}.")
    return found


def placed(files: Iterable[Path], root: Path) -> dict[str, Path]:
    """Where each file goes in the bundle: the same place as in the project.

    Args:
        files: absolute paths.
        root: the project's folder, resolved.

    Returns:
        POSIX path in the bundle → file to read, in order of the path.

    Raises:
        BundleRefused: a file lies outside the project, is a link that leads out of it, is no
            regular file, or would take the place of one that uvmagic writes, or of another one;
            by name.
    """
    places: dict[str, Path] = {}
    for file in map(straight, files):
        if not file.is_relative_to(root):
            raise BundleRefused(f"{file} lies outside the project {root}.", "Copy it into it.")
        relative = file.relative_to(root)
        target = file.resolve()
        if not target.is_relative_to(root):
            raise BundleRefused(
                f"{relative} is a link that leads out of the project, to {target}.",
                "Put the file itself there, or leave it out.",
            )
        if not target.is_file():
            raise BundleRefused(f"{relative} is not a regular file.")
        generated = _GENERATED_FOLDED.get(_folded(relative.parts[0]))
        if generated is not None:
            raise BundleRefused(
                f"{relative} cannot go along: the bundle has a {generated} of its own.",
                "Rename it, or leave it out.",
            )
        if "\n" in str(relative) or "\r" in str(relative):
            raise BundleRefused(f"{str(relative)!r} has a line break in its name.", "Rename it.")
        if not _is_unicode(str(relative)):
            raise BundleRefused(f"{str(relative)!r} has a name that is no Unicode.", "Rename it.")
        places[relative.as_posix()] = target
    _refuse_twins(places)
    return dict(sorted(places.items()))


def _refuse_twins(places: Iterable[str]) -> None:
    """Raise BundleRefused where one file would take another's place on a Mac or on Windows.

    There names that differ only by case, or by how an accent is composed, are the same. Folders
    that do are one there, and hold all that is in either.
    """
    files: dict[str, str] = {}
    for place in sorted(places):
        twin = files.setdefault(_folded(place), place)
        if twin != place:
            raise BundleRefused(
                f"{twin} and {place} are one file where upper and lower case are the same: one "
                "would take the other's place.",
                "Rename one.",
            )


def _folded(name: str) -> str:
    """The same for all names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


_GENERATED_FOLDED = {_folded(name): name for name in GENERATED}


def _is_unicode(text: str) -> bool:
    """Whether a name is text, and not bytes that Python smuggles through as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def straight(path: Path) -> Path:
    """The path without `..`, its links as they are."""
    return Path(os.path.normpath(path))
