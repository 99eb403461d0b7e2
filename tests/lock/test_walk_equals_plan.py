"""The law: for any project that uv can lock, the walk of the lock is uv's own plan.

    UVMAGIC_LOCK_EXAMPLES=1000 uv run pytest tests/lock/test_walk_equals_plan.py -n 1 --timeout 0

tries as many projects, other ones each time.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, event, given, note, settings
from hypothesis import strategies as st
from index import Distribution, PackageIndex, sdist, wheel
from lock.plan import check, uv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

EXAMPLES = os.environ.get("UVMAGIC_LOCK_EXAMPLES")
MINOR = sys.version_info.minor
CP = f"cp3{MINOR}-cp3{MINOR}"

NAMES = [f"n{n}" for n in range(6)]
PINS = ["", "", "==1.0", "==2.0", ">=2.0"]
"""For the lists of projects. Distributions ask for any version, so that most projects lock."""
ATOMS = [
    "sys_platform == 'linux'",
    "sys_platform == 'win32'",
    "sys_platform != 'darwin'",
    "os_name == 'nt'",
    "platform_system == 'Darwin'",
    "platform_machine == 'x86_64'",
    "platform_machine != 'arm64'",
    "platform_machine in 'aarch64 arm64'",
    "'win' in sys_platform",
    "platform_version < '20'",
    "implementation_name == 'cpython'",
    "platform_python_implementation == 'PyPy'",
    f"python_version < '3.{MINOR}'",
    f"python_version >= '3.{MINOR}'",
    f"python_version > '3.{MINOR}'",
    f"python_full_version < '3.{MINOR}.1'",
]
FILES = [
    *(["py3-none-any"],) * 6,
    ["source"],
    ["py3-none-manylinux_2_17_x86_64", "py3-none-win_amd64"],
    [f"{CP}-manylinux_2_28_x86_64", f"{CP}-manylinux_2_28_aarch64", f"{CP}-macosx_11_0_arm64"],
    ["cp38-abi3-macosx_10_9_universal2", "cp38-abi3-win_amd64", "cp38-abi3-linux_x86_64"],
    [f"{CP}-musllinux_1_2_x86_64", f"{CP}-macosx_14_0_arm64", f"{CP}-win_amd64"],
    [f"cp3{MINOR + 1}-cp3{MINOR + 1}-win_amd64", "source"],
]
"""What a version has: the tags of its wheels, and `source` for a source distribution."""


def some(values: Iterable[str], *, least: int = 0, most: int) -> st.SearchStrategy[list[str]]:
    known = list(values)
    few = st.lists(st.sampled_from(known or [""]), min_size=least, max_size=most, unique=True)
    return few if known else st.just([])


@st.composite
def markers(draw: st.DrawFn) -> str:
    """A marker with what goes before it in a requirement, or nothing."""
    atoms = draw(some(ATOMS, most=2))
    return f" ; {draw(st.sampled_from([' and ', ' or '])).join(atoms)}" if atoms else ""


@st.composite
def requirements(draw: st.DrawFn, pins: Sequence[str] = ("",), most: int = 3) -> list[str]:
    listed = []
    for name in draw(some(NAMES, most=most)):
        extras = draw(st.sampled_from(["", "", "[x]", "[y]", "[x,y]"]))
        listed.append(f"{name}{extras}{draw(st.sampled_from(pins))}{draw(markers())}")
    return listed


@dataclass(frozen=True)
class Offer:
    """A version of a distribution, in several files."""

    name: str
    version: str
    requires: list[str]
    extras: dict[str, list[str]]
    files: list[str]

    def distributions(self) -> Iterator[Distribution]:
        for tag in self.files:
            if tag == "source":
                yield sdist(self.name, self.version, requires=self.requires)
            else:
                yield wheel(
                    self.name, self.version, requires=self.requires, extras=self.extras, tag=tag
                )


@st.composite
def offers(draw: st.DrawFn) -> list[Offer]:
    """All that an index offers: two or three versions of each name."""
    return [
        Offer(
            name,
            version,
            draw(requirements(most=2)),
            {"x": draw(requirements(most=2)), "y": draw(requirements(most=1))},
            draw(st.sampled_from(FILES)),
        )
        for name in NAMES
        for version in ["1.0", "2.0", "3.0"][: draw(st.integers(2, 3))]
    ]


@dataclass(frozen=True)
class Lists:
    """The lists of a project's pyproject.toml, extras and groups by `extra=NAME`, `group=NAME`."""

    name: str
    dependencies: list[str]
    named: dict[str, list[str]]

    def toml(self) -> str:
        def lists(kind: str) -> str:
            known = {
                key.removeprefix(kind): value for key, value in self.named.items() if kind in key
            }
            return "".join(f"{key} = {json.dumps(value)}\n" for key, value in known.items())

        return (
            f'[project]\nname = "{self.name}"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
            f"dependencies = {json.dumps(self.dependencies)}\n"
            f"[project.optional-dependencies]\n{lists('extra=')}"
            f"[dependency-groups]\n{lists('group=')}"
        )

    def names(self, kind: str) -> list[str]:
        return [key.removeprefix(kind) for key in self.named if key.startswith(kind)]


KEYS = {
    "project": ["extra=one", "extra=two", "group=dev", "group=docs"],
    "member": ["extra=three", "extra=four", "group=test"],
}


@st.composite
def lists(draw: st.DrawFn, name: str) -> Lists:
    """A project's lists; the pins in its extras and groups may clash."""
    keys = draw(some(KEYS[name], most=4))
    named = {key: draw(requirements(PINS)) for key in sorted(keys)}
    for key, extra in combinations(reversed(named), 2):  # of the project itself, never in a circle
        if extra.startswith("extra=") and draw(st.integers(0, 3)) == 0:
            named[key].append(f"{name}[{extra.removeprefix('extra=')}]{draw(markers())}")
    return Lists(name, draw(requirements(["", "", "", "<3"], most=4)), named)


@dataclass(frozen=True)
class World:
    """A project, what its indexes offer, and what is asked for of it: extras and groups."""

    projects: list[Lists]
    offers: list[Offer]
    second: list[Offer]
    uv: list[str]
    choices: list[tuple[list[str], list[str]]]

    def write(self, folder: Path, index: PackageIndex, second: PackageIndex) -> None:
        for each in self.offers:
            index.add(*each.distributions())
        for each in self.second:
            second.add(*each.distributions())
        project, *members = self.projects
        indexes = (
            f"\n[[tool.uv.index]]\nurl = '{index.url}'\ndefault = true\n"
            f"[[tool.uv.index]]\nname = 'second'\nurl = '{second.url}'\nexplicit = true\n"
        )
        text = "\n".join([project.toml(), "[tool.uv]", *self.uv]) + indexes
        (folder / "pyproject.toml").write_text(text)
        note(text)
        for member in members:
            (folder / member.name).mkdir()
            (folder / member.name / "pyproject.toml").write_text(member.toml())


@st.composite
def worlds(draw: st.DrawFn) -> World:
    project = draw(lists("project"))
    projects, uv = [project], []
    if draw(st.integers(0, 2)) == 0:
        member = draw(lists("member"))
        projects.append(member)
        uv.append("workspace.members = ['member']\nsources.member.workspace = true")
        extra = "".join(f"[{name}]" for name in draw(some(member.names("extra="), most=1)))
        project.dependencies.append(f"member{extra}{draw(markers())}")
    uv.append(f"conflicts = [{', '.join(draw(conflicts(projects)))}]")
    second = []
    if draw(st.booleans()):
        name, files = draw(st.sampled_from(NAMES)), draw(st.sampled_from(FILES[:1] + FILES[7:]))
        second = [Offer(name, f"{v}+here", ["n0"], {}, files) for v in ("1.0", "2.0")]
        where = f'marker="{draw(st.sampled_from(ATOMS))}"'
        for extra in draw(some(project.names("extra="), most=1)):
            where += f", extra='{extra}'"
        uv.append(f"sources.{name} = [{{index='second', {where}}}]")
    if draw(st.integers(0, 4)) == 0:
        uv.append(f"environments = {[draw(st.sampled_from(ATOMS[:5]))]}")
    if draw(st.integers(0, 2)) == 0:
        uv.append("package = true")
    extras, groups = project.names("extra="), project.names("group=")
    choices = [([], []), (extras[:1], groups[:1]), (draw(some(extras, most=2)), groups[1:])]
    different = [one for n, one in enumerate(choices) if one not in choices[:n]]
    return World(projects, draw(offers()), second, uv, different)


@st.composite
def conflicts(draw: st.DrawFn, projects: list[Lists]) -> list[str]:
    """The pairs of extras and groups that are declared to conflict: all that clash, and others."""
    items = [(project, key) for project in projects for key in project.named]
    found = []
    for (one, key), (two, key_two) in combinations(items, 2):
        clash = _clash(one.named[key], two.named[key_two])
        if clash or draw(st.integers(0, 4)) == 0:
            found.append(f"[{_item(one, key)}, {_item(two, key_two)}]")
    return found


def _clash(one: list[str], two: list[str]) -> bool:
    pinned = [dict(re.findall(r"(n\d).*==(\d)", "\n".join(listed))) for listed in (one, two)]
    return any(pinned[0][name] != pinned[1][name] for name in pinned[0].keys() & pinned[1])


def _item(project: Lists, key: str) -> str:
    kind, _, name = key.partition("=")
    return f"{{ package = '{project.name}', {kind} = '{name}' }}"


@pytest.mark.heavy
@settings(
    max_examples=int(EXAMPLES or 40),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(worlds())
def test_the_walk_is_uvs_own_plan(world: World) -> None:
    with tempfile.TemporaryDirectory() as at, PackageIndex() as index, PackageIndex() as second:
        folder = Path(at)
        world.write(folder, index, second)
        locked = uv(folder, "lock", "--python", sys.executable)
        if locked.returncode != 0:
            event("no lock")
            note(locked.stderr)
            return
        text = (folder / "uv.lock").read_text()
        note(text)
        event(f"conflicts: {'conflicts = ' in text}, forks: {'resolution-markers' in text}")
        for extras, groups in world.choices:
            plans = check(folder, extras=extras, groups=groups)
            event(f"refused by {[*plans.values()].count(None)} of 5")
        for member in world.projects[1:]:
            choice = member.names("extra=")[:1], member.names("group=")[:1]
            check(folder, root=member.name, at=member.name, extras=choice[0], groups=choice[1])
