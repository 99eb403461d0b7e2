"""Markers put together and taken apart hold where their parts say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.errors import ProjectInvalid
from uvmagic.lockfile.markers import EVERYWHERE, Marker
from uvmagic.lockfile.target import Target

TARGETS = [
    Target(platform, python)
    for platform in ("x86_64-manylinux_2_28", "x86_64-pc-windows-msvc", "aarch64-apple-darwin")
    for python in ("3.11.4", "3.13.0")
]
EXTRAS = st.sets(st.sampled_from(["a", "b"]))
TEXTS = st.recursive(
    st.sampled_from(
        [
            "sys_platform == 'linux'",
            "sys_platform != 'win32'",
            "python_full_version < '3.12'",
            "platform_machine == 'x86_64'",
            "'nux' in sys_platform",
            "extra == 'a'",
            "extra == 'b'",
            "extra != 'a'",
        ]
    ),
    lambda parts: st.tuples(parts, st.sampled_from(["and", "or"]), parts).map(
        lambda three: f"({three[0]}) {three[1]} ({three[2]})"
    ),
    max_leaves=6,
)


def holds(marker: Marker, target: Target, extras: set[str]) -> bool:
    return bool(marker) and target.fulfils(str(marker), extras)


@given(TEXTS, TEXTS, EXTRAS, st.sampled_from(TARGETS))
def test_a_marker_holds_where_its_text_and_its_parts_do(
    one: str, other: str, extras: set[str], target: Target
) -> None:
    marker, another = Marker.of(one), Marker.of(other)
    first, second = target.fulfils(one, extras), target.fulfils(other, extras)
    assert holds(marker, target, extras) == first
    assert holds(marker & another, target, extras) == (first and second)
    assert holds(marker | another, target, extras) == (first or second)
    assert holds(marker.given(extras), target, set()) == first
    if marker.covers(another):
        assert first or not second


@given(TEXTS, EXTRAS)
def test_with_its_extras_given_a_marker_asks_for_none(text: str, extras: set[str]) -> None:
    left = Marker.of(text).given(extras)
    assert "extra" not in str(left)


@given(TEXTS, TEXTS)
def test_equal_markers_have_one_text_and_it_is_read_as_it_was(one: str, other: str) -> None:
    both = Marker.of(one) & Marker.of(other)
    assert str(both) == str(Marker.of(other) & Marker.of(one))
    if both:
        assert Marker.of(str(both)) == both


def test_everywhere_and_nowhere_are_the_ends() -> None:
    linux = Marker.of("sys_platform == 'linux'")
    assert Marker.of("") == EVERYWHERE == linux | EVERYWHERE
    assert str(EVERYWHERE) == ""
    assert linux & EVERYWHERE == linux == linux | Marker.nowhere()
    assert not linux & Marker.nowhere()
    assert EVERYWHERE.covers(linux)
    assert not linux.covers(EVERYWHERE)


def test_a_text_in_a_marker_stays_as_it_is() -> None:
    text = r"platform_version == 'a\b ü'"
    assert str(Marker.of(text)) == text


@pytest.mark.parametrize("text", ["linux", "sys_platform ==", "f('x')", "(" * 500, "a == 'b' <"])
def test_what_is_no_marker_is_told(text: str) -> None:
    with pytest.raises(ProjectInvalid, match="a marker that is none"):
        Marker.of(text)
