"""Outcomes of all kinds, for laws."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import strategies as st

from uvmagic.display.layout import Facts, Fold, Found, Listing, Part, Row, Sentence, Table
from uvmagic.outcome import LEVELS, Change, Finding, Outcome

TEXTS = st.text(
    st.sampled_from("<>&\"'` \n\x1b\x00\u202e") | st.sampled_from("数é") | st.characters(),
    max_size=12,
)
_VERSIONS = st.none() | TEXTS.filter(bool)
_ROLES = st.sampled_from(["asked", "needed", "kernel"])
_FINDINGS = st.builds(Finding, st.sampled_from(LEVELS), TEXTS, TEXTS, TEXTS, st.just(()), TEXTS)
_ROWS = st.integers(1, 3).flatmap(
    lambda cells: st.lists(
        st.tuples(st.sampled_from(["!", "+", "~", "=", "−", ""]), *[TEXTS] * cells), max_size=30
    )
)
OUTCOMES = st.builds(
    Outcome,
    word=TEXTS,
    title=TEXTS,
    changes=st.lists(st.builds(Change, TEXTS, _VERSIONS, _VERSIONS, _ROLES), max_size=60).map(
        tuple
    ),
    facts=st.lists(st.tuples(TEXTS.map("label {}".format) | st.just(""), TEXTS)).map(tuple),
    notes=st.lists(TEXTS).map(tuple),
    next_steps=st.lists(TEXTS).map(tuple),
    exit_code=st.integers(0, 1),
    findings=st.lists(_FINDINGS).map(tuple),
    rows=_ROWS.map(tuple),
    listing=st.lists(TEXTS).map(tuple),
)
SENTENCES = st.lists(
    st.text(st.sampled_from("abc.é数"), min_size=1, max_size=30), min_size=1, max_size=20
).map(" ".join)
"""Words as people write them, the widest 60 columns."""


class Page(HTMLParser):
    """What a browser makes of a fragment: its tags and attributes, and its text."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.styles: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(fragment)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles += [value or "" for name, value in attrs if name == "style"]
        self.text += " " * (tag not in ("code", "strong", "small", "span", "summary"))
        if tag != "br":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self.text += " " * (tag not in ("code", "strong", "small", "span"))

    def handle_data(self, data: str) -> None:
        self.text += data


def words(part: Part, *, unfolded: bool = True) -> list[str]:
    """All words of a part in their order, those that are folded too, or what stands for them."""
    return " ".join(_pieces(part, unfolded)).split()


def _pieces(part: Part, unfolded: bool) -> list[str]:
    match part:
        case Table():
            return [*map(_row, part.rows), *_folds(part.folds, unfolded)]
        case Facts():
            pieces = list[str]()
            for fact in part.facts:
                pieces += [fact.label, *fact.values]
                pieces += _folds((fact.fold,) if fact.fold else (), unfolded)
            return pieces
        case Found():
            name = f" [{part.name}]" if part.name else ""
            remedy = [f"→ {line}" for line in part.remedy]
            return [f"{part.level} {part.seen[0]}{name}", *part.seen[1:], *part.why, *remedy]
        case Listing():
            return list(part.lines)
        case Sentence("next"):
            return ["→", *part.lines]
        case Sentence():
            return list(part.lines)


def _folds(folds: tuple[Fold, ...], unfolded: bool) -> list[str]:
    if not unfolded:
        how = "; --json lists all"
        return [f"… and {fold.told}{how if fold is folds[-1] else ''}" for fold in folds]
    return [piece for fold in folds for piece in (fold.told, *map(_row, fold.rows))]


def _row(row: Row) -> str:
    return " ".join([row.sign, *row.cells])
