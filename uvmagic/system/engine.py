"""Whether Docker answers: its client is on more machines than its service."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.system.process import run_captured

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATIENCE = 0.5
"""Seconds for an answer; a service on this machine takes 50 ms."""


def docker(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """(version of the service, what it says in place of one); None without Docker on PATH."""
    program = shutil.which("docker", path=environ.get("PATH"))
    if program is None:
        return None
    command = [program, "version", "--format", "{{.Server.Version}}"]
    try:
        status, said = run_captured(command, cwd=Path.cwd(), environ=environ, limit=_PATIENCE)
    except OSError as error:  # TimeoutError among them
        return "", str(error)
    last = said.strip().rpartition("\n")[2]
    return (last, "") if status == 0 else ("", last)
