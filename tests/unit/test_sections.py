"""A TOML text edited section by section: what is not meant stays as it is."""
# ruff: noqa: E501  texts that are read as they stand

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.sections import Sections

PIECES = [
    "# a word on top\n\n",
    '[project]\nname = "p"  # the name\ndependencies = [\n    "a",  # [not.a.header]\n    "b[c]",\n]\n\n',
    "# on ruff\n[tool.ruff]\nlint = { select = ['E'] }\nmatrix = [\n[1, 2],\n[3],\n]\n",
    '[tool.other]\ntext = """\n[tool.fake]\n\\"""\n"""\nraw = \'\'\'\n[[tool.uv.fake]]\n\'\'\'\n\n\n',
    '[tool."quoted.name"]\nx = "a \\" [b"\n',
    '[dependency-groups]\ndev = ["x"] # [y\n\n',
]
"""What a pyproject.toml may hold beside what uvmagic edits."""

INLINE = tomlkit.parse('x = [{ index = "b" }]')["x"]

UV = [
    "",
    '[tool.uv]\nmanaged = true # yes\n\n[[tool.uv.index]]\nname = "a"\nurl = "u"\n\n[tool.uv.sources]\nx = { index = "a" }\n',
    '[tool.uv]\nindex = [{ name = "a", url = "u" }]\nsources = { x = { index = "a" } }\n',
    '[tool.uv.sources]\nx = { index = "a" }\n\n# the mirror\n[[tool.uv.index]]\nname = "a"\nurl = "u"\n',
    '[[tool . uv . index]]\nname = "a"\nurl = "u"\n[tool.uv.sources.x]\nindex = "a"\n',
    '[tool]\nuv = { index = [{ name = "a", url = "u" }], sources = { x = { index = "a" } } }\n',
]
"""The ways to write what uvmagic edits."""


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A pyproject.toml whose parts stand in any order, tables of one parent apart."""
    uv = draw(st.sampled_from(UV))
    pieces = [*draw(st.lists(st.sampled_from(PIECES[1:]), unique=True)), uv]
    is_first = uv.startswith("[tool]")  # its dotted keys must come before its tables
    pieces = [uv, *pieces[:-1]] if is_first else draw(st.permutations(pieces))
    text = draw(st.sampled_from(["", PIECES[0]])) + "".join(pieces)
    return text if draw(st.booleans()) else text.rstrip("\n")


def parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def comments(text: str) -> list[str]:
    return sorted(
        word
        for word in ("# a word", "# the name", "# on ruff", "# yes", "# the mirror")
        if word in text
    )


@given(texts())
def test_what_is_not_edited_comes_back_byte_for_byte(text: str) -> None:
    assert Sections(text).text() == text


@given(texts())
def test_reading_changes_nothing(text: str) -> None:
    document = Sections(text)
    for entry in document.entries("tool", "uv", "index"):
        assert entry["name"] == "a"
    assert document.has("tool", "uv", "sources") == ("uv" in parsed(text).get("tool", {}))
    assert parsed(document.text()) == parsed(text)
    assert comments(document.text()) == comments(text)


@given(texts())
def test_a_value_is_set_and_all_else_stays(text: str) -> None:
    document = Sections(text)
    document.table("tool", "uv")["required-environments"] = ["x"]
    document.set(("tool", "uv", "sources", "torch"), INLINE)
    expected = parsed(text)
    uv = expected.setdefault("tool", {}).setdefault("uv", {})
    uv["required-environments"] = ["x"]
    uv.setdefault("sources", {})["torch"] = [{"index": "b"}]
    assert parsed(document.text()) == expected
    assert comments(document.text()) == comments(text)


@given(texts())
def test_an_index_is_appended_and_all_else_stays(text: str) -> None:
    document = Sections(text)
    document.append(("tool", "uv", "index"), {"name": "b", "explicit": True})
    expected = parsed(text)
    uv = expected.setdefault("tool", {}).setdefault("uv", {})
    uv.setdefault("index", []).append({"name": "b", "explicit": True})
    assert parsed(document.text()) == expected
    assert comments(document.text()) == comments(text)


@given(texts())
def test_what_was_added_is_taken_away_without_a_trace_in_what_it_says(text: str) -> None:
    document = Sections(text)
    position = len(document.entries("tool", "uv", "index"))
    document.append(("tool", "uv", "index"), {"name": "b"})
    document.set(("tool", "uv", "sources", "torch"), INLINE)
    document = Sections(document.text())
    document.remove(("tool", "uv", "index"), position)
    document.drop("tool", "uv", "sources", "torch")
    document.tidy("tool", "uv", "sources")
    document.tidy("tool", "uv")
    left = parsed(document.text())
    assert left.get("tool", {}).get("uv", {}) == parsed(text).get("tool", {}).get("uv", {})
    assert {k: v for k, v in left.items() if k != "tool"} == {
        k: v for k, v in parsed(text).items() if k != "tool"
    }


@given(texts())
def test_untouched_lines_stay_in_their_order(text: str) -> None:
    document = Sections(text)
    document.append(("tool", "uv", "index"), {"name": "b"})
    document.set(("tool", "uv", "sources", "torch"), INLINE)
    after = iter(document.text().splitlines())
    kept = [line for line in text.splitlines() if "index" not in line and "sources" not in line]
    assert all(line in after for line in kept if line)


def test_a_new_table_stands_beside_its_family() -> None:
    document = Sections("[project]\nname = 'p'\n\n[tool.ruff]\nx = 1\n")
    document.table("project", "optional-dependencies")["cpu"] = ["torch"]
    document.table("tool", "uv")["managed"] = True
    assert document.text() == (
        "[project]\nname = 'p'\n\n[project.optional-dependencies]\ncpu = [\"torch\"]\n\n"
        "[tool.ruff]\nx = 1\n\n[tool.uv]\nmanaged = true\n"
    )


def test_a_comment_goes_with_what_it_stands_above() -> None:
    document = Sections("[a]\nx = 1\n\n# on b\n[[b]]\ny = 2\n")
    assert document.comment_above(("b",), 0) == "on b"
    document.table("a")["z"] = 3
    assert document.text() == "[a]\nx = 1\nz = 3\n\n# on b\n[[b]]\ny = 2\n"


def test_an_entry_may_have_a_comment_above_it() -> None:
    document = Sections("")
    document.append(("tool", "uv", "index"), {"name": "b"}, "uvmagic: why\nand how")
    assert document.text() == '# uvmagic: why\n# and how\n[[tool.uv.index]]\nname = "b"\n'
    assert document.comment_above(("tool", "uv", "index"), 0) == "uvmagic: why\nand how"


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "x = 1", "[a]", "[[a]]\n[[a]]\n"])
def test_small_texts_come_back(text: str) -> None:
    assert Sections(text).text() == text
