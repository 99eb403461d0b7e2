"""Whether a bundle is still of the notebook and the lock that it was made from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from uvmagic.bundle import manifest
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def bundles_in(folder: Path) -> list[Path]:
    """The bundles in a folder, where `bundle` puts them: beside their notebooks, and by name."""
    return sorted(file.parent for file in folder.glob(f"*-bundle/{manifest.FILE}"))


def changed_since(bundle: Path, root: Path) -> list[str] | None:
    """What of a project has changed since a bundle was made from it; None for what is no bundle.

    Of the notebook its cells count, and not the outputs, which a bundle leaves behind.

    Args:
        bundle: the bundle's folder.
        root: the project's root folder.
    """
    try:
        made = manifest.read(bundle)
    except BundleRefused:
        return None
    return list(_changed(made, bundle, root))


def _changed(made: manifest.Manifest, bundle: Path, root: Path) -> Iterator[str]:
    if _cells(root / made.notebook) != _cells(bundle / made.notebook):
        yield made.notebook
    if manifest.sha256(root / "uv.lock") != made.source_lock_sha256:
        yield "uv.lock"


def _cells(file: Path) -> list[tuple[str, str]] | None:
    """Kind and source of each cell; None where there are none to read."""
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError):
        return None
