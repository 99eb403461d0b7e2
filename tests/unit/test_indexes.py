"""What `uv add` writes of the environment's index settings is taken back."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.change.indexes import restored, unpinned

HEAD = '[project]\nname = "p"  # mine\ndependencies = ["a"]\n'
MIRROR = "https://index.invalid/simple"


def uv_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("uv", {})
    return found


def test_an_index_of_the_environment_goes_and_what_was_added_stays() -> None:
    after = (
        HEAD.replace('["a"]', '[\n    "a",\n    "b",\n]')
        + f'\n[tool.ruff]\nx = 1 # one\n\n[[tool.uv.index]]\nurl = "{MIRROR}"\ndefault = true\n'
    )
    assert restored(HEAD, after) == (
        '[project]\nname = "p"  # mine\ndependencies = [\n    "a",\n    "b",\n]\n'
        "\n[tool.ruff]\nx = 1 # one\n"
    )


@pytest.mark.parametrize(
    "after",
    [
        # UV_INDEX="near=…" makes a source of what was added
        f'{HEAD}\n[[tool.uv.index]]\nname = "near"\nurl = "{MIRROR}"\n\n'
        '[tool.uv.sources]\na = { index = "near" }\n',
        f'{HEAD}\n[tool.uv.sources]\na = {{ index = "near" }}\n\n'
        f'[[tool.uv.index]]\nname = "near"\nurl = "{MIRROR}"\n',
        f'{HEAD}\n[tool.uv]\nindex = [{{ name = "near", url = "{MIRROR}" }}]\n'
        'sources = { a = { index = "near" } }\n',
    ],
)
def test_nothing_of_it_is_left(after: str) -> None:
    left = restored(HEAD, after)
    assert MIRROR not in left
    assert tomllib.loads(left)["project"] == tomllib.loads(HEAD)["project"]
    assert not any(uv_of(left).values())


def test_an_index_that_was_there_gets_its_place_back() -> None:
    before = (
        f"{HEAD}\n# ours\n[[tool.uv.index]]\n"
        'name = "own"  # as at home\nurl = "https://index.invalid/own"\nexplicit = true\n\n'
        '[tool.uv.sources]\na = { index = "own" } # our a\n'
    )
    assert restored(before, before.replace("invalid/own", "invalid/near")) == before


def test_the_default_index_is_the_same_one_at_another_place() -> None:
    before = f'{HEAD}\n[[tool.uv.index]]\nurl = "https://index.invalid/own"\ndefault = true\n'
    after = before.replace("https://index.invalid/own", MIRROR)
    assert restored(before, after) == before


def test_a_source_that_was_there_stays_whatever_it_names() -> None:
    before = f'{HEAD}\n[tool.uv.sources]\na = {{ index = "near" }}\n'
    after = before + f'\n[[tool.uv.index]]\nname = "near"\nurl = "{MIRROR}"\n'
    assert restored(before, after).rstrip("\n") == before.rstrip("\n")


def test_a_source_that_came_for_another_reason_stays() -> None:
    after = (
        f'{HEAD}\n[[tool.uv.index]]\nname = "near"\nurl = "{MIRROR}"\n\n'
        '[tool.uv.sources]\na = { index = "near" }\nb = { path = "b" }\nd = [{ git = "d" }]\n'
    )
    left = restored(HEAD, after)
    assert uv_of(left) == {"sources": {"b": {"path": "b"}, "d": [{"git": "d"}]}}


def test_a_source_that_was_overwritten_comes_back() -> None:
    """UV_INDEX="near=…" and `uv add a`: a's own source is gone, and its comment (uv 0.13.9)."""
    source = """\
a = [
    { index = "own", marker = "sys_platform == 'linux'" }, # ours
]
"""
    own = '\n[[tool.uv.index]]\nname = "own"\nurl = "https://index.invalid/own"\nexplicit = true\n'
    near = f'\n[[tool.uv.index]]\nname = "near"\nurl = "{MIRROR}"\n'
    other = 'b = { index = "own" }\n'
    sources = "\n[tool.uv.sources]\n"
    before = HEAD + sources + source + other + own
    left = restored(before, f'{HEAD}{sources}{other}a = {{ index = "near" }}\n{near}{own}')
    assert left == HEAD + sources + other + source + own


def test_a_table_that_was_empty_before_stays() -> None:
    before = f"{HEAD}\n[tool.uv]\n\n[tool.uv.sources]\n"
    after = f'{before}a = {{ index = "near" }}\n\n[[tool.uv.index]]\nname = "near"\nurl = "u"\n'
    assert restored(before, after).rstrip("\n") == before.rstrip("\n")


def test_what_uv_drops_and_moves_is_put_back() -> None:
    """UV_INDEX="own=…/1" where …/1 has another name: uv keeps one of the two, and puts it first."""
    one, own, last = (
        '# first\n[[tool.uv.index]]\nname = "one" # the one\nurl = "https://index.invalid/1"\n\n',
        '[tool.ruff]\nx = 1\n\n# second\n[[tool.uv.index]]\nname = "own"\nurl = "u"\n\n',
        '[tool.uv.sources]\nb = { index = "own" }\n',
    )
    moved = '[[tool.uv.index]]\nname = "own" # the one\nurl = "https://index.invalid/1"\n\n'
    before = HEAD + "\n" + one + own + last
    assert restored(before, f"{HEAD}\n# first\n{moved}[tool.ruff]\nx = 1\n\n{last}") == before


# --- laws ---------------------------------------------------------------------------------------

Entry = tuple[str, str]

names = st.sampled_from(["own", "near", "pytorch-cu126", "x"])
urls = st.sampled_from(["https://index.invalid/1", "https://index.invalid/2/", MIRROR])
entries = st.lists(
    st.tuples(names, urls), unique_by=(lambda entry: entry[0], lambda entry: entry[1])
)
others = st.lists(st.sampled_from(["# on ruff\n[tool.ruff]\nx = 1\n", "[tool.y]\n# word\n"]))


def tables(found: list[Entry]) -> list[str]:
    return [
        f'# {name}, ours\n[[tool.uv.index]]\nname = "{name}"\nurl = "{url}"\n'
        for name, url in found
    ]


def as_uv_adds(found: list[Entry], near: Entry) -> list[Entry]:
    """uv puts the index first, in the place of those that have its name or its address."""
    return [near, *(one for one in found if one[0] != near[0] and one[1] != near[1])]


@given(entries, st.data())
def test_what_has_not_changed_comes_back_byte_for_byte(
    found: list[Entry], data: st.DataObject
) -> None:
    text = "\n".join(data.draw(st.permutations([HEAD, *tables(found)])))
    assert restored(text, text) == text


@given(entries, st.tuples(names, urls), st.data())
def test_the_indexes_are_those_of_before_whatever_the_environment_names(
    found: list[Entry], near: Entry, data: st.DataObject
) -> None:
    """Names, addresses, order, comments, and where they stand."""
    rest = data.draw(st.permutations([HEAD, "# on ruff\n[tool.ruff]\nx = 1\n", "[y]\nz = [\n]\n"]))
    places = data.draw(
        st.lists(st.integers(0, 3), min_size=len(found), max_size=len(found)).map(sorted)
    )
    before = list(rest)
    for place, table in reversed(list(zip(places, tables(found), strict=True))):
        before.insert(place, table)
    after = list(rest)
    after[data.draw(st.integers(0, 3)) : 0] = tables(as_uv_adds(found, near))
    assert restored("\n".join(before), "\n".join(after)) == "\n".join(before)


# --- so that uv writes no source ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"UV_INDEX": "near=u"}, {"UV_INDEX": "near=u near=u"}),
        ({"UV_INDEX": "near=u far=v"}, {"UV_INDEX": "near=u far=v"}),
        ({"UV_DEFAULT_INDEX": "near=u"}, {"UV_DEFAULT_INDEX": "u"}),
        ({"UV_DEFAULT_INDEX": MIRROR + "?a=b"}, {"UV_DEFAULT_INDEX": MIRROR + "?a=b"}),
        (
            {"UV_DEFAULT_INDEX": "near=u", "UV_INDEX": "far=v"},
            {"UV_DEFAULT_INDEX": "near=u", "UV_INDEX": "far=v"},
        ),
        ({"UV_INDEX": "", "HOME": "h"}, {"UV_INDEX": "", "HOME": "h"}),
    ],
)
def test_one_index_of_the_environment_is_told_twice_or_without_its_name(
    environ: dict[str, str], expected: dict[str, str]
) -> None:
    assert unpinned(environ) == expected
