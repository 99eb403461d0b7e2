"""What git knows of a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from uvmagic.system.process import run_captured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LIMIT = 30.0
"""Seconds that git may take: a long history on a network drive takes some."""


def last_commit(file: Path, environ: Mapping[str, str]) -> datetime | None:
    """When a file was last committed, in UTC; None where it was not, or there is no git."""
    command = ["git", "log", "-1", "--format=%cI", "--", file.name]
    try:
        status, said = run_captured(command, cwd=file.parent, environ=environ, limit=_LIMIT)
        return datetime.fromisoformat(said.strip()).astimezone(UTC) if status == 0 else None
    except (OSError, ValueError):
        return None
