"""poetry's pyproject.toml, line by line. Pure.

Source: poetry's "The pyproject.toml file" and "Dependency specification" (python-poetry.org/docs).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from uvmagic.adopt.lines import (
    NO_REQUIREMENT,
    PROJECT,
    Ask,
    Covered,
    Index,
    Left,
    Line,
    Python,
    Requires,
    joined,
    with_headings,
)
from uvmagic.adopt.tables import requirement
from uvmagic.adopt.toml_statements import Statement, statements
from uvmagic.adopt.versions import NoPep440, from_poetry
from uvmagic.names import normalise
from uvmagic.project import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

_POETRY = ("tool", "poetry")
_KINDS = {
    "default": "default",
    "explicit": "explicit",
    "primary": "default",
}
"""A source's priority → the kind of index; any other is asked beside PyPI."""

_OF_POETRY = Covered("what poetry says of the project as a package; it stays there")
_BUILDS = Covered("how the project is built, if it is a package; it stays there")
KEPT = (NO_REQUIREMENT, _BUILDS, _OF_POETRY)
"""What is told once for all lines that follow each other."""


def read(text: str, file: str) -> list[Line]:
    """Every line of a pyproject.toml of poetry's. Raises SourceInvalid where it is no TOML.

    A table that is no list of requirements is one line.
    """
    found = statements(text, file)
    extras = _extras(found)
    lines = [
        Line(file, one.first, one.last, one.text, tuple(_asks(one, found, extras))) for one in found
    ]
    return with_headings(file, text, joined(lines, KEPT))


def name_of(text: str, file: str) -> str:
    """The name that it gives the project, empty where it gives none. Raises SourceInvalid."""
    names = [o.value for o in statements(text, file) if (*o.path, *o.key) == (*_POETRY, "name")]
    return str(names[0]) if names else ""


def _asks(one: Statement, beside: list[Statement], extras: Mapping[str, list[str]]) -> list[Ask]:
    match (*one.path, *one.key):
        case ("tool", "poetry", "dependencies", "python"):
            return [_python(str(one.value))]
        case ("tool", "poetry", "dependencies", name, *rest):
            return _of_dependency(name, _under(rest, one.value), PROJECT, extras)
        case ("tool", "poetry", "dev-dependencies", name, *rest):
            return _of_dependency(name, _under(rest, one.value), Table("group", "dev"), {})
        case ("tool", "poetry", "group", group, "dependencies", name, *rest):
            return _of_dependency(name, _under(rest, one.value), Table("group", group), {})
        case ("tool", "poetry", "group", _, "optional"):
            return [
                Covered("uv installs groups other than dev where asked:  %uv sync --group NAME")
            ]
        case ("tool", "poetry", "extras", *_):
            return [Covered("its requirements are in that extra")]
        case ("tool", "poetry", "source", key):
            return [_of_source(key, one, beside)]
        case ("tool", "poetry", "scripts" | "plugins", *_):
            return [Left("an entry point: write it to [project.scripts]")]
        case ("tool", "poetry", *_):
            return [_OF_POETRY]
        case ("build-system", *_):
            return [_BUILDS]
    return [NO_REQUIREMENT]


def _under(keys: list[str], value: Any) -> Any:
    """The value as if the keys below the name (`name.version = …`) were written as a table."""
    for key in reversed(keys):
        value = {key: value}
    return value


def _of_dependency(
    name: str, value: Any, table: Table, extras: Mapping[str, list[str]]
) -> list[Ask]:
    """The requirements of one dependency: a version, a table, or several tables."""
    asked: list[Ask] = []
    for each in value if isinstance(value, list) else [value]:
        given = dict(each) if isinstance(each, dict) else {"version": str(each)}
        ask = requirement(name, given, table)
        in_extras = extras.get(normalise(name), [])
        if given.get("optional") and isinstance(ask, Requires) and table == PROJECT:
            asked += [replace(ask, table=Table("extra", extra)) for extra in in_extras] or [
                Left(f"optional, and in no extra: add it by  %uv add {name}  if you need it")
            ]
        else:
            asked.append(ask)
    return asked


def _extras(found: list[Statement]) -> dict[str, list[str]]:
    """Normalised name → the extras that have it."""
    made: dict[str, list[str]] = {}
    for one in found:
        whole = (*one.path, *one.key)
        if whole[:3] != (*_POETRY, "extras"):
            continue
        tables = {whole[3]: one.value} if len(whole) > 3 else one.value
        for extra, names in tables.items():
            for name in names:
                made.setdefault(normalise(str(name).partition("[")[0]), []).append(extra)
    return made


def _python(constraint: str) -> Ask:
    try:
        specifier, told = from_poetry(constraint)
    except NoPep440:
        return Left(f"no Python's version: {constraint}; set requires-python by hand")
    same = specifier == "".join(constraint.split())
    return Python(specifier, told or ("" if same else f"{constraint} is {specifier or 'any'}"))


def _of_source(key: str, one: Statement, beside: list[Statement]) -> Ask:
    if key != "url":
        return Covered("said with the source's address")
    given = {
        other.key[0]: other.value
        for other in beside
        if other.path == one.path and other.entry == one.entry
    }
    kind = _KINDS.get(str(given.get("priority", "primary")), "extra")
    if given.get("secondary"):
        kind = "extra"
    return Index(str(one.value), kind, str(given.get("name", "")))
