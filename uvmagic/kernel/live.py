"""The running kernel after a change of its own environment: what imports now, what is stale."""

from __future__ import annotations

import importlib
import site
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uvmagic.outcome import Change


def path_files(site_packages: Path | None) -> frozenset[str]:
    """The names of the `.pth` files, by which editable installs reach their source."""
    return frozenset(p.name for p in site_packages.glob("*.pth")) if site_packages else frozenset()


def refresh(site_packages: Path, known: frozenset[str]) -> None:
    """Let the next cell import what was just installed.

    Args:
        site_packages: the environment's.
        known: its `.pth` files before the change: only new ones are processed, since others may
            have effects at start that must not come twice.
    """
    importlib.invalidate_caches()
    for name in sorted(path_files(site_packages) - known):
        site.addpackage(str(site_packages), name, set(sys.path))


def loaded_and_changed(changes: Sequence[Change], site_packages: Path) -> list[Change]:
    """The changed or removed distributions of which a module is loaded: they need a restart."""
    loaded = {name.partition(".")[0] for name in sys.modules}
    return [
        change
        for change in changes
        if change.before is not None and not loaded.isdisjoint(_modules(change, site_packages))
    ]


def _modules(change: Change, site_packages: Path) -> set[str]:
    """The top-level modules of a distribution, from its RECORD; by its name once that is gone."""
    stem = change.name.replace("-", "_")
    for record in site_packages.glob(f"{stem}-{change.after}.dist-info/RECORD"):
        paths = (line.split(",")[0] for line in record.read_text(encoding="utf-8").splitlines())
        return {path.partition("/")[0].removesuffix(".py") for path in paths}
    return {stem}
