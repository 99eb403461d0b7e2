"""Which of conda's packages the index does not have, asked of uv one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.progress import Progress
from uvmagic.system.isolation import is_offline
from uvmagic.system.uv import environment_for_uv, find_uv

if TYPE_CHECKING:
    from uvmagic.adopt.plan import Plan
    from uvmagic.system.host import Host

_NO_RESOLUTION = 1
"""uv's exit status where there is no such package; a network that fails has another (uv 0.13.9)."""


def absent(plan: Plan, folder: Path, host: Host) -> set[str]:
    """The normalised names of conda's that were taken as they are, and that no index has.

    Args:
        plan: what could not be resolved.
        folder: the project's, whose indexes are asked, and the plan's.
        host: where uv runs.
    """
    asked = [one for one in plan.additions if one.is_same_name]
    if not asked or is_offline(host.environ):  # then what is not in the cache looks the same
        return set()
    uv = find_uv(host.environ)
    indexes = [t for entry in plan.indexes for t in ("--index", f"{entry['name']}={entry['url']}")]
    found = set()
    with tempfile.TemporaryDirectory(prefix="uvmagic-probe-") as place:
        file = Path(place) / "requirements.in"
        for one in asked:
            host.reporter.progress(Progress(f"Asking whether there is a {one.name}"))
            file.write_text(f"{one.name}\n", encoding="utf-8")
            compiled = uv.run(
                ["pip", "compile", "--no-deps", "--quiet", *indexes, str(file)],
                cwd=folder,
                environ=environment_for_uv(host.environ),
            )
            if compiled.returncode == _NO_RESOLUTION:
                found.add(one.name)
    return found
