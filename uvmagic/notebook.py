"""A notebook: which one is meant, and what of it is kept.

nbformat is imported where it is needed: it costs 0.1 s, 1.8 s in a JupyterLab environment.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from uvmagic.errors import NotebookUnknown
from uvmagic.grammar import near

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nbformat import NotebookNode

PAPERMILLS = frozenset({"injected-parameters", "papermill-error-cell-tag"})
"""Tags of the cells that papermill adds (papermill/execute.py, papermill/parameterize.py)."""
_RAISES = "raises-exception"
"""The tag of a cell that may raise: nbclient and papermill run on after it."""
_OWN_MAGIC = re.compile(
    r"^\s*(?:[\w.,\[\] ]+=\s*)?%{1,2}(?:uv|uvmagic)\b|^\s*%(?:load|reload)_ext\s+uvmagic\b",
    re.MULTILINE,
)


def locate(named: str | None, cwd: Path, told: Path | None) -> Path:
    """The notebook that is meant: named in the call, else told by the front end, else the only one.

    JupyterLab asks for a name at the first save; the kernel knows the notebook by the one before.

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
    if (only := only_one(cwd)) is not None:
        return only
    listed = f" Here are: {', '.join(beside)}." if beside else ""
    example = beside[0] if beside else "analysis.ipynb"
    raise NotebookUnknown(
        f"It is not known which notebook this is; the front end does not tell.{listed}",
        f"Name it:  %uv bundle {example}",
    )


def only_one(folder: Path) -> Path | None:
    """The notebook of a folder that has one alone; None for any other."""
    found = list(folder.glob("*.ipynb"))
    return found[0].resolve() if len(found) == 1 else None


def read(path: Path) -> NotebookNode:
    """Read a notebook of any format as version 4. Raises NotebookUnknown if it is none.

    What tools leave out that write notebooks by hand is filled in: ids, counts, empty outputs.
    """
    import nbformat
    from nbformat import reader

    try:
        stored = reader.reads(path.read_text(encoding="utf-8"))  # type: ignore[no-untyped-call]
        read: NotebookNode = nbformat.convert(stored, 4)  # type: ignore[no-untyped-call]
        _fill_in(read)
        nbformat.validate(read)
    except Exception as error:  # nbformat raises whatever it stumbles over
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotebookUnknown(f"{path} is not a notebook that can be read: {reason}") from error
    return read


def _fill_in(notebook: NotebookNode) -> None:
    has_ids = notebook.nbformat_minor >= 5
    for number, cell in enumerate(notebook.cells):
        if has_ids:
            cell.setdefault("id", f"cell-{number}")
        if cell.get("cell_type") == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)


def to_bytes(notebook: NotebookNode) -> bytes:
    """The notebook as a file's content; the same notebook gives the same bytes."""
    import nbformat

    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return f"{text}\n".encode()


def portable(notebook: NotebookNode, *, keep_outputs: bool) -> NotebookNode:
    """A copy that runs elsewhere: the kernel named `python3`, without outputs unless kept.

    A cell that was saved with an error is expected to raise it, so that the run goes on after it.
    """
    import copy

    made = copy.deepcopy(notebook)
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    coded = [cell for cell in made.cells if cell.cell_type == "code"]
    for cell in coded:
        _expect_what_was_raised(cell)
    if not keep_outputs:
        made.metadata.pop("widgets", None)
        for cell in coded:
            cell.outputs = []
            cell.execution_count = None
            cell.metadata.pop("execution", None)
    return made


def _expect_what_was_raised(cell: NotebookNode) -> None:
    """Tag a cell that was saved with an error, and keep the error's name.

    The stop button's KeyboardInterrupt is none that the cell would raise again.
    """
    names = [name for name in _errors(cell) if name != "KeyboardInterrupt"]
    if not names:
        return
    tags = cell.metadata.setdefault("tags", [])
    if _RAISES not in tags:
        tags.append(_RAISES)
    cell.metadata["uvmagic"] = {"raises": names[0]}


def code_cells(notebook: NotebookNode) -> list[str]:
    """The sources of its code cells, in order."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def uses_uvmagic(sources: Iterable[str]) -> bool:
    """Whether any cell loads the extension or calls one of its magics."""
    return any(_OWN_MAGIC.search(source) for source in sources)


def seconds(cell: NotebookNode) -> float:
    """How long a cell ran, as nbclient recorded it; 0 where nothing was recorded."""
    times = cell.metadata.get("execution", {})
    try:
        began, ended = times["iopub.execute_input"], times["shell.execute_reply"]
    except KeyError:
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def first_error(notebook: NotebookNode) -> tuple[int, str] | None:
    """The first cell that raised unexpectedly: its number in the notebook from 1, `Name: message`.

    Cells that papermill puts in (parameters, its own error banners) are not counted.
    """
    for number, cell in enumerate(_own_cells(notebook), 1):
        outputs: list[dict[str, Any]] = cell.get("outputs", [])
        for output in outputs:
            if output.get("output_type") == "error" and not _expects(cell, output["ename"]):
                return number, f"{output['ename']}: {output['evalue']}"
    return None


def expected_errors(notebook: NotebookNode) -> list[tuple[int, str | None]]:
    """The cells that are expected to raise: number among the code cells, and what each raised."""
    coded = (cell for cell in _own_cells(notebook) if cell.cell_type == "code")
    return [
        (number, next(iter(_errors(cell)), None))
        for number, cell in enumerate(coded, 1)
        if _RAISES in cell.metadata.get("tags", [])
    ]


def timed_out(notebook: NotebookNode, seconds: float) -> int | None:
    """The cell that papermill stopped for running longer: its number in the notebook from 1."""
    began = [
        (number, kept)
        for number, cell in enumerate(_own_cells(notebook), 1)
        if (kept := cell.metadata.get("papermill", {})).get("duration")
    ]
    if not began or began[-1][1].get("exception") or began[-1][1]["duration"] < seconds:
        return None
    return began[-1][0]


def _own_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Its cells without those that papermill puts in."""
    return [cell for cell in notebook.cells if PAPERMILLS.isdisjoint(cell.metadata.get("tags", []))]


def _errors(cell: NotebookNode) -> list[str]:
    """The names of the errors among a cell's outputs."""
    return [o["ename"] for o in cell.get("outputs", []) if o.get("output_type") == "error"]


def _expects(cell: NotebookNode, name: str) -> bool:
    """Whether a cell is expected to raise this error; any, where only the tag says so."""
    kept = cell.metadata.get("uvmagic")
    expected = kept.get("raises", name) if isinstance(kept, dict) else name
    return _RAISES in cell.metadata.get("tags", []) and expected == name
