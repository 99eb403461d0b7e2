"""A kernel's first start in an environment that was just installed, with no bytecode yet."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, compared, figure, timed
from benchmarks.study import Study, study
from benchmarks.wire import start_to_first_reply
from uvmagic.kernel.warm import is_cold, warm
from uvmagic.system.environment import Environment

if TYPE_CHECKING:
    from pathlib import Path

COLD, PREPARED, WARM = "cold", "cold, but for what uvmagic compiles", "warm"
PREPARING = "that compiling"


def kernel_first_start(runs: int) -> dict[str, Figure]:
    """The registered kernel: cold, cold but for what uvmagic compiles, and warm, in turn.

    Cold is as uv leaves an installation: no bytecode below `.venv`; Python's own has its, and the
    files' content is in memory, as it is right after uv has written it.
    """
    place = study()
    if is_cold(Environment(place.environment)):
        raise RuntimeError("uvmagic kernel install has compiled nothing")
    times: dict[str, list[float]] = {kind: [] for kind in (COLD, PREPARED, PREPARING, WARM)}
    order = [COLD, PREPARED, WARM]
    draw = random.Random(1)  # the same orders every time
    for _ in range(runs):
        draw.shuffle(order)
        for kind in order:
            if kind == WARM:
                _start(place)  # what an earlier start left uncompiled is compiled
            else:
                _chill(place.environment)
            if kind == PREPARED:
                times[PREPARING].append(_prepare(place.environment))
            times[kind].append(_start(place))
    return {kind: figure(found) for kind, found in times.items()} | {
        f"{PREPARED}, over warm": compared(times[WARM], times[PREPARED]),
        "cold, over warm": compared(times[WARM], times[COLD]),
    }


def _start(place: Study) -> float:
    return start_to_first_reply(place.registered, place.notebook)


def _chill(environment: Path) -> None:
    """Take the bytecode away."""
    for folder in list(environment.rglob("__pycache__")):
        shutil.rmtree(folder)


def _prepare(folder: Path) -> float:
    """Do what uvmagic does once it has installed what a kernel needs; gives the seconds."""
    environment = Environment(folder)
    if not is_cold(environment):
        raise RuntimeError("uvmagic would compile nothing")
    seconds = timed(lambda: warm(environment, os.environ))
    if is_cold(environment):
        raise RuntimeError("uvmagic has compiled nothing")
    return seconds
