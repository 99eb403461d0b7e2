"""A TOML text as its sections: one is edited, the others stay as they are, byte for byte.

tomlkit keeps comments and layout, but takes 50 ms for 300 lines, and cannot edit a table whose
parts stand apart in the text. A section is a few lines, and whole.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import tomlkit
from tomlkit.items import AoT

Path = tuple[str, ...]
"""The keys that lead to a table."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""+|\'\'\'.*?\'\'\'+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]',
    re.DOTALL,
)
"""What decides where a header can stand: strings, comments and brackets (TOML 1.0)."""


class Sections:
    """A TOML text to be edited table by table; `text()` gives it back.

    Args:
        text: TOML that parses, with bare newlines at the line ends.
    """

    def __init__(self, text: str) -> None:
        starts = [0, *_header_starts(text), len(text)]
        parts = [text[start:end] for start, end in pairwise(starts)]
        self._sections = [_Section.of(part) for part in parts if part]

    def text(self) -> str:
        """The whole text as it is now."""
        return "".join(section.text() for section in self._sections)

    def table(self, *path: str) -> Any:
        """The table at a path, to be edited, made where it is not there yet.

        A tomlkit table. It is made beside the tables nearest to it, or at the end.
        """
        holder = self._holder(path)
        if holder is not None:
            return _within(holder.table, path[len(holder.path) :])
        made = _Section.of(f"[{tomlkit.key(path).as_string()}]\n")
        self._insert(made)
        return made.table

    def has(self, *path: str) -> bool:
        """Whether there is something at a path; an empty table is."""
        if any(section.path[: len(path)] == path for section in self._sections):
            return True
        for section in self._sections:
            if section.is_array or section.path != path[: len(section.path)]:
                continue
            found, rest = section.table, path[len(section.path) :]
            while rest and isinstance(found, Mapping) and rest[0] in found:
                found, rest = found[rest[0]], rest[1:]
            if not rest:
                return True
        return False

    def set(self, path: Path, value: Any) -> None:
        """Set a value, in the place of one that is there, however that is written."""
        *parents, last = path
        if any(section.path[: len(path)] == path for section in self._sections):
            self.drop(*path)
        self.table(*parents)[last] = value

    def drop(self, *path: str) -> None:
        """Remove the table, value or array of tables at a path, if it is there."""
        for section in [s for s in self._sections if s.path[: len(path)] == path]:
            self._discard(section)
        *parents, last = path
        if self.has(*path):
            del self.table(*parents)[last]

    def tidy(self, *path: str) -> None:
        """Remove the table at a path if nothing is in it, not even a comment."""
        for section in [s for s in self._sections if s.path == path and not s.is_array]:
            if section.text().strip().startswith("[") and not section.table.as_string().strip():
                self._discard(section)

    def entries(self, *path: str) -> list[Any]:
        """The tables of an array of tables, to be edited, in order."""
        sections = [s.table for s in self._sections if s.is_array and s.path == path]
        *parents, last = path
        if sections or not self.has(*path):
            return sections
        return list(self.table(*parents)[last])

    def append(self, path: Path, entry: dict[str, Any], comment: str = "") -> None:
        """Add a table to an array of tables, in the form that the array has.

        Args:
            path: where the array is.
            entry: the new table.
            comment: lines to stand above it; an inline array has no place for them.
        """
        *parents, last = path
        holder = self._holder(path) or self._holder(path[:-1])
        is_inside = holder is not None and holder.path != path[:-1]
        if not any(s.path == path for s in self._sections) and (is_inside or self.has(*path)):
            inline = tomlkit.inline_table()
            inline.update(entry)
            self.table(*parents).setdefault(last, tomlkit.array()).append(inline)
            return
        above = "".join(f"# {line}\n" for line in comment.splitlines())
        made = _Section.of(f"{above}[[{tomlkit.key(path).as_string()}]]\n")
        made.table.update(entry)
        self._insert(made)

    def remove(self, path: Path, position: int) -> None:
        """Remove one table of an array of tables; what a user has noted above it stays."""
        *parents, last = path
        found = [s for s in self._sections if s.is_array and s.path == path]
        if found:
            self._discard(found[position])
            return
        array = self.table(*parents)[last]
        del array[position]
        if not array:
            self.drop(*path)

    def adopt(self, path: Path, other: Sections) -> None:
        """Have an array of tables as another state of this text has it, each where it stands there.

        Args:
            path: where the array is.
            other: the text before, or after, something was done to it.
        """
        for section in [s for s in self._sections if s.is_array and s.path == path]:
            self._discard(section)
        for number, section in enumerate(other._sections):
            if not section.is_array or section.path != path:
                continue
            position = 0
            for above in reversed(range(number)):
                found = self._counterpart(other, above)
                if found is not None:
                    self._sections[found].tail = other._sections[above].tail
                    position = found + 1
                    break
            self._sections.insert(position, _Section.of(section.text()))

    def _counterpart(self, other: Sections, position: int) -> int | None:
        """Where a section of another state of this text is here; None where it is not."""

        def kind(section: _Section) -> tuple[Path, bool]:
            return section.path, section.is_array

        wanted = kind(other._sections[position])
        ordinal = sum(kind(section) == wanted for section in other._sections[:position])
        alike = [n for n, section in enumerate(self._sections) if kind(section) == wanted]
        return alike[ordinal] if ordinal < len(alike) else None

    def comment_above(self, path: Path, position: int) -> str:
        """The comment that stands directly above one table of an array; empty without one."""
        found = [s for s in self._sections if s.is_array and s.path == path]
        if position >= len(found):
            return ""
        head = found[position].text()
        lines = head[: head.index("[")].splitlines()
        return "\n".join(line.removeprefix("#").strip() for line in lines)

    def _holder(self, path: Path) -> _Section | None:
        """The section in which a table's text is, or would have to be: whole, inline or dotted."""
        for length in range(len(path), -1, -1):
            for section in self._sections:
                if section.path == path[:length] and not section.is_array:
                    rest = path[length:]
                    if not rest or rest[0] in section.table:
                        return section
        return None

    def _discard(self, section: _Section) -> None:
        position = next(n for n, s in enumerate(self._sections) if s is section)
        del self._sections[position]
        if position and position == len(self._sections):
            self._sections[-1].tail = section.tail  # the text ends as it ended

    def _insert(self, made: _Section) -> None:
        """Put a section beside those of its own table's family, else at the end."""
        position = len(self._sections)
        for length in range(len(made.path), 0, -1):
            family = made.path[:length]
            near = [n for n, s in enumerate(self._sections) if s.path[:length] == family]
            if near:
                # A table goes before its subtables, an entry after the other entries.
                is_above = length == len(made.path) and not made.is_array
                position = near[0] if is_above else near[-1] + 1
                break
        if position:
            self._sections[position - 1].end_with_blank_line()
        if position < len(self._sections):
            made.end_with_blank_line()
        self._sections.insert(position, made)


@dataclass(slots=True)
class _Section:
    """A header with what stands below it up to the next one, and the comment right above it."""

    path: Path
    is_array: bool
    source: str
    tail: str
    """The blank lines at its end."""
    parsed: Any = None

    @classmethod
    def of(cls, text: str) -> _Section:
        body = text.rstrip("\n")
        tail = text[len(body) :]
        header = re.match(r"(?:[ \t]*(?:#.*)?\n)*([ \t]*\[.*)", body)
        if header is None:
            return cls((), is_array=False, source=body, tail=tail)
        path, is_array = _header(header[1])
        return cls(path, is_array, body, tail)

    @property
    def table(self) -> Any:
        if self.parsed is None:
            self.parsed = tomlkit.parse(self.source + "\n")
        found = self.parsed
        for key in self.path:
            found = found[key]
        return found[0] if isinstance(found, AoT) else found

    def text(self) -> str:
        if self.parsed is None:
            return self.source + self.tail
        return str(self.parsed.as_string()).rstrip("\n") + (self.tail or "\n")

    def end_with_blank_line(self) -> None:
        self.tail = self.tail if len(self.tail) > 1 else "\n\n"


def _header(line: str) -> tuple[Path, bool]:
    """The path that a header names, and whether it is of an array of tables."""
    if plain := re.match(r"[ \t]*(\[?)\[([\w-]+(?:\.[\w-]+)*)\]", line, re.ASCII):
        return tuple(plain[2].split(".")), bool(plain[1])
    path: list[str] = []
    parsed: Any = tomllib.loads(line)
    is_array = False
    while parsed:  # one key in each table, down to the empty one
        ((key, parsed),) = parsed.items()
        path.append(key)
        if isinstance(parsed, list):
            parsed, is_array = parsed[0], True
    return tuple(path), is_array


def _header_starts(text: str) -> list[int]:
    """Where each section begins: at its header, or at the comment right above it."""
    starts = []
    depth = position = 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        token = match[0]
        line = text.rfind("\n", 0, match.start()) + 1
        if token == "[" and depth == 0 and not text[line : match.start()].strip():
            position = (text + "\n").index("\n", position)
            starts.append(_with_comment(text, line))
        elif token in "[{":
            depth += 1
        elif token in "]}":
            depth -= 1
    return [start for start in starts if start]


def _with_comment(text: str, line: int) -> int:
    """The start of the block of comment lines that ends right above a line, else the line's."""
    while line:
        above = text.rfind("\n", 0, line - 1) + 1
        if not text[above:line].lstrip().startswith("#"):
            break
        line = above
    return line


def _within(table: Any, path: Path) -> Any:
    """The table at a path inside a table that holds its first key: inline, or by dotted keys."""
    for key in path:
        if key not in table:
            table[key] = tomlkit.inline_table()
        table = table[key]
    return table
