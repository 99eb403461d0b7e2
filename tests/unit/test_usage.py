"""Help and near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.data import uv
from uvmagic.grammar import (
    WORDS,
    as_typed,
    help_of_call,
    help_text,
    hint_for_refusal,
    hint_near,
    near,
    parse,
    tokenise,
    words,
)

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

EXAMPLES = [(name, example) for name, word in WORDS.items() for example in word.examples]
EXAMPLES += [(example.split()[0], example) for example in words.EXAMPLES]


@pytest.mark.parametrize("word", ["", *WORDS])
def test_the_help_reads_well(word: str, snapshot: SnapshotAssertion) -> None:
    assert help_text(word) == snapshot


@pytest.mark.parametrize("word", ["", *WORDS])
def test_the_help_fits_in_eighty_columns(word: str) -> None:
    for call in ("%uv", "uvmagic"):
        assert [line for line in help_text(word, call).splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("word", WORDS)
def test_the_help_of_a_word_has_uvmagics_own_first_and_uvs_last(word: str) -> None:
    unindented = (line for line in help_text(word).splitlines() if not line.startswith(" "))
    headings = [line for line in unindented if line.endswith(":")]
    of_uv = [f"Options of uv {word}, passed on:"] if WORDS[word].uv else []
    assert headings == ["Examples:", "Options:", *of_uv]


def test_in_a_shell_no_example_is_of_what_a_cell_alone_can_do() -> None:
    assert "{name}" in help_text("add")
    assert "{name}" not in help_text("add", "uvmagic")


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("", "%uv WORD …"),
        ("add torch --cuda", "%uv add REQUIREMENT…"),
        ("--offline kernel use", "%uv kernel use|restart"),
        ("help sync", "%uv sync"),
        ("pip install numpy", "%uv pip install …"),
        ("pip", "%uv pip …"),
        ("frobnicate", "%uv WORD …"),
    ],
)
def test_a_call_that_goes_on_has_the_help_of_what_it_calls(line: str, begins: str) -> None:
    assert help_of_call(tokenise(line)).startswith(begins)


def test_the_help_of_a_command_of_uvs_own_names_what_is_below_it() -> None:
    told = help_of_call(["pip"])
    assert "  pip install " in told
    assert "%uv pip --help" in told


@pytest.mark.parametrize("word", WORDS)
def test_the_help_names_every_option_that_the_word_takes(word: str) -> None:
    listed = help_text(word).replace(",", " ").split()
    of_uv = [name for row in uv.options() if WORDS[word].uv in row.words for name in row.names]
    own = [name for option in WORDS[word].options for name in option.names]
    assert {*of_uv, *own, "-h", "--help"} <= set(listed)


@pytest.mark.parametrize("word", WORDS)
def test_the_overview_names_every_word(word: str) -> None:
    assert f"  {word} " in help_text()


@pytest.mark.parametrize(("word", "example"), EXAMPLES)
def test_an_example_in_the_help_is_a_call_that_works(word: str, example: str) -> None:
    command = parse(tokenise(example))
    assert command.word == word
    assert command.unknown == ()
    assert command.is_owned


@pytest.mark.parametrize(
    ("given_word", "meant"),
    [
        ("ad", "add"),
        ("remvoe", "remove"),
        ("snyc", "sync"),
        ("bundel", "bundle"),
        ("kernal", "kernel"),
        ("rreun", "rerun"),
        ("pandas", None),
        ("", None),
    ],
)
def test_a_slip_of_the_keyboard_is_near_the_word_that_was_meant(
    given_word: str, meant: str | None
) -> None:
    assert near(given_word, WORDS) == meant


@given(st.sampled_from(sorted(WORDS)), st.integers(0, 20))
def test_a_word_with_a_letter_doubled_is_near_itself(word: str, place: int) -> None:
    place %= len(word)
    assert near(word[: place + 1] + word[place:], WORDS) == word


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("pipp list", "Did you mean pip?"),
        ("bundel", "Did you mean bundle?"),
        ("pip list | grep numpy", "A pipe needs a shell: use  !uv …"),
        ("export > requirements.txt", "A pipe needs a shell: use  !uv …"),
        ("pip lst", None),  # uv knows the word, and says itself what is wrong
        ("zzzzzz", None),
        ("add pandas --deev", "--deev: did you mean --dev?"),
        ("add pandas --zzzzzzzz --gruop x", "--gruop: did you mean --group?"),
        ("add pandas", None),
    ],
)
def test_after_a_refusal_what_was_near_is_told(line: str, hint: str | None) -> None:
    assert hint_for_refusal(parse(tokenise(line))) == hint


@pytest.mark.parametrize(
    ("word", "hint"), [("", "See %uv --help"), ("bundle", "See %uv bundle --help")]
)
def test_where_nothing_is_near_the_help_is_named(word: str, hint: str) -> None:
    assert hint_near("zzzzz", ["--include", "--json"], word) == hint


@pytest.mark.parametrize(
    ("told", "in_cell", "in_shell"),
    [
        ("%uv init  makes one.", "%uv init  makes one.", "uvmagic init  makes one."),
        ("uvmagic rerun b   runs it.", "%uv rerun b   runs it.", "uvmagic rerun b   runs it."),
        ("Run  %uv lock  (or %uv sync)", None, "Run  uvmagic lock  (or uvmagic sync)"),
        ("See %uv add --help", None, "See uvmagic add --help"),
        ("%%uv add takes no cell.", None, "%%uv add takes no cell."),
        ("uvmagic made no kernel six.", None, "uvmagic made no kernel six."),
        ("Use  %uv pip …", None, "Use  uvmagic pip …"),
        ("lies in ~/uvmagic add", None, None),
        ("!uv pip install", None, None),
    ],
)
def test_a_call_is_told_as_it_is_typed_where_it_is_read(
    told: str, in_cell: str | None, in_shell: str | None
) -> None:
    assert as_typed(told, "%uv") == (in_cell or told)
    assert as_typed(told, "uvmagic") == (in_shell or told)
