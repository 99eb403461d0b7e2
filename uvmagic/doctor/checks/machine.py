"""The machine: room on its disks, and its container engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.outcome import Finding
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from uvmagic.doctor.facts import Facts

_FULL = 200 * 10**6
"""Too little for the bytes of one large wheel."""
_SCARCE = 5 * 10**9
"""Too little for torch and its CUDA libraries, unpacked in the cache and fetched beside it."""


def disk_full(facts: Facts) -> Finding | None:
    """Little room where the environment or the cache lie."""
    scarce = [disk for disk in facts.disks if disk.free < _SCARCE]
    if not scarce:
        return None
    is_full = any(disk.free < _FULL for disk in scarce)
    told = [f"{in_bytes(d.free)} are free for the {d.what} ({d.place})." for d in scarce]
    return Finding(
        "error" if is_full else "warning",
        "\n".join(told),
        "A change that runs out of it fails in the middle of installing."
        if is_full
        else "torch with CUDA's libraries takes more.",
        f"{facts.call} cache prune   removes what no environment needs any more.",
    )


def docker_unreachable(facts: Facts) -> Finding | None:
    """Docker's client without its service."""
    engine = facts.engine
    if engine is None or engine.version:
        return None
    return Finding(
        "note",
        f"Docker does not answer: {engine.says}",
        "rerun --engine docker  fails;  --engine local  needs uv alone.",
        "Start it, and see that you may use it:  docker info",
    )
