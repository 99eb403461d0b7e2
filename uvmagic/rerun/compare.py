"""The outputs of a rerun against those that are saved in the notebook. Pure.

nbdime tells what changed in a notebook file; asked is whether the results came back. Streams,
execution counts, metadata, tracebacks and what uvmagic itself says are not compared.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from uvmagic.notebook import PAPERMILLS
from uvmagic.outcome import MARK
from uvmagic.rerun.png import difference as png_difference
from uvmagic.rerun.texts import (
    drawing_difference,
    html_difference,
    json_difference,
    pdf_difference,
    shortened,
    text_difference,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TOLERANCE = 1e-6
"""How far apart two numbers may be, relative to the larger."""
_RICHEST_FIRST = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/svg+xml",
    "application/pdf",
    "text/html",
    "text/latex",
    "text/markdown",
)
_NAMES_ALONE = "application/vnd.jupyter.widget-"
"""Widgets: a model's name in that kernel, which says nothing of its value."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One side of a difference.

    Attributes:
        mimetype: what it is; `text/plain` for an error.
        content: as the notebook file has it: text, base64, or a JSON value.
    """

    mimetype: str
    content: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """An output that is not what was saved.

    Attributes:
        cell: the number of its cell among the code cells, from 1.
        source: the cell's code.
        kind: what was compared: a mimetype, `error`, or `output` where one side has none.
        where: the first place where they differ, as a line.
        saved, came: the two sides; None where there is none.
    """

    cell: int
    source: str
    kind: str
    where: str
    saved: Shown | None
    came: Shown | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    Attributes:
        differences: in the order of the cells.
        outputs: how many outputs were compared.
        cells: how many code cells have such outputs.
        tolerance: for numbers, relative.
    """

    differences: tuple[Difference, ...]
    outputs: int
    cells: int
    tolerance: float

    @property
    def cells_that_differ(self) -> int:
        """How many code cells have an output that differs."""
        return len({difference.cell for difference in self.differences})


def compare(
    saved: Mapping[str, Any], came: Mapping[str, Any], tolerance: float = TOLERANCE
) -> Comparison:
    """Compare the outputs of two notebooks of format 4, cell by cell.

    Args:
        saved: the notebook with the outputs of an earlier run.
        came: the executed copy; cells that papermill put in are passed over.
        tolerance: for numbers with a decimal point or exponent, relative.
    """
    differences: list[Difference] = []
    outputs = cells = 0
    for number, (cell, its) in enumerate(_pairs(_code_cells(saved), _code_cells(came)), 1):
        pairs = list(zip_longest(_outputs(cell), _outputs(its)))
        outputs += len(pairs)
        cells += bool(pairs)
        for one, other in pairs:
            found = _difference(one, other, tolerance)
            if found is not None:
                source = _text((cell or its or {}).get("source", ""))
                differences.append(Difference(number, source, *found))
    return Comparison(tuple(differences), outputs, cells, tolerance)


def has_outputs(notebook: Mapping[str, Any]) -> bool:
    """Whether a notebook has saved outputs that can be compared."""
    return any(_outputs(cell) for cell in _code_cells(notebook))


# --- cells ----------------------------------------------------------------------------------------

_Cell = dict[str, Any]
_Output = dict[str, Any]


def _code_cells(notebook: Mapping[str, Any]) -> list[_Cell]:
    return [
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
        and PAPERMILLS.isdisjoint(cell.get("metadata", {}).get("tags", []))
    ]


def _pairs(saved: list[_Cell], came: list[_Cell]) -> list[tuple[_Cell | None, _Cell | None]]:
    """By id where all have one that the other knows, else by position."""
    by_id = {cell["id"]: cell for cell in came if "id" in cell}
    if len(by_id) == len(came) == len(saved) and {c.get("id") for c in saved} == set(by_id):
        return [(cell, by_id[cell["id"]]) for cell in saved]
    return list(zip_longest(saved, came))


def _outputs(cell: _Cell | None) -> list[_Output]:
    """What of a cell's outputs is compared."""
    return [o for o in (cell or {}).get("outputs", []) if _is_compared(o)]


def _is_compared(output: _Output) -> bool:
    if output["output_type"] in ("stream", "error"):
        return bool(output["output_type"] == "error")
    data = output.get("data", {})
    is_own = MARK in output.get("metadata", {})
    is_empty = all(value == "" for value in data.values())
    return not is_own and not is_empty


# --- outputs --------------------------------------------------------------------------------------

_Found = tuple[str, str, Shown | None, Shown | None]
"""Of a Difference: kind, where, saved, came."""


def _difference(saved: _Output | None, came: _Output | None, tolerance: float) -> _Found | None:
    if saved is None or came is None:
        one, other = (_seen(output) if output else None for output in (saved, came))
        return "output", f"saved {_told(one)}, came {_told(other)}", one, other
    errors = [output["output_type"] == "error" for output in (saved, came)]
    if any(errors):
        one, other = _seen(saved), _seen(came)
        if not all(errors):
            return "error", f"saved {_told(one)}, came {_told(other)}", one, other
        where = text_difference(_text(one.content), _text(other.content), tolerance)
        return ("error", where, one, other) if where else None
    both = set(saved.get("data", {})) & set(came.get("data", {}))
    mimetype = min((m for m in both if not m.startswith(_NAMES_ALONE)), key=_rank, default=None)
    if mimetype is None:
        return _without_common_mimetype(saved, came)
    one, other = (Shown(mimetype, output["data"][mimetype]) for output in (saved, came))
    where = _compare_as(mimetype, one.content, other.content, tolerance)
    return (mimetype, where, one, other) if where else None


def _without_common_mimetype(saved: _Output, came: _Output) -> _Found | None:
    mimetypes = [
        sorted(m for m in output.get("data", {}) if not m.startswith(_NAMES_ALONE))
        for output in (saved, came)
    ]
    if mimetypes[0] == mimetypes[1]:
        return None
    told = [shortened(", ".join(names)) if names else "a widget" for names in mimetypes]
    return "output", f"saved {told[0]}, came {told[1]}", _seen(saved), _seen(came)


def _rank(mimetype: str) -> tuple[int, str]:
    """JSON has values; an image more than HTML; text is there for where nothing else is."""
    if _is_json(mimetype):
        return 0, mimetype
    if mimetype in _RICHEST_FIRST:
        return 1 + _RICHEST_FIRST.index(mimetype), mimetype
    return 1 + len(_RICHEST_FIRST) + (mimetype == "text/plain"), mimetype


def _is_json(mimetype: str) -> bool:
    return mimetype == "application/json" or mimetype.endswith("+json")


def _compare_as(mimetype: str, saved: Any, came: Any, tolerance: float) -> str | None:
    if _is_json(mimetype):
        return json_difference(saved, came, tolerance)
    one, other = _text(saved), _text(came)
    if one == other:
        return None
    in_bytes = _BY_BYTES.get(mimetype)
    if in_bytes is not None:
        bytes_of_each = decoded(one), decoded(other)
        if None not in bytes_of_each:
            return in_bytes(*bytes_of_each)  # type: ignore[arg-type] # none of them is None
    return _BY_TEXT.get(mimetype, text_difference)(one, other, tolerance)


def _exact(saved: bytes, came: bytes) -> str | None:
    return None if saved == came else "other bytes"


_BY_BYTES: dict[str, Callable[[bytes, bytes], str | None]] = {
    "image/png": png_difference,
    "image/jpeg": _exact,
    "image/gif": _exact,
    "image/webp": _exact,
    "application/pdf": pdf_difference,
}
_BY_TEXT: dict[str, Callable[[str, str, float], str | None]] = {
    "image/svg+xml": drawing_difference,
    "text/html": html_difference,
}


def decoded(content: str) -> bytes | None:
    """The bytes of base64, None where it is none."""
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(value: str | Sequence[str]) -> str:
    """A notebook file may have a text as a list of its lines."""
    return value if isinstance(value, str) else "".join(map(str, value))


def _seen(output: _Output) -> Shown:
    """An output as a report shows it: its richest mimetype, an error's name and message."""
    if output["output_type"] == "error":
        return Shown("text/plain", f"{output['ename']}: {output['evalue']}")
    data = output["data"]
    mimetype = min(data, key=_rank)
    return Shown(mimetype, data[mimetype])


def _told(shown: Shown | None) -> str:
    if shown is None:
        return "nothing"
    return shortened(_text(shown.content) if shown.mimetype == "text/plain" else shown.mimetype)
