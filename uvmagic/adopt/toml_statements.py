"""A TOML text as its statements, each with its place, which tomllib does not tell. Pure."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from uvmagic.errors import SourceInvalid

_PART = re.compile(r""""(?:\\.|[^"\\])*"|'[^']*'|[\w-]+""", re.ASCII)
_KEY = re.compile(rf"\s*(?:{_PART.pattern})(?:\s*\.\s*(?:{_PART.pattern}))*", re.ASCII)
"""A key as TOML 1.0 writes it: bare, quoted or dotted."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A `key = value` of a TOML text.

    Attributes:
        first: the number of its first line, from 1.
        last: the number of its last line.
        text: as it stands, on one line.
        path: the keys of the table that it stands in.
        key: its key, dots and all as a path.
        value: its value.
        entry: for a table of an array: which one, from 0.
    """

    first: int
    last: int
    text: str
    path: tuple[str, ...]
    key: tuple[str, ...]
    value: Any
    entry: int = 0


def statements(text: str, file: str) -> list[Statement]:
    """The statements of a TOML text, headers left out.

    Raises:
        SourceInvalid: it is no TOML; the file is named.
    """
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceInvalid(
            f"{file} cannot be read as TOML: {error}.", "Mend that place."
        ) from error
    found: list[Statement] = []
    path: tuple[str, ...] = ()
    entries: dict[tuple[str, ...], int] = {}
    pending: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending.append(line)
        try:
            parsed = tomllib.loads("\n".join(pending))
        except tomllib.TOMLDecodeError:
            continue  # a value of several lines, which goes on
        first = number - len(pending) + 1
        is_header = pending[0].lstrip().startswith("[")
        told = " ".join(part.strip() for part in pending)
        pending = []
        if is_header:
            path, is_array = _down(parsed)
            entries[path] = entries.get(path, -1) + 1 if is_array else 0
            continue
        key, value = _key_of(parsed, told)
        found.append(Statement(first, number, told, path, key, value, entries.get(path, 0)))
    return found


def _down(parsed: Any) -> tuple[tuple[str, ...], bool]:
    """The path that a header names, and whether it is of an array of tables."""
    path: list[str] = []
    is_array = False
    while parsed:
        ((key, parsed),) = parsed.items()
        path.append(key)
        if isinstance(parsed, list):
            parsed, is_array = parsed[0], True
    return tuple(path), is_array


def _key_of(parsed: dict[str, Any], text: str) -> tuple[tuple[str, ...], Any]:
    """The key of a statement, dotted or not, and its value."""
    written = _KEY.match(text)
    value: Any = parsed
    path: list[str] = []
    for _ in _PART.findall(written[0]) if written else ():
        ((key, value),) = value.items()
        path.append(key)
    return tuple(path), value
