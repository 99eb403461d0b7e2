"""A notebook's code without nbformat: of any version, and whatever its outputs weigh.

nbformat validates, which takes longer than reading, and 1.8 s to import beside JupyterLab.
Source of the shapes: nbformat's "The Notebook file format", and its v2 and v3.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uvmagic.errors import NotebookUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_PYTHONS = ("python", "ipython", "cython")
"""How languages begin whose cells are Python's."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """What of a notebook is read.

    Attributes:
        sources: of its code cells, in order.
        numbers: of these cells, counted from 1 among all.
        language: of its kernel, in lower case; `python` where it does not say.
        python: the version of Python that it was last run with, None where it does not say.
        marks: when its cells ran, as text.
    """

    sources: tuple[str, ...]
    numbers: tuple[int, ...]
    language: str
    python: str | None
    marks: str

    @property
    def is_python(self) -> bool:
        """Whether its cells are Python."""
        return self.language.startswith(_PYTHONS)


def read(file: Path) -> Notebook:
    """Read a notebook. Raises NotebookUnknown for what is none."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        told = json.loads(text, object_hook=_without_outputs)
        return _notebook(told)
    except OSError as error:
        raise NotebookUnknown(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotebookUnknown(f"{file} is not a notebook that can be read: {reason}") from error


def _without_outputs(made: dict[str, Any]) -> dict[str, Any] | None:
    """What an object of the JSON is kept as: an output is dropped as soon as it is read."""
    return None if "output_type" in made else made


def _notebook(told: Any) -> Notebook:
    if not isinstance(told, dict) or not ({"cells", "worksheets"} & told.keys()):
        raise ValueError("it has no cells")
    metadata = told.get("metadata") or {}
    spec, info = metadata.get("kernelspec") or {}, metadata.get("language_info") or {}
    language = str(info.get("name") or spec.get("language") or "python").lower()
    coded = [
        (number, _text(cell.get("source", cell.get("input", ""))))
        for number, cell in enumerate(_cells(told), 1)
        if cell.get("cell_type") == "code" and _is_python(cell, language)
    ]
    version = info.get("version") if language.startswith(_PYTHONS) else None
    return Notebook(
        sources=tuple(source for _, source in coded),
        numbers=tuple(number for number, _ in coded),
        language=language,
        python=str(version) if version else None,
        marks="\n".join(_marks(told)),
    )


def _cells(told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The cells; up to version 3 they stand in worksheets."""
    sheets = told.get("worksheets") or [told]
    return (cell for sheet in sheets for cell in sheet["cells"])


def _is_python(cell: Mapping[str, Any], language: str) -> bool:
    """Whether a code cell is of the notebook's language, as version 2 and 3 say of each."""
    own = str(cell.get("language") or language).lower()
    return own.startswith(_PYTHONS) or own == language


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _marks(told: Mapping[str, Any]) -> Iterator[str]:
    for cell in _cells(told):
        yield from map(str, ((cell.get("metadata") or {}).get("execution") or {}).values())
