"""A picture as SVG: horizontal bars with their spread, labelled directly.

The same results give the same bytes. Text stays text, and takes the reader's own font; the colours
follow the page, light or dark, in every browser that tells an image of it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from benchmarks.units import milliseconds, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from benchmarks.measure import Figure
    from benchmarks.pictures import Panel, Picture

_WIDTH, _LEFT, _RIGHT = 7.2, 2.4, 0.8
"""Of the picture, of the labels beside the bars, of the values behind them; in inches."""
_ROW, _PANEL_TITLE, _TITLE, _FOOT = 0.26, 0.34, 0.38, 0.32
"""Heights, in inches."""
_PAPER, _INK, _FAINT, _OURS, _OTHERS = "#ffffff", "#1f2328", "#656d76", "#0969da", "#c4ccd4"
_DARK = {
    _PAPER: "#1e2129",
    _INK: "#e6edf3",
    _FAINT: "#9198a1",
    _OURS: "#4493f8",
    _OTHERS: "#4a525c",
}
_FONTS = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"
_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "uvmagic",
    "text.parse_math": False,
}


def drawn(picture: Picture, results: Mapping[str, Mapping[str, Figure]], machine: str) -> str:
    """The picture of some results; the machine stands below it."""
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        canvas = Canvas(figsize=(_WIDTH, _height(picture)), facecolor=_PAPER)
        _write(canvas, picture, machine)
        top = _height(picture) - _TITLE
        for panel in picture.panels:
            top -= _PANEL_TITLE if panel.title else 0
            height = _ROW * len(panel.bars)
            _draw(_axes(canvas, top - height, height), panel, results[panel.subject])
            top -= height
        made = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        canvas.savefig(made, format="svg", metadata=nothing)
    return _adapting(made.getvalue(), picture.title)


def _height(picture: Picture) -> float:
    rows = sum(len(panel.bars) for panel in picture.panels)
    titles = sum(bool(panel.title) for panel in picture.panels)
    return _TITLE + _ROW * rows + _PANEL_TITLE * titles + _FOOT


def _write(canvas: Canvas, picture: Picture, machine: str) -> None:
    height = _height(picture)
    left, said = 0.1 / _WIDTH, f"{machine}. Shorter is better; bars: medians, lines: all runs."
    canvas.text(left, 1 - 0.22 / height, picture.title, color=_INK, weight="bold", size=11)
    canvas.text(left, 0.1 / height, said, color=_FAINT, size=7.5)


def _axes(canvas: Canvas, bottom: float, height: float) -> Axes:
    """A place for bars, in inches from below."""
    whole, width = canvas.get_figheight(), _WIDTH - _LEFT - _RIGHT
    axes = canvas.add_axes((_LEFT / _WIDTH, bottom / whole, width / _WIDTH, height / whole))
    axes.set_axis_off()
    return axes


def _draw(axes: Axes, panel: Panel, figures: Mapping[str, Figure]) -> None:
    """Bars from the median's zero, a line from the smallest to the largest, the median in words."""
    shown = [figures[bar.figure] for bar in panel.bars]
    longest = max(found.get("max_ms", found["median_ms"]) for found in shown)
    told = seconds if longest >= 1000 else milliseconds
    axes.set(xlim=(0, longest), ylim=(len(panel.bars) - 0.5, -0.5))
    if panel.title:
        axes.annotate(panel.title, (0, 1), (0, 7), "axes fraction", "offset points", color=_FAINT)
    axes.axvline(0, color=_FAINT, lw=0.8)
    for row, (bar, found) in enumerate(zip(panel.bars, shown, strict=True)):
        median = found["median_ms"]
        least, most = found.get("min_ms", median), found.get("max_ms", median)
        axes.barh(row, median, 0.62, color=_OURS if bar.is_ours else _OTHERS, lw=0)
        if most > least:
            axes.plot([least, most], [row, row], color=_INK, lw=1, solid_capstyle="butt")
        for text, place, offset, side in (
            (bar.label, 0, -6, "right"),
            (told(median), most, 6, "left"),
        ):
            axes.annotate(
                text,
                (place, row),
                (offset, 0),
                textcoords="offset points",
                ha=side,
                va="center",
                color=_INK,
                weight="bold" if bar.is_ours else "normal",
                annotation_clip=False,
            )


def _adapting(svg: str, title: str) -> str:
    """An SVG of matplotlib's with a name, the reader's font, and colours for a dark page."""
    dark = "".join(
        f'[style*="{paint}: {light}"]{{{paint}:{dark}!important}}'
        for light, dark in _DARK.items()
        for paint in ("fill", "stroke")
    )
    style = f"text{{font-family:{_FONTS}!important}}@media (prefers-color-scheme:dark){{{dark}}}"
    start = svg.index(">", svg.index("<svg")) + 1
    return f"{svg[:start]}\n <title>{title}</title>\n <style>{style}</style>{svg[start:]}"
