"""What uvmagic promises of its figures, beside what was measured; README tells some of these rows.

A row's first two cells say a figure; a reader finds all of them in results.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.units import duration, milliseconds, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measure import Figure


class Promise(NamedTuple):
    """One row.

    Attributes:
        what: what was measured; numbers in it are what it is compared with.
        measured: the figure.
        promised: the bound that it is to keep, as text; empty where there is none.
        is_kept: whether it does; None where there is none.
    """

    what: str
    measured: str
    promised: str = ""
    is_kept: bool | None = None


class Results:
    """Figures by subject and name.

    Args:
        figures: as results.json has them.
    """

    def __init__(self, figures: Mapping[str, Mapping[str, Figure]]) -> None:
        self._figures = figures

    def median(self, subject: str, name: str) -> float:
        """Milliseconds."""
        return self._figures[subject][name]["median_ms"]

    def ratio(self, subject: str, name: str) -> float:
        """The median of the paired ratios."""
        return self._figures[subject][name]["median_ratio"]

    def image(self, kind: str) -> float:
        """The size of an image built by Docker, in megabytes."""
        return self._figures["image after an edit, docker"]["image"][f"{kind}_mb"]


def promises(figures: Mapping[str, Mapping[str, Figure]]) -> list[Promise]:
    """All rows, in the order of README."""
    found = Results(figures)
    return [
        *_of_adds(found),
        *_of_torch(found),
        *_of_kernels(found),
        *_of_bundles(found),
        *_of_the_rest(found),
    ]


def _of_adds(found: Results) -> list[Promise]:
    subject = "add in a cell"
    over = found.median(subject, "difference, paired")
    cell, bare = found.median(subject, "%uv add in a cell"), found.median(subject, "bare uv add")
    first = found.median("add of what is there", "first in a new kernel")
    later = found.median("add of what is there", "later, inside the kernel")
    loading = found.median("load_ext", "%load_ext uvmagic")
    return [
        Promise(
            "`%uv add` in a cell over bare `uv add`",
            f"+ {duration(over)} ({cell:.0f} against {duration(bare)})",
            "at most + 50 ms, or 1.10 ×",
            over <= 50 or cell / bare <= 1.1,
        ),
        Promise(
            "`%uv add` of what is there, first thing in a new kernel",
            duration(first),
            "at most 20 ms",
            first <= 20,
        ),
        Promise("the same, later", duration(later), "at most 20 ms", later <= 20),
        Promise(
            "`%load_ext uvmagic` over IPython", duration(loading), "at most 30 ms", loading <= 30
        ),
    ]


def _of_torch(found: Results) -> list[Promise]:
    over = found.median("add torch", "difference, paired")
    cell = found.median("add torch", "%uv add torch --cuda 126")
    bare = found.median("add torch", "bare uv add, all by hand")
    new = found.median("planning --cuda", "a new project")
    long = found.median("planning --cuda", "1,000 lines")
    subject = "audit of 500 packages"
    plan = found.median(subject, "uv's own plan")
    audit = found.median(subject, "the audit, on top of it")
    return [
        Promise(
            "`%uv add torch --cuda 126` over `uv add torch` with all written by hand",
            f"+ {duration(over)} ({cell:.0f} against {duration(bare)})",
        ),
        Promise(
            "planning `--cuda 126`: a new project; a pyproject.toml of 1,000 lines",
            f"{duration(new)}; {duration(long)}",
            "at most 10 ms",
            long <= 10,
        ),
        Promise(
            f"judging a lock of 500 packages, over uv's own plan ({milliseconds(plan)})",
            duration(audit),
            "at most 50 ms",
            audit <= 50,
        ),
        Promise(
            "which build each of four platforms gets from it",
            duration(found.median(subject, "the walk, four platforms")),
        ),
    ]


def _of_kernels(found: Results) -> list[Promise]:
    def over(kind: str) -> float:
        return found.ratio("kernel start", f"{kind}, over ipykernel's own")

    own, uv_kernel = over("registered by uvmagic"), over("the uv kernel")
    subject = "kernel's first start"
    first = found.ratio(subject, "cold, but for what uvmagic compiles, over warm")
    moved = found.median("kernel move", "move into the project, to the next cell's reply")
    relayed = "through the relay, over direct"
    stale = found.median("stale modules", "checked after")
    bare = found.median("kernel start", "ipykernel's own")
    return [
        Promise(
            f"start to first reply over ipykernel's own ({milliseconds(bare)}): "
            "the project's kernel",
            f"{own:.2f} ×",
            "at most 1.02 ×",
            own <= 1.02,
        ),
        Promise(
            f"the `uv` kernel (beside: `uv run` {over('uv run'):.2f} ×, "
            f"pyproject-local-kernel {over('pyproject-local-kernel'):.2f} ×)",
            f"{uv_kernel:.2f} ×",
            "at most 1.10 ×",
            uv_kernel <= 1.1,
        ),
        Promise(
            "the first start in a fresh environment over a warm one "
            f"(unaided {found.ratio(subject, 'cold, over warm'):.1f} ×)",
            f"{first:.2f} ×",
            "at most 1.3 ×",
            first <= 1.3,
        ),
        Promise(
            "a notebook moves: from the call to the next cell's reply",
            seconds(moved),
            "at most 1.5 s",
            moved <= 1500,
        ),
        Promise(
            "a cell in a notebook that has moved",
            f"+ {duration(found.median('cell in a kernel that has moved', relayed))}",
        ),
        Promise(
            "what a kernel with 2,000 modules must restart for, after a change",
            milliseconds(stale),
            "at most 20 ms",
            stale <= 20,
        ),
    ]


def _of_bundles(found: Results) -> list[Promise]:
    over = found.median("bundle of 200 distributions", "on top of it, paired")
    cells = [found.median("bundle of many cells", f"{n} cells") for n in (1250, 2500, 5000, 10000)]
    growth = [
        found.median("bundle of many cells", f"a thousand cells more, of {part}")
        for part in ("all", "half")
    ]
    docker, podman = (
        [
            found.median(f"image after an edit, {engine}", f"{kind}, edited")
            for kind in ("bundle", "plain", "multistage")
        ]
        for engine in ("docker", "podman")
    )
    bundle, plain, multistage = (found.image(kind) for kind in ("bundle", "plain", "multistage"))
    return [
        Promise(
            "`bundle` of 200 distributions over uv's own re-lock",
            f"+ {seconds(over)}",
            "at most + 2 s",
            over <= 2000,
        ),
        Promise(
            "`bundle` of 1,250, 2,500, 5,000, 10,000 cells",
            f"{', '.join(f'{each / 1000:.1f}' for each in cells)} s",
            "linear",
            growth[0] <= 1.5 * growth[1],
        ),
        Promise(
            "an image built anew after an edit of the notebook, by Docker (`COPY . .` + `uv sync`: "
            f"{seconds(docker[1])}; uv's multistage example: {seconds(docker[2])})",
            seconds(docker[0]),
            "at most 1/10 of the former",
            docker[0] <= docker[1] / 10,
        ),
        Promise(
            "the same by podman 4.3, which hashes what stages copy "
            f"({seconds(podman[1])}; {seconds(podman[2])})",
            seconds(podman[0]),
        ),
        Promise(
            f"the image with numpy, pandas, matplotlib ({plain} MB; {multistage} MB)",
            f"{bundle} MB",
            "smaller; at most + 5 %",
            bundle < multistage and bundle <= 1.05 * plain,
        ),
    ]


def _of_the_rest(found: Results) -> list[Promise]:
    rerun = found.ratio("rerun, local", "rerun / (sync + papermill)")
    shell = found.median("doctor", "uvmagic doctor")
    cell = found.median("doctor", "%uv doctor, inside the kernel")
    card = found.median("status", "%uv status, first in a new kernel")
    card_in_shell = found.median("status", "uvmagic status")
    return [
        Promise(
            "`rerun` over a sync anew and papermill alone in an environment that is ready",
            f"{rerun:.2f} ×",
            "at most 1.2 ×",
            rerun <= 1.2,
        ),
        Promise(
            "`doctor` in a shell, in a cell",
            f"{seconds(shell)}, {seconds(cell)}",
            "at most 1 s",
            max(shell, cell) <= 1000,
        ),
        Promise(
            "`status` in a cell, in a shell",
            f"{milliseconds(card)}, {milliseconds(card_in_shell)}",
            "at most 100 ms",
            card <= 100,
        ),
    ]
