"""The tables of facts: where each is from, and that it is in order."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

import uvmagic.data
from uvmagic import data
from uvmagic.grammar import WORDS

FOLDER = Path(uvmagic.data.__file__).parent
TABLES = sorted(file.stem for file in FOLDER.glob("*.json"))


def table(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    lists = [value for value in content.values() if isinstance(value, list)]
    return [row for listed in lists for row in listed if isinstance(row, dict)]


def test_these_are_the_tables() -> None:
    assert TABLES == ["images", "uv", "uv_options"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_when_it_was_made(name: str) -> None:
    assert datetime.date.fromisoformat(table(name)["date"]).isoformat() == table(name)["date"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_or_each_of_its_rows_says_where_it_is_from(name: str) -> None:
    content = table(name)
    of_all = content.get("source") or content.get("reason")
    of_rows = [row.get("source") for row in rows(content)]
    assert of_all or (of_rows and all(of_rows))


@pytest.mark.parametrize("name", TABLES)
def test_no_key_stands_twice_in_an_object_of_a_table(name: str) -> None:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in found]
        assert len(keys) == len(set(keys)), keys
        return dict(found)

    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert json.loads(text, object_pairs_hook=pairs) == table(name)


# --- uv's options ---------------------------------------------------------------------------------


def test_the_rows_are_in_the_order_in_which_they_are_made() -> None:
    options = table("uv_options")["options"]
    assert options == sorted(options, key=lambda row: (str(row["names"]), str(row["words"])))
    commands = table("uv_options")["commands"]
    assert commands == sorted(set(commands))
    assert all(row["words"] == sorted(set(row["words"])) for row in options)


@pytest.mark.parametrize("word", sorted(name for name, word in WORDS.items() if word.uv))
def test_a_spelling_means_one_option_of_a_word(word: str) -> None:
    spellings = [n for row in data.uv_options() if word in row.words for n in row.names]
    assert spellings
    assert sorted(spellings) == sorted(set(spellings))


def test_every_option_is_spelled_as_one_the_long_spelling_last() -> None:
    for option in data.uv_options():
        *short, long = option.names
        assert long.startswith("--"), option
        assert all(len(name) == 2 and name.startswith("-") for name in short), option
        assert option.help, option
        assert option.value is None or option.value.isupper(), option


def test_the_words_of_the_options_are_those_that_build_on_uv() -> None:
    found = {word for option in data.uv_options() for word in option.words}
    assert found == {word.uv for word in WORDS.values() if word.uv}
    assert found <= data.uv_commands()


def test_a_global_option_is_one_of_every_word_and_means_the_same_before_it() -> None:
    words = {word.uv for word in WORDS.values() if word.uv}
    for name in {name for option in data.uv_options() if option.is_global for name in option.names}:
        found = [option for option in data.uv_options() if name in option.names]
        assert set().union(*(option.words for option in found)) == words, name
        assert len({option.value for option in found}) == 1, name


# --- the others -----------------------------------------------------------------------------------


def test_the_oldest_uv_is_a_version_not_newer_than_the_one_that_the_options_are_of() -> None:
    of_options = table("uv_options")["source"].removeprefix("uv ").partition(",")[0]
    assert Version(data.minimum_uv()) <= Version(of_options)


def test_the_kinds_of_images_are_each_one_and_take_the_two_versions() -> None:
    kinds = [row["kind"] for row in table("images")["images"]]
    assert len(kinds) == len(set(kinds))
    for kind in kinds:
        image = data.base_image(kind)
        assert image.source.startswith("https://")
        assert image.reference.format(uv="1.2.3", python="3.99") != image.reference
        assert "1.2.3" in image.reference.format(uv="1.2.3", python="3.99")
        assert "3.99" in image.reference.format(uv="1.2.3", python="3.99")


def test_a_kind_of_image_that_is_not_in_the_table_is_none() -> None:
    with pytest.raises(KeyError):
        data.base_image("no such kind")


def test_the_quickstart_notebook_is_there() -> None:
    notebook = json.loads(data.quickstart_notebook().read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
