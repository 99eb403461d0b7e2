"""A notebook: which one is meant, what its code asks for, and what of it is kept.

nbformat is imported where it is needed: it costs 0.1 s, 1.8 s in a JupyterLab environment.
"""

from __future__ import annotations

import ast
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from uvmagic.errors import NotebookUnknown
from uvmagic.grammar import near

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nbformat import NotebookNode

_PYTHON_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun"})
_PAPERMILLS = frozenset({"injected-parameters", "papermill-error-cell-tag"})
"""Tags of the cells that papermill adds (papermill/execute.py, papermill/parameterize.py)."""
_OWN_MAGIC = re.compile(
    r"^\s*(?:[\w.,\[\] ]+=\s*)?%{1,2}(?:uv|uvmagic)\b|^\s*%(?:load|reload)_ext\s+uvmagic\b",
    re.MULTILINE,
)


def locate(named: str | None, cwd: Path, told: Path | None) -> Path:
    """The notebook that is meant: the one named in the call, else the one the front end tells.

    Args:
        named: as given in the call, or None.
        cwd: what it is relative to.
        told: the front end's answer, or None.

    Raises:
        NotebookUnknown: no such file, or nobody tells which.
    """
    beside = sorted(path.name for path in cwd.glob("*.ipynb"))
    if named is not None:
        path = cwd / named
        if path.is_file():
            return path.resolve()
        found = near(named, beside)
        raise NotebookUnknown(
            f"There is no notebook {named}.", f"Did you mean {found}?" if found else None
        )
    if told is not None and told.is_file():
        return told.resolve()
    listed = f" Here are: {', '.join(beside)}." if beside else ""
    example = beside[0] if beside else "analysis.ipynb"
    raise NotebookUnknown(
        f"It is not known which notebook this is; the front end does not tell.{listed}",
        f"Name it:  %uv bundle {example}",
    )


def read(path: Path) -> NotebookNode:
    """Read a notebook of any format as version 4. Raises NotebookUnknown if it is none."""
    import nbformat

    try:
        read: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(read)
    except Exception as error:  # nbformat raises whatever it stumbles over
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotebookUnknown(f"{path} is not a notebook that can be read: {reason}") from error
    return read


def to_bytes(notebook: NotebookNode) -> bytes:
    """The notebook as a file's content; the same notebook gives the same bytes."""
    import nbformat

    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return f"{text}\n".encode()


def portable(notebook: NotebookNode, *, keep_outputs: bool) -> NotebookNode:
    """A copy that runs elsewhere: the kernel named `python3`, without outputs unless kept."""
    import copy

    made = copy.deepcopy(notebook)
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    if not keep_outputs:
        made.metadata.pop("widgets", None)
        for cell in made.cells:
            if cell.cell_type == "code":
                cell.outputs = []
                cell.execution_count = None
                cell.metadata.pop("execution", None)
    return made


def code_cells(notebook: NotebookNode) -> list[str]:
    """The sources of its code cells, in order."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def uses_uvmagic(sources: Iterable[str]) -> bool:
    """Whether any cell loads the extension or calls one of its magics."""
    return any(_OWN_MAGIC.search(source) for source in sources)


def imported_modules(source: str) -> set[str]:
    """The modules that a cell or a Python file imports, dotted: `{"numpy", "mine.sub"}`.

    The cell is read as IPython reads it, magics and all. `from a import b` gives both `a` and
    `a.b`, since `b` may be a module. Relative imports are not among them. What is no Python gives
    nothing.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        python = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        tree = ast.parse(python)
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found |= {module, *(f"{module}.{alias.name}" for alias in names)}
            case ast.Call(
                func=ast.Attribute(attr="run_cell_magic"),
                args=[ast.Constant(value=magic), _, ast.Constant(value=str(body))],
            ) if magic in _PYTHON_CELL_MAGICS:
                found |= imported_modules(body)
    return found


def seconds(cell: NotebookNode) -> float:
    """How long a cell ran, as nbclient recorded it; 0 where nothing was recorded."""
    times = cell.metadata.get("execution", {})
    try:
        began, ended = times["iopub.execute_input"], times["shell.execute_reply"]
    except KeyError:
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def first_error(notebook: NotebookNode) -> tuple[int, str] | None:
    """The first cell that raised: its number in the notebook from 1, and `Name: message`.

    Cells that papermill puts in (parameters, its own error banners) are not counted.
    """
    own = [cell for cell in notebook.cells if _PAPERMILLS.isdisjoint(cell.metadata.get("tags", []))]
    for number, cell in enumerate(own, 1):
        outputs: list[dict[str, Any]] = cell.get("outputs", [])
        for output in outputs:
            if output.get("output_type") == "error":
                return number, f"{output['ename']}: {output['evalue']}"
    return None
