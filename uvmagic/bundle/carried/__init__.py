"""The programs that a bundle carries in `kernels/`; they run there, without uvmagic."""

from __future__ import annotations

from pathlib import Path


def text(name: str) -> str:
    """A program's text, by its file name: `run.py`, `compile.py`."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
