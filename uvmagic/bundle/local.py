"""The local distributions that a project needs, and where uv took the others from for their sake.

A bundle has local distributions as wheels, and a wheel has no `[tool.uv.sources]`: its torch from
an index of its own, its dependency from git, the member of the workspace that it needs would all be
looked for on PyPI. uv heeds a source of what a project lists, for whatever else asks for that name;
a dependency group that nobody installs is list enough. So the bundle's project has such a group,
of all that its workspace had a source for, each with its source.

Who asks for what, and from where, is read from uv.lock: there uv has joined requirements and
markers with the sources of members and of the workspace's root. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from uvmagic.errors import BundleRefused, ProjectInvalid
from uvmagic.lockfile.document import spelled
from uvmagic.lockfile.markers import EVERYWHERE, Marker
from uvmagic.lockfile.reach import reached
from uvmagic.names import normalise
from uvmagic.project import Table, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from uvmagic.lockfile import Lockfile
    from uvmagic.lockfile.document import Package
    from uvmagic.project import Project

_BUILT = ("editable", "directory", "path")
"""How uv.lock calls the place of what is built or copied: a folder, or an archive."""
_VIRTUAL = "virtual"
"""How it calls that of a project that is no package: only what it asks for is installed."""

Target = tuple[tuple[str, str], ...]
"""Where a name is taken from, as an entry of `[tool.uv.sources]` says it: keys and values.

An index is told by its address, which names it in every pyproject.toml; a local distribution by its
place in the workspace.
"""


@dataclass(frozen=True, slots=True)
class LocalDistribution:
    """A distribution that the bundle carries as a wheel.

    Attributes:
        name: normalised.
        place: its source folder, to be built; or the wheel or source archive itself.
        metadata: of one that is no package, and is nothing but what it asks for; empty for others.
    """

    name: str
    place: Path
    metadata: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Listing:
    """A requirement that the bundle's project lists so that its source is heeded.

    Attributes:
        extra: the extra, normalised, whose source it is; empty for the group that is not installed.
        requirement: as text (PEP 508).
    """

    extra: str
    requirement: str


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """An entry of `[tool.uv.sources]`.

    Attributes:
        target: where the requirement is taken from.
        extra: the extra that it is for; empty for all lists.
        marker: where it holds; empty for everywhere.
    """

    target: Target
    extra: str
    marker: str


@dataclass(frozen=True, slots=True)
class Local:
    """What a project needs of its workspace.

    Attributes:
        distributions: what the bundle carries: the project itself, if it is a package, first.
        listings: what the bundle's project lists besides what the project does.
        sources: name → its sources, in the place of those that the project has for it.
        extras: (name, extra) of the extras of local distributions that are asked for.
    """

    distributions: tuple[LocalDistribution, ...] = ()
    listings: tuple[Listing, ...] = ()
    sources: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    extras: frozenset[tuple[str, str]] = frozenset()


def local(project: Project, lockfile: Lockfile) -> Local:
    """What a project needs of local distributions, development groups aside.

    Args:
        project: the project.
        lockfile: its uv.lock, up to date.

    Raises:
        BundleRefused: a dependency lies outside the project, or a name has two sources; by name.
        ProjectInvalid: the lock is not one that uv wrote for this project.
    """
    name = normalise(project.name)
    needed = reached(lockfile, name)
    for package in needed:
        _refuse_this_machine(package)
    places = [package.name for package in needed if _is_local(package.source)]
    for twin in {each for each in places if places.count(each) > 1}:
        raise BundleRefused(f"{twin} lies at two places of this project; a bundle has one of it.")
    asked = _Asked(lockfile, name, needed)
    listings, sources = asked.besides(runtime_names(project.pyproject))
    return Local(
        tuple(sorted(_distributions(project, lockfile, needed), key=lambda d: d.name != name)),
        tuple(sorted(listings)),
        sources,
        frozenset(
            (package.name, extra)
            for package, extras in needed.items()
            if _is_local(package.source) and package.name != name
            for extra in extras
        ),
    )


def runtime_names(pyproject: Mapping[str, Any]) -> set[str]:
    """The normalised names that dependencies and extras list; groups are development's."""
    extras = pyproject.get("project", {}).get("optional-dependencies", {})
    tables = [Table("project"), *(Table("extra", name) for name in extras)]
    listed = (entry for table in tables for entry in table.requirements(pyproject))
    return {normalise(r.name) for r in map(parse_requirement, listed) if r is not None}


def _is_local(source: Mapping[str, Any]) -> bool:
    return any(kind in source for kind in (*_BUILT, _VIRTUAL))


def _refuse_this_machine(package: Package) -> None:
    for kind in ("git", "url"):
        if package.source.get(kind, "").startswith("file:"):
            raise BundleRefused(
                f"The dependency {package.name} comes from a place on this machine: "
                f"{package.source[kind]}.",
                "Move it into the project, or depend on what others can reach.",
            )


def _distributions(
    project: Project, lockfile: Lockfile, needed: Mapping[Package, set[str]]
) -> Iterator[LocalDistribution]:
    """What is built, and what is no package, in order of their names."""
    for package in sorted(needed, key=lambda package: package.name):
        is_itself = package.name == normalise(project.name)
        if _VIRTUAL in package.source and not is_itself:
            place = _inside(package.name, package.source[_VIRTUAL], project.root)
            yield LocalDistribution(package.name, place, _metadata(lockfile, package))
        for kind in _BUILT:
            if kind in package.source:
                place = _inside(package.name, package.source[kind], project.root)
                yield LocalDistribution(package.name, place)


def _inside(name: str, place: str, root: Path) -> Path:
    resolved = (root / place).resolve()
    if not resolved.is_relative_to(root):
        raise BundleRefused(
            f"The dependency {name} lies outside the project: {place}.",
            "Move it into the project, or depend on a released version.",
        )
    return resolved


def _metadata(lockfile: Lockfile, package: Package) -> str:
    """The METADATA of a project that is no package: its requirements, by extras and markers."""
    told = _told(lockfile, package.name)
    lines = ["Metadata-Version: 2.1", f"Name: {package.name}", f"Version: {package.version or 0}"]
    lines += [f"Provides-Extra: {extra}" for extra in told.get("provides-extras", ())]
    for required in told.get("requires-dist", ()):
        extras = f"[{','.join(required['extras'])}]" if required.get("extras") else ""
        text = f"{required['name']}{extras}{required.get('specifier', '')}"
        lines.append(f"Requires-Dist: {_with_marker(text, required.get('marker', ''))}")
    return "\n".join(lines) + "\n"


def _with_marker(requirement: str, marker: str) -> str:
    return f"{requirement} ; {marker}" if marker else requirement


def _told(lockfile: Lockfile, name: str) -> Mapping[str, Any]:
    """What uv.lock tells of what a local distribution asks for; a preview of uv's tells nothing."""
    package = next(each for each in lockfile.package(name) if _is_local(each["source"]))
    told: Mapping[str, Any] = package.get("metadata", {})
    return told


def _refuse_untold(lockfile: Lockfile, name: str) -> None:
    for package in lockfile.package(name):
        asks = "dependencies" in package or "optional-dependencies" in package
        if _is_local(package["source"]) and asks and "metadata" not in package:
            raise ProjectInvalid(
                f"uv.lock does not tell what {name} asks for (a preview of uv's leaves it out).",
                "Lock without that preview:  %uv lock",
            )


# --- where names are taken from -------------------------------------------------------------------

_Places = dict[tuple[Target, str], Marker]
"""(target, extra) → where it holds for a name; the extra is empty for all lists."""


@dataclass(slots=True)
class _OfName:
    """What is told of a name: the places that it is taken from, the markers it is listed by."""

    places: _Places = field(default_factory=dict)
    lists: set[Marker] = field(default_factory=set)

    def take(self, target: Target, extra: str, where: Marker) -> None:
        """Note that it is taken from a place where a marker holds, too."""
        self.places[target, extra] = self.places.get((target, extra), Marker.nowhere()) | where

    def settle(self, locked: Sequence[Package]) -> None:
        """Keep the one place that uv has taken it from, where there is but one.

        Of several members' requirements uv may take for all machines what one has for some.
        """
        if len(locked) == 1:
            taken = _target(locked[0].source)
            self.places = {
                (target, ""): EVERYWHERE
                for target, _ in self.places
                if target in (taken, (("index", locked[0].source.get("registry", "")),))
            }

    def widest(self) -> list[Marker]:
        """The markers without those that another one covers."""
        return [
            marker
            for marker in self.lists
            if not any(other != marker and other.covers(marker) for other in self.lists)
        ]


class _Asked:
    """What the projects of a workspace ask for, as far as one of them comes to it.

    To uv a place that one tells for a name is that of all who ask for the name, so that projects
    count as well that have nothing to do with this one. Only what is for one of several extras that
    exclude each other is for that extra alone.

    Args:
        lockfile: the workspace's.
        project: the project's name.
        needed: the packages that it comes to.
    """

    def __init__(self, lockfile: Lockfile, project: str, needed: Iterable[Package]) -> None:
        projects = [
            name
            for name in lockfile.versions()
            if any(_is_local(package.source) for package in lockfile.packages(name))
        ]
        self._project = project
        self._names: defaultdict[str, list[Package]] = defaultdict(list)
        for package in needed:
            self._names[package.name].append(package)
        self._names.pop(project)
        self._is_workspace = bool(lockfile.preamble.members)
        self._exclusive = frozenset[str]().union(*lockfile.preamble.conflicts)
        for name in projects if projects != [project] else ():
            _refuse_untold(lockfile, name)
        self._told = {name: _told(lockfile, name) for name in projects}

    def besides(
        self, listed: Collection[str]
    ) -> tuple[list[Listing], dict[str, tuple[Source, ...]]]:
        """What the bundle's project lists besides, and the sources that change.

        Args:
            listed: what it lists.
        """
        own = self._shared([self._project])
        everyone = self._shared(self._told)
        special = self._special()
        listings: list[Listing] = []
        sources: dict[str, tuple[Source, ...]] = {}
        for name in sorted(self._names):
            asked = everyone[name]
            if not special[name].places:
                if self._is_workspace:
                    asked.settle(self._names[name])
                says_all_itself = name in listed and own[name].places == asked.places
                if says_all_itself or not asked.places:
                    continue
            for (target, extra), where in special[name].places.items():
                asked.take(target, extra, where)
                if extra:
                    listings.append(Listing(extra, _with_marker(name, str(where))))
                else:
                    asked.lists.add(where)
            listings += [Listing("", _with_marker(name, str(where))) for where in asked.widest()]
            sources[name] = _sources(name, asked.places)
        return listings, sources

    def _shared(self, projects: Iterable[str]) -> defaultdict[str, _OfName]:
        """What some projects tell of a name's places for all who ask for it.

        A source with a marker leaves the requirement without it where the marker does not hold.
        """
        found: defaultdict[str, _OfName] = defaultdict(_OfName)
        for project in projects:
            told = self._told[project]
            groups = told.get("requires-dev", {}).values()
            asked = [*told.get("requires-dist", ()), *(r for group in groups for r in group)]
            shared = [r for r in asked if self._exclusive_extra(r) is None]
            with_source = self._names.keys() & {r["name"] for r in shared if _target(r)}
            for required in shared:
                name, target = required["name"], _target(required)
                if name in with_source:
                    marker = Marker.of(required.get("marker", ""))
                    where = marker.given(told.get("provides-extras", ()))
                    found[name].lists.add(where)
                    if target:
                        found[name].take(target, "", where)
        return found

    def _special(self) -> defaultdict[str, _OfName]:
        """The places, by name, that are for one of several extras that exclude each other.

        They are told by extras of others, and hold for the project's extra that leads there.
        """
        found: defaultdict[str, _OfName] = defaultdict(_OfName)
        for (name, its_extra, extra), where in self._ways().items():
            for required in self._told[name].get("requires-dist", ()):
                if self._exclusive_extra(required) != its_extra:
                    continue
                here = where & Marker.of(required.get("marker", "")).given([its_extra])
                target = _target(required)
                if target and here and name != self._project:
                    found[required["name"]].take(target, extra, here)
        return found

    def _exclusive_extra(self, required: Mapping[str, Any]) -> str | None:
        """The extra that a source is for alone, as it excludes others; empty for a group."""
        if "conflict" not in required:
            return None
        package, extra, group = (
            required["conflict"].get(key, "") for key in ("package", "extra", "group")
        )
        is_exclusive = spelled(package, extra=extra, group=group) in self._exclusive
        return str(extra) if is_exclusive else None

    def _ways(self) -> dict[tuple[str, str, str], Marker]:
        """Where the project comes to a local distribution: (name, its extra, the project's extra).

        Extras are empty for what is asked for without any.
        """
        known: dict[tuple[str, str, str], Marker] = {}
        extras = ("", *self._told[self._project].get("provides-extras", ()))
        waiting = [((self._project, extra, extra), EVERYWHERE) for extra in extras]
        while waiting:
            way, where = waiting.pop()
            before = known.get(way, Marker.nowhere())
            if before.covers(where):
                continue  # no more is learnt from it
            known[way] = before | where
            name, its_extra, extra = way
            for required in self._told[name].get("requires-dist", ()):
                marker = Marker.of(required.get("marker", ""))
                here = where & marker.given([its_extra] if its_extra else [])
                if here and required["name"] in self._told:
                    asked = ("", *required.get("extras", ()))
                    waiting += [((required["name"], each, extra), here) for each in asked]
        return known


def _sources(name: str, places: _Places) -> tuple[Source, ...]:
    """One name's sources as uv takes them. Raises BundleRefused where two hold at once.

    uv has shown already, when it locked the workspace, that others exclude each other.
    """
    for (target, extra), where in places.items():
        for (other, its_extra), its_where in places.items():
            is_at_once = not extra or extra == its_extra
            if target != other and is_at_once and EVERYWHERE in (where, its_where):
                one, another = sorted(", ".join(value for _, value in t) for t in (target, other))
                raise BundleRefused(
                    f"{name} comes from {one} for one of the workspace's projects and from "
                    f"{another} for another; a bundle has one place for it.",
                    f"Give {name} the same source in each [tool.uv.sources].",
                )
    return tuple(
        sorted(Source(target, extra, str(where)) for (target, extra), where in places.items())
    )


def _target(required: Mapping[str, Any]) -> Target:
    """Where a requirement of uv.lock is taken from; empty for wherever there is one."""
    if "git" in required:
        address = urlsplit(required["git"])
        plain = address._replace(query="", fragment="").geturl()
        return (("git", plain), *sorted(parse_qsl(address.query)))
    for kind in (*_BUILT, _VIRTUAL):
        if kind in required:
            return (("path", str(required[kind])),)
    keys = [key for key in ("index", "url") if key in required]
    more = [key for key in ("subdirectory",) if key in required]
    return tuple((key, str(required[key])) for key in [*keys, *more] if keys)
