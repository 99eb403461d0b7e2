"""A running notebook moves: how long the next cell waits, and what the relay costs each cell."""

from __future__ import annotations

import time

from benchmarks.measure import Figure, compared, figure
from benchmarks.study import BESIDE, study
from benchmarks.wire import Wire

_TRIPS = 20
"""Round trips for each run that is asked for: one takes a few milliseconds."""


def kernel_move(runs: int) -> dict[str, Figure]:
    """From the request of the cell that moves to the reply of the next, which waits behind it.

    First from the kernel of another environment, whose process becomes the relay; then, behind
    that relay, by a restart. All is warm, and the project is up to date.
    """
    place = study()
    first, second = [], []
    for run in range(runs + 1):
        with Wire(BESIDE, place.notebook) as kernel:
            kernel.run("%load_ext uvmagic\nx = 1")
            times = [
                _move(kernel, "%uv kernel use --force", str(place.environment)),
                _move(kernel, "%uv kernel restart", str(place.environment)),
            ]
            if run:  # the first writes bytecode
                first.append(times[0])
                second.append(times[1])
    return {
        "move into the project, to the next cell's reply": figure(first),
        "restart behind the relay, to the next cell's reply": figure(second),
    }


def _move(kernel: Wire, cell: str, prefix: str) -> float:
    """Move, with the next cell queued at once; gives the seconds to its reply."""
    began = time.perf_counter()
    move = kernel.send(cell)
    following = kernel.send(f"import sys; assert sys.prefix == {prefix!r} and 'x' not in dir()")
    kernel.reply(move)
    kernel.reply(following)
    seconds = time.perf_counter() - began
    kernel.run("x = 1")  # a restart must lose it
    return seconds


def relayed_cell(runs: int) -> dict[str, Figure]:
    """`pass`, to its reply and to idle, in a kernel behind the relay and in one without."""
    place = study()
    direct, relayed = [], []
    with Wire(place.registered, place.notebook) as one, Wire(BESIDE, place.notebook) as two:
        two.run("%load_ext uvmagic")
        _move(two, "%uv kernel use --force", str(place.environment))
        for kernel in (one, two):
            kernel.settle()
        for trip in range(_TRIPS * (runs + 1)):
            kernels = [one, two] if trip % 2 else [two, one]
            times = {kernel: kernel.round_trip("pass") for kernel in kernels}
            if trip >= _TRIPS:  # they have run some before
                direct.append(times[one])
                relayed.append(times[two])
    return {
        "direct": figure(direct),
        "through the relay": figure(relayed),
        "through the relay, over direct": compared(direct, relayed),
    }
