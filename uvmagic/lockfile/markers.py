"""The markers of what local distributions ask for, put together and taken apart.

uv.lock writes those of an extra as `… and extra == 'x'`, and what one distribution asks for by way
of another holds where both edges do. A marker is here what it is in disjunctive normal form: any of
some clauses, all the comparisons of one of which hold. Nothing is evaluated. Pure.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from uvmagic.errors import ProjectInvalid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Clause = frozenset[str]
"""Comparisons that all hold, as they are written; none at all hold everywhere."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker as its clauses, any of which may hold."""

    clauses: frozenset[Clause]

    @classmethod
    def of(cls, text: str) -> Marker:
        """The marker that a text of uv's says; an empty one holds everywhere.

        Raises:
            ProjectInvalid: it says none.
        """
        if not text:
            return EVERYWHERE
        python = text.replace("\\", "\\\\")  # a marker's text has no escapes
        try:
            return _marker(python, ast.parse(python, mode="eval").body)
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise ProjectInvalid(
                f"uv.lock has a marker that is none: {text}", "Run  %uv lock"
            ) from error

    @classmethod
    def nowhere(cls) -> Marker:
        """The one that never holds."""
        return cls(frozenset())

    def __bool__(self) -> bool:
        """Whether it may hold anywhere."""
        return bool(self.clauses)

    def __and__(self, other: Marker) -> Marker:
        """Where both hold."""
        return _simplest(one | another for one, another in product(self.clauses, other.clauses))

    def __or__(self, other: Marker) -> Marker:
        """Where either holds."""
        return _simplest(self.clauses | other.clauses)

    def covers(self, other: Marker) -> bool:
        """Whether it is plain, clause by clause, that it holds wherever another one does."""
        return self | other == self

    def given(self, extras: Collection[str]) -> Marker:
        """What is left of it where just these extras (normalised names) are asked for."""
        holds = {f"extra == '{name}'" for name in extras}
        return _simplest(
            frozenset(part for part in clause if not part.startswith("extra "))
            for clause in self.clauses
            if all(
                part in holds if part.startswith("extra ==") else _opposite(part) not in holds
                for part in clause
                if part.startswith("extra ")
            )
        )

    def __str__(self) -> str:
        """The marker as text, the same for equal ones; empty where it holds everywhere.

        Only of one that may hold anywhere; the others have no text.
        """
        told = sorted(" and ".join(sorted(clause)) for clause in self.clauses)
        if len(told) < 2:
            return "".join(told)
        return " or ".join(f"({one})" if " and " in one else one for one in told)


EVERYWHERE = Marker(frozenset({frozenset()}))


def _marker(text: str, node: ast.expr) -> Marker:
    match node:
        case ast.BoolOp(ast.And(), parts):
            found = EVERYWHERE
            for part in parts:
                found &= _marker(text, part)
            return found
        case ast.BoolOp(ast.Or(), parts):
            return _simplest(c for part in parts for c in _marker(text, part).clauses)
        case ast.Compare():
            comparison = ast.get_source_segment(text, node) or ""
            return Marker(frozenset({frozenset({comparison.replace("\\\\", "\\")})}))
    raise ValueError(ast.unparse(node))


def _opposite(part: str) -> str:
    return part.replace("!=", "==", 1)


def _simplest(clauses: Iterable[Clause]) -> Marker:
    """Without the clauses that another one says already."""
    known = set(clauses)
    return Marker(frozenset(c for c in known if not any(other < c for other in known)))
