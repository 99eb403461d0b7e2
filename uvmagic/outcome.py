"""What happened, as one value with three faces: text, HTML, JSON.

The text alone is enough to understand an outcome; HTML is the same lines with colour.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = 1
"""Version of the JSON that `--json` prints."""

Tone = Literal["title", "added", "removed", "changed", "error", "warning", "fact", "note", "next"]
Level = Literal["error", "warning", "note"]
"""What fails or will, what may well, what is good to know."""

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""The worst first."""

_COLOURS: dict[Tone, str] = {
    "added": "#1a7f37",
    "removed": "#cf222e",
    "changed": "#9a6700",
    "error": "#cf222e",
    "warning": "#9a6700",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One distribution before and after, each a version or None where it is absent."""

    name: str
    before: str | None
    after: str | None

    @property
    def sign(self) -> str:
        """`+` came, `−` went, `~` changed its version."""
        if self.before is None:
            return "+"
        return "−" if self.after is None else "~"

    @property
    def versions(self) -> str:
        """The version, or `old → new`."""
        return " → ".join(version for version in (self.before, self.after) if version)


def changes_between(before: dict[str, str], after: dict[str, str]) -> tuple[Change, ...]:
    """What differs between two environments, each a mapping of name to version, by name."""
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        level: how bad it is.
        seen: what was found, in sentences.
        why: why that matters.
        remedy: what to do about it, exactly.
        fix: what `--fix` does about it: a word, and what that takes; empty where it is left alone.
        id: of the check that found it.
    """

    level: Level
    seen: str
    why: str
    remedy: str
    fix: tuple[str, ...] = ()
    id: str = ""

    def lines(self) -> list[tuple[Tone, str]]:
        """It as toned lines, the level in front."""
        (first, *more), indent = self.seen.splitlines() or [""], " " * 10
        name = f"  [{self.id}]" if self.id else ""
        lines: list[tuple[Tone, str]] = [(self.level, f"  {self.level:<7} {first}{name}")]
        lines += [("fact", indent + line) for line in (*more, *self.why.splitlines())]
        lines += [("next", f"{indent}→ {line}") for line in self.remedy.splitlines()]
        return lines


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one command.

    Attributes:
        word: the command's word, `add`.
        title: the one sentence that would do.
        changes: distributions that came, went or changed.
        facts: labelled facts: ("project", "…").
        notes: what else is worth knowing, a sentence each.
        next_steps: what to do now, a sentence each.
        data: further values for `--json`.
        exit_code: what a shell gets.
        findings: what is not as it should be, the worst first.
        rows: a table, before the notes: a sign each (`!` to look at, `+`, `~`, `=`), and cells.
    """

    word: str
    title: str
    changes: tuple[Change, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    exit_code: int = 0
    findings: tuple[Finding, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def lines(self) -> list[tuple[Tone, str]]:
        """The outcome as toned lines, the one source of text and HTML."""
        lines: list[tuple[Tone, str]] = [("title", self.title)]
        name_width = max((len(change.name) for change in self.changes), default=0)
        tones: dict[str, Tone] = {"+": "added", "−": "removed", "~": "changed"}
        lines += [
            (tones[c.sign], f"  {c.sign} {c.name:<{name_width}}  {c.versions}")
            for c in self.changes
        ]
        lines += [line for finding in self.findings for line in finding.lines()]
        label_width = max((len(label) for label, _ in self.facts), default=0)
        lines += [("fact", f"  {label:<{label_width}}  {value}") for label, value in self.facts]
        lines += _table(self.rows)
        lines += [("note", f"  {note}") for note in self.notes]
        lines += [("next", f"→ {step}") for step in self.next_steps]
        return lines

    def text(self) -> str:
        """The outcome as plain text without a final newline."""
        return "\n".join(line.rstrip() for _, line in self.lines())

    def html(self) -> str:
        """The outcome as a self-contained HTML fragment."""
        return html_lines(self.lines())

    def json(self) -> dict[str, Any]:
        """The outcome as a JSON object, `"schema": 1`."""
        return {
            "schema": SCHEMA,
            "word": self.word,
            "title": self.title,
            "changes": [
                {"name": c.name, "before": c.before, "after": c.after} for c in self.changes
            ],
            **{label: value for label, value in self.facts if label},
            "notes": list(self.notes),
            "next": list(self.next_steps),
            **self.data,
        }

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


_ROW_TONES: dict[str, Tone] = {"!": "removed", "+": "added", "~": "changed"}


def _table(rows: tuple[tuple[str, ...], ...]) -> list[tuple[Tone, str]]:
    """Rows below each other: all cells of a column as wide as the widest, the last as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return [
        (
            _ROW_TONES.get(row[0], "fact"),
            "  " + "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]]),
        )
        for row in rows
    ]


def html_lines(lines: list[tuple[Tone, str]]) -> str:
    """Toned lines as a `<pre>`: everything escaped, no script, no outside asset."""
    from html import escape  # 2 ms that %load_ext need not take

    rows = []
    for tone, line in lines:
        style = f"color:{_COLOURS[tone]}" if tone in _COLOURS else ""
        style = "font-weight:bold" if tone == "title" else style
        text = escape(line.rstrip())
        rows.append(f'<span style="{style}">{text}</span>' if style else text)
    return f'<pre style="margin:0;white-space:pre-wrap">{chr(10).join(rows)}</pre>'
