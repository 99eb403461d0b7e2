"""A comparison for people: lines for an outcome, and a page that needs nothing but itself. Pure."""

from __future__ import annotations

import base64
import difflib
import json
from html import escape
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Any

from uvmagic.rerun.compare import decoded
from uvmagic.rerun.texts import shortened, tables, text_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uvmagic.rerun.compare import Comparison, Difference, Shown

_MOST_LINES = 20
_MOST_CHARACTERS = 20_000
_MOST_ROWS = 500
"""Of a text or a table that the page shows."""
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_KINDS = {
    "text/plain": "text",
    "text/html": "table or HTML",
    "image/png": "image",
    "image/svg+xml": "drawing",
}


def verdict(comparison: Comparison) -> str:
    """The end of a sentence: whether the outputs came back."""
    if not comparison.differences:
        return f"{_counted(comparison.outputs, 'output')} as saved."
    apart = comparison.cells_that_differ
    verb = "differs" if apart == 1 else "differ"
    return (
        f"{apart} of {_counted(comparison.cells, 'cell')} with outputs {verb} from what is saved."
    )


def lines(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Labelled facts, one for each difference; a cell is named once."""
    told: list[tuple[str, str]] = []
    for number, found in groupby(comparison.differences, key=lambda d: d.cell):
        for n, difference in enumerate(found):
            label = "" if n else f"code cell {number}"
            told.append((label, f"{_kind(difference)}: {difference.where}"))
    more = len(told) - _MOST_LINES
    return (*told[:_MOST_LINES], *([("", f"{more} more; the report has all")] if more > 0 else []))


def data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as values for `--json`."""
    return {
        "same": not comparison.differences,
        "compared": comparison.outputs,
        "tolerance": comparison.tolerance,
        "differences": [
            {"cell": d.cell, "kind": d.kind, "where": d.where} for d in comparison.differences
        ],
    }


def page(comparison: Comparison, notebook: str) -> bytes:
    """The comparison as a HTML page: no script, nothing from elsewhere, no date.

    Args:
        comparison: what was found.
        notebook: the notebook's name.
    """
    title = escape(f"{notebook}: {verdict(comparison)}")
    parts = [
        _HEAD.format(title=title, style=_STYLE),
        f"<h1>{title}</h1>",
        f"<p>{_counted(comparison.outputs, 'output')} of {_counted(comparison.cells, 'cell')} "
        f"compared. Numbers that are not whole may differ by {comparison.tolerance:g}, relative. "
        "Printed text, timings, addresses and temporary paths are not compared.</p>",
        *(_section(difference, comparison.tolerance) for difference in comparison.differences),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts).encode("utf-8", "replace")


_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>"""  # noqa: E501 - one attribute of HTML
_STYLE = """\
:root { --ink: #1f2328; --paper: #ffffff; --quiet: #f6f8fa; --line: #d1d9e0; --mark: #fff2b8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --quiet: #161b22; --line: #3d444d; --mark: #5c4a00; }
}
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } h3 { font-size: 1rem; }
pre { background: var(--quiet); margin: 0; overflow: auto; padding: .5rem; white-space: pre-wrap; }
mark { background: var(--mark); color: inherit; }
table { border-collapse: collapse; } td { border: 1px solid var(--line); padding: .1rem .4rem; }
img { background: #ffffff; max-width: 100%; }
.sides { display: grid; gap: 1rem; grid-template-columns: 1fr 1fr; }
.side { min-width: 0; overflow: auto; }
"""  # noqa: E501 - a rule of CSS a line


def _section(difference: Difference, tolerance: float) -> str:
    heading = escape(f"Code cell {difference.cell}: {_kind(difference)}")
    saved, came = _sides(difference, tolerance)
    return (
        f"<section>\n<h2>{heading}</h2>\n<pre>{escape(_some(difference.source))}</pre>\n"
        f'<p>{escape(difference.where)}</p>\n<div class="sides">\n'
        f'<div class="side"><h3>Saved</h3>{saved}</div>\n'
        f'<div class="side"><h3>Came</h3>{came}</div>\n</div>\n</section>'
    )


def _sides(difference: Difference, tolerance: float) -> tuple[str, str]:
    saved, came = difference.saved, difference.came
    if difference.kind == "text/html" and saved is not None and came is not None:
        rows, others = tables(_content(saved)).rows, tables(_content(came)).rows
        if rows and others:
            return _table(rows, others, tolerance), _table(others, rows, tolerance)
    texts = [_content(side) if side else "" for side in (saved, came)]
    marked = _marked(*map(_some, texts))
    return _side(saved, marked[0]), _side(came, marked[1])


def _side(shown: Shown | None, marked: str) -> str:
    if shown is None:
        return "<p>nothing</p>"
    return _image(shown) or f"<pre>{marked}</pre>"


def _image(shown: Shown) -> str | None:
    """An image as a data URI; it is encoded anew, so that it holds nothing else."""
    if shown.mimetype not in _IMAGES:
        return None
    content = _content(shown)
    is_text = shown.mimetype == "image/svg+xml"
    image = content.encode("utf-8", "replace") if is_text else decoded(content)
    if image is None:
        return None
    uri = f"data:{shown.mimetype};base64,{base64.b64encode(image).decode()}"
    return f'<img alt="the output as an image" src="{uri}">'


def _table(rows: list[list[str]], others: list[list[str]], tolerance: float) -> str:
    made = []
    for row, other in list(zip_longest(rows, others, fillvalue=()))[:_MOST_ROWS]:
        cells = "".join(_cells(row, other, tolerance))
        made += [f"<tr>{cells}</tr>"] if cells else []
    more = len(rows) - _MOST_ROWS
    rest = f"<p>{more} more rows</p>" if more > 0 else ""
    return f"<table>\n{chr(10).join(made)}\n</table>{rest}"


def _cells(
    row: list[str] | tuple[()], other: list[str] | tuple[()], tolerance: float
) -> Iterator[str]:
    for cell, its in zip_longest(row, other[: len(row)]):
        is_same = its is not None and text_difference(cell, its, tolerance) is None
        text = escape(cell.strip())
        yield f"<td>{text if is_same else f'<mark>{text}</mark>'}</td>"


def _marked(saved: str, came: str) -> tuple[str, str]:
    """Two texts, escaped, with the lines marked that the other does not have."""
    one, other = saved.split("\n"), came.split("\n")
    matcher = difflib.SequenceMatcher(a=one, b=other, autojunk=False)
    alike = matcher.get_matching_blocks()
    in_one = {block.a + n for block in alike for n in range(block.size)}
    in_other = {block.b + n for block in alike for n in range(block.size)}
    return _lines_marked(one, in_one), _lines_marked(other, in_other)


def _lines_marked(texts: list[str], alike: set[int]) -> str:
    escaped = (escape(text) for text in texts)
    return "\n".join(t if n in alike else f"<mark>{t}</mark>" for n, t in enumerate(escaped))


def _content(shown: Shown) -> str:
    content = shown.content
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(line, str) for line in content):
        return "".join(content)
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)


def _some(text: str) -> str:
    shown = "\n".join(text.split("\n")[:_MOST_ROWS])[:_MOST_CHARACTERS]
    more = len(text) - len(shown)
    return f"{shown}\n… {more} more characters" if more else text


def _kind(difference: Difference) -> str:
    return _KINDS.get(difference.kind) or shortened(difference.kind)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
