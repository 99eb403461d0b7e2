"""Where in a cell a cursor stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.grammar.cursor import Place, call_at


def at(marked: str) -> Place | None:
    """The call at the `|` of a cell."""
    before, _, after = marked.partition("|")
    return call_at(before + after, len(before))


@pytest.mark.parametrize(
    ("marked", "left", "right"),
    [
        ("%uv |", " ", ""),
        ("%uv add| torch", " add", " torch"),
        ("  %uvmagic sync |", " sync ", ""),
        ("%%uv add --d|", " add --d", ""),
        ("done = %uv add n|", " add n", ""),
        ("a, b[0] = %uv st|", " st", ""),
        ("import os\n%uv add n|\nos.getcwd()", " add n", ""),
        ("%%time\n%uv add n|", " add n", ""),
        ("%uv add a \\\n  --cu| \\\n  b", " add a     --cu", "     b"),
    ],
)
def test_a_cursor_is_in_the_call_of_its_line(marked: str, left: str, right: str) -> None:
    place = at(marked)
    assert place is not None
    assert (place.text[: place.cursor], place.text[place.cursor :]) == (left, right)


@pytest.mark.parametrize(
    ("marked", "given_before", "text"),
    [
        ("%%uv add\nnum|py", ("add",), "numpy"),
        (
            "%%uv add --dev --group 'my docs'\na\n--c|",
            ("add", "--dev", "--group", "my docs"),
            "--c",
        ),
        ("%%uv add # these\n|", ("add",), ""),
    ],
)
def test_below_uv_add_the_first_line_stands_before(
    marked: str, given_before: tuple[str, ...], text: str
) -> None:
    place = at(marked)
    assert place is not None
    assert (place.given, place.text) == (given_before, text)


@pytest.mark.parametrize("marked", ["%u|v add numpy", "|%uv", "x |= %uv add"])
def test_a_cursor_before_a_call_is_in_it_but_not_in_its_text(marked: str) -> None:
    place = at(marked)
    assert place is not None
    assert place.cursor < 0


@pytest.mark.parametrize(
    "marked",
    [
        "",
        "|",
        "uv add |",
        "!uv add |",
        "%uvx |",
        "%uv_add |",
        "# %uv add |",
        "print('%uv add |')",
        "if x == %uv add |",
        "x % uv |",
        "%uv add numpy\nimport |",
        "%%uv run\nimport |",
        "%%uv\nadd |",
        "%%bash\nuv add |",
    ],
)
def test_elsewhere_a_cursor_is_in_no_call(marked: str) -> None:
    assert at(marked) is None


@given(st.text(st.sampled_from("%uv ad=\\\n#'x")), st.integers(0, 30))
def test_in_any_cell_a_cursor_is_in_a_call_or_in_none(cell: str, cursor: int) -> None:
    cursor = min(cursor, len(cell))
    place = call_at(cell, cursor)
    if place is not None and place.cursor >= 0:
        left = place.text[: place.cursor]
        assert cell[:cursor].replace("\\\n", "  ").endswith(left)
        assert place.tokens() is not None
