"""The tables of facts: each with its source and date, nothing twice."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from uvmagic import data
from uvmagic.grammar import WORDS

TABLES = sorted(Path(data.__file__).parent.glob("*.json"))


def content(file: Path) -> Any:
    return json.loads(file.read_text())


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_a_table_has_its_date_and_its_source(file: Path) -> None:
    table = content(file)
    assert datetime.date.fromisoformat(table["date"]) >= datetime.date(2026, 1, 1)
    rows = next((value for value in table.values() if isinstance(value, list)), [])
    told = table.get("source") or table.get("reason") or all(row["source"] for row in rows)
    assert told


def test_the_options_of_uv_are_sorted_and_unique_for_each_word() -> None:
    rows = content(next(file for file in TABLES if file.name == "uv_options.json"))["options"]
    keys = [(str(row["names"]), str(row["words"])) for row in rows]
    assert keys == sorted(keys)
    spelled = Counter(
        (word, name)
        for option in data.uv_options()
        for word in option.words
        for name in option.names
    )
    assert [twice for twice, count in spelled.items() if count > 1] == []


@pytest.mark.parametrize("word", ["add", "init", "lock", "remove", "sync"])
def test_every_word_over_uv_has_its_options(word: str) -> None:
    names = {name for option in data.uv_options() if word in option.words for name in option.names}
    assert {"--offline", "--project", "--quiet"} <= names
    assert word in data.uv_commands()


def test_the_oldest_uv_is_a_version() -> None:
    assert Version(data.minimum_uv()) >= Version("0.9")


def test_a_base_image_names_its_versions() -> None:
    image = data.base_image("uv").reference.format(uv="1.2.3", python="3.12")
    assert "1.2.3-python3.12" in image
    with pytest.raises(KeyError):
        data.base_image("no such kind")


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_no_key_stands_twice_in_an_object_of_a_table(file: Path) -> None:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        assert [key for key, count in Counter(key for key, _ in found).items() if count > 1] == []
        return dict(found)

    assert json.loads(file.read_text(), object_pairs_hook=pairs) == content(file)


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


def test_an_option_that_goes_before_the_word_is_one_of_every_word_and_takes_the_same() -> None:
    words = {word.uv for word in WORDS.values() if word.uv}
    for name in {name for option in data.uv_options() if option.is_global for name in option.names}:
        found = [option for option in data.uv_options() if name in option.names]
        assert {word for option in found for word in option.words} == words, name
        assert len({option.value for option in found}) == 1, name


def test_the_oldest_uv_is_not_newer_than_the_one_that_the_options_are_of() -> None:
    table = content(next(file for file in TABLES if file.name == "uv_options.json"))
    of_options = table["source"].removeprefix("uv ").partition(",")[0]
    assert Version(data.minimum_uv()) <= Version(of_options)


def test_the_quickstart_notebook_is_there() -> None:
    assert json.loads(data.quickstart_notebook().read_text())["nbformat"] == 4
