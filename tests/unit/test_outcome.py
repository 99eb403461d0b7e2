"""What happened, as a value: its changes, its JSON, what of it is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from unit.outcomes import OUTCOMES
from uvmagic.outcome import MARK, Change, Finding, Outcome, changes_between

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

ENVIRONMENTS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1.0", "2.0", "3.0"]))

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


def test_an_outcome_reads_well_as_json(snapshot: SnapshotAssertion) -> None:
    assert json.dumps(FULL.json(), indent=1, ensure_ascii=False) == snapshot


def test_an_outcome_of_one_sentence_is_that_sentence() -> None:
    assert Outcome("sync", "All is well.").text() == "All is well."


def test_a_cell_shows_an_outcome_as_text_and_as_html_and_knows_it_as_ours() -> None:
    data, metadata = FULL._repr_mimebundle_()
    assert data == {"text/plain": FULL.text(), "text/html": FULL.html()}
    assert MARK in metadata


@given(OUTCOMES)
def test_the_json_of_an_outcome_says_what_it_says(outcome: Outcome) -> None:
    told = json.loads(json.dumps(outcome.json()))
    assert told["schema"] == 1
    rows = [(row["name"], row["before"], row["after"]) for row in told["changes"]]
    assert rows == [(c.name, c.before, c.after) for c in outcome.changes]
    assert {label: value for label, value in outcome.facts if label}.items() <= told.items()
    assert told["notes"] == [*outcome.notes, *outcome.listing]
    assert told["next"] == list(outcome.next_steps)


def test_a_row_under_a_label_that_stands_above_is_no_fact_of_its_own_in_json() -> None:
    outcome = Outcome("bundle", "Bundled", facts=(("files", "a  1 B"), ("", "b  2 B")))
    assert "" not in outcome.json()


# --- quietly --------------------------------------------------------------------------------------


@given(OUTCOMES)
def test_quietly_nothing_is_told_but_of_what_is_wrong(outcome: Outcome) -> None:
    wrong = outcome.wrong()
    is_wrong = bool(outcome.exit_code) or any(f.level == "error" for f in outcome.findings)
    assert (wrong is not None) == is_wrong
    if wrong is not None:
        assert wrong.title == outcome.title
        assert wrong.next_steps == outcome.next_steps
        assert [f.level for f in wrong.findings] == ["error"] * len(wrong.findings)
        assert wrong.findings == tuple(f for f in outcome.findings if f.level == "error")
        assert wrong.rows == tuple(row for row in outcome.rows if row[0] == "!")
        assert (wrong.changes, wrong.notes, wrong.listing) == ((), (), ())


def test_quietly_facts_are_told_where_nothing_else_says_what_is_wrong() -> None:
    differs = Outcome("rerun", "1 differs", facts=(("code cell 3", "image"),), exit_code=1)
    assert differs.wrong() == differs
    error = Finding("error", "seen", "why", "remedy")
    found = Outcome("doctor", "1 error.", facts=(("uv", "1.0"),), findings=(error,), exit_code=1)
    assert found.wrong() == Outcome("doctor", "1 error.", findings=(error,), exit_code=1)
