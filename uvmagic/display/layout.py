"""An outcome → its parts: what stands where, and what of a long list is folded away. Pure.

Text and HTML are made from the same parts, so that both say the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from uvmagic.display.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uvmagic.outcome import Change, Finding, Level, Outcome

Tone = Literal["title", "added", "removed", "changed", "error", "warning", "note", "fact", "next"]
"""What a line is, by which a face colours it."""

SIGNS: dict[str, tuple[Tone, str]] = {
    "+": ("added", "added"),
    "−": ("removed", "removed"),
    "~": ("changed", "changed"),
    "!": ("error", "look at this"),
    "=": ("fact", "nothing to do"),
}
"""Each sign of a row: its tone, and what it says to who hears it."""

_MOST = 12
"""The rows that a list tells one by one; more are folded."""
_MOST_ASKED = 24
"""Likewise of what the call itself names."""
_FEWEST_FOLDED = 3


class Row(NamedTuple):
    """A line of a table.

    Attributes:
        sign: one of `SIGNS`, or none.
        cells: what stands beside it.
        is_asked: the call itself names it, where others only come along.
    """

    sign: str
    cells: tuple[str, ...]
    is_asked: bool = False


class Fold(NamedTuple):
    """Rows that are folded away, and what is told in their place: `8 more`."""

    told: str
    rows: tuple[Row, ...]


class Table(NamedTuple):
    """Rows of equal length below each other; `label` is for who hears it."""

    label: str
    rows: tuple[Row, ...]
    folds: tuple[Fold, ...] = ()


class Fact(NamedTuple):
    """A label, and what stands beside it, the first line of it first."""

    label: str
    values: tuple[str, ...]
    fold: Fold | None = None


class Facts(NamedTuple):
    """Labels and values below each other."""

    facts: tuple[Fact, ...]


class Found(NamedTuple):
    """A finding, in lines."""

    level: Level
    name: str
    seen: tuple[str, ...]
    why: tuple[str, ...]
    remedy: tuple[str, ...]


class Sentence(NamedTuple):
    """A sentence, or several lines that belong together."""

    tone: Tone
    lines: tuple[str, ...]


class Listing(NamedTuple):
    """Lines that stand as they are: a diff, a picture made of letters."""

    lines: tuple[str, ...]


Part = Table | Facts | Found | Sentence | Listing


def parts(outcome: Outcome) -> list[Part]:
    """What an outcome shows, from top to bottom."""
    found: list[Part] = [Sentence("title", _lines(outcome.title))]
    found += _of_changes(outcome.changes)
    found += map(_of_finding, outcome.findings)
    found += _of_facts(outcome.facts)
    found += _of_rows(outcome.rows)
    found += [Sentence(_tone(note), _lines(note)) for note in outcome.notes]
    found += [Listing(tuple(map(visible, outcome.listing)))] if outcome.listing else []
    found += [Sentence("next", _lines(step)) for step in outcome.next_steps]
    return found


def level(outcome: Outcome) -> Literal["error", "warning", "done"]:
    """How bad it is."""
    if outcome.exit_code or any(finding.level == "error" for finding in outcome.findings):
        return "error"
    is_warned = any(finding.level == "warning" for finding in outcome.findings)
    is_warned |= any(row[0] == "!" for row in outcome.rows)
    return "warning" if is_warned or "warning" in map(_tone, outcome.notes) else "done"


def commands(line: str) -> Iterator[tuple[bool, str]]:
    """A sentence in pieces, each with whether it is a command to type.

    A command stands between two spaces and two spaces, or an end of the sentence.
    """
    pieces = re.split(r"\s{2,}", line.strip())
    is_command = _is_command(pieces[0], alone=len(pieces) == 1)
    for piece in pieces:
        yield is_command, piece
        is_command = not is_command


# --- the parts ------------------------------------------------------------------------------------


def _of_changes(changes: Sequence[Change]) -> list[Table]:
    """What was asked for, what that needs, and, folded, what only the kernel needs."""
    if not changes:
        return []
    is_mixed = any(change.role != "asked" for change in changes)
    asked, needed, for_kernel = (
        tuple(_of_change(change, is_mixed) for change in changes if change.role == role)
        for role in ("asked", "needed", "kernel")
    )
    told, more = _folded(asked, _MOST_ASKED)
    also_told, more_needed = _folded(needed, max(_MOST - len(told), _FEWEST_FOLDED))
    folds = [Fold(f"{len(more)} more", more)] if more else []
    if more_needed:
        why = "nothing needs any more" if _all_went(more_needed) else "they need"
        folds.append(Fold(f"{len(more_needed)} more that {why}", more_needed))
    if len(for_kernel) < _FEWEST_FOLDED:
        also_told += for_kernel
    else:
        folds.append(Fold(f"{len(for_kernel)} more with ipykernel", for_kernel))
    return [Table("What changed", told + also_told, tuple(folds))]


def _of_change(change: Change, is_mixed: bool) -> Row:
    cells = (visible(change.name), visible(change.versions))
    return Row(change.sign, cells, is_mixed and change.role == "asked")


def _all_went(rows: Sequence[Row]) -> bool:
    return all(row.sign == "−" for row in rows)


def _of_rows(rows: Sequence[tuple[str, ...]]) -> list[Table]:
    """A table of what there is to look at: that is never folded."""
    if not rows:
        return []
    urgent = tuple(_of_cells(row) for row in rows if row[0] == "!")
    others = tuple(_of_cells(row) for row in rows if row[0] != "!")
    told, more = _folded(others, max(_MOST - len(urgent), _FEWEST_FOLDED))
    folds = (Fold(f"{len(more)} more", more),) if more else ()
    return [Table("Details", urgent + told, folds)]


def _of_cells(row: tuple[str, ...]) -> Row:
    return Row(row[0], tuple(map(visible, row[1:])))


def _of_facts(facts: Sequence[tuple[str, str]]) -> list[Facts]:
    """A fact without a label goes on below the one before."""
    grouped: list[tuple[str, list[Row]]] = []
    for label, value in facts:
        rows = [Row("", (line,)) for line in _lines(value)]
        if label or not grouped:
            grouped.append((visible(label), rows))
        else:
            grouped[-1][1].extend(rows)
    return [Facts(tuple(_of_fact(label, tuple(rows)) for label, rows in grouped))] if facts else []


def _of_fact(label: str, rows: tuple[Row, ...]) -> Fact:
    told, more = _folded(rows, _MOST)
    fold = Fold(f"{len(more)} more", more) if more else None
    return Fact(label, tuple(row.cells[0] for row in told), fold)


def _of_finding(finding: Finding) -> Found:
    return Found(
        finding.level,
        visible(finding.id),
        _lines(finding.seen),
        _lines(finding.why),
        _lines(finding.remedy),
    )


def _folded(rows: tuple[Row, ...], most: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """(those that are told, those that are folded); a line in place of two is no gain."""
    cut = most if len(rows) >= most + _FEWEST_FOLDED else len(rows)
    return rows[:cut], rows[cut:]


def _tone(note: str) -> Tone:
    return "warning" if note.startswith("warning:") else "note"


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.rstrip() for line in visible(text).split("\n"))


_COMMAND = re.compile(r"!|%{1,2}\w|--\w|[A-Z_]+=|(?:uv|uvmagic|docker|deactivate|rerun) ")
_COMMAND_ALONE = re.compile(r"(?:%uv|uvmagic) [a-z].*[^.:;,]")


def _is_command(piece: str, *, alone: bool) -> bool:
    """Whether a sentence begins with a command; what ends as a clause does is none."""
    if alone:
        return bool(_COMMAND_ALONE.fullmatch(piece)) and ". " not in piece
    return bool(_COMMAND.match(f"{piece} ")) and not piece.endswith((".", ";", ":", ","))
