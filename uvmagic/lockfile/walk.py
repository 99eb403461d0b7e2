"""What uv would install from a lock on a machine, told without uv: equal to `uv sync --dry-run`.

uv follows the edges from the project, evaluating each marker for the machine, and so does this.
`tests/lock` holds the two against each other.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from uvmagic.errors import ProjectInvalid, UsageError
from uvmagic.lockfile.document import Package, spelled, unspelled
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence, Set

    from uvmagic.lockfile.document import Dependency, Lockfile, Preamble
    from uvmagic.lockfile.target import Target


@dataclass(frozen=True, slots=True)
class Locked:
    """A locked distribution as a target gets it.

    Attributes:
        name: normalised.
        version: None where only a build of it tells.
        source: what kind it is of and where that is, `{"registry": "https://…"}`.
        extras: those of its extras that are asked for.
        requires: the names that it depends on here, by those extras too.
    """

    name: str
    version: str | None
    source: Mapping[str, str]
    extras: frozenset[str]
    requires: frozenset[str]


@dataclass(frozen=True)
class Closure:
    """What a target would install, if uv does not refuse.

    Attributes:
        target: the machine.
        reached: all that the project comes to, itself included, by name.
        files: the blocks of the lock that have their files.
        excluded: the lock's `requires-python` or `supported-markers` leave the target out; then
            uv refuses, and nothing is reached.
    """

    target: Target
    reached: Mapping[str, Locked]
    files: Collection[Package] = field(compare=False, repr=False)
    excluded: bool

    @cached_property
    def lacking(self) -> frozenset[str]:
        """Those that have neither a wheel for the target nor a source; then uv refuses."""
        return frozenset(package.name for package in self.files if _lacks(package, self.target))

    @property
    def packages(self) -> dict[str, Locked]:
        """What is installed: all but the projects that are no packages, as uv leaves them out.

        The project itself is in it where it is a package (`editable`), and not where it is not
        (`virtual`).
        """
        return {name: one for name, one in self.reached.items() if "virtual" not in one.source}

    def below(self, name: str) -> frozenset[str]:
        """All names that one of them depends on, near or far; empty where it is not reached."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            one = self.reached.get(waiting.pop())
            new = one.requires - found if one else frozenset()
            found |= new
            waiting += new
        return frozenset(found)

    def only_through(self, name: str) -> frozenset[str]:
        """One of them, and all that nothing but it comes to; empty where it is not reached."""
        if name not in self.reached:
            return frozenset()
        required = {each for one in self.reached.values() for each in one.requires}
        kept: set[str] = set()
        waiting = [each for each in self.reached if each not in required and each != name]
        while waiting:
            each = waiting.pop()
            kept.add(each)
            waiting += self.reached[each].requires - kept - {name}
        return frozenset(self.reached.keys() - kept)


def walk(
    lockfile: Lockfile,
    target: Target,
    *,
    root: str,
    extras: Collection[str] = (),
    groups: Collection[str] = (),
) -> Closure:
    """What uv would install from a lock on a target.

    Args:
        lockfile: the lock.
        target: the machine.
        root: the project's name. One that is no project of the lock stands for a workspace's
            root without a name: all members are installed.
        extras: of the project; one that adds nothing to the lock adds nothing here.
        groups: of the project; none is taken by default.

    Raises:
        ProjectInvalid: the lock is not one that uv wrote.
        UsageError: what is chosen conflicts, as the project declares; then uv refuses too.
    """
    if not _is_for(target, lockfile.preamble):
        return Closure(target, {}, (), excluded=True)
    start = _Start.of(lockfile, root, {*map(normalise, extras)}, {*map(normalise, groups)})
    done = _Pass(lockfile, target, start, start.active)
    while lockfile.preamble.conflicts and done.active > done.known:
        # an edge may hold, or not, because of an extra that was met after it
        done = _Pass(lockfile, target, start, done.active)
    _refuse_conflicts(lockfile.preamble, start, done)
    found = {
        package.name: Locked(
            package.name,
            package.version,
            package.source,
            frozenset(taken),
            frozenset(done.requires[package]),
        )
        for package, taken in done.extras.items()
    }
    return Closure(target, found, tuple(done.extras), excluded=False)


@dataclass(frozen=True, slots=True)
class _Start:
    """What is asked for.

    Attributes:
        projects: those that are installed.
        extras: of these.
        groups: of these and of the workspace's root.
        taken: the groups that there are, each with the project whose it is.
    """

    projects: list[Package]
    extras: set[str]
    groups: set[str]
    taken: list[tuple[Package, str]]

    @classmethod
    def of(cls, lockfile: Lockfile, root: str, extras: set[str], groups: set[str]) -> _Start:
        """What the names that `walk` takes mean in a lock."""
        names = lockfile.preamble.members
        named = [each for each in lockfile.packages(normalise(root)) if _folder(each)]
        members = [each for name in names for each in lockfile.packages(name)]
        is_there = bool(members or lockfile.preamble.groups) and len(members) == len(names)
        if not named and not is_there:
            raise ProjectInvalid(f"uv.lock has no project {root}.", "Run  %uv lock")
        projects = named or members
        taken = [(each, group) for each in projects for group in each.groups if group in groups]
        top = next((each for each in members if _folder(each) == "."), _nameless(lockfile))
        if top not in projects:  # a member takes from the root the groups that it has not itself
            others = groups.difference(*(each.groups for each in named))
            taken += [(top, group) for group in top.groups if group in others]
        return cls(projects, extras, groups, taken)

    @property
    def active(self) -> set[str]:
        """What markers' `extra == '…'` is true for by that alone."""
        names = {spelled(each.name, group=group) for each, group in self.taken}
        for each in self.projects:
            names |= _names(each, each.extras.keys() & self.extras)
        return names


def _names(package: Package, extras: Iterable[str], groups: Iterable[str] = ()) -> set[str]:
    """A project, and some of its extras and groups, as markers spell them."""
    name = package.name
    return {
        spelled(name),
        *(spelled(name, extra=extra) for extra in extras),
        *(spelled(name, group=group) for group in groups),
    }


def _folder(package: Package) -> str | None:
    """Where a project is, from uv.lock; None for what is not the workspace's own."""
    return package.source.get("editable") or package.source.get("virtual")


def _nameless(lockfile: Lockfile) -> Package:
    """The root of a workspace that is no project, as if it were one."""
    groups = lockfile.preamble.groups
    return Package("", None, {"virtual": "."}, (), (), {}, groups, has_sdist=False, wheels="")


class _Pass:
    """One walk along the edges that hold, from the start to all ends.

    Attributes:
        known: what `extra == '…'` was true for at its beginning.
        active: the same at its end: what is met on the way is added.
        extras: the packages that are reached, each with those of its extras that are.
        requires: the names that each depends on.
    """

    def __init__(self, lockfile: Lockfile, target: Target, start: _Start, known: Set[str]) -> None:
        self.known = known
        self.active = set(known)
        self.extras: dict[Package, set[str]] = {}
        self.requires: defaultdict[Package, set[str]] = defaultdict(set)
        self._lockfile = lockfile
        self._target = target
        self._waiting: deque[tuple[Package, Sequence[Dependency]]] = deque()
        for package in start.projects:
            self._reach(package, start.extras)
        for package, group in start.taken:
            self._follow(package, package.groups[group])
        while self._waiting:
            self._follow(*self._waiting.popleft())

    def _reach(self, package: Package, extras: Collection[str]) -> None:
        if package not in self.extras:
            self.extras[package] = set()
            self._waiting.append((package, package.dependencies))
        for extra in extras:
            if extra in package.extras and extra not in self.extras[package]:
                self.extras[package].add(extra)
                self._waiting.append((package, package.extras[extra]))

    def _follow(self, package: Package, edges: Sequence[Dependency]) -> None:
        requires = self.requires[package]
        for edge in edges:
            found = self._found(edge)
            asked = {spelled(found.name, extra=e) for e in edge.extras if e in found.extras}
            # what an edge asks for counts for its own marker too
            if self._target.fulfils(edge.marker, self.active | asked):
                self.active |= asked
                requires.add(found.name)
                self._reach(found, edge.extras)

    def _found(self, edge: Dependency) -> Package:
        found = self._lockfile.packages(edge.name)
        if len(found) > 1:
            found = [
                package
                for package in found
                if edge.version in (None, package.version) and edge.source in (None, package.source)
            ]
        if len(found) > 1:  # a workspace's root without a name asks for no version
            found = [package for package in found if self._is_in_fork(package)]
        if len(found) != 1:
            raise ProjectInvalid(
                f"uv.lock asks for {edge.name}, and has {len(found) or 'none'} of it.",
                "Run  %uv lock",
            )
        return found[0]

    def _is_in_fork(self, package: Package) -> bool:
        markers = package.markers
        return not markers or any(self._target.fulfils(marker) for marker in markers)


def _is_for(target: Target, preamble: Preamble) -> bool:
    """Whether a lock is for a target at all."""
    try:
        pythons = SpecifierSet(preamble.requires_python)
    except InvalidSpecifier as error:
        raise ProjectInvalid(
            f"uv.lock is for no Python: {preamble.requires_python}.", "Run  %uv lock"
        ) from error
    supported = preamble.supported
    return pythons.contains(target.markers()["python_full_version"], prereleases=True) and (
        not supported or any(target.fulfils(marker) for marker in supported)
    )


def _refuse_conflicts(preamble: Preamble, start: _Start, done: _Pass) -> None:
    """Raise UsageError where uv refuses."""
    asked = {n for each in start.projects for n in _names(each, start.extras, start.groups)}
    met = {name for name in done.active if name.startswith("extra-")}
    for together in preamble.conflicts:
        for names in (asked & together, met & together):
            if len(names) > 1:
                told = " and ".join(sorted(map(_told, names)))
                raise UsageError(f"In conflict, as the project declares: {told}.", "Choose one.")


def _told(name: str) -> str:
    """What `spelled` has spelled, for the user: `extra cpu`."""
    kind, package, own = unspelled(name)
    return f"{kind} {own or package}"


def _lacks(package: Package, target: Target) -> bool:
    """Whether there is nothing that the target could install: neither a wheel nor a source."""
    is_built = package.has_sdist or package.source.keys().isdisjoint(("registry", "url", "path"))
    return not is_built and not any(map(target.accepts, package.wheel_names()))
