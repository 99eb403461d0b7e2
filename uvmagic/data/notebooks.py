"""Notebooks that come with uvmagic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.data.tables import HERE

if TYPE_CHECKING:
    from pathlib import Path


def quickstart() -> Path:
    """The quickstart notebook: inside an installed distribution, else in the source tree."""
    installed = HERE / "quickstart.ipynb"
    return installed if installed.exists() else HERE.parent.parent / "notebooks" / installed.name
