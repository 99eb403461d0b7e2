"""Where in a cell a cursor stands: in which call of `%uv`. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from uvmagic.grammar.tokens import scanned

_CALL = re.compile(r"\s*(?:[^=%#'\"]+=\s*)?%(?P<percent>%?)uv(?:magic)?(?!\S)")
"""What stands before a call, which may be assigned, and the name of the magic."""


class Place(NamedTuple):
    """A call that a cursor is in.

    Attributes:
        text: what the cursor is in of it: what follows the magic's name, or a line of `%%uv add`.
        cursor: the cursor's place in that text; below 0 on the name, or before it.
        given: the tokens that stand before that text, in the first line of the cell.
    """

    text: str
    cursor: int
    given: tuple[str, ...] = ()

    def tokens(self) -> list[str]:
        """All tokens of the call, as far as they are known here."""
        return [*self.given, *(t.value for t in scanned(self.text) if not t.is_comment)]


def call_at(cell: str, cursor: int) -> Place | None:
    """The call of uvmagic's that a cursor is in; None where it is in none.

    The body of `%%uv run` is a script, and no call.

    Args:
        cell: the cell's text, of one line or many.
        cursor: a place in it.
    """
    first, newline, _ = cell.partition("\n")
    of_cell = _CALL.match(first)
    if of_cell and of_cell["percent"] and newline and cursor > len(first):
        given = Place(first[of_cell.end() :], 0).tokens()
        start = cell.rfind("\n", 0, cursor) + 1
        line = cell[start:].partition("\n")[0]
        return Place(line, cursor - start, tuple(given)) if given[:1] == ["add"] else None
    start, end = _line_at(cell, cursor)
    text = cell[start:end].replace("\\\n", "  ")
    match = _CALL.match(text)
    return match and Place(text[match.end() :], cursor - start - match.end())


def _line_at(cell: str, cursor: int) -> tuple[int, int]:
    """Where the line of a cursor begins and ends; one that ends in a backslash goes on."""
    start = cell.rfind("\n", 0, cursor) + 1
    while cell[:start].endswith("\\\n"):
        start = cell.rfind("\n", 0, start - 1) + 1
    end = cell.find("\n", cursor)
    while end > 0 and cell[end - 1] == "\\":
        end = cell.find("\n", end + 1)
    return start, len(cell) if end < 0 else end
