"""An outcome, or a moment of progress, as lines of text that fit a terminal. Pure.

Lines break between words and go on below where they began. A word wider than the terminal stays
whole: somebody may want to copy it.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from uvmagic.display.layout import SIGNS, Facts, Found, Listing, Sentence, Table, parts
from uvmagic.display.visible import padded, visible, width
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uvmagic.display.layout import Fold, Part, Row, Tone
    from uvmagic.display.pace import Moment
    from uvmagic.outcome import Outcome
    from uvmagic.progress import Progress

Line = tuple["Tone", str]

_ALL = "--json lists all"
"""How what is folded can be seen where nothing unfolds."""
_GAP = "  "
_BAR = 16
_FOR_BAR = 60
"""Columns from which on there is room for a bar."""
_LONG = 5
"""Seconds from which on it is told how long something takes."""


def text(outcome: Outcome, columns: int | None = None) -> str:
    """An outcome as plain text, without a final newline.

    Args:
        outcome: what happened.
        columns: the width to keep to; None for lines as long as they come.
    """
    return "\n".join(line for _, line in lines(outcome, columns))


def lines(outcome: Outcome, columns: int | None = None) -> list[Line]:
    """The same line by line, each with what it is."""
    return [
        (tone, line.rstrip())
        for part in parts(outcome)
        for tone, line in _of_part(part, columns or _ENDLESS)
    ]


_ENDLESS = 1_000_000


def _of_part(part: Part, columns: int) -> Iterator[Line]:
    match part:
        case Table():
            yield from _table(part.rows, columns)
            yield from _folds(part.folds, _GAP, columns)
        case Facts():
            labels = max(width(fact.label) for fact in part.facts)
            for fact in part.facts:
                yield from _hung("fact", _GAP + padded(fact.label, labels), fact.values, columns)
                yield from _folds([fact.fold], " " * (labels + 4), columns)
        case Found():
            name = f"  [{part.name}]" if part.name else ""
            seen = (part.seen[0] + name, *part.seen[1:])
            yield from _hung(part.level, f"  {part.level:<7}", seen, columns, gap=" ")
            yield from _hung("fact", " " * 9, part.why, columns, gap=" ")
            for line in part.remedy:
                yield from _hung("next", " " * 10 + "→", (line,), columns, gap=" ")
        case Listing():
            yield from (("note", f"  {line}") for line in part.lines)
        case Sentence("title"):
            yield from _hung("title", "", part.lines, columns, gap="")
        case Sentence("next"):
            yield from _hung("next", "→", part.lines, columns, gap=" ")
        case Sentence():
            yield from _hung(part.tone, "", part.lines, columns)


def _folds(folds: Sequence[Fold | None], indent: str, columns: int) -> Iterator[Line]:
    told = [fold.told for fold in folds if fold]
    for number, one in enumerate(told, 1):
        how = f"; {_ALL}" if number == len(told) else ""
        yield from _hung("fact", f"{indent}…", (f"and {one}{how}",), columns, gap=" ")


def _table(rows: Sequence[Row], columns: int) -> Iterator[Line]:
    """Cells below each other where they fit; else each on lines of its own."""
    own = max((width(row.sign) for row in rows), default=0)
    cells = [row.cells for row in rows]
    widths = _widths(cells, columns - len(_GAP) - (own + 1 if own else 0))
    for row in rows:
        tone: Tone = SIGNS[row.sign][0] if row.sign in SIGNS else "fact"
        begin = _GAP + (padded(row.sign, own) + " " if own else "")
        if widths is None:
            yield from _hung(tone, begin.rstrip() or "", row.cells[:1], columns, gap=" ")
            for cell in filter(None, row.cells[1:]):
                yield from _hung(tone, " " * (len(begin) + 1), (cell,), columns, gap=" ")
            continue
        sides = [wrapped(cell, at) for cell, at in zip(row.cells, widths, strict=True)]
        for number, level in enumerate(zip_longest(*sides, fillvalue="")):
            line = _GAP.join(padded(c, at) for c, at in zip(level, (*widths[:-1], 0), strict=True))
            yield tone, (begin if not number else " " * len(begin)) + line


def _widths(rows: Sequence[tuple[str, ...]], columns: int) -> list[int] | None:
    """The width of each column of a table, the widest made narrower; None where it cannot fit."""
    by_column = list(zip(*rows, strict=True))
    wanted = [max(map(width, column)) for column in by_column]
    least = [max(map(_widest_word, column)) for column in by_column]
    room = columns - len(_GAP) * (len(wanted) - 1)
    if sum(wanted) <= room:
        return wanted
    if sum(least) > room:
        return None
    while sum(wanted) > room:
        _, widest = max((want, at) for at, want in enumerate(wanted) if want > least[at])
        wanted[widest] -= 1
    return wanted


def _widest_word(cell: str) -> int:
    return max((width(word) for word in cell.split()), default=0)


def _hung(
    tone: Tone, begin: str, told: Sequence[str], columns: int, *, gap: str = _GAP
) -> Iterator[Line]:
    """Lines that begin behind something, and go on below where they began."""
    hang = width(begin) + len(gap)
    if hang > columns // 2:  # too little is left beside it
        if begin.strip():
            yield tone, begin
        begin, gap, hang = "", "    ", 4
    fitting = [part for line in told for part in wrapped(line, columns - hang)]
    for number, part in enumerate(fitting):
        yield tone, (" " * hang if number else begin + gap) + part


def wrapped(line: str, columns: int | None) -> list[str]:
    """A line in as many as it takes to keep to a width, broken between words alone."""
    if columns is None or width(line) <= columns:
        return [line]
    begin = _BEGINS.match(line)
    hang = " " * width(begin[0]) if begin and width(begin[0]) <= columns // 2 else ""
    found, now = list[str](), line[: len(line) - len(line.lstrip())]
    for space, word in re.findall(r"(\s*)(\S+)", line.lstrip()):
        if now.strip() and width(now) + len(space) + width(word) > columns:
            found.append(now)
            now = hang + word
        else:
            now += space + word
    return [*found, now]


_BEGINS = re.compile(r"\s*(?:(?:error:|[→×•╰─▶│├]+) +)?")
"""What a line begins with, below which it does not go on."""


# --- progress -------------------------------------------------------------------------------------


def moment(now: Moment, columns: int | None = None) -> str:
    """A moment of progress in one line; in a terminal with a bar, and cut to what fits."""
    progress = now.progress
    told = [headline(progress), *figures(now)]
    if progress.total:
        has_bar = columns is not None and columns >= _FOR_BAR
        bar = [_bar(progress.done / progress.total)] if has_bar else []
        told = [progress.activity, *bar, *figures(now), _named(progress.files)]
        told.append(_also_built(progress))
    line = "  ".join(filter(None, told))
    return visible(line) if columns is None else _cut(visible(line), columns)


def headline(progress: Progress) -> str:
    """What is being done, and to what."""
    named = _named(progress.files if progress.total else progress.building)
    also = f"; {_also_built(progress)}" if progress.total and progress.building else ""
    return visible(f"{' '.join(progress.activity.split())} {named}".strip() + also)


def figures(now: Moment) -> list[str]:
    """How far it is, and how fast; else for how long it has gone on, where that is long."""
    progress = now.progress
    if not progress.total:
        return [f"{now.seconds} s"] if now.seconds >= _LONG else []
    speed = [f"{in_bytes(now.speed)}/s"] if now.speed is not None else []
    return [f"{in_bytes(progress.done)} of {in_bytes(progress.total)}", *speed]


def _also_built(progress: Progress) -> str:
    return f"building {_named(progress.building)}" if progress.building else ""


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _bar(done: float) -> str:
    full = round(_BAR * min(done, 1))
    return "━" * full + "─" * (_BAR - full)


def _cut(line: str, columns: int) -> str:
    if width(line) <= columns:
        return line
    while line and width(line) > columns - 1:
        line = line[:-1]
    return line.rstrip() + "…"
