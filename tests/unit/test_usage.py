"""Help and near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.data import uv
from uvmagic.grammar import WORDS, help_text, hint_for_refusal, hint_near, near, parse, tokenise

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

EXAMPLES = [(name, example) for name, word in WORDS.items() for example in word.examples]


@pytest.mark.parametrize("word", ["", *WORDS])
def test_the_help_reads_well(word: str, snapshot: SnapshotAssertion) -> None:
    assert help_text(word) == snapshot


@pytest.mark.parametrize("word", ["", *WORDS])
def test_the_help_fits_in_a_hundred_columns(word: str) -> None:
    assert [line for line in help_text(word).splitlines() if len(line) > 100] == []


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
