"""A machine as uv takes it: by itself, without uv."""

from __future__ import annotations

import sys

import pytest
from lock.plan import PLATFORMS
from packaging.markers import Marker, default_environment

from uvmagic.errors import ProjectInvalid
from uvmagic.lockfile.target import Target

LINUX, ARM, WINDOWS, MAC, INTEL_MAC = (Target(platform, "3.12.4") for platform in PLATFORMS)


def test_a_target_is_told_in_words() -> None:
    told = [target.told for target in (LINUX, ARM, WINDOWS, MAC, INTEL_MAC)]
    assert told == ["Linux x86-64", "Linux ARM64", "Windows", "macOS", "macOS (Intel)"]
    assert Target("x86_64-manylinux_2_17", "3.12").told == "Linux x86-64"


@pytest.mark.parametrize(
    "platform",
    [
        "",
        "linux",
        "x86_64-manylinux",
        "x86_64-manylinux_2_",
        "x86_64-pc-windows-msvc_2_28",
        "riscv",
    ],
)
def test_another_platform_is_no_target(platform: str) -> None:
    with pytest.raises(ValueError, match="platform"):
        Target(platform, "3.12")


def test_the_environment_has_every_variable() -> None:
    assert LINUX.markers().keys() == default_environment().keys()
    assert LINUX.markers()["python_full_version"] == "3.12.4"
    assert LINUX.markers()["python_version"] == "3.12"
    assert Target(PLATFORMS[0], "3.12").markers()["python_full_version"] == "3.12.0"


@pytest.mark.skipif(sys.platform != "linux", reason="a Linux target is compared to this machine")
def test_the_environment_is_the_one_that_a_machine_has() -> None:
    this = default_environment()
    for name in ("os_name", "sys_platform", "platform_system", "implementation_name"):
        assert LINUX.markers()[name] == this[name]


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("", True),
        ("extra == 'extra-1-a-x'", True),
        ("extra != 'extra-1-a-x'", False),
        ("extra == 'extra-1-a-y'", False),
        ("extra == 'extra-1-a-x' and extra == 'group-1-a-g'", True),
        ("sys_platform == 'win32' or extra != 'extra-1-a-y'", True),
        ("(os_name == 'nt' or os_name == 'posix') and python_full_version < '3.12.10'", True),
        ("python_full_version == '3.12.*'", True),
        ("python_full_version >= '3.2'", True),
        (r"platform_machine == 'a\d'", False),
        ('platform_machine != "it\'s"', True),
    ],
)
def test_markers_of_a_lock(marker: str, holds: bool) -> None:
    assert LINUX.fulfils(marker, {"extra-1-a-x", "group-1-a-g"}) is holds


def test_a_release_candidate_is_a_python() -> None:
    target = Target(PLATFORMS[0], "3.14.0rc1")
    assert target.fulfils("python_full_version < '3.15'")
    assert target.fulfils("python_version == '3.14'")
    assert target.accepts("a-1.0-cp314-cp314-manylinux_2_28_x86_64.whl")


@pytest.mark.parametrize(
    "marker",
    [
        "linux",
        "sys_platform ==",
        "sys_platform",
        "sys_platform == linux",
        "sys_platform is 'linux'",
        "weather == 'fair'",
        "'fair' in weather",
        "python_version < 'three'",
        "not sys_platform == 'linux'",
        "os_name < sys_platform < 'z'",
        "sys_platform == 1",
        "__import__('os')",
        "\0",
        "(" * 5000,
        " and ".join(["(os_name == 'posix'"] * 500) + ")" * 500,
    ],
)
def test_what_is_no_marker_is_told_so(marker: str) -> None:
    with pytest.raises(ProjectInvalid, match="marker"):
        LINUX.fulfils(marker)


@pytest.mark.parametrize("marker", ["os_name == 'nt' and 'a' in sys_platform", "os_name != 'nt'"])
def test_a_plain_marker_is_what_packaging_takes_it_for(marker: str) -> None:
    for target in (LINUX, WINDOWS, MAC):
        environment = {**target.markers(), "extra": ""}
        assert target.fulfils(marker) is Marker(marker).evaluate(environment)


@pytest.mark.parametrize(
    "filename",
    ["", "a", "a-1.0.whl", "a-1.0-py3-none.whl", "a-1.0-py3--any.whl", "a.tar.gz", "-" * 9],
)
def test_what_is_no_wheel_is_not_accepted(filename: str) -> None:
    assert not LINUX.accepts(filename)


def test_a_wheel_is_known_with_or_without_its_suffix_and_with_a_build_number() -> None:
    assert LINUX.accepts("a_b-1.0+cu126-cp312-cp312-linux_x86_64.whl")
    assert LINUX.accepts("a_b-1.0-cp312-cp312-linux_x86_64")
    assert LINUX.accepts("a_b-1.0-7build-py2.py3-none-any.whl")
    assert not LINUX.accepts("a_b-1.0-cp312-cp312t-linux_x86_64.whl")
