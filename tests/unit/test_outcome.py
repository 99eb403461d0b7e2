"""What happened, with its three faces."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.outcome import LEVELS, Change, Finding, Outcome, changes_between, html_lines

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

ENVIRONMENTS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1.0", "2.0", "3.0"]))
# what HTML cannot carry as it is: NUL, and carriage returns
TEXTS = st.text(
    st.sampled_from("<>&\"'` ") | st.characters(exclude_categories=["Cs", "Cc"]), max_size=12
)
OUTCOMES = st.builds(
    Outcome,
    word=TEXTS,
    title=TEXTS,
    changes=st.lists(
        st.builds(Change, TEXTS, TEXTS, TEXTS) | st.builds(Change, TEXTS, st.none(), TEXTS)
    ).map(tuple),
    facts=st.lists(st.tuples(TEXTS.map("label {}".format), TEXTS)).map(tuple),
    notes=st.lists(TEXTS).map(tuple),
    next_steps=st.lists(TEXTS).map(tuple),
    findings=st.lists(
        st.builds(Finding, st.sampled_from(LEVELS), TEXTS, TEXTS, TEXTS, st.just(()), TEXTS)
    ).map(tuple),
)

FULL = Outcome(
    "add",
    "Added pandas, numpy",
    (
        Change("numpy", "1.26.4", "2.1.0"),
        Change("pandas", None, "2.2.3"),
        Change("python-dateutil", "2.8", None),
    ),
    (("project", "analysis in ~/analysis"), ("environment", "~/analysis/.venv (Python 3.12.4)")),
    ("warning: something is odd",),
    ("Restart the kernel: it has loaded the old version of numpy.",),
    {"seconds": 1.5},
)


class Page(HTMLParser):
    """What a browser makes of a fragment: its tags, and its text."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


# --- changes --------------------------------------------------------------------------------------


@given(ENVIRONMENTS, ENVIRONMENTS)
def test_the_changes_turn_what_was_before_into_what_is_after(
    before: dict[str, str], after: dict[str, str]
) -> None:
    made = dict(before)
    for change in changes_between(before, after):
        assert made.get(change.name) == change.before
        made.pop(change.name, None)
        if change.after is not None:
            made[change.name] = change.after
    assert made == after


@given(ENVIRONMENTS, ENVIRONMENTS)
def test_the_changes_back_are_the_same_the_other_way_round(
    before: dict[str, str], after: dict[str, str]
) -> None:
    back = tuple(Change(c.name, c.after, c.before) for c in changes_between(before, after))
    assert changes_between(after, before) == back


@given(ENVIRONMENTS)
def test_nothing_changes_between_the_same(environment: dict[str, str]) -> None:
    assert changes_between(environment, dict(environment)) == ()


def test_changes_come_by_name_with_a_sign_and_versions() -> None:
    changes = changes_between({"b": "1", "c": "1", "d": "1"}, {"d": "1", "c": "2", "a": "1"})
    assert [(c.sign, c.name, c.versions) for c in changes] == [
        ("+", "a", "1"),
        ("−", "b", "1"),
        ("~", "c", "1 → 2"),
    ]


# --- faces ----------------------------------------------------------------------------------------


def test_an_outcome_reads_well_as_text(snapshot: SnapshotAssertion) -> None:
    assert FULL.text() == snapshot


def test_an_outcome_reads_well_as_html(snapshot: SnapshotAssertion) -> None:
    assert FULL.html() == snapshot


def test_an_outcome_reads_well_as_json(snapshot: SnapshotAssertion) -> None:
    assert json.dumps(FULL.json(), indent=1, ensure_ascii=False) == snapshot


def test_what_was_found_reads_well(snapshot: SnapshotAssertion) -> None:
    found = (
        Finding(
            "error", "One thing.\nAnd its place.", "It fails.", "uvmagic sync", ("sync",), "broken"
        ),
        Finding("note", "Another.", "It is good to know.", "this\nor that"),
    )
    outcome = Outcome("doctor", "1 error, 1 note.", facts=(("uv", "1.0"),), findings=found)
    assert outcome.text() == snapshot
    assert outcome.html() == snapshot


def test_an_outcome_of_one_sentence_is_that_sentence() -> None:
    assert Outcome("sync", "All is well.").text() == "All is well."


def test_a_cell_shows_an_outcome_as_text_and_as_html() -> None:
    assert FULL._repr_mimebundle_() == {"text/plain": FULL.text(), "text/html": FULL.html()}


@given(OUTCOMES)
def test_a_browser_shows_the_same_text_and_nothing_but_text(outcome: Outcome) -> None:
    page = Page(outcome.html())
    assert page.text == outcome.text()
    assert page.tags <= {"pre", "span"}
    assert page.attributes <= {"style"}


PLACES = ("title", "name", "version", "label", "fact", "note", "next", "seen", "why", "remedy")


@pytest.mark.parametrize("place", PLACES)
def test_a_script_is_shown_and_never_run_wherever_it_stands(place: str) -> None:
    hostile = '<script>alert("x")</script><img src=x onerror=y>'
    told = {p: hostile if p == place else p for p in ("title", "name", "label", "fact", "note")}
    version = hostile if place == "version" else "1"
    step = hostile if place == "next" else "next"
    seen, why, remedy = (hostile if place == p else p for p in PLACES[-3:])
    outcome = Outcome(
        "add",
        told["title"],
        (Change(told["name"], version, None),),
        ((told["label"], told["fact"]),),
        (told["note"],),
        (step,),
        findings=(Finding("error", seen, why, remedy),),
    )
    page = Page(outcome.html())
    assert hostile in page.text
    assert page.tags == {"pre", "span"}


@given(OUTCOMES)
def test_the_json_of_an_outcome_says_what_it_says(outcome: Outcome) -> None:
    told = json.loads(json.dumps(outcome.json()))
    assert told["schema"] == 1
    rows = [(row["name"], row["before"], row["after"]) for row in told["changes"]]
    assert rows == [(c.name, c.before, c.after) for c in outcome.changes]
    assert dict(outcome.facts).items() <= told.items()
    assert told["next"] == list(outcome.next_steps)


def test_a_row_under_a_label_that_stands_above_is_no_fact_of_its_own_in_json() -> None:
    outcome = Outcome("bundle", "Bundled", facts=(("files", "a  1 B"), ("", "b  2 B")))
    assert "" not in outcome.json()


def test_what_is_removed_is_red_and_a_fact_has_no_colour() -> None:
    assert html_lines([("removed", "x"), ("fact", "<y>")]) == (
        '<pre style="margin:0;white-space:pre-wrap"><span style="color:#cf222e">x</span>\n'
        "&lt;y&gt;</pre>"
    )
