"""A project taken out of its workspace, its local distributions wheels, gets what it got in it.

Both are locked by the real uv; what it would install from either is compared on every platform.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from index import PackageIndex, wheel
from lock.plan import PLATFORMS, PYTHON, lock, planned

from uvmagic import project as projects
from uvmagic.bundle.local import local
from uvmagic.bundle.portable import portable_pyproject
from uvmagic.bundle.standalone import standing_alone
from uvmagic.bundle.wheels import wheel_of_metadata
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.reach import preferring, reached
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder

    from uvmagic.project import Project


@pytest.fixture
def second(index: PackageIndex) -> Iterator[PackageIndex]:
    """Another index: it has of alpha and gamma what the default one has not."""
    with PackageIndex() as made:
        made.add(*(wheel(name, "9.0") for name in ("alpha", "gamma", "p1")), wheel("alpha", "1.0"))
        index.add(*(wheel("delta", f"{n}.0", extras={"more": ["gamma"]}) for n in (2, 3)))
        index.add(wheel("delta", "4.0rc1"))
        yield made


def member(
    name: str,
    *dependencies: str,
    uv: str = "",
    extras: dict[str, list[str]] | None = None,
    built: bool = True,
) -> str:
    """A pyproject.toml; `uv` follows on `[tool.uv]`."""
    return f"""\
[project]
name = "{name}"
version = "0.3"
requires-python = ">=3.11"
dependencies = {json.dumps(dependencies)}

[project.optional-dependencies]
{"".join(f"{extra} = {json.dumps(listed)}{chr(10)}" for extra, listed in (extras or {}).items())}
{"[build-system]" + chr(10) + 'requires = ["hatchling"]' if built else ""}

[tool.uv]
{uv}
"""


@dataclass(frozen=True)
class Scenario:
    """A workspace.

    Attributes:
        files: folder → pyproject.toml; the root's is without index and workspace.
        extras: sets of extras of the project `study` that are compared.
        told: texts that the bundle's pyproject.toml has.
        gone: texts that it has not.
    """

    files: dict[str, str]
    extras: tuple[tuple[str, ...], ...] = ((),)
    told: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    place: str = field(default="packages/study")


SECOND = '[[tool.uv.index]]\nname = "second"\nurl = "{second}"\nexplicit = true\n'
SCENARIOS = {
    "sources of a member and of a path dependency": Scenario(
        {
            ".": member("root", uv="sources.core = {{ workspace = true }}\n" + SECOND),
            "packages/study": member("study", "core", "beta"),
            "packages/core": member(
                "core",
                "alpha",
                "plain; sys_platform != 'win32'",
                uv="[tool.uv.sources]\n"
                "alpha = {{ index = 'second', marker = \"sys_platform == 'linux'\" }}\n"
                "plain = {{ path = '../../libs/plain', editable = true }}\n",
            ),
            "libs/plain": member(
                "plain",
                "gamma",
                uv="sources.gamma = {{ index = 'mine' }}\n"
                '[[tool.uv.index]]\nname = "mine"\nurl = "{second}"\n',
            ),
        },
        told=(
            "\"alpha ; sys_platform == 'linux'\"",
            "\"alpha ; sys_platform != 'linux'\"",
            '"gamma"',
            "\"plain ; sys_platform != 'win32'\"",
        ),
    ),
    "the root's settings in the place of a member's": Scenario(
        {
            ".": member(
                "root",
                uv='constraint-dependencies = ["alpha<2"]\n'
                'override-dependencies = ["gamma"]\n'
                "environments = [\"sys_platform == 'linux'\", \"sys_platform == 'win32'\"]\n"
                "[tool.uv.sources]\n"
                "gamma = {{ index = 'second' }}\n"
                "p1 = [{{ index = 'second', extra = 'not-of-study' }}]\n" + SECOND,
                extras={"not-of-study": ["p1"]},
            ),
            "packages/study": member(
                "study",
                "beta",
                "delta[more]",
                "p1",
                uv='constraint-dependencies = ["delta<2"]\n'
                '[[tool.uv.index]]\nname = "bogus"\nurl = "http://127.0.0.1:9/simple"\n',
            ),
        },
        told=('constraint-dependencies = ["alpha<2"]', "environments", "gamma = "),
        gone=("delta<2", "bogus", "not-of-study"),
    ),
    "a member's index beside one of the same name": Scenario(
        {
            ".": member("root", uv='[[tool.uv.index]]\nname = "second"\nurl = "{index}"\n'),
            "packages/study": member(
                "study", "beta", "alpha", uv="sources.alpha = {{ index = 'second' }}\n" + SECOND
            ),
        },
    ),
    "members that are no packages": Scenario(
        {
            ".": member("root", uv="sources.base = {{ workspace = true }}", built=False),
            "packages/study": member("study", "base[more]; sys_platform == 'linux'", built=False),
            "packages/base": member(
                "base",
                "alpha<2",
                extras={"more": ["core"]},
                built=False,
                uv="package = false\nsources.core = {{ workspace = true }}",
            ),
            "packages/core": member("core", "base", "gamma"),
        },
        told=("wheels/base-0.3",),
    ),
    "extras of members": Scenario(
        {
            ".": member("root", uv="sources.core = {{ workspace = true }}\n" + SECOND),
            "packages/study": member(
                "study", "core[b]", extras={"more": ["core[a]"], "all": ["study[more]", "p2"]}
            ),
            "packages/core": member(
                "core",
                extras={"a": ["alpha", "p1"], "b": ["core[c]", "p3"], "c": ["gamma"]},
                uv="[tool.uv.sources]\nalpha = {{ index = 'second', extra = 'a' }}\n"
                "gamma = {{ index = 'second' }}\np1 = {{ index = 'second' }}\n",
            ),
        },
        extras=((), ("more",), ("all",)),
    ),
    "backends that exclude each other": Scenario(
        {
            ".": member("root", uv="sources.core = {{ workspace = true }}\n" + SECOND),
            "packages/study": member(
                "study",
                extras={"cpu": ["core[cpu]"], "gpu": ["core[gpu]"]},
                uv='conflicts = [[{{ extra = "cpu" }}, {{ extra = "gpu" }}]]',
            ),
            "packages/core": member(
                "core",
                "beta",
                extras={"cpu": ["alpha"], "gpu": ["alpha"]},
                uv='conflicts = [[{{ extra = "cpu" }}, {{ extra = "gpu" }}]]\n'
                "[tool.uv.sources]\nalpha = [{{ index = 'second', extra = 'gpu' }}]\n",
            ),
        },
        extras=((), ("cpu",), ("gpu",)),
        told=("conflicts",),
    ),
    "versions of which another member has another": Scenario(
        {
            ".": member(
                "root", uv='conflicts = [[{{ package = "study" }}, {{ package = "other" }}]]\n'
            ),
            "packages/study": member("study", "beta", "delta", "alpha<2"),
            "packages/other": member("other", "alpha>=2", "delta<3"),
        },
        gone=("conflicts",),
    ),
    "a source of a member that the project has nothing to do with": Scenario(
        {
            ".": member(
                "root",
                uv=SECOND + '[dependency-groups]\ndev = ["gamma"]\n'
                '[tool.uv.sources]\ngamma = {{ index = "second" }}\n',
            ),
            "packages/study": member("study", "beta", "delta[more]"),
            "packages/other": member(
                "other",
                extras={"x": ["alpha ; sys_platform == 'linux'"]},
                uv="sources.alpha = {{ index = 'second' }}",
            ),
        },
        told=("alpha ; sys_platform == 'linux'",),
    ),
    "a version before its release, which only a member asks for": Scenario(
        {
            ".": member("root", uv="sources.core = {{ workspace = true }}"),
            "packages/study": member("study", "core", "beta"),
            "packages/core": member("core", "delta>=4.0rc1"),
        },
    ),
    "the root itself": Scenario(
        {
            ".": member(
                "study",
                "core",
                "alpha",
                uv="[tool.uv.sources]\ncore = {{ workspace = true }}\n"
                "alpha = {{ index = 'second' }}\n" + SECOND,
            ),
            "packages/core": member("core", "gamma", uv="sources.gamma = {{ index = 'second' }}"),
        },
        place=".",
        told=("gamma",),
    ),
    "a Python that another member wants": Scenario(
        {
            ".": member("root").replace(">=3.11", ">=3.11.1"),
            "packages/study": member("study", "beta"),
        },
        told=('requires-python = ">=3.11.1"',),
    ),
}


def write(folder: Path, scenario: Scenario, **urls: str) -> None:
    """The workspace of a scenario, locked."""
    for place, text in scenario.files.items():
        file = folder / place / "pyproject.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = text.format(**urls)
        if place == ".":
            text += '\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'
            text += f'\n[[tool.uv.index]]\nurl = "{urls["index"]}"\ndefault = true\n'
        file.write_text(text)
    lock(folder)


def taken_out(project: Project, stage: Path) -> str:
    """Write the project to a folder of its own, as a bundle does, and lock it there."""
    lockfile = Lockfile(project.lock.read_text())
    needs = local(project, lockfile)
    (stage / "wheels").mkdir(parents=True)
    wheels = {}
    of_locals = [file.read_text() for file in project.files() if file.suffix == ".toml"]
    for each in needs.distributions:
        of_locals.append((each.place / "pyproject.toml").read_text())
        if each.metadata:
            wheels[each.name] = f"wheels/{wheel_of_metadata(each, stage / 'wheels').name}"
            continue
        table: dict[str, Any] = tomllib.loads(of_locals[-1])["project"]
        extras = table.get("optional-dependencies", {})
        made = wheel(each.name, "0.3", requires=table["dependencies"], extras=extras)
        (stage / "wheels" / made.filename).write_bytes(made.data)
        wheels[each.name] = f"wheels/{made.filename}"
    root = None if project.is_root else (project.root / "pyproject.toml").read_text()
    alone = standing_alone(project.file.read_text(), root, of_locals, needs, lockfile)
    sourced = [listing.requirement for listing in needs.listings if not listing.extra]
    text = portable_pyproject(alone, ["p9"], wheels, sourced)
    (stage / "pyproject.toml").write_text(text)
    itself = reached(lockfile, project.name, with_groups=True)
    (stage / "uv.lock").write_text(preferring(lockfile, itself))
    lock(stage)
    return text


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_installed_stays_the_same(
    folder: Folder, index: PackageIndex, second: PackageIndex, name: str
) -> None:
    scenario = SCENARIOS[name]
    write(folder.path, scenario, index=index.url, second=second.url)
    stage = folder.path / "stage"
    project = projects.find(folder.path / scenario.place)
    text = taken_out(project, stage)
    for told in scenario.told:
        assert told in text
    for gone in scenario.gone:
        assert gone not in text
    before = Lockfile(project.lock.read_text())
    after = Lockfile((stage / "uv.lock").read_text())
    virtual = {each.name for each in local(project, before).distributions if each.metadata}
    for platform in PLATFORMS:
        for extras in scenario.extras:
            plan = planned(project.folder, platform, extras)
            alone = planned(stage, platform, extras)
            if plan is None or alone is None:  # the lock leaves the platform out
                assert plan == alone
                continue
            assert alone.keys() - virtual == plan.keys(), (platform, extras)
            for each, version in plan.items():
                if version is not None:  # else it is local, built from its folder
                    assert alone[each] == version, (platform, extras, each)
                    here, there = (
                        walk(lockfile, Target(platform, PYTHON), root=root, extras=extras)
                        .packages[each]
                        .source
                        for lockfile, root in ((before, project.name), (after, name_of(stage)))
                    )
                    assert here == there, (platform, extras, each)


def name_of(folder: Path) -> str:
    return projects.find(folder).name
