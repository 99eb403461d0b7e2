"""Checks over facts made by hand: what they say where a fault has several forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.accelerator.audit import LINUX, Build, Verdict
from uvmagic.accelerator.drivers import Drivers, Found
from uvmagic.data.uv import newest
from uvmagic.data.uv_settings import uv_settings
from uvmagic.doctor.binaries import UvFacts
from uvmagic.doctor.checks import environment, kernels, lock, machine, uv
from uvmagic.doctor.examine import CHECKS, examine
from uvmagic.doctor.facts import (
    Disk,
    Engine,
    EnvironmentFacts,
    Facts,
    KernelFacts,
    LockFacts,
    ProjectFacts,
    Unfinished,
)
from uvmagic.lockfile.target import Target
from uvmagic.outcome import LEVELS
from uvmagic.system.links import Links
from uvmagic.system.settings import Said, Setting, Settings

ROOT = Path("/home/me/study")
SETTINGS = Settings(tuple(Setting(row, (Said(row.default, "", "uv"),)) for row in uv_settings()))
ENVIRONMENT = EnvironmentFacts(
    ROOT / ".venv",
    ROOT / ".venv" / "bin" / "python",
    "3.12.4",
    exists=True,
    installed={"six": "1.0"},
    links=Links(),
)
PROJECT = ProjectFacts("study", ROOT, {}, ENVIRONMENT, LockFacts("fresh"))
HEALTHY = Facts("uvmagic", UvFacts("/bin/uv", newest()), SETTINGS, PROJECT)

SMALL, LARGE = 10**6, 10**12


def locked(lock: LockFacts) -> Facts:
    """The healthy facts, but for the lock."""
    return replace(HEALTHY, project=replace(PROJECT, lock=lock))


def torch(build: Build, version: str = "2.7.1", toolkit: str = "", *lacks: str) -> Verdict:
    return Verdict(Target(LINUX, "3.12"), build, version, toolkit, lacks)


def test_nothing_is_found_in_healthy_facts() -> None:
    assert examine(HEALTHY) == ()


@given(
    st.builds(
        Facts,
        call=st.sampled_from(["%uv", "uvmagic"]),
        uv=st.builds(UvFacts, version=st.sampled_from(["", "0.9.0", newest(), "99.1"])),
        settings=st.just(SETTINGS),
        project=st.sampled_from([None, PROJECT]),
        invalid=st.none() | st.tuples(st.text(), st.text()),
        unfinished=st.none() | st.builds(Unfinished, st.just(ROOT), st.text(), st.booleans()),
        disks=st.lists(
            st.builds(
                Disk,
                st.sampled_from(["cache", "environment"]),
                st.just(ROOT),
                st.just(1),
                st.sampled_from([SMALL, LARGE]),
            )
        ).map(tuple),
        engine=st.none() | st.builds(Engine, st.just("docker"), st.text(), st.text()),
    )
)
def test_what_is_found_comes_worst_first_and_under_its_check(facts: Facts) -> None:
    found = examine(facts)
    assert [LEVELS.index(one.level) for one in found] == sorted(
        LEVELS.index(o.level) for o in found
    )
    assert len({one.id for one in found}) == len(found)
    assert {one.id for one in found} <= CHECKS.keys()


@pytest.mark.parametrize(
    ("version", "is_old"),
    [("0.9.0", True), ("99.0.0", False), (f"{newest()}.post1", False), ("", False)],
)
def test_a_uv_is_old_by_its_minor_version(version: str, is_old: bool) -> None:
    assert bool(uv.uv_old(replace(HEALTHY, uv=UvFacts("/bin/uv", version)))) is is_old


def test_an_old_uv_is_told_with_its_age() -> None:
    found = uv.uv_old(replace(HEALTHY, uv=UvFacts("/bin/uv", "0.9.5")))
    assert found is not None
    assert "0.9.5 (2025-10)" in found.seen


@pytest.mark.parametrize(("free", "level"), [(SMALL, "error"), (10**9, "warning"), (LARGE, None)])
def test_how_full_a_disk_is(free: int, level: str | None) -> None:
    found = machine.disk_full(replace(HEALTHY, disks=(Disk("cache", ROOT, 1, free),)))
    assert (found.level if found else None) == level


@pytest.mark.parametrize("mode", ["copy", "symlink"])
def test_a_cache_elsewhere_is_meant_where_somebody_has_said_so(mode: str) -> None:
    disks = (Disk("environment", ROOT, 1, LARGE), Disk("cache", Path("/tmp"), 2, LARGE))
    apart = replace(HEALTHY, disks=disks)
    assert environment.cache_elsewhere(apart) is not None
    said = tuple(
        replace(one, said=(Said(mode, "UV_LINK_MODE", "environment"),))
        if one.row.name == "link-mode"
        else one
        for one in SETTINGS.all
    )
    assert environment.cache_elsewhere(replace(apart, settings=Settings(said))) is None


def test_an_environment_whose_python_was_uninstalled_is_another_case_than_none() -> None:
    for version, told in (("3.12.4", "The Python 3.12.4 of"), (None, "no environment")):
        own = replace(ENVIRONMENT, exists=False, python=version)
        found = environment.environment_missing(
            replace(HEALTHY, project=replace(PROJECT, environment=own))
        )
        assert found is not None
        assert told in found.seen


def test_links_and_files_that_are_gone_are_told_apart() -> None:
    for linked, told in (((), "files that are gone"), (("six",), "links into a cache")):
        links = Links(linked=linked, broken=(("six", "six.py"),))
        own = replace(ENVIRONMENT, links=links)
        found = environment.files_missing(
            replace(HEALTHY, project=replace(PROJECT, environment=own))
        )
        assert found is not None
        assert told in found.seen
        assert ("UV_LINK_MODE" in found.remedy) is bool(linked)


def test_without_another_python_another_version_is_the_remedy() -> None:
    none = lock.wheels_missing(locked(LockFacts("fresh", lacking=("old",))))
    some = lock.wheels_missing(
        locked(LockFacts("fresh", lacking=("old",), pythons=("3.10", "3.11")))
    )
    assert none is not None
    assert some is not None
    assert none.remedy.startswith("uvmagic add 'old!=…'")
    assert some.remedy == "uvmagic python pin 3.11   and  uvmagic sync"


def test_torch_without_its_libraries_is_told_once_for_each_version() -> None:
    bare = torch(Build.BARE, "2.7.1", "", "nvidia-cudnn")
    found = lock.torch_incomplete(locked(LockFacts("fresh", torch=(bare, bare))))
    assert found is not None
    assert found.seen == "On Linux x86-64 uv.lock installs torch 2.7.1 without nvidia-cudnn."


@pytest.mark.parametrize(
    ("version", "toolkit", "driver", "found"),
    [
        ("2.7.1+cu126", "12.6", None, "driver-missing"),
        ("2.7.1+cu126", "12.6", "450.80.02", "driver-old"),
        ("2.7.1+cu126", "12.6", "580.65.06", None),
        ("2.15.0", "13.0", "550.54.14", "driver-old"),  # PyPI's names its toolkit by a library
    ],
)
def test_the_driver_is_held_against_torch(
    version: str, toolkit: str, driver: str | None, found: str | None
) -> None:
    drivers = Drivers((Found("cuda", driver, "/proc"),) if driver else ())
    own = torch(Build.CUDA, version, toolkit)
    facts = replace(locked(LockFacts("fresh", own=own, torch=(own,))), drivers=drivers)
    assert [one.id for one in examine(facts)] == ([found] if found else [])


def test_each_state_of_a_kernel_has_its_remedy() -> None:
    made = [
        KernelFacts(state, state, state, Path("/other"), Path("/other/python"))
        for state in ("no .venv", "Python gone", "no ipykernel", "project moved", "ready")
    ]
    found = kernels.kernels_broken(replace(HEALTHY, kernels=tuple(made)))
    assert found is not None
    assert len(found.seen.splitlines()) == 4
    assert found.remedy.splitlines() == [
        "uvmagic sync   in its project",
        "uvmagic kernel install   in its project",
        "uvmagic kernel install   here",
    ]


def test_a_dead_kernel_of_somebody_else_is_not_this_users_to_remove() -> None:
    gone = KernelFacts("a", "A", "project gone", ROOT, Path("/python"), is_users=False)
    assert kernels.kernels_dead(replace(HEALTHY, kernels=(gone,))) is None
