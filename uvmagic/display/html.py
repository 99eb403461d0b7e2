"""An outcome, or a moment of progress, as a fragment of HTML. Pure.

It needs no script, no stylesheet and nothing from elsewhere. An untrusted notebook and GitHub take
styles away, too: what is left still reads well. Colours are mixed with the text's own, so that they
are darker in a light theme and lighter in a dark one, whichever theme that is.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from uvmagic.display.layout import (
    SIGNS,
    Facts,
    Found,
    Listing,
    Sentence,
    Table,
    commands,
    level,
    parts,
)
from uvmagic.display.text import figures, headline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uvmagic.display.layout import Fact, Fold, Part, Row, Tone
    from uvmagic.display.pace import Moment
    from uvmagic.outcome import Outcome


def html(outcome: Outcome) -> str:
    """An outcome as a self-contained fragment: everything escaped."""
    return _framed("".join(map(_of_part, parts(outcome))), _EDGES[level(outcome)])


def moment(now: Moment) -> str:
    """A moment of progress in two lines, whatever it tells, so that nothing below it moves."""
    progress = now.progress
    named = _tag("p", _tag("strong", escape(headline(progress))), style=_ONE_LINE, role="status")
    bar = ""
    if progress.total:
        at = {"value": str(progress.done), "max": str(progress.total)}
        bar = _tag("progress", "", **at, aria_label=progress.activity, style=_BAR)
    told = "  ".join(escape(figure) for figure in figures(now)) or _NOTHING
    return _framed(named + _tag("p", bar + told, style=_ONE_LINE), _EDGES["under way"])


# --- how it looks ---------------------------------------------------------------------------------


def _mixed(colour: str, percent: int) -> str:
    """So much of a colour, the rest the text's own."""
    return f"color-mix(in srgb,{colour} {percent}%,currentColor)"


_GREEN, _RED, _AMBER, _BLUE = "#1fa64a", "#f0383f", "#d99100", "#2f81f7"
_COLOURS: dict[Tone, str] = {
    "added": f"color:{_mixed(_GREEN, 60)}",
    "removed": f"color:{_mixed(_RED, 60)}",
    "changed": f"color:{_mixed(_AMBER, 60)}",
    "error": f"color:{_mixed(_RED, 60)}",
    "warning": f"color:{_mixed(_AMBER, 60)}",
}
_QUIET = f"color:{_mixed('transparent', 25)}"
_EDGES = {"done": _GREEN, "warning": _AMBER, "error": _RED, "under way": _BLUE}

_MONO = "font-family:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)"
_SMALL = f"{_MONO};font-size:.95em"
_TABLE = f"{_SMALL};border-collapse:collapse;color:inherit;margin:.3em 0"
_CELL = "text-align:left;vertical-align:top;padding:.05em 1.2em .05em 0"
_SIGN_CELL = "vertical-align:top;padding:.05em .6em .05em 0"
_NARROW = 12
"""The letters of a column that is never broken, and of what others keep on a narrow page."""
_UNBROKEN, _BROKEN = "white-space:nowrap", f"min-width:{_NARROW}ch"
_COLUMNS = f"{_SMALL};columns:17em;list-style:none;margin:.2em 0 .4em 1.2em;padding:0"
_GRID = "display:grid;grid-template-columns:max-content 1fr;gap:.05em 1.5em;margin:.3em 0"
_LABEL = f"width:auto;font-weight:400;{_QUIET}"
_PRE = f"{_SMALL};line-height:1.4;margin:.4em 0;overflow-x:auto;white-space:pre"
_SENTENCE = "margin:.15em 0"
_STEP = "margin:.3em 0;padding-left:1.2em;text-indent:-1.2em"
_FINDING = "margin:.6em 0"
_ONE_LINE = "margin:0;overflow:hidden;text-overflow:ellipsis;white-space:pre"
_BAR = "width:12em;max-width:40%;height:.7em;margin:0 1em 0 0;vertical-align:baseline"
_NOTHING = "\N{NO-BREAK SPACE}"


def _framed(inside: str, colour: str) -> str:
    style = f"border-left:3px solid {colour};padding:0 0 0 .8em;line-height:1.5"
    return _tag("div", inside, style=f"{style};overflow-wrap:anywhere")


def _tag(name: str, inside: str, **attributes: str) -> str:
    """An element; of an attribute's name `_` stands for `-`, and an empty one is left out."""
    told = [f' {k.replace("_", "-")}="{escape(value)}"' for k, value in attributes.items() if value]
    return f"<{name}{''.join(told)}>{inside}</{name}>"


# --- the parts ------------------------------------------------------------------------------------


def _of_part(part: Part) -> str:
    match part:
        case Table():
            return _table(part)
        case Facts():
            return _tag("dl", "".join(map(_fact, part.facts)), style=_GRID)
        case Found():
            return _finding(part)
        case Listing():
            return _tag("pre", "\n".join(map(_diffed, part.lines)), style=_PRE)
        case Sentence("title"):
            first, *more = part.lines
            told = [_tag("strong", escape(first)), *map(escape, more)]
            return _tag("p", "<br>".join(told), style="margin:0")
        case Sentence("next"):
            return _tag("p", f"→ {_sentence(part.lines)}", style=_STEP)
        case Sentence():
            told_in = ";".join(filter(None, [_SENTENCE, _COLOURS.get(part.tone, "")]))
            return _tag("p", _sentence(part.lines), style=told_in)


def _table(table: Table) -> str:
    by_column = zip(*(row.cells for row in table.rows), strict=True)
    is_narrow = [max(map(len, column)) <= _NARROW for column in by_column]
    cells = [f"{_CELL};{_UNBROKEN if narrow else _BROKEN}" for narrow in is_narrow]
    has_signs = any(row.sign for row in table.rows)
    rows = "".join(_row(row, cells, has_signs=has_signs) for row in table.rows)
    made = _tag("table", _tag("tbody", rows), aria_label=table.label, style=_TABLE)
    return _tag("div", made, style="overflow-x:auto") + "".join(map(_fold, table.folds))


def _row(row: Row, styles: Sequence[str], *, has_signs: bool) -> str:
    told = [_tag("td", _sign(row.sign), style=_SIGN_CELL)] if has_signs else []
    weight = f"font-weight:{700 if row.is_asked else 400}"
    for number, (cell, style) in enumerate(zip(row.cells, styles, strict=True)):
        told.append(
            _tag("td", escape(cell), style=style)
            if number
            else _tag("th", escape(cell), scope="row", style=f"{style};{weight}")
        )
    return _tag("tr", "".join(told), style="background:none")


def _fold(fold: Fold) -> str:
    """What is folded away: a list in as many columns as there is room for."""
    signs = (_sign(row.sign, has_colour=False) for row in fold.rows)  # or it would be twice as long
    told = (" ".join(map(escape, row.cells)) for row in fold.rows)
    rows = (f"{sign} {cells}".strip() for sign, cells in zip(signs, told, strict=True))
    listed = "".join(_tag("li", row) for row in rows)
    summary = _tag("summary", escape(fold.told), style=f"cursor:pointer;{_QUIET}")
    return _tag("details", summary + _tag("ul", listed, style=_COLUMNS))


def _sign(sign: str, *, has_colour: bool = True) -> str:
    if sign not in SIGNS:
        return escape(sign)
    tone, meaning = SIGNS[sign]
    style = ";".join(filter(None, [_COLOURS.get(tone, ""), "font-weight:700"]))
    return _tag("span", sign, role="img", title=meaning, style=style if has_colour else "")


def _fact(fact: Fact) -> str:
    told = "<br>".join(map(escape, fact.values)) + (_fold(fact.fold) if fact.fold else "")
    label = _tag("dt", escape(fact.label), style=_LABEL)
    return label + _tag("dd", told, style="width:auto;margin:0;white-space:pre-wrap")


def _finding(found: Found) -> str:
    first, *more = found.seen
    name = f" {_tag('small', f'[{escape(found.name)}]', style=_QUIET)}" if found.name else ""
    level = _tag("strong", found.level, style=_COLOURS.get(found.level, ""))
    seen = "<br>".join([f"{level} {_sentence([first])}{name}", *map(escape, more)])
    told = [_tag("p", seen, style="margin:0")]
    told += [_tag("p", _sentence(found.why), style=f"margin:0;{_QUIET}")] if any(found.why) else []
    told += (_tag("p", f"→ {_sentence([line])}", style=_STEP) for line in found.remedy)
    return _tag("div", "".join(told), style=_FINDING)


def _diffed(line: str) -> str:
    tone: Tone | None = {"+": "added", "-": "removed"}.get(line[:1])  # type: ignore[assignment]
    return _tag("span", escape(line), style=_COLOURS[tone]) if tone else escape(line)


def _sentence(lines: Sequence[str]) -> str:
    return "<br>".join(" ".join(map(_piece, commands(line))) for line in lines)


def _piece(piece: tuple[bool, str]) -> str:
    is_command, told = piece
    return _tag("code", escape(told)) if is_command else escape(told)
