"""A bundle's folder: whether it may be made, and how it gets there in one step."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from uvmagic import project as projects
from uvmagic.bundle import contents, manifest
from uvmagic.errors import BundleRefused
from uvmagic.system.host import shorten

if TYPE_CHECKING:
    from pathlib import Path

    from uvmagic.project import Project


def refuse_foreign(target: Path, project: Project) -> None:
    """A folder is replaced only if it is a bundle with nothing else in it."""
    if projects.takes_in(project.root, target.parent.resolve() / target.name):
        raise BundleRefused(
            f"{shorten(target)} would become a member of the workspace {shorten(project.root)}.",
            "Name another folder: -o DIR",
        )
    if not target.exists():
        return
    if target.resolve() in (project.folder, *project.folder.parents):
        raise BundleRefused(f"{shorten(target)} is the project itself.", "Name another folder: -o")
    listed = manifest.read(target).files if (target / manifest.FILE).is_file() else None
    if listed is None:
        raise BundleRefused(
            f"{shorten(target)} exists and is not a bundle.", "Name another folder: -o DIR"
        )
    present = {p.relative_to(target).as_posix() for p in contents.files_below(target)}
    foreign = sorted(present - listed.keys() - {manifest.FILE})
    if foreign:
        raise BundleRefused(
            f"{shorten(target)} has files that are not the bundle's: {', '.join(foreign[:5])}.",
            "Move them away, or name another folder: -o DIR",
        )


def put_in_place(stage: Path, target: Path) -> None:
    """Move the finished bundle to its place; an older one stays until then."""
    marker = target.parent / f".{target.name}.making"
    shutil.rmtree(marker, ignore_errors=True)
    old = target.parent / f".{target.name}.old"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(stage, marker)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
        marker.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(marker, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
