"""A Pipfile, line by line. Pure.

Source: pipenv's "Pipfile & Pipfile.lock" (pipenv.pypa.io).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvmagic.adopt.lines import (
    PROJECT,
    Ask,
    Covered,
    Index,
    Left,
    Line,
    Python,
    Setting,
    with_headings,
)
from uvmagic.adopt.tables import requirement
from uvmagic.adopt.toml_statements import statements
from uvmagic.project import Table

if TYPE_CHECKING:
    from uvmagic.adopt.toml_statements import Statement

_INSTALLED_TO_RUN = "packages"


def read(text: str, file: str) -> list[Line]:
    """Every line of a Pipfile. Raises SourceInvalid where it is no TOML."""
    found = statements(text, file)
    lines = [Line(file, one.first, one.last, one.text, tuple(_asks(one, found))) for one in found]
    return with_headings(file, text, lines)


def _asks(one: Statement, beside: list[Statement]) -> list[Ask]:
    key = one.key[-1]
    match one.path:
        case ("source",):
            return [_of_source(one, beside)]
        case ("requires",):
            return [_python(key, str(one.value))]
        case ("pipenv",):
            if key == "allow_prereleases" and one.value is True:
                return [Setting("prerelease", "allow")]
            return [Covered("a setting of pipenv's own")]
        case ("scripts",):
            return [Left("a script of pipenv's: run it by  %uv run …")]
        case (category,):
            return [_requirement(one, _table(category))]
    return [Left("it means nothing to uv: look whether you need it")]


def _table(category: str) -> Table:
    if category == _INSTALLED_TO_RUN:
        return PROJECT
    return Table("group", "dev" if category == "dev-packages" else category)


def _of_source(one: Statement, beside: list[Statement]) -> Ask:
    if one.key[-1] == "url":
        names = [
            str(other.value)
            for other in beside
            if (other.path, other.key, other.entry) == (("source",), ("name",), one.entry)
        ]
        return Index(str(one.value), "extra" if one.entry else "default", "".join(names))
    if one.key[-1] == "verify_ssl" and one.value is False:
        return Left("uv trusts no host without a certificate: see allow-insecure-host")
    return Covered("said with the source's address")


def _python(key: str, version: str) -> Ask:
    if key == "python_version":
        return Python(f"=={version}.*")
    return Python(f"=={version}")


def _requirement(one: Statement, table: Table) -> Ask:
    value: dict[str, Any] = (
        dict(one.value) if isinstance(one.value, dict) else {"version": str(one.value)}
    )
    if len(one.key) > 1:  # `name.version = …`
        value = {one.key[1]: one.value}
    return requirement(one.key[0], value, table)
