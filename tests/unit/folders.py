"""Files in folders, for tests of what goes into a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def put(file: Path, text: str = "") -> Path:
    """Write a file, and the folders that it is in."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def write(folder: Path, **texts: str) -> None:
    """Write modules into a folder, each by its name without the ending."""
    for name, text in texts.items():
        put(folder / f"{name}.py", text)


def names(files: Iterable[Path], root: Path) -> list[str]:
    """Where files are in a folder, in order."""
    return sorted(file.relative_to(root).as_posix() for file in files)
