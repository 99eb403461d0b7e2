"""uv itself: which versions, which words, which options."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from uvmagic.data.tables import rows, table


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
    words: tuple[str, ...]


@cache
def minimum() -> str:
    """The oldest version of uv that uvmagic works with."""
    return str(table("uv")["minimum"])


@cache
def newest() -> str:
    """The newest version of uv that uvmagic is known to work with."""
    return str(table("uv")["newest"])


@cache
def commands() -> frozenset[str]:
    """The words that uv itself knew when the table was made."""
    return frozenset(table("uv_options")["commands"])


@cache
def options() -> tuple[UvOption, ...]:
    """Uv's options for the words that uvmagic builds on (tools/uv_options.py makes the table)."""
    return rows(UvOption, table("uv_options")["options"])
