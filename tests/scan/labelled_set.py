"""The labelled notebooks: each file of `labelled/` as a notebook, and what a person found in it.

`#: needs …` are the distributions without which some cell would fail, `optional` the modules that
the code goes on without, `unknown` those that no index has, `gone` those of another Python,
`elsewhere` those of another place, `shadowed` the standard modules that a file stands before;
`#: file NAME TEXT` is a file beside the notebook. Then the cells, each below `# %%`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "labelled"


@dataclass(frozen=True)
class Labelled:
    """A notebook, and what should be found in it: kind → names."""

    name: str
    cells: tuple[dict[str, Any], ...]
    files: dict[str, str]
    labels: dict[str, set[str]]

    def write(self, folder: Path) -> Path:
        """Make the notebook and what is beside it."""
        for name, text in self.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(f"{text}\n", encoding="utf-8")
        file = folder / f"{self.name}.ipynb"
        file.write_text(notebook(self.cells), encoding="utf-8")
        return file


def notebook(cells: tuple[dict[str, Any], ...]) -> str:
    """A notebook of version 4."""
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def cell(source: str, kind: str = "code") -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": source, "outputs": []}


def read(file: Path) -> Labelled:
    head, *cells = file.read_text(encoding="utf-8").split("# %%")
    labels: dict[str, set[str]] = {}
    files: dict[str, str] = {}
    for line in head.splitlines():
        kind, *words = line.removeprefix("#: ").split()
        if kind == "file":
            files[words[0]] = " ".join(words[1:])
        elif words:
            labels[kind] = set(words)
    made = []
    for each in cells:
        title, _, source = each.partition("\n")
        made.append(cell(source.removesuffix("\n"), "markdown" if "markdown" in title else "code"))
    return Labelled(file.stem, tuple(made), files, labels)


def all_of_them() -> list[Labelled]:
    return [read(file) for file in sorted(FOLDER.glob("*.txt"))]
