"""The tables of facts, each row with its source and date, and their one typed loader."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class UvOption:
    """One of uv's own options.

    Attributes:
        names: every spelling, `("-P", "--upgrade-package")`.
        value: the name of its value, or None for a flag.
        help: uv's own first sentence on it.
        is_global: every uv command takes it, also before the word.
        words: the words that take it.
    """

    names: tuple[str, ...]
    value: str | None
    help: str
    is_global: bool
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A base image: `reference` has the fields `{uv}` and `{python}` (versions)."""

    kind: str
    reference: str
    why: str
    source: str


def _table(name: str) -> Any:
    return json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))


@cache
def uv_options() -> tuple[UvOption, ...]:
    """Uv's options for the words that uvmagic builds on (tools/uv_options.py makes the table)."""
    return tuple(
        UvOption(
            names=tuple(row["names"]),
            value=row["value"],
            help=row["help"],
            is_global=row["global"],
            words=frozenset(row["words"]),
        )
        for row in _table("uv_options")["options"]
    )


@cache
def uv_commands() -> frozenset[str]:
    """The words that uv itself knew when the table was made."""
    return frozenset(_table("uv_options")["commands"])


@cache
def minimum_uv() -> str:
    """The oldest version of uv that uvmagic works with."""
    return str(_table("uv")["minimum"])


@cache
def base_image(kind: str) -> BaseImage:
    """The base image of a kind. Raises KeyError for a kind that is not in the table."""
    rows = {row["kind"]: BaseImage(**row) for row in _table("images")["images"]}
    return rows[kind]


def quickstart_notebook() -> Path:
    """The quickstart notebook: inside an installed distribution, else in the source tree."""
    installed = _HERE / "quickstart.ipynb"
    return installed if installed.exists() else _HERE.parent.parent / "notebooks" / installed.name
