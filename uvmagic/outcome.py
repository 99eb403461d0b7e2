"""What happened, as one value with three faces: text and HTML, which `display` makes, and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = 1
"""Version of the JSON that `--json` prints."""

MARK = "uvmagic"
"""What the metadata of a cell's output has where uvmagic made it."""

Level = Literal["error", "warning", "note"]
"""What fails or will, what may well, what is good to know."""

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""The worst first."""

Role = Literal["asked", "needed", "kernel"]
"""Why a distribution changed: the call is about it, that needs it, or only the kernel does."""


@dataclass(frozen=True, slots=True)
class Change:
    """One distribution before and after, each a version or None where it is absent."""

    name: str
    before: str | None
    after: str | None
    role: Role = "asked"

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
        listing: lines after the notes that stand as they are: a diff, a picture made of letters.
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
    listing: tuple[str, ...] = ()

    def wrong(self) -> Outcome | None:
        """What of it is told even quietly: what is wrong; None where nothing is."""
        errors = tuple(finding for finding in self.findings if finding.level == "error")
        if not self.exit_code and not errors:
            return None
        rows = tuple(row for row in self.rows if row[0] == "!")
        return Outcome(
            self.word,
            self.title,
            facts=() if errors or rows else self.facts,
            next_steps=self.next_steps,
            exit_code=self.exit_code,
            findings=errors,
            rows=rows,
        )

    def text(self) -> str:
        """The outcome as plain text without a final newline."""
        from uvmagic.display import text  # by who shows it

        return text.text(self)

    def html(self) -> str:
        """The outcome as a self-contained HTML fragment."""
        from uvmagic.display import html

        return html.html(self)

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
            "notes": [*self.notes, *self.listing],
            "next": list(self.next_steps),
            **self.data,
        }

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        return {"text/plain": self.text(), "text/html": self.html()}, {MARK: True}
