"""uv.lock read in parts says what the whole says."""

from __future__ import annotations

import contextlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.errors import ProjectInvalid
from uvmagic.lockfile import Lockfile

OWN_LOCK = Path(__file__).parents[2] / "uv.lock"
"""The lock of this very project: a few hundred packages, as uv wrote it."""

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,4}(-[a-z0-9]{1,3})?", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}(\.post1|rc1|\+cu12)?", fullmatch=True)


@cache
def own_lock() -> tuple[str, dict[str, Any]]:
    text = OWN_LOCK.read_text(encoding="utf-8")
    return text, tomllib.loads(text)


def versions_of(parsed: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """What `versions` says, from a parse of the whole."""
    found: dict[str, list[str]] = {}
    for entry in parsed.get("package", []):
        found.setdefault(entry["name"], []).extend([entry["version"]] if "version" in entry else [])
    return {name: tuple(sorted(known)) for name, known in found.items()}


@st.composite
def locks(draw: st.DrawFn) -> str:
    """A lock laid out as uv lays it out."""
    blocks = ['version = 1\nrevision = 3\nrequires-python = ">=3.11"\n']
    if draw(st.booleans()):
        blocks.append('[manifest]\nmembers = [\n    "one",\n    "two",\n]\n')
    for name in draw(st.lists(NAMES)):
        version = draw(st.none() | VERSIONS)
        lines = ["[[package]]", f'name = "{name}"']
        lines += [f'version = "{version}"'] if version else []
        source = ['{ registry = "https://index.invalid/simple" }', '{ editable = "." }']
        lines.append(f"source = {draw(st.sampled_from(source))}")
        if draw(st.booleans()):
            lines += [
                "dependencies = [",
                '    { name = "other", marker = "os_name == \'nt\'" },',
                "]",
            ]
        if draw(st.booleans()):
            lines += ["", "[package.optional-dependencies]", 'more = [{ name = "other" }]']
        if draw(st.booleans()):
            lines += ["", "[package.metadata]", 'requires-dist = [{ name = "other" }]']
            lines += ["", "[package.metadata.requires-dev]", "dev = []"]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def test_the_versions_of_a_real_lock_are_what_a_toml_parser_reads() -> None:
    text, parsed = own_lock()
    found = Lockfile(text).versions()
    assert len(found) > 50
    assert found == versions_of(parsed)


def test_the_packages_of_a_real_lock_are_what_a_toml_parser_reads() -> None:
    text, parsed = own_lock()
    lockfile = Lockfile(text)
    for name in versions_of(parsed):
        entries = [entry for entry in parsed["package"] if entry["name"] == name]
        assert lockfile.package(name) == entries


@given(locks())
def test_the_versions_of_any_lock_are_what_a_toml_parser_reads(text: str) -> None:
    assert Lockfile(text).versions() == versions_of(tomllib.loads(text))


@given(locks())
def test_the_names_come_in_order_and_the_versions_too(text: str) -> None:
    found = Lockfile(text).versions()
    assert list(found) == sorted(found)
    assert all(list(known) == sorted(known) for known in found.values())


@given(locks())
def test_the_packages_of_any_lock_are_what_a_toml_parser_reads(text: str) -> None:
    packages = tomllib.loads(text).get("package", [])
    for name in {entry["name"] for entry in packages}:
        entries = [entry for entry in packages if entry["name"] == name]
        assert Lockfile(text).package(name) == entries


@given(locks())
def test_line_endings_make_no_difference(text: str) -> None:
    assert Lockfile(text.replace("\n", "\r\n")).versions() == Lockfile(text).versions()


def test_a_package_is_found_by_any_spelling_of_its_name() -> None:
    lockfile = Lockfile('[[package]]\nname = "ruamel-yaml"\nversion = "1.0"\n')
    assert lockfile.package("Ruamel.YAML") == [{"name": "ruamel-yaml", "version": "1.0"}]
    assert lockfile.package("other") == []


@given(
    st.text() | st.lists(st.sampled_from(["[[package]]\n", 'name = "a"\n', "x", "\n"])).map("".join)
)
def test_rubbish_has_no_versions_but_raises_nothing(text: str) -> None:
    with contextlib.suppress(ProjectInvalid):
        Lockfile(text).package("a")
    assert set(Lockfile(text).versions()) <= {"a"}


def test_a_broken_package_is_an_error_for_who_asks_for_it_alone() -> None:
    good, broken = '[[package]]\nname = "good"\n', '[[package]]\nname = "broken"\nsource = {\n'
    lockfile = Lockfile(good + broken)
    assert lockfile.package("good") == [{"name": "good"}]
    with pytest.raises(ProjectInvalid, match=r"uv\.lock cannot be read"):
        lockfile.package("broken")


def test_what_merely_looks_like_a_package_inside_a_value_is_none() -> None:
    text = '[[package]]\nname = "a"\nversion = "1"\nmarker = "[[package]]"\n'
    assert Lockfile(text).versions() == {"a": ("1",)}
