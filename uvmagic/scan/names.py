"""The name of a module → the distributions that have it, and by what that is known. Pure."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from uvmagic.data import imports
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set

By = Literal["line", "environment", "lock", "table", "namesake", "nothing"]
"""By what an owner is known, the surest first: a line installs it by name, what is installed says
which files it has, the lock has a distribution that a table or the module's own name tells, a table
has it, its name is among the most downloaded of PyPI."""


class Owner(NamedTuple):
    """The distributions that have a module, normalised, the one to add first.

    Where nothing tells (`by` is `nothing`), it is the one of the same name: a guess.
    """

    names: tuple[str, ...]
    by: By


class Names:
    """Knows the owners of modules for one project.

    Args:
        installed: module → the distributions in the environment that have it.
        locked: the names in the lock, normalised.
    """

    def __init__(self, installed: Mapping[str, Set[str]], locked: Set[str]) -> None:
        self._installed = installed
        self._locked = locked
        self.owner = cache(self._owner)

    def is_known(self, module: str) -> bool:
        """Whether anything but its name tells whose a module is."""
        return self.owner(module).by != "nothing"

    def _owner(self, module: str) -> Owner:
        """The owner of a module that is dotted as far as it may be one."""
        nearest = list(_prefixes(module))
        for name in nearest:
            if found := self._installed.get(name):
                return Owner(tuple(sorted(found)), "environment")
        in_table = next((own for name in nearest if (own := imports.owners().get(name))), ())
        if held := tuple(name for name in in_table if name in self._locked):
            return Owner(held, "lock")
        alike = _alike(module)
        for name in alike:
            if name in self._locked:
                return Owner((name,), "lock")
        if in_table:
            return Owner(in_table, "table")
        for name in alike:
            if name in imports.namesakes() and name not in imports.own() | imports.namespaces():
                return Owner((name,), "namesake")
        return Owner((alike[0],), "nothing")


def _prefixes(module: str) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`."""
    while module:
        yield module
        module = module.rpartition(".")[0]


def _alike(module: str) -> list[str]:
    """The names of distributions that a module's name is like, the longest first.

    Only in a package that many distributions share is it more than the first part:
    `google.cloud.storage`, but not `django.filter`, which is no part of django-filter.
    """
    if module.partition(".")[0] not in imports.namespaces():
        return [normalise(module.partition(".")[0])]
    names = [normalise(name) for name in _prefixes(module)]
    return names[:-1] or names
