"""How figures read for people."""

from __future__ import annotations


def in_bytes(count: float) -> str:
    """A number of bytes for people: `3.4 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1023.95 or unit == "GiB":  # 1023.95 would be written as 1024.0
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")
