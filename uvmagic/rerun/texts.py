"""Whether two texts of outputs say the same: numbers within a tolerance, what is of one run aside.

Each `…_difference` gives None where they do, else the first place where they do not. Pure.
"""

from __future__ import annotations

import ast
import contextlib
import io
import math
import re
import tokenize
import warnings
from html.parser import HTMLParser
from itertools import zip_longest
from typing import Any

_NUMBER = r"(?<![\w.])[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?!\w|\.\w)"
"""A number that stands alone: `3.12.4` and `x1` are none.

Not possessive: Python 3.11.2, which Debian 12 has, takes `0E` for one with a possessive group.
"""
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|\w+|[^\w\s]")
_OF_ONE_RUN = (
    (re.compile(r"\bat 0x[0-9a-fA-F]{6,}|\b0x7f[0-9a-fA-F]{8,}\b"), "at 0x…"),
    (
        re.compile(r"(?<![\w.~-])(?:/private)?/(?:tmp|var/folders|var/tmp)/[^\s'\"<>:,;)\]]*"),
        "‹temporary›",
    ),
    (re.compile(r"[A-Za-z]:\\[^\s'\"<>:,;]{0,200}\\Temp\\[^\s'\"<>:,;)\]]*"), "‹temporary›"),
    (re.compile(r"[^\s'\"<>:,;(\[]{0,200}/uvmagic-rerun-[^\s'\"<>:,;)\]]*"), "‹temporary›"),
    (re.compile(r"(?:CPU times|Wall time): .*|<TimeitResult : .*?>"), "‹time›"),
)
"""What another run has otherwise: addresses, temporary paths, timings."""
_IDS = (
    (re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), "‹id›"),
    (re.compile(r"""\b(id|for)=(["'])[^"']*\2"""), r"\1=‹id›"),
    (re.compile(r"""\b(?:xlink:)?href=(["'])\#[^"']*\1|url\(\#[^)]*\)"""), "‹id›"),
)
_OF_A_DRAWING = (
    (re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<\?xml.*?\?>", re.DOTALL), ""),
    *_IDS,
)
_OF_A_PDF = (
    (re.compile(r"/(?:CreationDate|ModDate|Producer|Creator)\s*\([^)]*\)"), ""),
    (re.compile(r"/ID\s*\[[^\]]*\]"), ""),
)
_LONGEST_REPR = 200_000
_AROUND = 30


def shortened(text: str, around: int = 0) -> str:
    """A line for people: some of a text at a position, without what would move a cursor."""
    start = max(0, around - _AROUND)
    piece = text[start : around + 2 * _AROUND]
    seen = "".join(c if c.isprintable() else " " for c in piece)
    ellipses = ("…" if start else "", "…" if start + len(piece) < len(text) else "")
    return " ".join(seen.split()).join(ellipses) or "nothing"


def text_difference(saved: str, came: str, tolerance: float) -> str | None:
    """Compare token by token; the order in sets and dicts, and all spacing, is not looked at."""
    one, other = _without(saved, _OF_ONE_RUN), _without(came, _OF_ONE_RUN)
    found = _token_difference(one, other, tolerance)
    if found is None:
        return None
    ordered = _ordered(one), _ordered(other)
    if None in ordered:
        return found
    return _token_difference(str(ordered[0]), str(ordered[1]), tolerance)


def html_difference(saved: str, came: str, tolerance: float) -> str | None:
    """Compare the cells of tables and the text beside them; without tables, the source."""
    one, other = tables(saved), tables(came)
    if one.rows and other.rows:
        found = _table_difference(one.rows, other.rows, tolerance)
        return found or text_difference(one.beside(), other.beside(), tolerance)
    return text_difference(_without(saved, _IDS), _without(came, _IDS), tolerance)


def drawing_difference(saved: str, came: str, tolerance: float) -> str | None:
    """Compare SVG as text without identifiers, comments and metadata."""
    one, other = _without(saved, _OF_A_DRAWING), _without(came, _OF_A_DRAWING)
    return text_difference(one, other, tolerance)


def pdf_difference(saved: bytes, came: bytes) -> str | None:
    """Compare PDF byte by byte, without dates, identifiers and the software's name."""
    one, other = (_without(data.decode("latin-1"), _OF_A_PDF) for data in (saved, came))
    return None if one == other else "other content"


def json_difference(saved: Any, came: Any, tolerance: float, path: str = "$") -> str | None:
    """Compare by value: keys in any order, floats within the tolerance."""
    match saved, came:
        case dict(), dict():
            keys = [*saved, *(key for key in came if key not in saved)]
            parts = [(f"{path}.{key}", saved.get(key, _NONE), came.get(key, _NONE)) for key in keys]
        case list(), list():
            both = enumerate(zip_longest(saved, came, fillvalue=_NONE))
            parts = [(f"{path}[{n}]", one, other) for n, (one, other) in both]
        case _:
            if _is_same_value(saved, came, tolerance):
                return None
            return (
                f"{shortened(path)}: saved {shortened(repr(saved))}, came {shortened(repr(came))}"
            )
    found = (json_difference(one, other, tolerance, at) for at, one, other in parts)
    return next((told for told in found if told is not None), None)


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NONE = _Nothing()


def _is_same_value(saved: object, came: object, tolerance: float) -> bool:
    if isinstance(saved, float | int) and isinstance(came, float | int):
        if isinstance(saved, bool) or isinstance(came, bool):
            return saved is came
        if isinstance(saved, int) and isinstance(came, int):
            return saved == came
        try:
            return math.isclose(saved, came, rel_tol=tolerance) or _are_nan(saved, came)
        except OverflowError:  # an integer that no float can hold
            return False
    return type(saved) is type(came) and saved == came


def _are_nan(*values: float) -> bool:
    return all(math.isnan(value) for value in values)


# --- tokens ---------------------------------------------------------------------------------------


def _without(text: str, patterns: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for pattern, instead in patterns:
        text = pattern.sub(instead, text)
    return text


def _token_difference(saved: str, came: str, tolerance: float) -> str | None:
    for one, other in zip_longest(_TOKEN.finditer(saved), _TOKEN.finditer(came)):
        if one is None or other is None or not _is_same(one, other, tolerance):
            at, there = (m.start() if m else len(text) for m, text in ((one, saved), (other, came)))
            return f"saved {shortened(saved, at)}, came {shortened(came, there)}"
    return None


def _is_same(one: re.Match[str], other: re.Match[str], tolerance: float) -> bool:
    """Whole numbers are counts and names: they are compared exactly, as words are."""
    if one[0] == other[0]:
        return True
    if one["number"] is None or other["number"] is None:
        return False
    if one[0].lstrip("+-").isdigit() and other[0].lstrip("+-").isdigit():
        return False
    return math.isclose(float(one[0]), float(other[0]), rel_tol=tolerance)


# --- the order in sets and dicts ------------------------------------------------------------------


class _Ordering(ast.NodeTransformer):
    """Puts the elements of sets and the keys of dicts in one order."""

    def visit_Set(self, node: ast.Set) -> ast.AST:
        self.generic_visit(node)
        node.elts.sort(key=_place)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        pairs = sorted(zip(node.keys, node.values, strict=True), key=lambda pair: _place(pair[0]))
        node.keys, node.values = [key for key, _ in pairs], [value for _, value in pairs]
        return node


def _place(node: ast.expr | None) -> list[tuple[bool, float, str]]:
    """By number where there are numbers, so that a tolerance does not change the order."""
    text = ast.unparse(node) if node is not None else ""
    return [
        (False, float(m[0]), "") if m["number"] else (True, 0.0, m[0])
        for m in _TOKEN.finditer(text)
    ]


def _ordered(text: str) -> str | None:
    """A repr with its sets and dicts in one order; None where it is no Python expression.

    Not `literal_eval`: `{np.int64(1)}` and `Counter({'a': 1})` are no literals. What stands in
    angle brackets, `<class 'int'>`, is taken for a text.
    """
    if len(text) > _LONGEST_REPR or "{" not in text:
        return None
    for source in (text, re.sub(r"<[^<>]*>", lambda found: repr(found[0]), text)):
        with (
            contextlib.suppress(
                SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError
            ),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # what Python thinks of the style of an output
            tree = ast.parse(source.strip(), mode="eval")
            return None if _has_comment(source) else ast.unparse(_Ordering().visit(tree))
    return None


def _has_comment(source: str) -> bool:
    """Whether a parser would read past some of it."""
    tokens = tokenize.generate_tokens(io.StringIO(source.strip()).readline)
    return any(token.type == tokenize.COMMENT for token in tokens)


# --- tables ---------------------------------------------------------------------------------------


class Tables(HTMLParser):
    """The cells of all tables of a HTML text, and the text beside them.

    Attributes:
        rows: the texts of the cells of each row.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._beside: list[str] = []
        self._is_in_cell = False
        self._hidden = 0

    def beside(self) -> str:
        """The text outside of cells."""
        return " ".join("".join(self._beside).split())

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell, or skip what is not seen."""
        if tag in ("style", "script"):
            self._hidden += 1
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows = self.rows or [[]]
            self.rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        """End a cell, or what is not seen."""
        if tag in ("style", "script"):
            self._hidden = max(0, self._hidden - 1)
        elif tag in ("td", "th", "tr", "table"):
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        """Add to the cell, else to the text beside."""
        if self._hidden:
            return
        if self._is_in_cell:
            self.rows[-1][-1] += data
        else:
            self._beside.append(data)


def tables(html: str) -> Tables:
    """The tables of a HTML text."""
    parser = Tables()
    parser.feed(html)
    parser.close()
    return parser


def _table_difference(
    saved: list[list[str]], came: list[list[str]], tolerance: float
) -> str | None:
    if len(saved) != len(came):
        return f"saved {len(saved)} rows, came {len(came)}"
    for number, (row, other) in enumerate(zip(saved, came, strict=True)):
        if len(row) != len(other):
            return f"row {number}: saved {len(row)} columns, came {len(other)}"
        for column, (cell, its) in enumerate(zip(row, other, strict=True)):
            found = text_difference(cell, its, tolerance)
            if found is not None:
                heads = saved[0][column].strip() if column < len(saved[0]) else ""
                return f"row {number}, column {shortened(heads or str(column))}: {found}"
    return None
