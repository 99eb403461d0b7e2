"""uv.lock read in parts says what the whole says."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.errors import ProjectInvalid
from uvmagic.lockfile import Lockfile, document
from uvmagic.lockfile.reach import preferring, reached

if TYPE_CHECKING:
    from uvmagic.lockfile.document import Package

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


def edges_of(tables: list[dict[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """Dependencies as `packages` has them, from a parse of the whole."""
    defaults: dict[str, Any] = {"version": None, "source": None, "extra": [], "marker": ""}
    rows = [{**defaults, **table} for table in tables]
    return tuple(
        (row["name"], row["version"], row["source"], tuple(row["extra"]), row["marker"])
        for row in rows
    )


def is_same(package: Package, entry: dict[str, Any]) -> bool:
    """Whether `packages` has read what a parse of the whole says."""
    wheels = [wheel.get("url", wheel.get("filename")) for wheel in entry.get("wheels", [])]
    optional = entry.get("optional-dependencies", {})
    groups = entry.get("dev-dependencies", {})
    return (
        (package.name, package.version) == (entry["name"], entry.get("version"))
        and package.source == entry["source"]
        and package.markers == tuple(entry.get("resolution-markers", []))
        and package.dependencies == edges_of(entry.get("dependencies", []))
        and package.extras == {name: edges_of(listed) for name, listed in optional.items()}
        and package.groups == {name: edges_of(listed) for name, listed in groups.items()}
        and package.has_sdist == ("sdist" in entry)
        and [f"{name}.whl" for name in package.wheel_names()]
        == [wheel.rpartition("/")[2] for wheel in wheels]
    )


def test_a_lock_that_uv_wrote_is_read_without_a_toml_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text, parsed = own_lock()
    lockfile = Lockfile(text)
    monkeypatch.setattr(document, "_package_of", None)  # or a walk would take ten times as long
    monkeypatch.setattr(document, "_dependencies_of", None)
    for name in versions_of(parsed):
        entries = [entry for entry in parsed["package"] if entry["name"] == name]
        found = lockfile.packages(name)
        assert len(found) == len(entries)
        assert all(map(is_same, found, entries))
        assert lockfile.packages(name) is found


@given(locks())
def test_any_layout_is_read_the_same(text: str) -> None:
    packages = tomllib.loads(text).get("package", [])
    for name in {entry["name"] for entry in packages}:
        entries = [entry for entry in packages if entry["name"] == name]
        found = Lockfile(text).packages(name)
        assert len(found) == len(entries)
        assert all(map(is_same, found, entries))


def test_what_stands_before_the_packages_is_read() -> None:
    text, parsed = own_lock()
    preamble = Lockfile(text).preamble
    assert preamble.requires_python == parsed["requires-python"]
    assert preamble.supported == tuple(parsed.get("supported-markers", ()))
    assert (preamble.conflicts, preamble.members, preamble.groups) == ((), (), {})


def test_conflicts_are_told_as_markers_name_them() -> None:
    text = """\
version = 1
requires-python = ">=3.11"
conflicts = [[
    { package = "a-b", extra = "x" },
    { package = "a-b", group = "x" },
    { package = "c" },
]]
"""
    (found,) = Lockfile(text).preamble.conflicts
    assert found == {"extra-3-a-b-x", "group-3-a-b-x", "project-1-c"}


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


def block(name: str, version: str, *edges: str) -> str:
    lines = "".join(f"    {{ {edge} }},\n" for edge in edges)
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
        'source = { registry = "https://a.org" }\n'
        + (f"dependencies = [\n{lines}]\n" if edges else "")
    )


def test_of_versions_that_a_project_does_not_come_to_none_is_preferred() -> None:
    text = "version = 1\n\n" + "\n".join(
        [
            block("alpha", "1.0"),
            block("alpha", "2.0"),
            block("mid", "1.0", 'name = "alpha", version = "1.0"'),
            block("other", "1.0", 'name = "alpha", version = "2.0"'),
            block("above", "1.0", 'name = "other"'),
            block("study", "1.0", 'name = "mid"'),
            block("tool", "1.0", 'name = "mid"'),
        ]
    )
    lockfile = Lockfile(text)
    own = reached(lockfile, "study")
    assert {package.name for package in own} == {"alpha", "mid", "study"}
    left = Lockfile(preferring(lockfile, own)).versions()
    assert left == dict.fromkeys(["alpha", "mid", "study", "tool"], ("1.0",))
    assert preferring(lockfile, {}) == text


def test_versions_are_read_without_packaging() -> None:
    code = "import sys, uvmagic.lockfile; sys.exit('packaging' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
