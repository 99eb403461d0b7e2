"""Tokens → Command."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.data import uv
from uvmagic.errors import UsageError
from uvmagic.grammar import WORDS, Command, parse, tokenise
from uvmagic.grammar.words import COMMON, Option

if TYPE_CHECKING:
    from collections.abc import Sequence

OVER_UV = sorted(name for name, word in WORDS.items() if word.uv)
OWN = sorted(name for name, word in WORDS.items() if not word.uv)
VALUE = st.text(min_size=1).filter(lambda text: not text.startswith("-"))


def of(line: str) -> Command:
    return parse(tokenise(line))


# --- words over uv ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A call as it was put together, so that the test knows each token's part.

    Attributes:
        tokens: all of it, as typed.
        own: uvmagic's own options among the tokens, with their values.
        positionals: in order.
        unknown: options that no table has, in order.
    """

    word: str
    tokens: tuple[str, ...]
    own: tuple[str, ...]
    positionals: tuple[str, ...]
    unknown: tuple[str, ...]


@st.composite
def calls(draw: st.DrawFn) -> Call:
    word = draw(st.sampled_from(OVER_UV))
    own_options = (*WORDS[word].options, *COMMON)
    own_names = [name for option in own_options for name in option.names]
    elsewhere = {*own_names, "--script"}  # which makes the word uv's own
    rows = [row for row in uv.options() if word in row.words and elsewhere.isdisjoint(row.names)]
    own: list[str] = []
    positionals: list[str] = []
    unknown: list[str] = []

    def option(row: uv.UvOption) -> list[str]:
        name = draw(st.sampled_from(row.names))
        if row.value is None:
            return [name]
        value = draw(VALUE)
        return [f"{name}={value}"] if draw(st.booleans()) else [name, value]

    def own_option(options: Sequence[Option]) -> list[str]:
        option = draw(st.sampled_from(options))
        tokens = [draw(st.sampled_from(option.names)), *([draw(VALUE)] if option.values else [])]
        if option.values and draw(st.booleans()):
            tokens = ["=".join(tokens)]
        own.extend(tokens)
        return tokens

    def unknown_option() -> list[str]:
        unknown.append(f"--not-of-uv-{draw(st.integers(0, 9))}")
        return unknown[-1:]

    flags = [option for option in own_options if not option.values]
    leading: list[str] = []
    for _ in range(draw(st.integers(0, 2))):
        of_uv = st.sampled_from([row for row in rows if row.is_global])
        leading += own_option(flags) if draw(st.booleans()) else option(draw(of_uv))
    rest: list[str] = []
    for kind in draw(st.lists(st.sampled_from(["uv", "own", "unknown", "positional"]))):
        if kind == "uv":
            rest += option(draw(st.sampled_from(rows)))
        elif kind == "own":
            rest += own_option(own_options)
        elif kind == "unknown":
            rest += unknown_option()
        else:
            positionals.append(draw(VALUE))
            rest.append(positionals[-1])
    return Call(word, (*leading, word, *rest), tuple(own), tuple(positionals), tuple(unknown))


@given(calls())
def test_uv_gets_every_token_but_the_word_and_the_options_of_uvmagic(call: Call) -> None:
    command = parse(call.tokens)
    for_uv = Counter(call.tokens) - Counter(call.own) - Counter([call.word])
    assert Counter(command.argv) == for_uv
    assert command.word == call.word
    assert command.is_owned


@given(calls())
def test_positionals_and_unknown_options_are_known_in_their_order(call: Call) -> None:
    command = parse(call.tokens)
    assert command.positionals == call.positionals
    assert command.unknown == call.unknown


@given(calls())
def test_an_option_of_uvmagic_counts_wherever_it_stands(call: Call) -> None:
    command = parse(call.tokens)
    long_names = {name: o.name for o in (*WORDS[call.word].options, *COMMON) for name in o.names}
    named = (token.partition("=")[0] for token in call.own)
    own = {long_names[name] for name in named if name in long_names}
    assert own == command.options.keys() & set(long_names.values())
    assert command.wants_help == ("--help" in own)


@pytest.mark.parametrize(
    ("line", "positionals", "argv"),
    [
        ("add pandas --dev", ("pandas",), ("pandas", "--dev")),
        ("add --dev pandas", ("pandas",), ("--dev", "pandas")),
        ("add --group docs mkdocs", ("mkdocs",), ("--group", "docs", "mkdocs")),
        ("add --group=docs mkdocs", ("mkdocs",), ("--group=docs", "mkdocs")),
        ("add pandas --dry-run --json", ("pandas",), ("pandas",)),
        ("add -m 'a == \"b\"' x", ("x",), ("-m", 'a == "b"', "x")),
        ("add -- -strange", ("-strange",), ("--", "-strange")),
        ("add -- --json", ("--json",), ("--", "--json")),
        ("add -", ("-",), ("-",)),
        ("--directory sub add pandas", ("pandas",), ("pandas", "--directory", "sub")),
        ("remove pandas numpy", ("pandas", "numpy"), ("pandas", "numpy")),
    ],
)
def test_a_call_over_uv_is_split_into_its_parts(
    line: str, positionals: tuple[str, ...], argv: tuple[str, ...]
) -> None:
    command = of(line)
    assert command.positionals == positionals
    assert Counter(command.argv) == Counter(argv)


@pytest.mark.parametrize("option", ["--offline", "--json", "--dry-run"])
def test_an_option_before_the_word_stays_one_when_the_call_ends_its_options(option: str) -> None:
    command = parse([option, "add", "--", "pandas"])
    assert command.positionals == ("pandas",)
    assert command.has(option)


def test_an_option_before_the_word_is_not_the_value_of_one_at_the_end() -> None:
    with pytest.raises(UsageError, match="--group needs a value"):
        of("--offline add pandas --group")


def test_an_option_that_is_repeated_keeps_all_its_values_and_the_last_counts() -> None:
    command = of("add x --extra a --extra=b --group docs --group dev")
    assert command.options["--extra"] == ("a", "b")
    assert command.value("--group") == "dev"
    assert command.value("--optional") is None


def test_a_short_spelling_is_known_by_the_long_one() -> None:
    command = of("sync -p 3.12 -U")
    assert command.value("--python") == "3.12"
    assert command.has("--upgrade")
    assert command.argv == ("-p", "3.12", "-U")


def test_an_option_that_no_table_has_goes_to_uv_and_is_told_apart() -> None:
    command = of("add pandas --brand-new=x --other y")
    assert command.unknown == ("--brand-new", "--other")
    assert command.argv == ("pandas", "--brand-new=x", "--other", "y")


@pytest.mark.parametrize("line", ["add x --json=yes", "add x --dry-run=false", "bundle --json=1"])
def test_a_flag_of_uvmagic_that_is_given_a_value_is_a_usage_error(line: str) -> None:
    with pytest.raises(UsageError):
        of(line)


# --- words that uvmagic does not own ------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "run python -c 'print(1)' --json",
        "pip list --format json --help",
        "--offline tree",
        "--version",
        "help pip",
        "nosuchword --dry-run",
        "add --script analysis.py pandas",
        "remove pandas --script=analysis.py",
        "init --script analysis.py",
    ],
)
def test_what_uvmagic_does_not_own_reaches_uv_as_it_was_written(line: str) -> None:
    command = of(line)
    assert not command.is_owned
    assert command.argv == tuple(tokenise(line))


@given(st.text(min_size=1), st.lists(st.text()))
def test_a_word_that_uvmagic_does_not_know_passes_whole(word: str, rest: list[str]) -> None:
    known = {*WORDS, "help"}
    name = word if word not in known and not word.startswith("-") else f"x{word}"
    command = parse([name, *rest])
    assert command.word == name
    assert command.argv == (name, *rest)
    assert not command.wants_help


# --- uvmagic's own words ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("bundle --inclde x", "Did you mean --include?"),
        ("rerun b --paramter a 1", "Did you mean --parameter?"),
        ("kernel install --displayname x", "Did you mean --display-name?"),
        ("demo --zzzzzz", "See %uv demo --help"),
    ],
)
def test_an_own_word_refuses_an_unknown_option_and_says_what_was_near(line: str, hint: str) -> None:
    with pytest.raises(UsageError, match="has no option") as caught:
        of(line)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "line",
    [
        "bundle --output",
        "bundle -o",
        "rerun b -p alpha",
        "rerun b --parameter=alpha",
        "add x --group",
    ],
)
def test_a_value_that_is_missing_is_a_usage_error(line: str) -> None:
    with pytest.raises(UsageError, match="needs a value"):
        of(line)


def test_a_parameter_takes_a_name_and_a_value_that_may_be_negative() -> None:
    command = of("rerun b -p alpha -0.1 -p beta --x -o out.ipynb")
    assert command.options["--parameter"] == ("alpha", "-0.1", "beta", "--x")
    assert command.value("--output") == "out.ipynb"
    assert command.positionals == ("b",)


@pytest.mark.parametrize("action", ["install", "list", "remove"])
def test_a_kernel_action_is_taken(action: str) -> None:
    assert of(f"kernel {action}").positionals == (action,)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("kernel instal", "Did you mean install?"),
        ("kernel", "See %uv kernel --help"),
        ("kernel --json", "See %uv kernel --help"),
    ],
)
def test_another_kernel_action_is_a_usage_error(line: str, hint: str) -> None:
    with pytest.raises(
        UsageError, match="kernel takes use, restart, install, list, remove"
    ) as caught:
        of(line)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("", ""),
        ("-h", ""),
        ("--help", ""),
        ("help", ""),
        ("help add", "add"),
        ("help kernel", "kernel"),
        ("add --help", "add"),
        ("add pandas -h", "add"),
        ("--help add", "add"),
        ("kernel --help", "kernel"),
        ("bundle -h", "bundle"),
    ],
)
def test_help_is_asked_for_in_every_usual_way(line: str, word: str) -> None:
    command = of(line)
    assert command.wants_help
    assert command.word == word


@pytest.mark.parametrize("line", ["run x --help", "pip --help", "help pip", "add -- --help"])
def test_help_of_another_program_is_not_ours_to_give(line: str) -> None:
    assert not of(line).wants_help


@given(
    st.lists(
        st.sampled_from([*WORDS, "help", "--", "-", "-p", "--json", "--group", "-o", "install"])
        | st.text()
    )
)
def test_any_tokens_are_parsed_or_are_a_usage_error(tokens: list[str]) -> None:
    with contextlib.suppress(UsageError):
        command = parse(tokens)
        assert command.word == "" or command.word in tokens


@pytest.mark.parametrize("name", OVER_UV)
def test_an_option_of_uvmagic_hides_none_of_uv_but_for_the_same_purpose(name: str) -> None:
    of_uv = {spelling for row in uv.options() if name in row.words for spelling in row.names}
    own = {spelling for option in (*WORDS[name].options, *COMMON) for spelling in option.names}
    assert own & of_uv <= {"--dry-run", "-q", "--quiet", "-h", "--help"}
