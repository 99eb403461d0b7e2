"""What becomes of each line of a source, and what pyproject.toml is to say for all of them. Pure.

A line is `adopted` as it stands, `changed` (how, and why), `covered` (nothing is to be done) or
`left` (it has no counterpart; what to do). None goes without.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from uvmagic.accelerator import present
from uvmagic.adopt.builds import (
    backend_at,
    backend_for,
    chosen_by,
    is_torch,
    is_torchs,
    of_build,
    option,
)
from uvmagic.adopt.lines import (
    PROJECT,
    Ask,
    Conda,
    Constrains,
    Covered,
    Includes,
    Index,
    Left,
    Line,
    Python,
    Requires,
    Setting,
    masked,
    without_credentials,
)
from uvmagic.adopt.versions import NoPep440, from_conda
from uvmagic.data import conda, torch
from uvmagic.names import normalise
from uvmagic.project import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from uvmagic.data.torch import Backend

Outcome = Literal["adopted", "changed", "covered", "left"]
_WORST: tuple[Outcome, ...] = ("left", "changed", "adopted", "covered")
"""The outcomes of a line's parts, the one that stands for the whole line first."""
_PYPI = re.compile(r"(?:www\.)?pypi\.(?:python\.)?[a-z]{2,4}")
"""PyPI's own host."""
_TOOLS = ("pip", "pip-tools", "pipenv", "virtualenv", "conda")
"""What a source may ask for to install the rest of it."""
_INDEX_KEYS: dict[str, dict[str, Any]] = {
    "default": {"default": True},
    "explicit": {"explicit": True},
    "flat": {"format": "flat"},
}
"""A kind of index → what its entry says besides name and address."""
_OLDEST_PYTHON = (3, 8)
"""The oldest that uv still makes environments with (docs.astral.sh/uv, "Python support")."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one thing that a line asks for, and what to tell of it."""

    outcome: Outcome
    told: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the source, and what became of it."""

    line: Line
    outcome: Outcome
    told: str

    @property
    def place(self) -> str:
        """Where the line stands, within the source's files."""
        return f"{self.line.file}:{self.line.first}"

    @property
    def text(self) -> str:
        """The line to be shown; nobody's password is in it."""
        return masked(self.line.text)


@dataclass(frozen=True, slots=True)
class Addition:
    """What one list of pyproject.toml gets.

    Attributes:
        table: the list.
        requirement: as `uv add` takes it.
        is_editable: to be edited in place.
        index: the name of the one index that it may come from, else empty.
        is_same_name: a conda package taken under its own name, that no table knows.
    """

    table: Table
    requirement: str
    is_editable: bool = False
    index: str = ""
    is_same_name: bool = False

    @property
    def name(self) -> str:
        """The normalised name; empty for a path or a bare URL."""
        requirement = _parsed(self.requirement)
        return normalise(requirement.name) if requirement else ""


@dataclass(slots=True)
class Plan:
    """What a source comes to.

    Attributes:
        rows: each line that asks for something, in the source's order.
        additions: what the lists of pyproject.toml get.
        python: requires-python for a project that is made for it, else empty.
        indexes: entries of `[[tool.uv.index]]`.
        constraints: of `tool.uv.constraint-dependencies`.
        settings: more keys of `[tool.uv]`.
        backend: torch's, as the source chooses it.
    """

    rows: list[Row] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    python: str = ""
    indexes: list[dict[str, Any]] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    backend: Backend | None = None

    def count(self, outcome: Outcome) -> int:
        """How many lines came to that."""
        return sum(row.outcome == outcome for row in self.rows)

    def without(self, names: Collection[str]) -> Plan:
        """The plan without conda packages that turned out to be none of PyPI's."""
        gone = {
            addition.requirement
            for addition in self.additions
            if addition.is_same_name and addition.name in names
        }
        told = "the index has none of that name that fits: a package of conda's alone; find out "
        rows = [
            replace(row, outcome="left", told=f"{told}what it is for, and leave it out or add that")
            if any(isinstance(a, Conda) and normalise(a.name) in names for a in row.line.asks)
            else row
            for row in self.rows
        ]
        kept = [one for one in self.additions if one.requirement not in gone]
        return replace(self, rows=rows, additions=kept)


def planned(
    lines: Iterable[Line],
    *,
    group: str = "",
    backends: Collection[str] = (),
    python: str = "",
    pyproject: Mapping[str, Any] | None = None,
) -> Plan:
    """What a source's lines come to.

    Args:
        lines: as a reader gives them.
        group: the dependency group that all of the project's own requirements go to, else empty.
        backends: options of the call that choose torch's build, over the source's own choice.
        python: the version that the call asks for, over the source's own.
        pyproject: of the project that is there already, None for one that is to be made.
    """
    return _Planning(group, backends, python, pyproject or {}).run([*lines])


class _Planning:
    """One plan in the making."""

    def __init__(
        self, group: str, backends: Collection[str], python: str, pyproject: Mapping[str, Any]
    ) -> None:
        self.group, self.backends, self.python = group, backends, python
        self.pyproject = pyproject
        self.has_python = str(pyproject.get("project", {}).get("requires-python", ""))
        self.has_torch = "torch" in present.listed(pyproject)
        self.plan = Plan()
        self.first: dict[tuple[Table, str], int] = {}
        self.places: dict[tuple[Table, str], Line] = {}

    def run(self, lines: list[Line]) -> Plan:
        asked = [ask for line in lines for ask in line.asks]
        self.has_torch = self.has_torch or any(map(is_torch, asked))
        for ask in asked:  # an index, or a build string, chooses for the whole source
            self._choose(ask)
        for line in lines:
            fates = [self._fate(ask, line) for ask in line.asks]
            if fates:
                self.plan.rows.append(_row(line, fates))
        known = {entry["name"] for entry in self.plan.indexes}
        self.plan.additions = [
            replace(one, index=_slug(one.index) if _slug(one.index) in known else "")
            for one in self.plan.additions
        ]
        return self.plan

    def _fate(self, ask: Ask, line: Line) -> Fate:
        match ask:
            case Covered(why):
                return Fate("covered", why)
            case Left(why):
                return Fate("left", why)
            case Includes():
                return Fate("covered", "its lines are listed too")
            case Requires():
                return self._require(ask, line)
            case Conda():
                return self._of_conda(ask, line)
            case Python():
                return self._of_python(ask)
            case Constrains(requirement):
                return self._constrain(requirement)
            case Index():
                return self._of_index(ask)
            case Setting(key, value):
                return self._set(key, value)

    # --- requirements ---

    def _require(self, ask: Requires, line: Line, *, is_same_name: bool = False) -> Fate:
        table = Table("group", self.group) if self.group and ask.table == PROJECT else ask.table
        requirement, why = self._for_any_build(ask.requirement)
        told = [part for part in (ask.told, why) if part]
        addition = Addition(table, requirement, ask.is_editable, ask.index, is_same_name)
        if present.name_of(requirement) in _TOOLS:
            return Fate("covered", "uv does what it does")
        key = (table, _sort(requirement))
        if key in self.first:
            return self._again(key, addition, line, told)
        self.first[key] = len(self.plan.additions)
        self.places[key] = line
        self.plan.additions.append(addition)
        if ask.index:
            told.append(f"from the index {_slug(ask.index)} alone")
        if table.kind != "project":
            told.append(f"in the {'extra' if table.kind == 'extra' else 'group'} {table.name}")
        if before := self._replaced(table, requirement):
            told.append(f"in the place of {before}")
        if is_same_name and not told:
            told.append("PyPI's of that name")
        is_changed = bool(ask.told or why or ask.is_respelled)
        return Fate("changed" if is_changed else "adopted", _joined(requirement, told, is_changed))

    def _replaced(self, table: Table, requirement: str) -> str:
        """What the project lists already under that name, where it says something else."""
        name = present.name_of(requirement)
        listed = table.requirements(self.pyproject)
        entries = [entry for entry in listed if present.name_of(entry) == name]
        same = _sort(requirement)
        parsed = _parsed(requirement)
        is_there = any(
            _sort(entry) == same and (one := _parsed(entry)) and one == parsed for entry in entries
        )
        return "" if is_there or parsed is None else " and ".join(entries)

    def _again(
        self, key: tuple[Table, str], addition: Addition, line: Line, told: list[str]
    ) -> Fate:
        """What the source asks for twice: both bounds hold, as for pip."""
        position = self.first[key]
        before = self.plan.additions[position]
        one, other = _parsed(before.requirement), _parsed(addition.requirement)
        first = self.places[key]
        place = f"line {first.first}" + (f" of {first.file}" if first.file != line.file else "")
        if one is None or other is None or one.url or other.url:
            if before.requirement == addition.requirement:
                return Fate("covered", f"the same as {place}")
            return Fate("left", f"{place} says where it comes from: choose one of the two")
        both = _both(one, other)
        self.plan.additions[position] = replace(before, requirement=both)
        if _parsed(both) == one:
            return Fate("covered", f"{place} asks for it already")
        return Fate("changed", "; ".join([f"with {place}: {both}", *told]))

    def _for_any_build(self, requirement: str) -> tuple[str, str]:
        """A requirement of torch's family without the build, which the index chooses."""
        match = re.fullmatch(
            r"(?P<head>[\w.-]+\s*==\s*[^+;,\s]+)\+(?P<build>[\w.]+)(?P<rest>.*)", requirement
        )
        if match is None or not present.family([present.name_of(requirement)]):
            return requirement, ""
        if match["build"] not in torch.backends():
            return requirement, ""
        return match["head"] + match["rest"], f"the build {match['build']} is chosen by its index"

    # --- conda ---

    def _of_conda(self, ask: Conda, line: Line) -> Fate:
        name = normalise(ask.name)
        if name == "python":
            return self._of_conda_python(ask)
        if name in conda.accelerators():
            return self._of_accelerator(name, ask)
        kind = conda.kind_of(name)
        if kind is not None and kind.name == "gpu" and self.has_torch:
            return Fate("covered", "torch's wheels bring it along")
        if kind is not None:
            return Fate("covered" if kind.covered else "left", kind.told)
        pypi = conda.renamed().get(name, ask.name)
        told = [] if normalise(pypi) == name else [f"conda's {ask.name} is PyPI's {pypi}"]
        try:
            specifier, why = from_conda(ask.version)
        except NoPep440:
            specifier, why = "", f"{ask.version} is no version of PEP 440: any version"
        if why:
            told.append(why)
        if ask.build and ask.build != "*":
            told.append("the build goes: a wheel is chosen by platform")
        marker = f" ; {ask.marker}" if ask.marker else ""
        is_same_name = name not in conda.renamed()
        if chooses := self._build_of(ask):
            told.append(chooses)
        is_respelled = bool(ask.version) and specifier != ask.version
        wanted = Requires(
            f"{pypi}{specifier}{marker}", told="; ".join(told), is_respelled=is_respelled
        )
        return self._require(wanted, line, is_same_name=is_same_name)

    def _build_of(self, ask: Conda) -> str:
        """What the build string of conda's torch chooses, where that is what was taken."""
        backend = of_build(ask.name, ask.build) if is_torch(ask) else None
        is_taken = backend is not None and backend == self.plan.backend
        return f"its build is {option(backend)}" if is_taken else ""

    def _of_conda_python(self, ask: Conda) -> Fate:
        try:
            specifier, told = from_conda(ask.version)
        except NoPep440:
            return Fate("left", f"{ask.version} is no version of Python's: say  --python 3.12")
        exact = re.fullmatch(r"==(\d+\.\d+)(?P<patch>\.\d+)?", specifier)
        if exact:
            specifier = f"=={exact[1]}.*"
            told = "the patch release is left to uv" if exact["patch"] else told
        return self._of_python(Python(specifier, told))

    def _of_accelerator(self, name: str, ask: Conda) -> Fate:
        kind = conda.accelerators()[name]
        if kind == "build":
            return Fate("covered", "conda's own way to choose a build")
        if not self.has_torch:
            told = "no torch is asked for; others bring CUDA's libraries along, or ask for NVIDIA's"
            return (
                Fate("left", told) if kind == "cuda" else Fate("covered", "no torch is asked for")
            )
        if self.backends:
            return Fate("covered", f"the call chooses itself: {' '.join(self.backends)}")
        wanted, why = backend_for(kind, ask.version)
        if wanted is None:
            return Fate("left", why)
        if wanted != self.plan.backend:
            return Fate("left", f"{option(self.plan.backend)} was chosen before it: name one")
        return Fate("changed", f"{option(wanted)}: torch from the index of {wanted.name}")

    # --- which torch ---

    def _choose(self, ask: Ask) -> None:
        """Take the first build of torch that the source chooses."""
        if self.plan.backend is not None or not self.has_torch or self.backends:
            return
        self.plan.backend = chosen_by(ask)

    # --- all else ---

    def _of_python(self, ask: Python) -> Fate:
        told = [ask.told] if ask.told else []
        if self.python:
            return Fate("covered", f"the call chooses itself: --python {self.python}")
        if not ask.specifier:
            return Fate("covered", "any Python")
        if self.has_python:
            return self._beside_python(ask.specifier)
        try:
            bounds = SpecifierSet(
                ",".join(part for part in (self.plan.python, ask.specifier) if part)
            )
        except InvalidSpecifier:
            return Fate("left", f"{ask.specifier} is no version of PEP 440: say  --python 3.12")
        if not any(
            bounds.contains(f"3.{minor}.99") or bounds.contains(f"3.{minor}")
            for minor in range(_OLDEST_PYTHON[1], 40)
        ):
            return Fate("left", f"uv has no such Python ({ask.specifier}): say  --python 3.12")
        self.plan.python = _written(bounds)
        return Fate(
            "changed" if told else "adopted",
            _joined(f'requires-python = "{self.plan.python}"', told, True),
        )

    def _beside_python(self, specifier: str) -> Fate:
        if self.has_python == specifier:
            return Fate("covered", "the project asks for the same")
        return Fate("left", f"the project asks for {self.has_python} already: change it by hand")

    def _constrain(self, requirement: str) -> Fate:
        parsed = _parsed(requirement)
        if parsed is None or parsed.extras:
            return Fate("left", "a constraint has a name and bounds alone: mend it")
        self.plan.constraints.append(requirement)
        return Fate("adopted", "in tool.uv.constraint-dependencies")

    def _of_index(self, ask: Index) -> Fate:
        url = without_credentials(ask.url)
        if "${" in url:
            return Fate("left", "its address needs an environment variable: add the index by hand")
        try:
            parts = urlsplit(url)
        except ValueError as error:
            return Fate("left", f"no address ({error}): mend it")
        if _PYPI.fullmatch(parts.hostname or "") and parts.path.rstrip("/") == "/simple":
            return Fate("covered", "PyPI is where uv looks by itself")
        if is_torchs(url):
            return self._of_torchs_index(url)
        entry = self._entry(ask, url)
        known = [one for one in self.plan.indexes if one["url"] == url]
        if not known:
            self.plan.indexes.append(entry)
        told = [f"the index {(known or [entry])[0]['name']}"]
        if ask.kind == "default" and not entry.get("default"):
            told.append("asked before the project's own default index")
        if ask.kind == "extra":
            told.append("uv takes a package from the first index that has it, PyPI last")
        if url != ask.url:
            named = entry["name"].upper().replace("-", "_")
            told.append(
                f"user and password are not written down: UV_INDEX_{named}_USERNAME and _PASSWORD"
            )
        return Fate("changed" if url != ask.url else "adopted", "; ".join(told))

    def _of_torchs_index(self, url: str) -> Fate:
        backend = backend_at(url) or self.plan.backend
        if not self.has_torch:
            return Fate("left", "PyTorch's index, and no torch is asked for: add what it is for")
        if self.backends:
            return Fate("covered", f"the call chooses itself: {' '.join(self.backends)}")
        if backend is None:
            return Fate("covered", "the torch of PyPI is taken: no build is named")
        if backend != self.plan.backend:
            return Fate("left", f"{option(self.plan.backend)} was chosen before it: name one")
        return Fate("changed", f"{option(backend)}: torch's family alone comes from there")

    def _entry(self, ask: Index, url: str) -> dict[str, Any]:
        there = self.pyproject.get("tool", {}).get("uv", {}).get("index", [])
        taken = {one.get("name") for one in [*there, *self.plan.indexes] if one["url"] != url}
        name = _slug(ask.name or urlsplit(url).hostname or "files")
        number = 2
        while name in taken:
            name = f"{_slug(ask.name or urlsplit(url).hostname or 'files')}-{number}"
            number += 1
        kind = "extra" if ask.kind == "default" and self._has_default() else ask.kind
        return {"name": name, "url": url, **_INDEX_KEYS.get(kind, {})}

    def _has_default(self) -> bool:
        """Whether an index stands in PyPI's place already: there can be one."""
        there = self.pyproject.get("tool", {}).get("uv", {}).get("index", [])
        return any(entry.get("default") for entry in [*there, *self.plan.indexes])

    def _set(self, key: str, value: str | bool | tuple[str, ...]) -> Fate:
        if isinstance(value, tuple):
            before = self.plan.settings.get(key, [])
            self.plan.settings[key] = list(dict.fromkeys([*before, *value]))
        else:
            self.plan.settings[key] = value
        return Fate("adopted", f"{key} in [tool.uv]")


def _row(line: Line, fates: list[Fate]) -> Row:
    outcome = min((fate.outcome for fate in fates), key=_WORST.index)
    told = [fate.told for fate in fates if fate.told]
    return Row(line, outcome, "; ".join(dict.fromkeys(told)))


def _joined(requirement: str, told: list[str], is_changed: bool) -> str:
    """What to tell: the requirement where it is another one, and why."""
    return "; ".join([*([requirement] if is_changed else []), *told])


def _parsed(requirement: str) -> Requirement | None:
    try:
        return Requirement(requirement)
    except InvalidRequirement:
        return None


def _sort(requirement: str) -> str:
    """What tells whether two requirements are of one thing: name and marker, as for uv."""
    parsed = _parsed(requirement)
    if parsed is None:
        return requirement
    return f"{normalise(parsed.name)} ; {parsed.marker or ''}"


def _both(one: Requirement, other: Requirement) -> str:
    """One requirement with the bounds and extras of two of the same name and marker.

    uv would keep the bounds of the last alone (uv 0.13.9).
    """
    clauses = list(dict.fromkeys([*_clauses(one), *_clauses(other)]))
    all_extras = ",".join(sorted(one.extras | other.extras))
    extras = f"[{all_extras}]" if all_extras else ""
    marker = f" ; {one.marker}" if one.marker else ""
    return f"{one.name}{extras}{','.join(clauses)}{marker}"


def _clauses(requirement: Requirement) -> list[str]:
    return sorted(map(str, requirement.specifier), reverse=True)


def _written(bounds: SpecifierSet) -> str:
    return ",".join(sorted(map(str, bounds), reverse=True))


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "files"
