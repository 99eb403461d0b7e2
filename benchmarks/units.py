"""How figures are written for people; times are given in milliseconds."""

from __future__ import annotations


def duration(time: float) -> str:
    """With the digits that are worth telling: `3.7 ms`, `92 ms`, `0.33 s`, `4.5 s`."""
    if time < 10:
        return f"{time:.1f}".removesuffix(".0") + " ms"
    return milliseconds(time) if time < 300 else seconds(time)


def milliseconds(time: float) -> str:
    """`92 ms`."""
    return f"{time:.0f} ms"


def seconds(time: float) -> str:
    """`0.33 s`, `4.5 s`."""
    return f"{time / 1000:.{2 if time < 995 else 1}f} s"
