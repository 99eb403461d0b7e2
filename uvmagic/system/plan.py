"""Uv's own plan: what a machine would install from a lock, asked of uv itself (40 ms)."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from uvmagic.system.uv import Uv


@dataclass(frozen=True, slots=True)
class Plan:
    """What a machine would install from nothing.

    Attributes:
        versions: normalised name → version; empty where uv refuses. The version is empty where
            only a build of it tells.
        python: the version of Python that uv took, `3.12.4`; empty where uv refuses.
        uncached: the names that uv's cache lacks, as far as uv tells.
        refusal: what uv says, where there is nothing that it could install.
    """

    versions: Mapping[str, str]
    python: str = ""
    uncached: frozenset[str] = frozenset()
    refusal: str = ""


def planned(
    uv: Uv,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    platform: str | None = None,
    options: Sequence[str] = (),
) -> Plan:
    """What a platform would install from the lock as it is; nothing is changed or fetched.

    Args:
        uv: the binary.
        cwd: a folder of the project.
        environ: the environment, from `environment_for_uv`.
        platform: as uv names it, `x86_64-manylinux_2_28`; None for this machine.
        options: of `uv sync`: extras, groups, the Python.
    """
    call = ["sync", "--frozen", "--dry-run", "--output-format", "json", "--verbose", *options]
    call += ["--python-platform", platform] if platform else []
    with tempfile.TemporaryDirectory(prefix="uvmagic-plan-") as empty:
        nowhere = {**environ, "UV_PROJECT_ENVIRONMENT": str(Path(empty) / "none")}
        nowhere.pop("RUST_LOG", None)
        result = uv.run(call, cwd=cwd, environ=nowhere)
    if result.returncode != 0:
        return Plan({}, refusal=result.transcript.error())
    told = json.loads(result.stdout)["sync"]
    lines = "\n".join(result.transcript.said())
    return Plan(
        {c["name"]: c.get("version", "") for c in told["changes"] if c["action"] == "installed"},
        told["environment"]["python"]["version"],
        # Only for showing how much is to be fetched: uv tells it nowhere else.
        frozenset(re.findall(r"Identified uncached distribution: ([^=\s]+)==", lines)),
    )
