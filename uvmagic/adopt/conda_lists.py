"""`conda list --export` and `conda list --explicit`, line by line. Pure.

Source: "Managing environments" (docs.conda.io): `name=version=build`, or the address of each
package's file below `@EXPLICIT`. Both have all that is installed, not only what was asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uvmagic.adopt import matchspec
from uvmagic.adopt.lines import Ask, Covered, Left, Line, Requires, with_headings

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROW = re.compile(r"[\w.-]+=[^=\s]+=[^=\s]+")


def is_one(text: str) -> bool:
    """Whether a text is one of the two, and not a file of requirements."""
    rows = [line.strip() for line in text.splitlines()]
    rows = [row for row in rows if row and not row.startswith("#")]
    return "@EXPLICIT" in rows or (bool(rows) and all(map(_ROW.fullmatch, rows)))


def read(text: str, file: str) -> list[Line]:
    """Every line of a list."""
    return with_headings(file, text, _lines(text, file))


def _lines(text: str, file: str) -> Iterator[Line]:
    for number, line in enumerate(text.splitlines(), 1):
        row = line.strip()
        if row and not row.startswith("#"):
            yield Line(file, number, number, row, (_ask(row),))


def _ask(row: str) -> Ask:
    if row == "@EXPLICIT":
        return Covered("the form of the list")
    name, _, rest = row.partition("=")
    if _ROW.fullmatch(row) and rest.endswith(("=pypi_0", "=pypi", "=<pip>")):
        return Requires(f"{name}=={rest.partition('=')[0]}")
    place = re.split(r"#[0-9a-f]{32,}", row)[0]
    found = matchspec.of_file(place) if "/" in row else matchspec.parse(row)
    return found or Left("no package as conda lists one: mend it, or leave it out")
