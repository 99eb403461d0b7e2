"""What a source says, line by line: what its readers give and the plan takes. Pure values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from uvmagic.project import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

PROJECT = Table("project")
"""The project's own dependencies."""


@dataclass(frozen=True, slots=True)
class Requires:
    """A requirement of a Python distribution.

    Attributes:
        requirement: what `uv add` takes: PEP 508, a URL, or a path.
        table: the list of pyproject.toml that it is for.
        told: what is not as the source has it, and why; empty where all is.
        is_respelled: the source says the same in a spelling of its own.
        is_editable: it is to be installed to be edited in place.
        index: the name of the one index that it may come from, else empty.
    """

    requirement: str
    table: Table = PROJECT
    told: str = ""
    is_respelled: bool = False
    is_editable: bool = False
    index: str = ""


@dataclass(frozen=True, slots=True)
class Conda:
    """A package of conda's: a MatchSpec in its parts, each empty where it is not given.

    Attributes:
        name: of the conda package.
        version: the constraint as conda spells it, its operator included.
        build: the build string.
        marker: of the platforms that a selector (`# [win]`) names.
    """

    name: str
    version: str = ""
    build: str = ""
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Python:
    """The Python that is asked for, as a PEP 440 specifier; what is not as the source has it."""

    specifier: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Constrains:
    """A bound on what is installed for another's sake (pip's `-c`)."""

    requirement: str


@dataclass(frozen=True, slots=True)
class Index:
    """A place that distributions come from.

    Attributes:
        url: its address, or a folder.
        kind: `default` (in PyPI's place), `extra` (beside it), `explicit` (for what names it
            alone) or `flat` (a page or folder of files).
        name: as the source names it, else empty.
    """

    url: str
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of `[tool.uv]` that says the same; several are added to the one that is there."""

    key: str
    value: str | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Includes:
    """Another file of requirements, relative to this one: listed there, or as constraints."""

    path: str
    constrains: bool = False


@dataclass(frozen=True, slots=True)
class Covered:
    """Nothing is to be done for it, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Left:
    """It has no counterpart: why, and what to do."""

    why: str


ITSELF = Covered("the project itself: uv installs it where pyproject.toml has [build-system]")
"""What `-e .` and its like come to."""
CHANNEL = Covered("a channel of conda's: uv takes Python's packages from PyPI")
"""What a channel comes to."""
NO_REQUIREMENT = Covered("no requirement; it stays there")
"""What a line comes to that is about something else."""
HERE_ALONE = "a place on this machine alone"
"""What to tell of a path from the root or from a home."""

Ask: TypeAlias = (
    Requires | Conda | Python | Constrains | Index | Setting | Includes | Covered | Left
)


@dataclass(frozen=True, slots=True)
class Line:
    """A statement of a source, of one line or several, and all that it asks for.

    Attributes:
        file: the source's name, as the call or another file spells it.
        first: the number of its first line, from 1.
        last: the number of its last line.
        text: what stands there.
        asks: what it asks for; empty for a heading, which only holds what stands below.
    """

    file: str
    first: int
    last: int
    text: str
    asks: tuple[Ask, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What was read.

    Attributes:
        name: for people.
        folder: what paths in it are relative to.
        lines: every line that is neither blank nor a comment, in order.
        comments: all that it says besides, for its own marks of when it was made.
        project: the name that it gives the project, else empty.
    """

    name: str
    folder: Path
    lines: tuple[Line, ...]
    comments: str = ""
    project: str = ""


def with_headings(file: str, text: str, lines: Iterable[Line]) -> list[Line]:
    """The lines, and as headings what stands between them; blank lines and comments go.

    Takes the source's name and text, and the lines that its reader found there, in any order.
    """
    found = _one_for_each(lines)
    taken = {number for line in found for number in range(line.first, line.last + 1)}
    headings = [
        Line(file, number, number, body.strip())
        for number, body in enumerate(text.splitlines(), 1)
        if number not in taken and body.strip() and not body.lstrip().startswith("#")
    ]
    return sorted([*found, *headings], key=lambda line: (line.first, line.last))


def joined(lines: Iterable[Line], kept: Collection[Ask]) -> list[Line]:
    """The lines, where those that come to the same and follow each other are one.

    Takes the lines in order, and what of them is not worth a line each.
    """
    found: list[Line] = []
    for line in lines:
        before = found[-1] if found else None
        if before and before.asks == line.asks and all(ask in kept for ask in line.asks):
            text = before.text if before.text.endswith(" …") else f"{before.text} …"
            found[-1] = replace(before, last=line.last, text=text)
        else:
            found.append(line)
    return found


def _one_for_each(lines: Iterable[Line]) -> list[Line]:
    """The lines in order; where several are said to stand at one place, one with all they ask."""
    found: dict[tuple[int, int], Line] = {}
    for line in sorted(lines, key=lambda line: (line.first, line.last)):
        place = (line.first, line.last)
        before = found.get(place)
        asked = dict.fromkeys([*(before.asks if before else ()), *line.asks])
        found[place] = replace(line, asks=tuple(asked))
    return list(found.values())


# --- what nobody else may read --------------------------------------------------------------------

_CREDENTIALS = re.compile(
    r"(?P<before>(?:[a-z0-9.+-]+\+)?https?://)[^/\s\"'@]+@"
    r"|(?P<other>[a-z][a-z0-9+.-]*://)[^/\s\"'@:]*:[^/\s\"'@]+@",
    re.IGNORECASE,
)
"""User and password in a URL; a user alone may be a token, but is none in ssh's `git@`."""


def without_credentials(text: str) -> str:
    """A text whose URLs have neither user nor password."""
    return _CREDENTIALS.sub(lambda m: m["before"] or m["other"], text)


def masked(text: str) -> str:
    """A text to be shown: user and password of its URLs are `****`."""
    return _CREDENTIALS.sub(lambda m: f"{m['before'] or m['other']}****@", text)
