"""How outcomes and progress look: as text that fits a terminal, and as HTML for any theme."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from gallery import MOMENTS
from gallery import OUTCOMES as KINDS
from hypothesis import given
from hypothesis import strategies as st

from unit.outcomes import OUTCOMES, SENTENCES, TEXTS, Page, words
from uvmagic.display import html, text
from uvmagic.display.layout import Listing, Sentence, Table, commands, level, parts
from uvmagic.display.pace import Moment
from uvmagic.display.visible import padded, visible, width
from uvmagic.outcome import Change, Finding, Outcome
from uvmagic.progress import Progress

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from uvmagic.outcome import Role

PROGRESSES = st.builds(
    Progress,
    TEXTS,
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.lists(TEXTS, max_size=5).map(tuple),
    st.lists(TEXTS, max_size=5).map(tuple),
)
NOW = st.builds(Moment, PROGRESSES, st.none() | st.floats(0, 2**40), st.integers(0, 10**6))
COLUMNS = st.integers(20, 200)


# --- every kind -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_outcome_reads_well_in_a_terminal_of_80_columns(
    kind: str, snapshot: SnapshotAssertion
) -> None:
    assert text.text(KINDS[kind], 80) == snapshot


@pytest.mark.parametrize("kind", KINDS)
def test_an_outcome_is_html(kind: str, snapshot: SnapshotAssertion) -> None:
    assert html.html(KINDS[kind]).replace("><", ">\n<") == snapshot


@pytest.mark.parametrize("kind", MOMENTS)
def test_a_moment_of_progress_reads_well(kind: str, snapshot: SnapshotAssertion) -> None:
    now = MOMENTS[kind]
    assert [text.moment(now, columns) for columns in (None, 80, 40)] == snapshot
    assert html.moment(now).replace("><", ">\n<") == snapshot


# --- HTML -----------------------------------------------------------------------------------------

TAGS = {
    *("br", "code", "dd", "details", "div", "dl", "dt", "li", "p", "pre", "progress", "small"),
    *("span", "strong", "summary", "table", "tbody", "td", "th", "tr", "ul"),
}
ATTRIBUTES = {"aria-label", "max", "role", "scope", "style", "title", "value"}


@given(OUTCOMES)
def test_html_has_the_words_of_the_parts_in_their_order_and_nothing_else(outcome: Outcome) -> None:
    page = Page(outcome.html())
    assert page.text.split() == [word for part in parts(outcome) for word in words(part)]
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES


@given(NOW)
def test_progress_in_html_has_the_words_of_its_text_and_one_height(now: Moment) -> None:
    page = Page(html.moment(now))
    assert (
        page.text.split() == f"{text.headline(now.progress)} {' '.join(text.figures(now))}".split()
    )
    assert html.moment(now).count("<p ") == 2
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES


@given(OUTCOMES)
def test_no_style_reaches_out_of_its_element(outcome: Outcome) -> None:
    for style in Page(outcome.html()).styles:
        assert not re.search(r"url|@|position|expression|[<>{}]", style)


@pytest.mark.parametrize(
    "place", ["title", "name", "version", "label", "fact", "note", "next", "seen", "why", "remedy"]
)
def test_a_script_is_shown_and_never_run_wherever_it_stands(place: str) -> None:
    hostile = '<script>alert("x")</script><img src=x onerror=y>'
    at = {place: hostile}
    outcome = Outcome(
        "add",
        at.get("title", ""),
        (Change(at.get("name", "n"), at.get("version", "1"), None),),
        ((at.get("label", "l"), at.get("fact", "")),),
        (at.get("note", ""),),
        (at.get("next", ""),),
        findings=(Finding("error", at.get("seen", ""), at.get("why", ""), at.get("remedy", "")),),
    )
    page = Page(outcome.html())
    assert hostile in page.text
    assert page.tags <= TAGS


def test_a_sign_has_words_for_who_hears_it_and_a_table_has_headers_for_its_rows() -> None:
    shown = Outcome("add", "Added a", (Change("a", None, "1"), Change("b", "1", None))).html()
    assert re.findall(r'role="img" aria-label="(\w+)"', shown) == ["added", "removed"]
    assert re.findall(r'<th scope="row"[^>]*>(\w+)</th>', shown) == ["a", "b"]
    assert '<table aria-label="What changed"' in shown


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("add", "x"), "done"),
        (Outcome("add", "x", notes=("warning: odd",)), "warning"),
        (Outcome("scan", "x", rows=(("!", "yaml"),)), "warning"),
        (Outcome("doctor", "x", findings=(Finding("warning", "", "", ""),)), "warning"),
        (Outcome("doctor", "x", findings=(Finding("note", "", "", ""),)), "done"),
        (Outcome("doctor", "x", findings=(Finding("error", "", "", ""),)), "error"),
        (Outcome("scan", "x", exit_code=1), "error"),
    ],
)
def test_an_outcome_is_as_bad_as_the_worst_in_it(outcome: Outcome, expected: str) -> None:
    assert level(outcome) == expected


# --- commands -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "typed"),
    [
        ("%uv init  makes this folder one.", ["%uv init"]),
        ("uvmagic rerun a-bundle   runs it from nothing.", ["uvmagic rerun a-bundle"]),
        ("Run  %uv init  and  %uv add …  in its folder.", ["%uv init", "%uv add …"]),
        ("Restart it.  %uv kernel restart", ["%uv kernel restart"]),
        ("%uv sync", ["%uv sync"]),
        ("uv self update   or   pip install uv", ["uv self update", "pip install uv"]),
        ("--base uv  takes torch from the lock.", ["--base uv"]),
        ("uv reports success, but six is not there.", []),
        ("uvmagic made no kernel six.", []),
        ("%uv heeds it alone;  !python  goes there.", ["!python"]),
        ("Import it in the next cell.", []),
    ],
)
def test_what_is_to_be_typed_is_told_from_what_is_said(sentence: str, typed: list[str]) -> None:
    assert [piece for is_command, piece in commands(sentence) if is_command] == typed


@given(TEXTS)
def test_no_word_of_a_sentence_is_lost(sentence: str) -> None:
    told = " ".join(piece for _, piece in commands(sentence))
    assert told.split() == sentence.split()


# --- what is folded -------------------------------------------------------------------------------


def came(number: int, role: Role) -> tuple[Change, ...]:
    return tuple(Change(f"{role}{n:02}", None, "1", role) for n in range(number))


def told(outcome: Outcome) -> str:
    return "\n".join(line.strip() for line in outcome.text().splitlines()[1:])


def test_what_was_asked_for_comes_first_and_what_only_the_kernel_needs_is_folded() -> None:
    shown = told(Outcome("add", "", came(1, "asked") + came(2, "needed") + came(40, "kernel")))
    assert shown.splitlines() == [
        "+ asked00   1",
        "+ needed00  1",
        "+ needed01  1",
        "… and 40 more with ipykernel; --json lists all",
    ]


def test_a_long_list_tells_its_first_and_how_many_more_they_need() -> None:
    shown = told(Outcome("add", "", came(1, "asked") + came(30, "needed"))).splitlines()
    assert len(shown) == 13
    assert shown[-1] == "… and 19 more that they need; --json lists all"


def test_what_went_along_is_not_said_to_be_needed() -> None:
    gone = tuple(replace(c, before="1", after=None) for c in came(20, "needed"))
    assert "8 more that nothing needs any more" in told(Outcome("remove", "", gone))


@given(OUTCOMES)
def test_no_fold_hides_one_or_two_and_what_is_to_be_looked_at_is_never_folded(
    outcome: Outcome,
) -> None:
    tables = [part for part in parts(outcome) if isinstance(part, Table)]
    folds = [fold for table in tables for fold in table.folds]
    assert all(len(fold.rows) >= 3 for fold in folds)
    assert all(str(len(fold.rows)) in fold.told for fold in folds)
    assert all(row.sign != "!" for fold in folds for row in fold.rows)


@given(OUTCOMES)
def test_every_change_stands_once_told_or_folded(outcome: Outcome) -> None:
    table = next((part for part in parts(outcome) if isinstance(part, Table)), None)
    if outcome.changes:
        assert table is not None
        rows = [*table.rows, *(row for fold in table.folds for row in fold.rows)]
        shown = sorted((row.sign, *row.cells) for row in rows)
        assert shown == sorted(
            (c.sign, visible(c.name), visible(c.versions)) for c in outcome.changes
        )


# --- text -----------------------------------------------------------------------------------------


@given(OUTCOMES)
def test_piped_text_has_the_words_of_the_parts_but_what_is_folded(outcome: Outcome) -> None:
    told = [word for part in parts(outcome) for word in words(part, unfolded=False)]
    assert outcome.text().split() == told


@given(OUTCOMES, COLUMNS)
def test_a_narrow_terminal_gets_the_same_words(outcome: Outcome, columns: int) -> None:
    assert sorted(text.text(outcome, columns).split()) == sorted(outcome.text().split())


@given(OUTCOMES, COLUMNS)
def test_no_line_is_wider_than_the_terminal_unless_a_word_is(
    outcome: Outcome, columns: int
) -> None:
    listed = {
        f"  {line}".rstrip() for p in parts(outcome) if isinstance(p, Listing) for line in p.lines
    }
    for _, line in text.lines(outcome, columns):
        if line not in listed:
            widest = max(map(width, line.split()), default=0)
            assert width(line) <= columns or widest > columns // 2 - 4


@given(SENTENCES, st.integers(60, 120))
def test_a_sentence_of_words_that_fit_is_wrapped_to_fit(sentence: str, columns: int) -> None:
    lines = text.wrapped(sentence, columns)
    assert all(width(line) <= columns for line in lines)
    assert " ".join(lines).split() == sentence.split()
    for line, after in pairwise(lines):  # no line ends before it must
        assert width(line) + 1 + width(after.split()[0]) > columns


@given(st.sampled_from(["→ ", "  ╰─▶ ", "error: ", "  × ", "    "]), SENTENCES)
def test_a_line_goes_on_below_where_its_words_began(begin: str, sentence: str) -> None:
    first, *more = text.wrapped(begin + sentence, 70)
    assert first.startswith(begin)
    assert all(line.startswith(" " * len(begin)) for line in more)


def test_piped_text_is_not_wrapped() -> None:
    long = "word " * 100
    assert f"  {long.strip()}" in Outcome("add", "x", notes=(long,)).text().splitlines()


@given(NOW, st.integers(10, 200))
def test_progress_is_one_line_that_fits(now: Moment, columns: int) -> None:
    line = text.moment(now, columns)
    assert width(line) <= columns
    assert line == visible(line)


# --- what is seen ---------------------------------------------------------------------------------


@given(st.text())
def test_what_is_shown_drives_no_terminal_and_can_be_written(raw: str) -> None:
    shown = visible(raw)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    shown.encode()
    assert visible(shown) == shown


def test_what_would_not_be_seen_is_spelled_out() -> None:
    assert visible("\x1b[31mred\x07\u202e \udcff") == r"\x1b[31mred\x07\u202e \udcff"
    assert visible("数据 é 😀 “quoted”") == "数据 é 😀 “quoted”"


@pytest.mark.parametrize(
    ("shown", "columns"), [("", 0), ("abc", 3), ("数据", 4), ("e\u0301", 1), ("→ é", 3)]
)
def test_a_text_takes_as_many_columns_as_a_terminal_gives_it(shown: str, columns: int) -> None:
    assert width(shown) == columns
    assert width(padded(shown, 10)) == 10


@given(OUTCOMES)
def test_a_sentence_of_an_outcome_is_shown_visibly(outcome: Outcome) -> None:
    for part in parts(outcome):
        if isinstance(part, Sentence):
            assert all(line == visible(line) for line in part.lines)


# --- colours --------------------------------------------------------------------------------------

THEMES = {
    "JupyterLab Light": ((33, 33, 33), (255, 255, 255)),  # black at 87 %, on white
    "JupyterLab Dark": ((255, 255, 255), (17, 17, 17)),
    "VS Code Light": ((59, 59, 59), (255, 255, 255)),
    "VS Code Dark": ((204, 204, 204), (31, 31, 31)),
    "GitHub Dark": ((230, 237, 243), (13, 17, 23)),
}
"""Text and background."""
Colour = tuple[float, float, float]


def luminance(colour: Colour) -> float:
    """As WCAG 2.2 defines it."""
    parts = [part / 255 for part in colour]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: Colour, other: Colour) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(css: str, ink: Colour, paper: Colour) -> Colour:
    """What a browser makes of `color-mix(in srgb,COLOUR SHARE%,currentColor)`."""
    found = re.fullmatch(r"color-mix\(in srgb,(#\w{6}|transparent) (\d+)%,currentColor\)", css)
    assert found is not None
    share = int(found[2]) / 100
    rgb = found[1].removeprefix("#")
    colour = paper if found[1] == "transparent" else tuple(bytes.fromhex(rgb))
    return tuple(  # type: ignore[return-value]
        share * part + (1 - share) * own for part, own in zip(colour, ink, strict=True)
    )


@pytest.mark.parametrize("theme", THEMES)
def test_all_text_has_contrast_in_every_theme(theme: str) -> None:
    ink, paper = THEMES[theme]
    shown = "".join(html.html(outcome) for outcome in KINDS.values())
    colours = set(re.findall(r"(?<![-\w])color:([^;\"]+)", shown)) - {"inherit"}
    assert len(colours) >= 4
    for colour in colours:
        assert contrast(mixed(colour, ink, paper), paper) >= 4.5, colour
