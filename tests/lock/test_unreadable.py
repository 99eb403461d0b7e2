"""A lock that uv did not write, or that somebody has spoiled, is an error in one sentence."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lock.plan import PLATFORMS

from uvmagic.errors import ProjectInvalid, UsageError
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import Closure, walk

GOOD = """\
version = 1
revision = 3
requires-python = ">=3.11"
resolution-markers = [
    "sys_platform == 'linux'",
    "sys_platform != 'linux'",
]
supported-markers = [
    "sys_platform == 'linux'",
    "sys_platform == 'win32'",
]
conflicts = [[
    { package = "project", extra = "cpu" },
    { package = "project", group = "dev" },
]]

[manifest]
members = [
    "other",
    "project",
]

[manifest.dependency-groups]
dev = [{ name = "torch", extras = ["all"], marker = "os_name == 'nt'" }]

[[package]]
name = "project"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "torch", version = "2.0+cpu", source = { registry = "https://index.invalid/cpu" }, \
marker = "sys_platform == 'linux' or extra == 'extra-7-project-cpu'" },
    { name = "torch", version = "2.0", source = { registry = "https://index.invalid/simple" }, \
extra = ["all"], marker = "sys_platform != 'linux'" },
]

[package.optional-dependencies]
cpu = [
    { name = "other" },
]

[package.dev-dependencies]
dev = [
    { name = "other", marker = "extra == 'group-7-project-dev'" },
]

[package.metadata]
requires-dist = [{ name = "torch", specifier = ">=2" }]
provides-extras = ["cpu"]

[[package]]
name = "other"
source = { editable = "other" }

[[package]]
name = "torch"
version = "2.0"
source = { registry = "https://index.invalid/simple" }
resolution-markers = [
    "sys_platform != 'linux'",
]
sdist = { url = "https://index.invalid/torch-2.0.tar.gz", hash = "sha256:00" }

[package.optional-dependencies]
all = [
    { name = "other" },
]

[[package]]
name = "torch"
version = "2.0+cpu"
source = { registry = "https://index.invalid/cpu" }
resolution-markers = [
    "sys_platform == 'linux'",
]
wheels = [
    { url = "https://index.invalid/torch-2.0%2Bcpu-cp312-cp312-linux_x86_64.whl", hash = "md5:0" },
    { url = "https://index.invalid/torch-2.0%2Bcpu-cp312-cp312-win_amd64.whl", hash = "md5:0" },
]
"""
LINUX, WINDOWS = Target(PLATFORMS[0], "3.12"), Target(PLATFORMS[2], "3.12")


def walked(text: str, target: Target = LINUX) -> Closure:
    return walk(Lockfile(text), target, root="project", extras=["cpu"])


def assert_same(one: Closure, other: Closure) -> None:
    assert one == other
    assert one.lacking == other.lacking


def test_the_lock_is_good() -> None:
    packages = walked(GOOD).packages
    assert {name: one.version for name, one in packages.items()} == {
        "torch": "2.0+cpu",
        "other": None,
    }
    assert walked(GOOD, WINDOWS).packages["torch"].version == "2.0"
    assert not walked(GOOD).lacking | walked(GOOD, WINDOWS).lacking


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (GOOD, ""),
        (GOOD, "{}"),
        (GOOD, '[metadata]\nlock-version = "2.0"\n\n[[package]]\nname = "project"\n'),
        ("version = 1\n", "version = 2\n"),
        ("version = 1\n", 'version = "1"\n'),
        ("version = 1\n", "version 1\n"),
        ('requires-python = ">=3.11"\n', ""),
        ('requires-python = ">=3.11"\n', 'requires-python = "new"\n'),
        ("\"sys_platform == 'linux'\",\n    \"sys_platform == 'win32'\"", '"linux"'),
        ('package = "project", extra = "cpu"', 'extra = "cpu"'),
        ('package = "project", extra', "package = 7, extra"),
        ("conflicts = [[", 'conflicts = ["cpu", ['),
        ("members = [\n", "members = 7\nothers = [\n"),
        ('name = "project"\n', ""),
        ('name = "project"\n', 'name = "another"\n'),
        ('source = { virtual = "." }\n', ""),
        ('source = { virtual = "." }\n', 'source = "."\n'),
        ("dependencies = [\n", "dependencies = 7\nothers = [\n"),
        ('{ name = "torch", version = "2.0+cpu"', '{ version = "2.0+cpu"'),
        ('{ name = "torch", version = "2.0+cpu"', '{ name = "absent", version = "2.0+cpu"'),
        ('{ name = "torch", version = "2.0+cpu"', '{ name = "torch", version = "9.0"'),
        ("linux' or extra", "linux' otherwise extra"),
        ("linux' or extra", "linux' and weather"),
        ("extra-7-project-cpu'\" },", "extra-7-project-cpu'\""),
        ('cpu = [\n    { name = "other" },\n]', 'cpu = "other"'),
        ('cpu = [\n    { name = "other" },\n]', 'cpu = ["other"]'),
        ('cpu = [\n    { name = "other" },\n]', 'cpu = [[{ name = "other" }]]'),
    ],
)
def test_what_uv_did_not_write_is_told_so(good: str, bad: str) -> None:
    assert good in GOOD
    with pytest.raises(ProjectInvalid) as raised:
        walked(GOOD.replace(good, bad, 1))
    assert raised.value.message.startswith("uv.lock ")
    assert "\n" not in raised.value.message
    assert raised.value.hint == "Run  %uv lock"


LINES = GOOD.splitlines(keepends=True)
ODD = ['"', "'", "[", "]", "{}", "\n", "=", "\0", "\\", "é", "7", ","]


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    """The lock with lines taken out, doubled or cut, or with something odd in them."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        n = draw(st.integers(0, len(lines) - 1))
        at = draw(st.integers(0, len(lines[n])))
        odd = draw(st.sampled_from(ODD))
        changed = ["", lines[n] * 2, lines[n][:at], lines[n][:at] + odd + lines[n][at:]]
        lines[n] = draw(st.sampled_from(changed))
    return "".join(lines)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoiled(), st.sampled_from([LINUX, WINDOWS]))
def test_a_spoiled_lock_is_walked_or_told_so(text: str, target: Target) -> None:
    with contextlib.suppress(ProjectInvalid, UsageError):
        closure = walked(text, target)
        assert closure.packages.keys() <= closure.reached.keys()
        assert closure.lacking <= closure.packages.keys()
        for name, one in closure.reached.items():
            assert one.requires <= closure.below(name) <= closure.reached.keys()


def test_line_endings_make_no_difference() -> None:
    assert_same(walked(GOOD.replace("\n", "\r\n")), walked(GOOD))


@pytest.mark.parametrize(
    ("good", "other"),
    [
        ("\n    {", "\n  {"),
        ('source = { virtual = "." }\n', 'source = { virtual = "." }  # this one\n'),
        ('version = "2.0+cpu"\n', "version = '2.0+cpu'\n"),
        ("marker = ", "marker  =  "),
        (" },\n]", " }\n]"),
        ("[package.optional-dependencies]\ncpu =", "optional-dependencies.cpu ="),
    ],
)
def test_another_layout_makes_no_difference(good: str, other: str) -> None:
    assert good in GOOD
    assert_same(walked(GOOD.replace(good, other)), walked(GOOD))
    assert_same(walked(GOOD.replace(good, other), WINDOWS), walked(GOOD, WINDOWS))
