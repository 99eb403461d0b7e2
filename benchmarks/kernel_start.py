"""How long a kernel takes to start, warm: uvmagic's two, ipykernel's own, and their peers."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from kernels import Kernel

from benchmarks.measure import Figure, compared, figure, in_turn
from benchmarks.study import LAUNCHER, PEER, PEER_VENV, PLAIN, UV_RUN, study
from benchmarks.wire import Wire, start_to_first_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OWN, REGISTERED, UV_KERNEL = "ipykernel's own", "registered by uvmagic", "the uv kernel"


def kernel_start(runs: int) -> dict[str, Figure]:
    """From nothing to the first reply, in one project's environment that is up to date.

    All but pyproject-local-kernel start Python as ipykernel itself does, with
    `-Xfrozen_modules=off`, which costs a few milliseconds.
    """
    place = study()
    kinds = {
        OWN: PLAIN,
        REGISTERED: place.registered,
        UV_KERNEL: LAUNCHER,
        "uv run": UV_RUN,
        "pyproject-local-kernel": PEER,
        "pyproject-local-kernel, use-venv": PEER_VENV,
    }
    for name in kinds.values():
        with Wire(name, place.notebook) as kernel:  # none must run anywhere else
            kernel.run(f"import sys; assert sys.prefix == {str(place.environment)!r}")
    figures = _in_turn(kinds, start_to_first_reply, place.notebook, 2 * runs)
    return figures | {"in the project": {"distributions": place.distributions}}


def kernel_start_as_seen(runs: int) -> dict[str, Figure]:
    """The same as a program sees it that waits as jupyter_client's client does.

    That adds about 250 ms, the same to each, and a scatter of 50: see `wire`.
    """
    place = study()
    kinds = {OWN: PLAIN, REGISTERED: place.registered, UV_KERNEL: LAUNCHER}
    return _in_turn(kinds, _seen, place.notebook, 2 * runs)


def _in_turn(
    kinds: Mapping[str, str], start: Callable[[str, Path], float], notebook: Path, rounds: int
) -> dict[str, Figure]:
    works = {kind: partial(start, name, notebook) for kind, name in kinds.items()}
    times = in_turn(works, rounds)
    own, *others = kinds
    return {kind: figure(found) for kind, found in times.items()} | {
        f"{kind}, over {own}": compared(times[own], times[kind]) for kind in others
    }


def _seen(name: str, notebook: Path) -> float:
    began = time.perf_counter()
    with Kernel(name, notebook.parent, {"JPY_SESSION_NAME": str(notebook)}) as kernel:
        kernel.run("1")
        return time.perf_counter() - began
