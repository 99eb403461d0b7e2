"""What the subjects share: figures and how two of them compare, bare uv, a project."""

from __future__ import annotations

import math
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from index import PackageIndex

HERE = Path(__file__).parent
UV = os.environ.get("UV", "uv")

Figure = dict[str, float]


def figure(seconds: list[float]) -> Figure:
    """Median, minimum and maximum, in milliseconds."""
    times = [1000 * value for value in seconds]
    return {
        "median_ms": round(statistics.median(times), 1),
        "min_ms": round(min(times), 1),
        "max_ms": round(max(times), 1),
        "runs": len(times),
    }


def compared(base: list[float], other: list[float]) -> Figure:
    """How much longer the other takes, from pairs: the two of a round were measured in turn.

    The interval holds the median of the paired ratios with a confidence of about 95 %: the values
    of two ranks, which assumes nothing of how they are spread.
    """
    pairs = list(zip(base, other, strict=True))
    ratios = sorted(b / a for a, b in pairs)
    rank = max(0, math.floor(len(ratios) / 2 - 0.98 * math.sqrt(len(ratios))))
    return {
        "median_ratio": round(statistics.median(ratios), 3),
        "from": round(ratios[rank], 3),
        "to": round(ratios[-1 - rank], 3),
        "ratio_of_medians": round(statistics.median(other) / statistics.median(base), 3),
        "median_ms": round(1000 * statistics.median(b - a for a, b in pairs), 2),
    }


def timed(work: Callable[[], object]) -> float:
    """How long something takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turn(
    works: Mapping[str, Callable[[], float]], rounds: int, between: Callable[[], object] = bool
) -> dict[str, list[float]]:
    """What each gives, once in every round, in an order drawn anew: none comes always after one.

    Args:
        works: what is measured; each gives seconds, or is `timed`.
        rounds: how often; one more goes before, which writes bytecode and fills caches.
        between: done after every round.
    """
    times: dict[str, list[float]] = {kind: [] for kind in works}
    order = list(works)
    draw = random.Random(1)  # the same orders every time
    for number in range(rounds + 1):
        for kind in order:
            seconds = works[kind]()
            if number:
                times[kind].append(seconds)
        between()
        draw.shuffle(order)
    return times


def uv(folder: Path, *arguments: str) -> None:
    """Bare uv, its output read as a notebook would read it."""
    subprocess.run([UV, *arguments], cwd=folder, check=True, capture_output=True)


def uvmagic(folder: Path, *arguments: str) -> None:
    """The shell's `uvmagic` of this environment, likewise."""
    command = [sys.executable, "-m", "uvmagic", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def project(folder: Path, index: PackageIndex, *requirements: str) -> Path:
    """A project that has something already, so that an add is a user's ordinary add."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "bench"\nversion = "0"\nrequires-python = ">=3.11"\n'
        f'dependencies = []\n\n[[tool.uv.index]]\nurl = "{index.url}"\ndefault = true\n'
    )
    uv(folder, "add", *requirements)
    return folder
