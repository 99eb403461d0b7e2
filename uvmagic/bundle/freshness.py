"""Whether a bundle is still of the notebook and the lock that it was made from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from uvmagic.bundle.contents import MANIFEST
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from pathlib import Path


def bundles_in(folder: Path) -> list[Path]:
    """The bundles in a folder, where `bundle` puts them: beside their notebooks, and by name."""
    return sorted(file.parent for file in folder.glob(f"*-bundle/{MANIFEST}"))


def changed_since(bundle: Path, root: Path) -> list[str] | None:
    """What of a project has changed since a bundle was made from it; None for what is no bundle.

    Of the notebook its cells count, and not the outputs, which a bundle leaves behind.

    Args:
        bundle: the bundle's folder.
        root: the project's root folder.
    """
    from uvmagic.bundle import manifest  # by those who have a bundle

    try:
        made = manifest.read(bundle)
    except BundleRefused:
        return None
    changed = []
    if _cells(root / made.notebook) != _cells(bundle / made.notebook):
        changed.append(made.notebook)
    if manifest.sha256(root / "uv.lock") != made.source_lock_sha256:
        changed.append("uv.lock")
    return changed


def _cells(file: Path) -> list[tuple[str, str]] | None:
    """Kind and source of each cell; None where there are none to read."""
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError):
        return None
