"""Text of unknown origin made fit to be shown, and how wide it is. Pure.

A name in a file may hold what drives a terminal, or shows words in another order than theirs.
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls: all but tab and line break
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\ud800-\udfff]"  # bytes of a file name that are no UTF-8
)


def visible(text: str) -> str:
    r"""A text in which all that would not be seen is spelled out, `\x1b`; tabs are spaces."""
    return _UNSEEN.sub(_spelled, text.replace("\r\n", "\n")).expandtabs()


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def width(text: str) -> int:
    """The columns that a text takes in a terminal: Chinese takes two a letter, an accent none."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, columns: int) -> str:
    """A text with spaces behind it up to a width."""
    return text + " " * (columns - width(text))
