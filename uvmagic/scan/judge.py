"""What is imported × what is declared × what is locked → what is not as it should be. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from uvmagic.data import imports, torch
from uvmagic.names import normalise
from uvmagic.project import Table, parse_requirement
from uvmagic.scan.names import Owner
from uvmagic.scan.survey import STANDARD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
    from pathlib import Path

    from uvmagic.lockfile import Lockfile
    from uvmagic.scan.found import Place
    from uvmagic.scan.names import Names
    from uvmagic.scan.survey import Survey

Kind = Literal[
    "missing",
    "unknown",
    "transitive",
    "development",
    "shadowed",
    "gone",
    "elsewhere",
    "standard",
    "optional",
    "unused",
]
"""missing: no list has the distribution. unknown: neither that nor which distribution it is.
transitive: only another one needs it. development: only a dependency group has it. shadowed: a
local file stands before the standard library. gone: this Python's standard library has it no more.
elsewhere: no index has it. standard: the project lists what the standard library has.
optional: not there, and the code goes on without it. unused: declared, not imported by name."""

WRONG: frozenset[Kind] = frozenset({"missing", "unknown"})
"""The kinds by which a cell would raise."""


class Finding(NamedTuple):
    """Something that is not as it should be, or is worth knowing.

    Attributes:
        kind: what.
        name: the module, or the distribution where none is imported.
        distribution: the one to add, normalised, with what a line asks of it; empty for none.
        told: for people.
        places: where it is asked for, the first of each file.
        by: by what it is known whose the module is; empty where it is no question.
    """

    kind: Kind
    name: str
    distribution: str
    told: str
    places: tuple[Place, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a pyproject.toml lists, all names normalised.

    Attributes:
        main: its dependencies.
        extras: what an extra adds.
        groups: distribution → the dependency groups that have it.
        own: the project's own name.
    """

    main: frozenset[str]
    extras: frozenset[str]
    groups: Mapping[str, tuple[str, ...]]
    own: str

    @classmethod
    def of(cls, pyproject: Mapping[str, Any], name: str) -> Declared:
        """What a parsed pyproject.toml lists; `name` is the project's."""
        project, uv = pyproject.get("project", {}), pyproject.get("tool", {}).get("uv", {})
        groups = {*pyproject.get("dependency-groups", {})}
        groups |= {"dev"} if uv.get("dev-dependencies") else set()
        of_group: dict[str, tuple[str, ...]] = {}
        for group in sorted(groups):
            for each in _names(Table("group", group), pyproject):
                of_group[each] = (*of_group.get(each, ()), group)
        extras = project.get("optional-dependencies", {})
        return cls(
            frozenset(_names(Table("project"), pyproject)),
            frozenset(n for extra in extras for n in _names(Table("extra", extra), pyproject)),
            of_group,
            normalise(name),
        )


def _names(table: Table, pyproject: Mapping[str, Any]) -> Iterator[str]:
    for entry in table.requirements(pyproject):
        requirement = parse_requirement(entry)
        if requirement is not None:
            yield normalise(requirement.name)


class _Need(NamedTuple):
    """Modules and lines that come to the same distribution."""

    name: str
    owner: Owner
    requirement: str
    is_plain: bool
    places: tuple[Place, ...]


def judged(
    survey: Survey,
    names: Names,
    declared: Declared,
    lock: Lockfile | None,
    python: str,
    used: Iterable[str] | None,
) -> list[Finding]:
    """All that there is to tell, what is wrong first.

    Args:
        survey: what was found.
        names: whose each module is.
        declared: what the project lists.
        lock: its lock, None without one.
        python: the version of the project's Python, `3.12.4`.
        used: the modules that the project's other files import; None where not all of the
            project's notebooks were looked at, and so nothing can be told of what is not used.
    """
    locked = frozenset(lock.versions()) if lock else frozenset()
    needs = _needs(survey, names)
    found = [*_of_another_python(survey, names, _version(python))]
    found += filter(None, (_of_need(need, declared, locked, lock) for need in needs))
    found += _shadowed(survey)
    found += _standard(declared)
    if used is not None:
        taken = {name for need in needs for name in need.owner.names}
        taken |= {name for module in used for name in names.owner(module).names}
        found += _unused(declared, taken | local_places(lock).keys() if lock else taken)
    order = Kind.__args__  # type: ignore[attr-defined]
    return sorted(found, key=lambda one: (order.index(one.kind), one.name.casefold()))


def _of_another_python(survey: Survey, names: Names, version: tuple[int, ...]) -> Iterator[Finding]:
    """The modules that no index has: of another Python's standard library, of other places."""
    grouped: dict[str, list[Place]] = {}
    for each in survey.imports:
        if name := _not_of_an_index(each.module, names):
            grouped.setdefault(name, []).append(each.place)
    for name, places in grouped.items():
        gone = imports.standard_gone().get(name)
        where = _first_of_each(places)
        if gone is None:
            yield Finding("elsewhere", name, "", imports.elsewhere()[name], where)
        elif version >= _version(gone.gone):
            since = "is Python 2's" if gone.gone == "3.0" else f"is gone since Python {gone.gone}"
            now = f"; in its place: {gone.now}" if gone.now else ""
            yield Finding("gone", name, "", f"{since}{now}", where)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


def _not_of_an_index(module: str, names: Names) -> str | None:
    """The part of a module that a table of what no index has knows; None for all others."""
    if names.owner(module).by in ("environment", "lock"):
        return None
    known = imports.elsewhere().keys() | imports.standard_gone().keys()
    parts = module.split(".")
    prefixes = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in known), None)


def _needs(survey: Survey, names: Names) -> list[_Need]:
    """What is asked for, one entry a distribution; modules for types alone are no need."""
    grouped: dict[str, list[tuple[str, Owner, str, bool, Place]]] = {}
    for each in survey.imports:
        if each.how == "typing" or _not_of_an_index(each.module, names):
            continue
        top = _shown(each.module)
        owner = names.owner(each.module)
        is_plain = each.how != "try"
        grouped.setdefault(owner.names[0], []).append((top, owner, "", is_plain, each.place))
    for asked in survey.asked:
        requirement = parse_requirement(asked.requirement)
        assert requirement is not None
        own = normalise(requirement.name)
        key = next((k for k, uses in grouped.items() if own in uses[0][1].names), own)
        entry = (own, grouped[key][0][1]) if key in grouped else (own, Owner((own,), "line"))
        grouped.setdefault(key, []).append((*entry, asked.requirement, True, asked.place))
    return [_need(uses) for uses in grouped.values()]


def _shown(module: str) -> str:
    """As much of a module as people go by: the first part, but of a shared package three."""
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[0] in imports.namespaces() else 1])


def _need(uses: Sequence[tuple[str, Owner, str, bool, Place]]) -> _Need:
    module, owner, *_ = uses[0]
    requirement = next((asked for _, _, asked, _, _ in reversed(uses) if asked), "")
    if requirement and owner.by == "nothing":  # a line knows the name that was a guess
        owner = owner._replace(by="line")
    return _Need(
        module,
        owner,
        requirement,
        any(is_plain for *_, is_plain, _ in uses),
        _first_of_each([place for *_, place in uses]),
    )


def _of_need(
    need: _Need, declared: Declared, locked: Set[str], lock: Lockfile | None
) -> Finding | None:
    """What is wrong with a need; None where the project asks for it."""
    module, (names, by), requirement, is_plain, places = need
    if not declared.main.isdisjoint(names) or not declared.extras.isdisjoint(names):
        return None
    if declared.own in names:
        return None
    wanted = requirement or names[0]

    def finding(kind: Kind, told: str, distribution: str = wanted) -> Finding:
        return Finding(kind, module, distribution, told, places, by)

    def told_of(name: str) -> str:
        return "" if normalise(module) == name else f"{name}: "

    grouped = next((name for name in names if name in declared.groups), None)
    if grouped:
        groups = " and ".join(declared.groups[grouped])
        return finding("development", f"{told_of(grouped)}only in the group {groups}", grouped)
    held = next((name for name in names if name in locked), None)
    if held and lock:
        lists = (declared.main | declared.extras, declared.groups)
        through = next(filter(None, (through_which(held, one, lock) for one in lists)), [])
        told = f"only through {_listed(through)}" if through else "in the lock, and not asked for"
        return finding("transitive", f"{told_of(held)}{told}", held)
    if not is_plain:
        return finding("optional", "not there; the code goes on without it (try)")
    if by == "nothing":
        if module in imports.own():
            return finding("unknown", "no module of that name is beside it", "")
        return finding("unknown", "nothing here tells which distribution has it")
    by_hand = "; it is installed, and nothing asks for it" if by == "environment" else ""
    return finding("missing", f"missing: {wanted}{by_hand}")


def local_places(lock: Lockfile) -> dict[str, str]:
    """The distributions of a lock that are folders here → where, from the lock on."""
    kinds = ("editable", "directory", "virtual")
    return {
        package.name: package.source[kind]
        for name in lock.versions()
        for package in lock.packages(name)
        for kind in kinds
        if kind in package.source
    }


def through_which(name: str, declared: Iterable[str], lock: Lockfile) -> list[str]:
    """Which of the declared distributions come, near or far, to another one, sorted."""
    return [each for each in sorted(declared) if name in _below(each, lock)]


def _below(name: str, lock: Lockfile) -> set[str]:
    found, waiting = set[str](), deque([name])
    while waiting:
        for package in lock.packages(waiting.popleft()):
            extras = [edge for edges in package.extras.values() for edge in edges]
            new = {edge.name for edge in (*package.dependencies, *extras)} - found
            found |= new
            waiting += new
    return found


def _listed(names: Sequence[str], most: int = 2) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    joint = ", " if more else " and "
    return joint.join(names[:most]) + more


def _first_of_each(places: Iterable[Place]) -> tuple[Place, ...]:
    first: dict[Path, Place] = {}
    for place in places:
        first.setdefault(place.file, place)
    return tuple(first.values())


def _shadowed(survey: Survey) -> Iterator[Finding]:
    for name in sorted({each.module for each in survey.shadows}):
        of_it = [each for each in survey.shadows if each.module == name]
        told = f"{of_it[0].file.name} stands before the standard library's {name}"
        yield Finding("shadowed", name, "", told, _first_of_each(each.place for each in of_it))


def _standard(declared: Declared) -> Iterator[Finding]:
    for name in sorted(declared.main & {normalise(module) for module in STANDARD}):
        yield Finding("standard", name, name, "the standard library has it: not needed")


def _unused(declared: Declared, taken: Set[str]) -> Iterator[Finding]:
    family = {package.name for package in torch.family()}
    standard = {normalise(module) for module in STANDARD}
    for name in sorted(declared.main - taken - standard):
        why = imports.used_silently(name) or ("goes with torch" if name in family else None)
        yield Finding("unused", name, name, f"not imported by name{f' ({why})' if why else ''}")
