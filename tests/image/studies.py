"""The notebooks whose bundles are built, and what is asked of the projects that they are of."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from conftest import enter_own_world
from nbformat import v4

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder


@contextlib.contextmanager
def own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What each test is given, for what is made once for several."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        enter_own_world(
            tmp_path_factory.mktemp("world"), tmp_path_factory.getbasetemp(), monkeypatch
        )
        yield


def succeed(project: Folder, *arguments: str, **environ: str) -> str:
    """Run `uvmagic …` in a project, which must succeed. Gives its stdout."""
    done = project.uvmagic(*arguments, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def code(source: str, *tags: str, printed: str = "") -> nbformat.NotebookNode:
    """A code cell, with tags and what it has printed."""
    outputs = [v4.new_output("stream", text=printed)] if printed else []  # type: ignore[no-untyped-call]
    cell: nbformat.NotebookNode = v4.new_code_cell(  # type: ignore[no-untyped-call]
        source, outputs=outputs, metadata={"tags": list(tags)} if tags else {}
    )
    return cell


def write(path: Path, *cells: nbformat.NotebookNode) -> None:
    """Write a notebook of these cells, each known by its place."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(v4.new_notebook(cells=list(cells)), path)  # type: ignore[no-untyped-call]


def shown(path: Path) -> str:
    """All that an executed notebook shows, cell by cell; errors by their names."""
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    # what one call prints may come in several pieces
    return "\n".join(
        "".join(
            output.get("text") or output.get("ename") or json.dumps(output["data"])
            for output in cell.get("outputs", ())
        )
        for cell in notebook.cells
    )
