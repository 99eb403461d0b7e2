"""Why each distribution changed: the call is about it, that needs it, or only the kernel does.

A first `add` from a notebook brings what a kernel needs along, forty distributions that nobody has
asked for; they are told apart by the lock.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from uvmagic.kernel import support

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from uvmagic.lockfile import Lockfile
    from uvmagic.outcome import Change, Role

_ORDER = {"asked": 0, "needed": 1, "kernel": 2}
_LOUDEST_FIRST = {"~": 0, "−": 1, "+": 2}
"""What was there already and is another now may break something; what came does not."""


def with_roles(
    changes: Iterable[Change], asked: Set[str], project: str, lock: Lockfile | None
) -> tuple[Change, ...]:
    """The changes with their roles, in the order in which they are told.

    Args:
        changes: what has changed.
        asked: the names that the call is about, normalised.
        project: the project's name, normalised.
        lock: as it is after the change.
    """
    changes = list(changes)
    came = {change.name for change in changes if change.before is None}
    for_kernel: set[str] = set()
    if lock is not None and came.intersection(support.NAMES):
        for_kernel = came - _reached(lock, project, without=set(support.NAMES) - asked)
    told = [dataclasses.replace(c, role=_role(c.name, asked, for_kernel)) for c in changes]
    return tuple(sorted(told, key=lambda c: (_ORDER[c.role], _LOUDEST_FIRST[c.sign], c.name)))


def _role(name: str, asked: Set[str], for_kernel: Set[str]) -> Role:
    if name in asked:
        return "asked"
    return "kernel" if name in for_kernel else "needed"


def _reached(lock: Lockfile, project: str, without: Set[str]) -> set[str]:
    """The names that a project comes to, by whatever extra or group, but not through some."""
    found, waiting = set[str](), [project]
    while waiting:
        for package in lock.packages(waiting.pop()):
            lists = (package.dependencies, *package.extras.values(), *package.groups.values())
            new = {edge.name for edges in lists for edge in edges} - found - without
            found |= new
            waiting += new
    return found
