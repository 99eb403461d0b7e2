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
        is_global: every uv command takes it, also before the word.
        words: the words that take it.
        choices: what its value may be, where uv names that.
        help: uv's own first sentence on it; empty for commands that uv gets unchanged.
    """

    names: tuple[str, ...]
    value: str | None
    is_global: bool
    words: tuple[str, ...]
    choices: tuple[str, ...] = ()
    help: str = ""

    @property
    def name(self) -> str:
        """The long spelling."""
        return self.names[-1]

    @property
    def values(self) -> int:
        """How many values follow the option."""
        return 0 if self.value is None else 1


@cache
def minimum() -> str:
    """The oldest version of uv that uvmagic works with."""
    return str(table("uv")["minimum"])


@cache
def newest() -> str:
    """The newest version of uv that uvmagic is known to work with."""
    return str(table("uv")["newest"])


def released(version: str) -> str:
    """When the first uv of a minor version came out, `2026-10`; empty where that is not known."""
    return str(table("uv")["released"].get(".".join(version.split(".")[:2]), ""))


@cache
def options() -> tuple[UvOption, ...]:
    """Uv's options for the words that uvmagic builds on (tools/uv_options.py makes the tables)."""
    return rows(UvOption, table("uv_options")["options"])


@cache
def commands() -> dict[str, str]:
    """The commands that uv itself knew, `pip` and `pip install` → what each does."""
    return {row["name"]: row["help"] for row in table("uv_commands")["commands"]}


@cache
def options_passed_on() -> tuple[UvOption, ...]:
    """The options of those commands that uvmagic builds nothing on."""
    return rows(UvOption, table("uv_commands")["options"])
