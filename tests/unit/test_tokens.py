"""Text → tokens and back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.errors import UsageError
from uvmagic.grammar import (
    expand,
    quote,
    tokenise,
    tokenise_requirements,
    without_semicolon,
)

AWKWARD = st.sampled_from(list("'\"\\# \t\n\r\u00a0\u2028{}=é漢🐍")) | st.characters()
TOKENS = st.lists(st.text(AWKWARD))
PLAIN = st.text(st.characters(exclude_characters="'\"#"))


@given(TOKENS)
def test_what_was_quoted_is_tokenised_to_the_same_tokens(tokens: list[str]) -> None:
    assert tokenise(quote(tokens)) == tokens


@given(PLAIN)
def test_without_quotes_and_comments_a_line_is_split_at_white_space_alone(line: str) -> None:
    assert tokenise(line) == line.split()


@given(st.text(AWKWARD))
def test_any_line_is_tokenised_or_is_a_usage_error(line: str) -> None:
    with contextlib.suppress(UsageError):
        tokens = tokenise(line)
        assert tokenise(quote(tokens)) == tokens


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("", []),
        ("   ", []),
        ("add pandas", ["add", "pandas"]),
        (r"add C:\data\lib", ["add", r"C:\data\lib"]),
        (r'add "C:\my data\lib"', ["add", r"C:\my data\lib"]),
        (r"add \"x", None),
        (
            "add 'pandas>=2; python_version < \"3.13\"'",
            ["add", 'pandas>=2; python_version < "3.13"'],
        ),
        ("add \"pandas; python_version < '3.13'\"", ["add", "pandas; python_version < '3.13'"]),
        ("add pandas[excel,plot]>=2", ["add", "pandas[excel,plot]>=2"]),
        ("add pandas # for the table", ["add", "pandas"]),
        ("add pandas #'", ["add", "pandas"]),
        ("# nothing at all", []),
        ("add git+https://x/y#subdirectory=z", ["add", "git+https://x/y#subdirectory=z"]),
        ("add pandas#tight", ["add", "pandas#tight"]),
        ("add '#not a comment'", ["add", "#not a comment"]),
        ("add # first\npandas # second", ["add", "pandas"]),
        ("--name='my project'", ["--name=my project"]),
        ("'' \"\"", ["", ""]),
        ("a''b", ["ab"]),
        ("l'été", None),
        ("numpy\u00a0scipy", ["numpy", "scipy"]),
        ("größe 漢字", ["größe", "漢字"]),
    ],
)
def test_a_line_is_split_as_a_reader_expects(line: str, tokens: list[str] | None) -> None:
    if tokens is None:
        with pytest.raises(UsageError):
            tokenise(line)
    else:
        assert tokenise(line) == tokens


# --- the semicolon that silences ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("add pandas;", "add pandas"),
        ("add pandas ; ", "add pandas  "),
        ("add pandas;  # a comment;", "add pandas  # a comment;"),
        ("add 'six; python_version < \"3.12\"';", "add 'six; python_version < \"3.12\"'"),
        (";", ""),
        ("add pandas;;", "add pandas"),
    ],
)
def test_a_semicolon_at_the_end_is_taken_off(line: str, kept: str) -> None:
    assert without_semicolon(line) == (kept, True)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "add pandas",
        "add 'six; python_version < \"3.12\"'",
        "add 'six;'",
        'add "six;" ',
        "add six;x",
        "add pandas  # a comment;",
        "add 'six;",
        "run python -c 'print(1);'",
    ],
)
def test_any_other_is_left(line: str) -> None:
    assert without_semicolon(line) == (line, False)


@given(st.text(AWKWARD | st.just(";")))
def test_without_its_semicolon_a_line_has_the_same_tokens(line: str) -> None:
    kept, was_there = without_semicolon(line)
    with contextlib.suppress(UsageError):
        tokens = tokenise(line)
        if was_there:
            tokens[-1] = tokens[-1].rstrip(";")
        assert tokenise(kept) == [t for t in tokens if t or not was_there or t is not tokens[-1]]


@pytest.mark.parametrize("mark", ["'", '"'])
def test_a_quote_that_is_not_closed_is_a_usage_error_that_names_it(mark: str) -> None:
    with pytest.raises(UsageError) as caught:
        tokenise(f"add {mark}numpy>=2")
    assert f"The quote {mark} in  add {mark}numpy>=2  is not closed." in caught.value.message
    assert caught.value.hint == f"Close it with another {mark}."


@given(TOKENS, st.text(AWKWARD))
def test_a_value_keeps_its_token_one_token_whatever_is_in_it(tokens: list[str], value: str) -> None:
    plain = [token.replace("{", "").replace("}", "") for token in tokens]
    expanded = expand([f"{token}{{name}}" for token in plain], {"name": value}.__getitem__)
    assert expanded == [f"{token}{value}" for token in plain]


@pytest.mark.parametrize(
    ("token", "expanded"),
    [
        ("{missing}", "{missing}"),
        ("{n}", "3"),
        ("{a}{a}", "{n}{n}"),  # a value is not looked into again
        ("numpy=={n}.*", "numpy==3.*"),
        ("{grüße}", "hello"),
        ("{}", "{}"),
        ("{0}", "{0}"),
        ("{n!r}", "{n!r}"),
        ("{n:02}", "{n:02}"),
        ("{ n }", "{ n }"),
        ("{n", "{n"),
        ("{{n}}", "{3}"),
    ],
)
def test_only_the_name_of_a_variable_in_braces_is_replaced(token: str, expanded: str) -> None:
    values = {"n": 3, "a": "{n}", "grüße": "hello"}
    assert expand([token], values.__getitem__) == [expanded]


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ("pandas\nnumpy>=2\n", ["pandas", "numpy>=2"]),
        ("\n\n  pandas  \n\n", ["pandas"]),
        ("pandas\r\nnumpy\r\n", ["pandas", "numpy"]),
        ("# all of it\npandas  # the table\n", ["pandas"]),
        ("pandas>=2, <3 ; python_version < '3.13'", ["pandas>=2, <3 ; python_version < '3.13'"]),
        ("lib @ git+https://x/y#subdirectory=z", ["lib @ git+https://x/y#subdirectory=z"]),
        ("--dev\npytest", ["--dev", "pytest"]),
        ("-r 'my requirements.txt'  # theirs", ["-r", "my requirements.txt"]),
        ("--index https://x/simple --offline", ["--index", "https://x/simple", "--offline"]),
        ("", []),
    ],
)
def test_a_cell_lists_one_requirement_a_line(body: str, tokens: list[str]) -> None:
    assert tokenise_requirements(body) == tokens


@given(st.lists(st.text(st.characters(exclude_characters="#"))))
def test_a_line_of_a_cell_is_one_requirement_whatever_spaces_and_quotes_it_has(
    lines: list[str],
) -> None:
    body = "\n".join(f" x{line}" for line in lines)
    wanted = [part.strip() for part in body.splitlines() if part.strip()]
    kept = [part for part in wanted if not part.startswith("-")]
    assert [t for t in tokenise_requirements(body) if t in kept] == kept
