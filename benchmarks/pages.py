"""The figures in docs/figures.md and README.md, written from results.json.

In the former what stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->` is written here,
all else by people. In README's table of figures each row is one of `promises`, known by its first
cell; which rows it has is decided there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmarks.pictures import PICTURES
from benchmarks.promises import promises
from benchmarks.units import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measure import Figure
    from benchmarks.pictures import Picture

_HEAD = "| | measured | promised |"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_KEPT = {True: "yes", False: "**no**", None: ""}


def figures_page(
    page: str, results: Mapping[str, Mapping[str, Figure]], machine: str, peers: Mapping[str, str]
) -> str:
    """docs/figures.md with the figures of these results."""
    written = {
        "machine": _machine(machine, peers),
        "promises": _promises(results),
        "all figures": _all_figures(results),
        **{each.name: _picture(each, results) for each in PICTURES},
    }
    for name, text in written.items():
        block = re.compile(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        page, count = block.subn(lambda found, text=text: f"{found[1]}{text}\n{found[2]}", page)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"docs/figures.md has no place for: {name}")
    return page


def readme(page: str, results: Mapping[str, Mapping[str, Figure]]) -> str:
    """README.md with the figures of these results in the rows that it has.

    Raises:
        ValueError: a row tells what is not among the promises.
    """
    known = {_named(each.what): each for each in promises(results)}
    before, head, rest = page.partition(f"{_HEAD}\n|---|---|---|\n")
    rows, _, after = rest.partition("\n\n")
    made = []
    for row in rows.splitlines():
        what = row.strip("| ").split(" | ")[0]
        if _named(what) not in known:
            raise ValueError(f"README tells a figure that benchmarks/promises.py does not: {what}")
        made.append(_row(*known[_named(what)][:3]))
    return "\n".join([f"{before}{head}{made[0]}", *made[1:], "", after]) if made else page


def _named(what: str) -> str:
    """A row's first cell without what was measured."""
    return re.sub(r"\(.*\)", lambda found: _NUMBER.sub("#", found[0]), what)


# --- what stands between the marks ----------------------------------------------------------------


def _machine(machine: str, peers: Mapping[str, str]) -> str:
    told = ", ".join(f"{name} {version}" for name, version in peers.items())
    return f"{machine}.\nBeside it: {told}."


def _picture(picture: Picture, results: Mapping[str, Mapping[str, Figure]]) -> str:
    told = "; ".join(
        f"{panel.title}: " * bool(panel.title)
        + ", ".join(
            f"{bar.label} {duration(results[panel.subject][bar.figure]['median_ms'])}"
            for bar in panel.bars
        )
        for panel in picture.panels
    )
    return f"![{picture.title}: {told}](figures/{picture.name}.svg)"


def _promises(results: Mapping[str, Mapping[str, Figure]]) -> str:
    rows = [_row(*each[:3], _KEPT[each.is_kept]) for each in promises(results)]
    return "\n".join(["", "| | measured | promised | kept |", "|---|---|---|---|", *rows, ""])


def _all_figures(results: Mapping[str, Mapping[str, Figure]]) -> str:
    parts = []
    for subject, figures in results.items():
        rows = "\n".join(_row(name, *_told(found)) for name, found in figures.items())
        head = "| | median | smallest | largest | runs |\n|---|---:|---:|---:|---:|"
        parts.append(f"\n### {subject}\n\n{head}\n{rows}\n")
    return "".join(parts)


def _row(*cells: str) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _told(found: Figure) -> list[str]:
    """The cells of one figure behind its name: median, smallest, largest, runs."""
    if "median_ratio" in found:
        difference = found["median_ms"]
        told = f"{'−' if difference < 0 else '+'} {duration(abs(difference))}"
        interval = [f"{found[end]:.2f} ×" for end in ("from", "to") if end in found]
        values = [f"{found['median_ratio']:.2f} ×, {told}", *interval]
    elif "min_ms" in found:
        values = [duration(found[name]) for name in ("median_ms", "min_ms", "max_ms")]
    elif "median_ms" in found:
        values = [duration(found["median_ms"])]
    else:
        values = [", ".join(f"{name} {value:g}" for name, value in found.items())]
    count = f"{found['runs']:.0f}" if "runs" in found else ""
    return [*values, *[""] * (3 - len(values)), count]
