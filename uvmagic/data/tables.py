"""The tables as they lie here: JSON, each with its source and date; and their one typed loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HERE = Path(__file__).parent
_Row = TypeVar("_Row")


def table(name: str) -> Any:
    """A table as it lies here: `table("uv")` reads uv.json."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def rows(kind: Callable[..., _Row], listed: Iterable[Mapping[str, Any]]) -> tuple[_Row, ...]:
    """The rows of a table as values: keys are attributes, lists become tuples.

    Raises:
        TypeError: a row lacks an attribute that has no default, or has one that there is not.
    """
    return tuple(
        kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in row.items()})
        for row in listed
    )
