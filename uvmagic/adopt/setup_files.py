"""setup.cfg and setup.py, line by line: read, never executed. Pure.

Source: setuptools' "Configuring setuptools using setup.cfg files" and "Keywords"
(setuptools.pypa.io).
"""

from __future__ import annotations

import ast
import configparser
import re
from typing import TYPE_CHECKING

from uvmagic.adopt import requirements_txt
from uvmagic.adopt.lines import (
    NO_REQUIREMENT,
    PROJECT,
    Ask,
    Covered,
    Left,
    Line,
    Python,
    joined,
    with_headings,
)
from uvmagic.errors import SourceInvalid
from uvmagic.project import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TABLES = {"install_requires": PROJECT, "tests_require": Table("group", "test")}
_BUILDS = Covered("what builds the project: [build-system] says it")
_LINKS = Left("uv heeds no dependency links: give the address with the requirement, or an index")


# --- setup.cfg ------------------------------------------------------------------------------------


def read_cfg(text: str, file: str, folder: Path) -> list[Line]:
    """Every line of a setup.cfg. Raises SourceInvalid where configparser cannot read it."""
    try:
        configparser.RawConfigParser().read_string(text, file)
    except configparser.Error as error:
        errors = getattr(error, "errors", None) or [(getattr(error, "lineno", None), "")]
        place = f", line {errors[0][0]}" if errors[0][0] else ""
        raise SourceInvalid(
            f"{file}{place}: not as configparser reads one ({type(error).__name__}).",
            "Mend that place.",
        ) from error
    own: list[Line] = []
    others: list[Line] = []
    for number, section, key, value in _values(text):
        for line in _of_cfg(file, number, section, key, value, folder):
            (own if line.file == file else others).append(line)
    return [*with_headings(file, text, joined(own, [NO_REQUIREMENT])), *others]


def _values(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Line number, section, key and text of each value, a line of it each."""
    section = key = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith(("#", ";")):
            continue
        if header := re.fullmatch(r"\[(.+)\]", line.rstrip()):
            section, key = header[1], ""
        elif line[0].isspace() and key:
            yield number, section, key, bare
        elif begin := re.match(r"([^=:]+?)\s*[=:]\s*(.*)", line):
            key = begin[1].strip().lower()
            if begin[2].strip():
                yield number, section, key, begin[2].strip()


def _of_cfg(file: str, number: int, section: str, key: str, value: str, folder: Path) -> list[Line]:
    table = _TABLES.get(key) if section == "options" else None
    if section == "options.extras_require":
        table = Table("extra", key)
    line = Line(file, number, number, value)
    if table is not None and value.startswith("file:"):
        lines = [Line(file, number, number, value, (Covered("its lines follow"),))]
        for name in value.removeprefix("file:").split(","):
            lines += requirements_txt.read(folder / name.strip(), name.strip(), table)
        return lines
    if table is not None:
        parts = [part.strip() for part in value.split(";")] if "python_version" not in value else []
        several = parts if len(parts) > 1 and all(map(_is_named, parts)) else [value]
        asked = [ask for part in several for ask in requirements_txt.asks(part, table)]
        return [Line(file, number, number, value, tuple(asked))]
    if (section, key) == ("options", "python_requires"):
        return [Line(file, number, number, f"{key} = {value}", (Python(_tight(value)),))]
    others: dict[str, Ask] = {"setup_requires": _BUILDS, "dependency_links": _LINKS}
    ask = others.get(key, NO_REQUIREMENT) if section == "options" else NO_REQUIREMENT
    return [Line(line.file, number, number, f"{key} = {value}", (ask,))]


def _is_named(part: str) -> bool:
    return re.match(r"[A-Za-z0-9][\w.-]*(\[.*\])?\s*([<>=!~].*)?$", part) is not None


def _tight(specifier: str) -> str:
    return "".join(specifier.split())


# --- setup.py -------------------------------------------------------------------------------------


def read_py(text: str, file: str) -> list[Line]:
    """Every line of a setup.py that asks for something; the rest is code, and one line of it.

    Raises:
        SourceInvalid: it is no Python, or calls no `setup`.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        place = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise SourceInvalid(f"{file}{place}: no Python: {error}.", "Mend that place.") from error
    call = next((node for node in ast.walk(tree) if _is_setup(node)), None)
    if not isinstance(call, ast.Call):
        raise SourceInvalid(f"{file} calls no setup().", "Adopt its requirements file, if any.")
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    lines = [
        line for word in call.keywords for line in _of_keyword(word, values, file=file, text=text)
    ]
    used = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)} & values.keys()
    lines += [
        _line(node, _computed("what code adds to a list"), file=file, text=text)
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and _adds_to(node) in used
    ]
    return with_headings(file, "", lines)


def _adds_to(node: ast.AST) -> str:
    """The name that a statement adds to (`A += …`, `A.append(…)`), empty for any other."""
    match node:
        case ast.AugAssign(target=ast.Name(id=name)):
            return name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr))):
            return name if attr in ("append", "extend", "insert", "update") else ""
    return ""


def _is_setup(node: ast.AST) -> bool:
    name = getattr(node, "func", None)
    return getattr(name, "id", getattr(name, "attr", "")) == "setup"


def _of_keyword(word: ast.keyword, values: dict[str, ast.expr], file: str, text: str) -> list[Line]:
    value = (
        values.get(word.value.id, word.value) if isinstance(word.value, ast.Name) else word.value
    )
    if word.arg in _TABLES:
        return _listed(value, _TABLES[str(word.arg)], values, file=file, text=text)
    if word.arg == "extras_require":
        return _of_extras(value, values, file=file, text=text)
    if word.arg == "python_requires":
        told = _constant(value)
        ask: Ask = Python(_tight(told)) if told is not None else _computed("python_requires")
        return [_line(value, ask, file=file, text=text)]
    if word.arg == "setup_requires":
        return [_line(value, _BUILDS, file=file, text=text)]
    if word.arg == "dependency_links":
        return [_line(value, _LINKS, file=file, text=text)]
    if word.arg is None:  # setup(**settings)
        return [_line(word.value, _computed("what setup() is given"), file=file, text=text)]
    return []


def _of_extras(value: ast.expr, values: dict[str, ast.expr], file: str, text: str) -> list[Line]:
    if not isinstance(value, ast.Dict):
        return [_line(value, _computed("extras_require"), file=file, text=text)]
    found: list[Line] = []
    for key, listed in zip(value.keys, value.values, strict=True):
        name = _constant(key) if key is not None else None
        if name is None:
            found.append(_line(listed, _computed("an extra"), file=file, text=text))
            continue
        extra, _, marker = name.partition(":")  # `"win:sys_platform == 'win32'"`
        table = Table("extra", extra) if extra else PROJECT
        inside = values.get(listed.id, listed) if isinstance(listed, ast.Name) else listed
        found += _listed(inside, table, values, file, text, f" ; {marker}" if marker else "")
    return found


def _listed(
    value: ast.expr,
    table: Table,
    values: dict[str, ast.expr],
    file: str,
    text: str,
    marker: str = "",
) -> list[Line]:
    """A list of requirements, or a text with one a line."""
    if isinstance(value, ast.Name) and value.id in values:
        value = values[value.id]
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        sides = (value.left, value.right)
        return [line for s in sides for line in _listed(s, table, values, file, text, marker)]
    entries = value.elts if isinstance(value, ast.List | ast.Tuple | ast.Set) else [value]
    found = []
    for entry in entries:
        told = _constant(entry)
        if told is None:
            found.append(_line(entry, _computed("a requirement"), file=file, text=text))
            continue
        asked = [
            ask
            for one in told.splitlines()
            if one.strip() and not one.strip().startswith("#")
            for ask in requirements_txt.asks(one.strip() + marker, table)
        ]
        found.append(_line(entry, *asked, file=file, text=text))
    return found


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _computed(what: str) -> Left:
    return Left(
        f"{what} is computed, and setup.py is not run to find out: adopt the file that it reads, "
        "or name it by  %uv add"
    )


def _line(node: ast.expr | ast.stmt, *asked: Ask, file: str, text: str) -> Line:
    first, last = node.lineno, node.end_lineno or node.lineno
    told = " ".join(line.strip() for line in text.splitlines()[first - 1 : last])
    return Line(file, first, last, told.rstrip(","), tuple(asked))
