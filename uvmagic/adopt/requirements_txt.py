"""Files of requirements, as pip reads them, line by line. Reads the files that are named.

Source: pip's "Requirements file format" (pip.pypa.io), PEP 508.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from uvmagic.adopt.lines import (
    HERE_ALONE,
    ITSELF,
    PROJECT,
    Ask,
    Constrains,
    Covered,
    Includes,
    Index,
    Left,
    Line,
    Requires,
    Setting,
    with_headings,
    without_credentials,
)
from uvmagic.adopt.texts import read_text
from uvmagic.errors import SourceInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uvmagic.project import Table

_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_SHORT = {
    "-c": "--constraint",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
    "-r": "--requirement",
}
_VALUED = frozenset(
    {
        *_SHORT.values(),
        "--config-setting",
        "--config-settings",
        "--extra-index-url",
        "--global-option",
        "--hash",
        "--index",
        "--install-option",
        "--no-binary",
        "--only-binary",
        "--pypi-url",
        "--trusted-host",
        "--use-feature",
    }
)
"""The options of a file of requirements that take a value."""
_BUILT_BY_CONDA = re.compile(
    r"/(?:croot|feedstock_root|conda-bld|bld/rattler\S*|tmp/build|ci|work|Users/runner\S*)(?:/|_|$)"
)
"""What is in the path at which a conda package was built; `pip freeze` tells it."""

_NO_CERTIFICATE = (
    "uv trusts no host without a certificate: if yours has none, set "
    'allow-insecure-host = ["{}"] in [tool.uv]'
)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A logical line: continuations joined, the comment gone."""

    first: int
    last: int
    text: str


def read(file: Path, told: str, table: Table = PROJECT, above: tuple[Path, ...] = ()) -> list[Line]:
    """Every line of a file of requirements, and of those that it names.

    Args:
        file: the file.
        told: its name for people.
        table: the list that its requirements are for.
        above: the files that named it, outermost first.

    Raises:
        SourceInvalid: it or one that it names cannot be read, or names one of those above it.
    """
    text = read_text(file, told)
    return read_from(text, told, file.parent, table, (*above, file.resolve()))


def read_from(
    text: str,
    told: str,
    folder: Path,
    table: Table = PROJECT,
    above: tuple[Path, ...] = (),
) -> list[Line]:
    """The same, of a text that lies in a folder; the last of `above` is the file itself."""
    own: list[Line] = []
    others: list[Line] = []
    for statement in _statements(text):
        line = Line(told, statement.first, statement.last, statement.text)
        for found in expanded(line, statement.text, folder, above, table):
            (own if found.file == told else others).append(found)
    return [*with_headings(told, text, own), *others]


def expanded(
    line: Line,
    statement: str,
    folder: Path,
    above: tuple[Path, ...],
    table: Table = PROJECT,
) -> list[Line]:
    """A line with what its statement asks for, and the lines of the file that it names."""
    asked = asks(statement, table)
    lines = [replace(line, asks=tuple(asked))]
    for each in asked:
        if isinstance(each, Includes):
            lines += _included(each, line.file, folder, above, table)
    return lines


def _included(
    named: Includes, told: str, folder: Path, above: tuple[Path, ...], table: Table
) -> list[Line]:
    file = folder / named.path
    resolved = file.resolve()
    if resolved in above:
        circle = [path.name for path in (*above[above.index(resolved) :], resolved)]
        raise SourceInvalid(
            f"The files name each other in a circle: {' → '.join(circle)}.",
            "Take one of these -r lines away.",
        )
    lines = read(file, str(PurePosixPath(told).parent / named.path), table, above)
    if not named.constrains:
        return lines
    return [replace(line, asks=_as_constraints(line.asks)) for line in lines]


def _as_constraints(asked: Sequence[Ask]) -> tuple[Ask, ...]:
    return tuple(
        Constrains(ask.requirement) if isinstance(ask, Requires) and not ask.is_editable else ask
        for ask in asked
    )


def _statements(text: str) -> list[_Statement]:
    """The logical lines: a backslash at a line's end joins the next one, comments and blanks go."""
    found: list[_Statement] = []
    parts: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        is_comment = line.lstrip().startswith("#")
        parts.append("" if is_comment else _COMMENT.sub("", line).removesuffix("\\").strip())
        if line.endswith("\\") and not is_comment:
            continue
        joined = " ".join(part for part in parts if part)
        if joined:
            found.append(_Statement(number - len(parts) + 1, number, joined))
        parts = []
    joined = " ".join(part for part in parts if part)
    if joined:
        last = len(text.splitlines())
        found.append(_Statement(last - len(parts) + 1, last, joined))
    return found


def asks(statement: str, table: Table = PROJECT) -> list[Ask]:
    """What one logical line asks for."""
    try:
        options, rest = _options(statement)
    except ValueError:  # an open quote
        return [Left("its quotes do not close: mend it")]
    if "--editable" in options:
        return [_requirement(options.pop("--editable")[-1], table, is_editable=True)]
    asked: list[Ask] = []
    for option, values in options.items():
        if option != "--hash" or not rest:
            asked += [ask for value in values for ask in _of_option(option, value)]
    if rest:
        asked.append(_requirement(rest, table))
        asked += [Covered("uv.lock has hashes of its own")] if "--hash" in options else []
    return asked


def _options(statement: str) -> tuple[dict[str, list[str]], str]:
    """The options of a line, by long name, and what stands before them.

    Raises ValueError where a quote does not close.
    """
    begin = re.search(r"(?:^|\s)-{1,2}[a-zA-Z]", statement)
    rest = statement if begin is None else statement[: begin.start()]
    tokens = [] if begin is None else shlex.split(statement[begin.start() :])
    options: dict[str, list[str]] = {}
    while tokens:
        token = tokens.pop(0)
        flag, equals, value = token.partition("=")
        if token[:2] in _SHORT and not token.startswith("--"):
            flag, value = _SHORT[token[:2]], token[2:].lstrip("=")
            equals = value
        if flag in _VALUED and not equals and tokens:
            value = tokens.pop(0)
        options.setdefault(flag, []).append(value)
    return options, rest.strip()


def _of_option(option: str, value: str) -> list[Ask]:
    if option in ("--requirement", "--constraint") and ("://" in value or "\0" in value):
        return [Left("a file elsewhere: save it beside this one, and name that")]
    match option:
        case "--requirement":
            return [Includes(value)]
        case "--constraint":
            return [Includes(value, constrains=True)]
        case "--index-url" | "--pypi-url":
            return [Index(value, "default")]
        case "--extra-index-url" | "--index":
            return [Index(value, "extra")]
        case "--find-links":
            return [Index(value, "flat")]
        case "--no-index":
            return [Setting("no-index", True)]
        case "--pre":
            return [Setting("prerelease", "allow")]
        case "--no-binary":
            return _for_packages(value, "no-binary", "no-binary-package")
        case "--only-binary":
            return _for_packages(value, "no-build", "no-build-package")
        case "--require-hashes" | "--hash":
            return [Covered("uv.lock has hashes of its own, and they are always checked")]
        case "--prefer-binary":
            return [Covered("uv takes a wheel where there is one")]
        case "--trusted-host":
            return [Left(_NO_CERTIFICATE.format(value))]
    if option in _VALUED:
        return [Left(f"{option} has no counterpart: see config-settings in uv's reference")]
    return [Left(f"{option} means nothing to uv add: look whether you need it")]


def _for_packages(value: str, for_all: str, for_some: str) -> list[Ask]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    if ":all:" in names:
        return [Setting(for_all, True)]
    if ":none:" in names:
        return [Covered("that is so without saying")]
    return [Setting(for_some, tuple(names))]


# --- one requirement ------------------------------------------------------------------------------


def _requirement(text: str, table: Table, *, is_editable: bool = False) -> Ask:
    """What a requirement asks for, whichever of pip's forms it has."""
    if variables := _VARIABLE.findall(without_credentials(text)):
        return Left(
            f"it needs the environment variable {variables[0]}, whose value is this machine's own: "
            "write the value, and add it by  %uv add"
        )
    bare = without_credentials(text)
    told = "user and password are not written down" if bare != text else ""
    if re.match(r"(?:git|hg|svn|bzr)\+", bare):
        return _with_told(_from_repository(bare, table, is_editable), told)
    if is_editable:
        return _with_told(_editable(bare, table), told)
    if _looks_like_a_place(bare):
        name = re.search(r"#egg=([\w.-]+(?:\[[^\]]*\])?)", bare)
        place = re.sub(r"#egg=[^&]*&?", "#", bare).removesuffix("#")
        named = f"{name[1]} @ {place}" if name and "://" in place else place
        if re.fullmatch(r"\.(?:\[.*\])?", place):
            return ITSELF
        here = HERE_ALONE if place.startswith(("/", "~")) else ""
        return Requires(named, table, told or here)
    return _with_told(_of_index(bare, table), told)


def _looks_like_a_place(text: str) -> bool:
    """Whether pip takes it for a path or a URL and not for a name."""
    bare = text.partition(";")[0].partition(" @ ")[0].strip()
    is_path = bare.startswith(("./", "../", "/", "~", ".\\")) or ("/" in bare and "@" not in text)
    is_file = bare.endswith((".whl", ".tar.gz", ".zip", ".tar.bz2"))
    is_here = re.fullmatch(r"\.(?:\[[\w,. -]*\])?", bare) is not None
    return is_path or is_file or is_here or "://" in bare


def _editable(text: str, table: Table) -> Ask:
    place = re.sub(r"#egg=.*", "", text).partition("[")[0]
    if place.rstrip("/\\") in ("", "."):
        return ITSELF
    told = HERE_ALONE if place.startswith(("/", "~")) else ""
    return Requires(re.sub(r"#egg=.*", "", text), table, told, is_editable=True)


def _from_repository(text: str, table: Table, is_editable: bool) -> Ask:
    """`git+https://…@v1#egg=name&subdirectory=part`."""
    if not text.startswith("git+"):
        return Left("uv knows git alone: give its address in a git repository")
    place, _, fragment = text.partition("#")
    given = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
    inside = f"#subdirectory={given['subdirectory']}" if given.get("subdirectory") else ""
    told = "from git, and so not editable" if is_editable else ""
    egg = re.sub(r"-(?:dev|\d[\w.]*)$", "", given.get("egg", ""))
    named = f"{egg} @ {place}{inside}" if egg else f"{place}{inside}"
    return Requires(named, table, told)


def _of_index(text: str, table: Table) -> Ask:
    """A name with its bounds, mended where older tools took what PEP 440 does not allow."""
    mended = re.sub(r"(>=|<=|>|<)\s*(\d[\w.!+]*?)\.\*", r"\1\2", text)
    told = f"{text!r} is none of PEP 440" if mended != text else ""
    try:
        requirement = Requirement(mended)
    except InvalidRequirement:
        pinned = re.fullmatch(r"([\w.-]+)\s*=\s*(\d[\w.]*)", text)
        hint = f"did you mean {pinned[1]}=={pinned[2]}?" if pinned else "mend it, or leave it out"
        return Left(f"no requirement as PEP 508 writes one: {hint}")
    url = requirement.url
    if url and url.startswith("file:") and _BUILT_BY_CONDA.search(url):
        version = re.search(r"/[\w.]+-(\d[\w.]*)-[^/]*\.whl$", url)
        pin = f"=={version[1]}" if version else ""
        return Requires(
            f"{requirement.name}{pin}",
            table,
            "the path at which conda built it is on no other machine: "
            + ("by name and version" if pin else "by name, of any version"),
        )
    return Requires(mended, table, told)


def _with_told(ask: Ask, told: str) -> Ask:
    if not told or not isinstance(ask, Requires):
        return ask
    return replace(ask, told="; ".join(part for part in (ask.told, told) if part))
