"""What conda's packages are on PyPI."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from functools import cache

from uvmagic.data.tables import rows, table
from uvmagic.names import normalise


@dataclass(frozen=True, slots=True)
class CondaKind:
    """What a conda package is that PyPI has no counterpart of.

    Attributes:
        name: of the kind.
        covered: nothing is lost without it.
        told: what it is and what to do, for people.
    """

    name: str
    covered: bool
    told: str


@cache
def renamed() -> dict[str, str]:
    """Normalised conda name → PyPI name, where they differ; what was written by hand goes first.

    tools/conda_names.py makes the other table.
    """
    listed = [*table("conda_names")["names"], *table("conda_packages")["renamed"]]
    return {row["conda"]: row["pypi"] for row in listed}


@cache
def accelerators() -> dict[str, str]:
    """The conda packages that choose a build of torch → the kind of accelerator, or `build`."""
    return {row["conda"]: row["accelerator"] for row in table("conda_packages")["chooses"]}


def kind_of(name: str) -> CondaKind | None:
    """What a conda package is that PyPI has no counterpart of; None for all others.

    Takes a normalised name. A name of its own goes before a pattern.
    """
    if name in renamed() or name in _python():
        return None
    patterns = _patterns()
    found = patterns.get(name) or next(
        (kind for pattern, kind in patterns.items() if fnmatch.fnmatchcase(name, pattern)), None
    )
    return _kinds()[found] if found else None


@cache
def _kinds() -> dict[str, CondaKind]:
    return {kind.name: kind for kind in rows(CondaKind, table("conda_packages")["kinds"])}


@cache
def _patterns() -> dict[str, str]:
    """Pattern of normalised names → kind."""
    listed = table("conda_packages")["patterns"]
    return {normalise(row["pattern"]): row["kind"] for row in listed}


@cache
def _python() -> frozenset[str]:
    """Python packages that a pattern would take for libraries."""
    return frozenset(table("conda_packages")["python"])
