"""What a project comes to on any machine: the edges of its lock followed whatever their markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.errors import ProjectInvalid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Set

    from uvmagic.lockfile.document import Dependency, Lockfile, Package


def reached(lockfile: Lockfile, root: str, *, with_groups: bool = False) -> dict[Package, set[str]]:
    """The packages that a project comes to, by all of its extras; itself is one.

    Args:
        lockfile: the lock.
        root: the project's name, normalised.
        with_groups: whether its dependency groups count.

    Returns:
        Each package with those of its extras that are asked for.

    Raises:
        ProjectInvalid: the lock has no such project, or is not one that uv wrote.
    """
    projects = lockfile.packages(root)
    if len(projects) != 1:
        raise ProjectInvalid(f"uv.lock has no project {root}.", "Run  %uv lock")
    found = {projects[0]: set(projects[0].extras)}
    waiting: list[Dependency] = list(projects[0].dependencies)
    waiting += _listed(projects[0].extras.values())
    waiting += _listed(projects[0].groups.values()) if with_groups else []
    while waiting:
        edge = waiting.pop()
        for package in _meant(lockfile, edge):
            if package not in found:
                found[package] = set()
                waiting += package.dependencies
            new = set(edge.extras) - found[package]
            found[package] |= new
            waiting += _listed(package.extras.get(extra, ()) for extra in new)
    return found


def preferring(lockfile: Lockfile, packages: Collection[Package]) -> str:
    """The text of a lock in which a name that some packages have has no versions but theirs.

    uv keeps what is locked; of two versions that a workspace has for two members, it would keep
    either.
    """
    names = {package.name for package in packages}
    kept = set(packages)
    waiting = [*packages]
    while waiting:  # what their other extras and groups ask for stays, or it would be no lock
        new = {one for edge in _edges(waiting.pop()) for one in _meant(lockfile, edge)} - kept
        kept |= new
        waiting += new
    others = [
        package
        for name in lockfile.versions()
        for package in lockfile.packages(name)
        if package not in kept
    ]
    gone = {package for package in others if package.name in names}
    while True:  # what asks for one that is gone goes too
        more = {each for each in others if each not in gone and _lacks(lockfile, each, gone)}
        if not more:
            return lockfile.without(gone)
        gone |= more


def _lacks(lockfile: Lockfile, package: Package, gone: Set[Package]) -> bool:
    """Whether all that an edge of a package may mean is gone."""
    meant = (set(_meant(lockfile, edge)) for edge in _edges(package))
    return any(packages and gone >= packages for packages in meant)


def _edges(package: Package) -> list[Dependency]:
    """All that a package asks for, by whatever extra or group."""
    return _listed((package.dependencies, *package.extras.values(), *package.groups.values()))


def _listed(lists: Iterable[Iterable[Dependency]]) -> list[Dependency]:
    return [edge for listed in lists for edge in listed]


def _meant(lockfile: Lockfile, edge: Dependency) -> list[Package]:
    """The packages that an edge may mean; several where the lock's forks tell them apart."""
    return [
        package
        for package in lockfile.packages(edge.name)
        if edge.version in (None, package.version) and edge.source in (None, package.source)
    ]
