"""Which of the project's files go into a bundle, and that none comes from outside it."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from uvmagic.errors import BundleRefused
from uvmagic.notebook import imported_modules, literal_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GENERATED = frozenset(
    {
        ".devcontainer",
        ".dockerignore",
        "Dockerfile",
        "README.md",
        "bundle.json",
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


def local_modules(sources: Iterable[str], folders: Sequence[Path]) -> set[Path]:
    """The files of the modules that some code imports from the given folders, followed through.

    Args:
        sources: Python or cell sources.
        folders: where such a module may lie, nearest first.
    """
    found: set[Path] = set()
    waiting = [name for source in sources for name in imported_modules(source)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        if top in seen:
            continue
        seen.add(top)
        for folder in folders:
            files = files_of_module(folder, top)
            if files:
                found |= files
                for file in files:
                    if file.suffix == ".py" and file.is_file():
                        text = file.read_text(encoding="utf-8", errors="replace")
                        waiting += imported_modules(text)
                break
    return found


def foreign_imports(sources: Iterable[str], modules: Iterable[Path]) -> tuple[str, ...]:
    """The modules that cells and local modules import and that are not local, dotted, sorted.

    What `from a import b` gives may be no module.
    """
    files = [file for file in modules if file.suffix == ".py"]
    texts = [*sources, *(file.read_text(encoding="utf-8", errors="replace") for file in files)]
    local = {file.stem for file in files} | {file.parent.name for file in files}
    found = {name for text in texts for name in imported_modules(text)}
    return tuple(sorted(name for name in found if name.partition(".")[0] not in local))


LARGEST = 50_000_000
"""Bytes of a file that goes along without being named; a larger one wants --include."""


def data_files(sources: Iterable[str], folder: Path) -> tuple[set[Path], dict[str, int]]:
    """The files that some code reads by a literal relative path.

    Args:
        sources: Python or cell sources.
        folder: what the paths are relative to: the notebook's folder, absolute.

    Returns:
        Those that go along, and path → bytes of those that are too large to go unasked.
    """
    found: set[Path] = set()
    large: dict[str, int] = {}
    for text in sorted({text for source in sources for text in literal_paths(source)}):
        path = PurePosixPath(text)
        named = text.isprintable() and len(text) < 256 and not path.is_absolute()
        if not named or ".." in path.parts or not LITTER.isdisjoint(path.parts):
            continue
        file = folder / path
        if not file.is_file():
            continue
        size = file.stat().st_size
        if size > LARGEST:
            large[text] = size
        else:
            found.add(file)
    return found, large


def files_of_module(folder: Path, name: str) -> set[Path]:
    """As Python finds it: a package before a module, a namespace package last."""
    package, module = folder / name, folder / f"{name}.py"
    if (package / "__init__.py").is_file():
        return set(files_below(package))
    if module.is_file():
        return {module}
    below = set(files_below(package)) if package.is_dir() else set()
    return below if any(file.suffix == ".py" for file in below) else set()


def files_below(folder: Path) -> Iterator[Path]:
    """The regular files below a folder, without caches, environments and version control."""
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(set(folders) - LITTER)
        # A link to a folder is not walked, for it may lead round in a circle; it is told as a file,
        # so that it is refused and not passed over.
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in sorted([*names, *links]))


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
            regular file, or would take the place of one that uvmagic writes; by name.
    """
    places: dict[str, Path] = {}
    for file in map(_straight, files):
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
        if relative.parts[0] in GENERATED:
            raise BundleRefused(
                f"{relative} cannot go along: the bundle has a {relative.parts[0]} of its own.",
                "Rename it, or leave it out.",
            )
        if "\n" in str(relative) or "\r" in str(relative):
            raise BundleRefused(f"{str(relative)!r} has a line break in its name.", "Rename it.")
        if not _is_unicode(str(relative)):
            raise BundleRefused(f"{str(relative)!r} has a name that is no Unicode.", "Rename it.")
        places[relative.as_posix()] = target
    return dict(sorted(places.items()))


def _is_unicode(text: str) -> bool:
    """Whether a name is text, and not bytes that Python smuggles through as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _straight(path: Path) -> Path:
    """The path without `..`, its links as they are."""
    return Path(os.path.normpath(path))
