"""What of torch's family a project gets by other packages alone. Pure.

uv heeds a source only for what a project lists (astral-sh/uv#11388): a choice holds for these only
once they are listed too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvmagic.accelerator import present
from uvmagic.data import torch
from uvmagic.lockfile.walk import walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvmagic.lockfile import Lockfile
    from uvmagic.lockfile.target import Target
    from uvmagic.project import Table


def strays(
    pyproject: Mapping[str, Any], root: str, lockfile: Lockfile, target: Target
) -> dict[str, Table]:
    """Normalised name → the list for whose sake it comes.

    Those alone that are built for one release of torch; others may come from anywhere.

    Args:
        pyproject: of the project.
        root: its name.
        lockfile: its lock.
        target: the machine that gets them.
    """
    following = {package.name for package in torch.family() if package.follows_torch}
    candidates = following - present.listed(pyproject)
    if candidates.isdisjoint(lockfile.versions()):
        return {}
    found: dict[str, Table] = {}
    for table in present.tables(pyproject):
        extras, groups = table.chosen
        closure = walk(lockfile, target, root=root, extras=extras, groups=groups)
        for name in sorted(candidates & closure.packages.keys()):
            found.setdefault(name, table)
    return found
