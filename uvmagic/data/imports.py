"""What modules come from."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from functools import cache

from uvmagic.data.tables import table


@dataclass(frozen=True, slots=True)
class StandardModule:
    """A module that was of the standard library.

    Attributes:
        gone: the Python that has it no more, `3.12`.
        now: what has taken its place; empty for nothing.
    """

    gone: str
    now: str


@cache
def owners() -> dict[str, tuple[str, ...]]:
    """Module, dotted where a package is shared → the distributions that have it.

    All are normalised, and the first is the one to add. What was written by hand goes first;
    tools/import_names.py makes the other table. Those imported by their own names are in none.
    """
    found = {row["module"]: (row["distribution"],) for row in table("import_names")["names"]}
    return found | {
        row["module"]: tuple(row["distributions"]) for row in table("modules")["renamed"]
    }


@cache
def namesakes() -> frozenset[str]:
    """The distributions, normalised, that are imported by their own names."""
    return frozenset(name for line in table("import_names")["namesakes"] for name in line.split())


@cache
def distributions() -> frozenset[str]:
    """The distributions of PyPI that the tables know, normalised: its most downloaded."""
    return namesakes().union(*owners().values())


@cache
def standard_gone() -> dict[str, StandardModule]:
    """The modules that were of the standard library, those of Python 2 too."""
    return {
        row["module"]: StandardModule(row["gone"], row["now"])
        for row in table("modules")["standard"]
    }


@cache
def elsewhere() -> dict[str, str]:
    """Module → where it comes from, for what no index has."""
    return {row["module"]: row["told"] for row in table("modules")["elsewhere"]}


@cache
def own() -> frozenset[str]:
    """The names that people give to modules of their own."""
    return frozenset(table("modules")["own"])


@cache
def namespaces() -> frozenset[str]:
    """The packages that many distributions share."""
    return frozenset(table("modules")["namespaces"])


def used_silently(name: str) -> str | None:
    """Why a distribution (normalised) is used without being imported; None for all others."""
    rows = _silent()
    return rows.get(name) or next(
        (why for pattern, why in rows.items() if fnmatch.fnmatchcase(name, pattern)), None
    )


@cache
def _silent() -> dict[str, str]:
    """Pattern of normalised names → why."""
    return {row["distribution"]: row["why"] for row in table("modules")["silent"]}
