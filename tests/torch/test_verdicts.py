"""Which torch each platform gets from a lock: uv's own plan, the walk and the audit agree.

What the platforms are to get is told by hand in `torch_scenarios`; uv's plan bears it out by other
means than the audit's.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import pytest
from torch_locks import Locker, pyproject
from torch_scenarios import SCENARIOS, THREE_BACKENDS, TWO_MIRRORS, Scenario

from uvmagic.accelerator import audit, repair
from uvmagic.accelerator.audit import Build, Verdict
from uvmagic.errors import UsageError
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import Closure, walk
from uvmagic.system.wheel_metadata import wheel_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch_hosts.fixtures import TorchHosts

    from uvmagic.lockfile import Lockfile
    from uvmagic.system.plan import Plan


@dataclass(frozen=True)
class Outcome:
    """What a platform gets from a scenario's lock.

    Attributes:
        target: the platform.
        lockfile: the lock.
        plan: uv's own.
        closure: the walk's; None where it refuses the choice.
    """

    target: Target
    lockfile: Lockfile
    plan: Plan
    closure: Closure | None

    @cached_property
    def walked(self) -> dict[str, str]:
        """What the walk comes to, name → version; empty where the lock is not for the target."""
        packages = self.closure.packages if self.closure else {}
        return {name: one.version or "" for name, one in packages.items()}

    @property
    def is_for_the_target(self) -> bool:
        return self.closure is not None and not self.closure.excluded

    @cached_property
    def verdict(self) -> Verdict:
        return audit.audit(self.lockfile, self.walked, self.target)


def outcomes(scenario: Scenario, hosts: TorchHosts) -> list[Outcome]:
    """Lock a scenario's project; ask uv and the walk what each platform installs."""
    hosts.pypi.add(*scenario.offers)
    locker = Locker.of(hosts, scenario.python)
    files = {"pyproject.toml": scenario.project, **scenario.files}
    locker.write(files)
    scenario.before(locker)
    locker.write(files)
    locker.lock(*scenario.options)
    lockfile = locker.lockfile()
    return [
        Outcome(
            target := Target(platform, locker.version),
            lockfile,
            locker.plan(platform, at=scenario.at, extras=scenario.extras, groups=scenario.groups),
            walked(lockfile, target, scenario),
        )
        for platform in audit.TARGETS
    ]


def walked(lockfile: Lockfile, target: Target, scenario: Scenario) -> Closure | None:
    try:
        return walk(
            lockfile,
            target,
            root=scenario.root,
            extras=scenario.extras,
            groups=scenario.groups,
        )
    except UsageError:
        return None


def named_libraries(metadata: bytes) -> set[str]:
    """The libraries that a wheel's METADATA names; our wheels need them all on x86-64 Linux."""
    return set(re.findall(r"^Requires-Dist: ((?:nvidia|cuda)-[a-z0-9-]+)", metadata.decode(), re.M))


LOADED_AT_ONCE = ("cuda-runtime", "cudnn", "cublas")
NUMBERS = ("", "-cu11", "-cu12", "-cu13")


def has_libraries(plan: Mapping[str, str], version: str) -> bool:
    """Whether what torch loads at once comes along, for its own CUDA where its version tells it."""
    told = re.search(r"\+cu(\d\d)", version)
    numbers = NUMBERS if told is None else ("", f"-cu{told[1]}")
    return all(
        any(f"nvidia-{library}{number}" in plan for number in numbers) for library in LOADED_AT_ONCE
    )


def check_the_walk_is_uvs_plan(one: Outcome) -> None:
    plan = dict(one.plan.versions)
    closure = one.closure
    if closure is None or closure.excluded or closure.lacking:
        assert one.plan.refusal, "the walk alone refuses"
        return
    assert not one.plan.refusal
    # uv tells no version of what it is to build from a folder or a lone archive
    assert {n: v if plan.get(n, v) else "" for n, v in one.walked.items()} == plan


def check_both_plans_give_one_verdict(one: Outcome) -> None:
    if not one.plan.refusal:
        assert audit.audit(one.lockfile, one.plan.versions, one.target) == one.verdict


def check_uvs_plan_bears_it_out(one: Outcome, *, bundled: bool) -> None:
    """By torch's version, what comes with it and what uv says of it, all in uv's own words."""
    plan, verdict = one.plan.versions, one.verdict
    version = plan.get("torch", "")
    local = version.partition("+")[2]
    whole = has_libraries(plan, version) or bundled
    is_gpu_server = one.target.platform == audit.LINUX
    match verdict.build:
        case Build.NO_WHEEL:
            # uv names one of those that have none, torch or another
            told = re.match(
                r"error: Distribution `(\S+?)==.* doesn't have a source distribution or wheel",
                one.plan.refusal,
            )
            assert told, one.plan.refusal
            assert one.closure
            assert {"torch", told[1]} <= one.closure.lacking
        case Build.ABSENT:
            assert not one.plan.refusal
            assert "torch" not in plan
        case Build.CUDA | Build.BARE:
            assert local.startswith("cu") or (not local and (is_gpu_server or has_toolkit(plan)))
            assert not is_gpu_server or whole is (verdict.build is Build.CUDA)
            assert not verdict.toolkit or verdict.toolkit in toolkits(plan)
        case Build.CPU:
            assert local == "cpu" or (not local and not is_gpu_server and not has_toolkit(plan))
        case Build.ROCM | Build.XPU:
            assert local.startswith(verdict.build.value.lower())
        case Build.OWN:
            assert "torch" in plan
            assert is_own(one.lockfile, local)


def is_own(lockfile: Lockfile, local: str) -> bool:
    """Whether a lock has a torch that is none of PyTorch's wheels."""
    if local and not re.fullmatch(r"cpu|xpu|cu\d+|rocm[\d.]+", local):
        return True
    packages = tomllib.loads(lockfile.text)["package"]
    entries = [entry for entry in packages if entry["name"] == "torch"]
    return any("registry" not in entry["source"] or "sdist" in entry for entry in entries)


def has_toolkit(plan: Mapping[str, str]) -> bool:
    return any("cuda" in name for name in plan)


def toolkits(plan: Mapping[str, str]) -> set[str]:
    """The versions of CUDA by torch's own version, else by the runtime that comes along."""
    told = re.search(r"\+cu(\d+)(\d)", plan["torch"])
    if told:
        return {f"{told[1]}.{told[2]}"}
    runtimes = (version for name, version in plan.items() if "cuda-runtime" in name)
    return {".".join(version.split(".")[:2]) for version in runtimes}


def check_no_alarm_is_false(one: Outcome, *, bundled: bool) -> None:
    """What uv installs with all its libraries, or without the need of any, is right."""
    version = one.plan.versions.get("torch", "")
    needs_libraries = one.target.platform == audit.LINUX and one.verdict.build in (
        Build.CUDA,
        Build.BARE,
    )
    starts = not needs_libraries or bundled or has_libraries(one.plan.versions, version)
    assert one.verdict.is_right is (starts and not one.plan.refusal)


def check_its_own_metadata(one: Outcome, lacks: Sequence[str]) -> None:
    """What torch's own wheel says of itself changes the verdict only where that has more."""
    metadata = wheel_metadata(one.verdict.url)
    if metadata is None:
        assert one.verdict.build in (Build.ABSENT, Build.NO_WHEEL, Build.OWN)
        return
    requires = repair.requirements(metadata)
    told = audit.audit(one.lockfile, one.walked, one.target, requires)
    if one.target.platform != audit.LINUX or one.verdict.build is not Build.CUDA:
        assert told.build is one.verdict.build
        return
    assert told.lacks == tuple(lacks)
    assert set(told.lacks) == named_libraries(metadata) - one.plan.versions.keys()
    assert told.build is (Build.BARE if lacks else Build.CUDA)


def check_all_platforms_at_once(found: Sequence[Outcome], scenario: Scenario) -> None:
    """`builds` tells the same of all but macOS, of which it looks at later releases too."""
    first = found[0]
    builds = partial(
        audit.builds,
        first.lockfile,
        first.target.python,
        root=scenario.root,
        extras=scenario.extras,
        groups=scenario.groups,
    )
    if first.closure is None:
        with pytest.raises(UsageError):
            builds()
        return
    told = builds()
    fitting = [one for one in found if one.is_for_the_target]
    assert [each.target.platform for each in told] == [one.target.platform for one in fitting]
    for each, one in zip(told, fitting, strict=True):
        is_mac = one.target.platform.endswith("darwin")
        assert is_mac or (each.told, each.lacks) == (one.verdict.told, one.verdict.lacks)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_every_platform_gets_the_torch_that_uvs_plan_bears_out(
    scenario: Scenario, torch_hosts: TorchHosts
) -> None:
    pythons = set()
    found = outcomes(scenario, torch_hosts)
    check_all_platforms_at_once(found, scenario)
    for one, expected in zip(found, scenario.gets, strict=True):
        check_the_walk_is_uvs_plan(one)
        if expected is None:
            assert one.plan.refusal
            assert not one.is_for_the_target
            continue
        verdict = one.verdict
        assert one.is_for_the_target
        assert (verdict.build, verdict.toolkit) == expected, one.target.told
        assert bool(verdict.lacks) is (verdict.build is Build.BARE)
        check_both_plans_give_one_verdict(one)
        check_uvs_plan_bears_it_out(one, bundled=scenario.bundled)
        check_no_alarm_is_false(one, bundled=scenario.bundled)
        check_its_own_metadata(one, scenario.lacks)
        pythons |= {verdict.pythons} - {()}
    assert pythons == ({tuple(scenario.pythons)} if scenario.pythons else set())


def test_a_right_lock_is_right_on_the_macs_that_torch_is_built_for(
    torch_hosts: TorchHosts,
) -> None:
    """2.15.0 has wheels for macOS 14 and later: no Mac that it is for goes without."""
    locker = Locker.of(torch_hosts, "3.11")
    locker.write({"pyproject.toml": pyproject("torch==2.15.0")})
    locker.lock()
    verdicts = audit.builds(locker.lockfile(), locker.version, root="project")
    assert [verdict.is_right for verdict in verdicts] == [True] * 4
    assert verdicts[-1].build is Build.CPU


def test_of_one_build_at_two_mirrors_the_chosen_one_is_judged(torch_hosts: TorchHosts) -> None:
    torch_hosts.nju.windows_only()
    locker = Locker.of(torch_hosts, "3.11")
    locker.write({"pyproject.toml": TWO_MIRRORS})
    locker.lock()
    for extra, expected in (("there", Build.CUDA), ("here", Build.NO_WHEEL)):
        plan = locker.plan(audit.LINUX, extras=[extra], groups=[])
        assert bool(plan.refusal) is (expected is Build.NO_WHEEL)
        verdicts = audit.builds(locker.lockfile(), locker.version, root="project", extras=[extra])
        assert verdicts[0].build is expected


def test_the_verdicts_of_all_platforms_at_once_are_those_of_each(torch_hosts: TorchHosts) -> None:
    locker = Locker.of(torch_hosts, "3.12")
    locker.write({"pyproject.toml": THREE_BACKENDS})
    locker.lock()
    told = [
        audit.summary(
            audit.builds(locker.lockfile(), locker.version, root="project", extras=extras)
        )
        for extras in (["cpu"], ["cu126"], ["cu128"], [])
    ]
    assert told == [
        "torch 2.9.1+cpu: CPU on Linux x86-64, Linux ARM64, Windows; torch 2.9.1: CPU on macOS.",
        "torch 2.6.0+cu126: CUDA 12.6 without its libraries on Linux x86-64; "
        "CUDA 12.6 on Linux ARM64, Windows; torch 2.6.0: CPU on macOS.",
        "torch 2.9.1+cu128: CUDA 12.8 on Linux x86-64, Linux ARM64, Windows; "
        "torch 2.9.1: CPU on macOS.",
        "",
    ]


def test_there_are_scenarios_of_every_verdict() -> None:
    assert len({scenario.id for scenario in SCENARIOS}) == len(SCENARIOS)
    assert {told[0] for scenario in SCENARIOS for told in scenario.gets if told} == set(Build)
