"""The local distributions that a project needs, told from its lock.

What uv makes of it all, `tests/lock/test_standing_alone.py` has the real one say.
"""

from __future__ import annotations

import tomllib
from email import message_from_string
from typing import TYPE_CHECKING, Any

import pytest

from uvmagic.bundle.local import Listing, Local, LocalDistribution, Source, local
from uvmagic.errors import BundleRefused, ProjectInvalid
from uvmagic.lockfile import Lockfile
from uvmagic.project import Project

if TYPE_CHECKING:
    from pathlib import Path

A, B = "https://a.org/simple", "https://b.org/simple"


def package(name: str, source: str, *requires: str, extras: str = "", tail: str = "") -> str:
    """A block of uv.lock: what it asks for stands in `requires` as uv writes it there.

    Its edges are the names of these, and for an extra those that have it in their marker.
    """
    edges: dict[str, list[str]] = {"": []}
    for text in requires:
        asked = tomllib.loads(f"it = {text}")["it"]
        with_extras = f", extra = {asked['extras']}".replace("'", '"') if "extras" in asked else ""
        extra = asked.get("marker", "").partition("extra == '")[2].partition("'")[0]
        edges.setdefault(extra, []).append(f'{{ name = "{asked["name"]}"{with_extras} }}')
    lists = "".join(f"{extra} = [{', '.join(edges[extra])}]\n" for extra in edges if extra)
    provided = [extra for extra in edges if extra]
    return (
        f'[[package]]\nname = "{name}"\nversion = "0.3"\nsource = {{ {source} }}\n'
        f"dependencies = [{', '.join(edges[''])}]\n"
        + (f"\n[package.optional-dependencies]\n{lists}" if lists else "")
        + f"\n[package.metadata]\nrequires-dist = [{', '.join(requires)}]\n"
        + (f"provides-extras = {provided}\n" if provided else "")
        + tail
    )


def told(root: Path, *packages: str, listed: tuple[str, ...] = (), head: str = "") -> Local:
    """What the project `study`, in `packages/study` of a workspace, needs."""
    lock = f'version = 1\nrequires-python = ">=3.11"\n{head}\n' + "\n".join(packages)
    pyproject: dict[str, Any] = {"project": {"name": "Study", "dependencies": [*listed]}}
    project = Project(root / "packages" / "study", root, pyproject)
    return local(project, Lockfile(lock))


STUDY = 'virtual = "packages/study"'
CORE = '{ name = "core", editable = "packages/core" }'
ALPHA = package("alpha", f'registry = "{A}"')


def test_a_project_alone_needs_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, package("study", STUDY, '{ name = "alpha" }'), ALPHA) == Local()


def test_what_is_local_is_built_the_project_first_and_groups_stay_behind(tmp_path: Path) -> None:
    group = (
        '\n[package.dev-dependencies]\ndev = [{ name = "tools" }]\n'
        '\n[package.metadata.requires-dev]\ndev = [{ name = "tools", editable = "../tools" }]\n'
    )
    needs = told(
        tmp_path,
        package("study", 'editable = "packages/study"', CORE, tail=group),
        package("core", 'editable = "packages/core"', '{ name = "arch", path = "arch.tar.gz" }'),
        package("arch", 'path = "arch.tar.gz"'),
        package("tools", 'editable = "../tools"'),
        package("unasked", 'editable = "packages/unasked"'),
    )
    assert needs.distributions == (
        LocalDistribution("study", tmp_path / "packages" / "study"),
        LocalDistribution("arch", tmp_path / "arch.tar.gz"),
        LocalDistribution("core", tmp_path / "packages" / "core"),
    )


def test_what_is_no_package_is_what_it_asks_for(tmp_path: Path) -> None:
    base = package(
        "base",
        'virtual = "base"',
        '{ name = "alpha", specifier = ">=1,<2", marker = "os_name == \'nt\'" }',
        '{ name = "delta", extras = ["a", "b"], marker = "extra == \'more\'" }',
    )
    (made,) = told(
        tmp_path,
        package("study", STUDY, '{ name = "base", virtual = "base" }'),
        base,
        ALPHA,
        package("delta", f'registry = "{A}"'),
    ).distributions
    said = message_from_string(made.metadata)
    assert (said["Name"], said["Version"]) == ("base", "0.3")
    assert said.get_all("Provides-Extra") == ["more"]
    assert said.get_all("Requires-Dist") == [
        "alpha>=1,<2 ; os_name == 'nt'",
        "delta[a,b] ; extra == 'more'",
    ]


@pytest.mark.parametrize("place", ["../lib", "/elsewhere/lib", "lib/../../lib", "link"])
@pytest.mark.parametrize("kind", ["editable", "directory", "virtual", "path"])
def test_a_dependency_from_outside_is_refused_by_name(
    tmp_path: Path, place: str, kind: str
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    source = f'{kind} = "{place}"'
    with pytest.raises(BundleRefused, match="lib lies outside the project"):
        told(root, package("study", STUDY, f'{{ name = "lib", {source} }}'), package("lib", source))


@pytest.mark.parametrize("kind", ["git", "url"])
def test_what_only_this_machine_has_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    source = f'{kind} = "file:///elsewhere/lib"'
    with pytest.raises(BundleRefused, match="lib comes from a place on this machine"):
        told(tmp_path, package("study", STUDY, '{ name = "lib" }'), package("lib", source))


def test_what_another_takes_from_a_place_is_listed_with_it(tmp_path: Path) -> None:
    git = "https://x.org/y?subdirectory=sub&rev=abc"
    needs = told(
        tmp_path,
        package("study", STUDY, CORE, '{ name = "own", index = "https://a.org/simple" }'),
        package(
            "core",
            'editable = "packages/core"',
            f'{{ name = "alpha", marker = "os_name == \'nt\'", index = "{B}" }}',
            '{ name = "alpha", marker = "os_name != \'nt\'" }',
            f'{{ name = "gitty", git = "{git}" }}',
            '{ name = "plain", specifier = "<2" }',
            '{ name = "archive", url = "https://x.org/a.whl" }',
        ),
        ALPHA,
        *(package(name, f'registry = "{A}"') for name in ("own", "gitty", "plain", "archive")),
        listed=("core", "own"),
    )
    assert set(needs.listings) == {
        Listing("", "alpha ; os_name != 'nt'"),
        Listing("", "alpha ; os_name == 'nt'"),
        Listing("", "archive"),
        Listing("", "gitty"),
    }
    assert needs.sources == {
        "alpha": (Source((("index", B),), "", "os_name == 'nt'"),),
        "archive": (Source((("url", "https://x.org/a.whl"),), "", ""),),
        "gitty": (
            Source((("git", "https://x.org/y"), ("rev", "abc"), ("subdirectory", "sub")), "", ""),
        ),
    }


def test_two_places_for_a_name_are_refused_and_both_told(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match=f"alpha comes from {A} .* from {B}"):
        told(
            tmp_path,
            package("study", STUDY, CORE, f'{{ name = "alpha", index = "{A}" }}'),
            package("core", 'editable = "core"', f'{{ name = "alpha", index = "{B}" }}'),
            ALPHA,
            listed=("core", "alpha"),
        )


def test_of_places_that_exclude_each_other_the_one_that_is_asked_for_counts(
    tmp_path: Path,
) -> None:
    def backend(name: str, url: str) -> str:
        conflict = f'{{ package = "core", extra = "{name}" }}'
        marker = f"extra == '{name}'"
        return f'{{ name = "alpha", marker = "{marker}", index = "{url}", conflict = {conflict} }}'

    core = package("core", 'editable = "core"', backend("cpu", A), backend("gpu", B))
    head = (
        'conflicts = [[{ package = "core", extra = "cpu" }, { package = "core", extra = "gpu" }]]'
    )
    gpu = '{ name = "core", extras = ["gpu"], editable = "core", marker = "os_name == \'nt\'" }'
    needs = told(tmp_path, package("study", STUDY, gpu), core, ALPHA, listed=("core",), head=head)
    assert needs.sources == {"alpha": (Source((("index", B),), "", "os_name == 'nt'"),)}
    assert needs.listings == (Listing("", "alpha ; os_name == 'nt'"),)
    assert needs.extras == {("core", "gpu")}

    of_extra = gpu.replace("os_name == 'nt'", "os_name == 'nt' and extra == 'fast'")
    needs = told(
        tmp_path, package("study", STUDY, of_extra), core, ALPHA, listed=("core",), head=head
    )
    assert needs.sources == {"alpha": (Source((("index", B),), "fast", "os_name == 'nt'"),)}
    assert needs.listings == (Listing("fast", "alpha ; os_name == 'nt'"),)


def test_projects_that_ask_for_each_other_in_a_circle_are_told(tmp_path: Path) -> None:
    conflict = 'conflict = { package = "core", extra = "x" }'
    needs = told(
        tmp_path,
        package("study", 'editable = "study"', '{ name = "core", extras = ["x"], editable = "c" }'),
        package(
            "core",
            'editable = "c"',
            '{ name = "study", editable = "study", marker = "extra == \'x\'" }',
            '{ name = "core", extras = ["x"], editable = "c", marker = "extra == \'x\'" }',
            f'{{ name = "alpha", marker = "extra == \'x\'", index = "{A}", {conflict} }}',
        ),
        ALPHA,
        listed=("core",),
        head='conflicts = [[{ package = "core", extra = "x" }, { package = "core", extra = "y" }]]',
    )
    assert [each.name for each in needs.distributions] == ["study", "core"]
    assert needs.sources["alpha"] == (Source((("index", A),), "", ""),)


def test_a_lock_that_leaves_out_what_is_asked_for_is_told(tmp_path: Path) -> None:
    core = '[[package]]\nname = "core"\nsource = { editable = "core" }\n'
    core += 'dependencies = [{ name = "alpha" }]\n'
    with pytest.raises(ProjectInvalid, match="does not tell what core asks for"):
        told(tmp_path, package("study", STUDY, CORE), core, ALPHA, listed=("core",))


def test_a_project_alone_needs_no_more_than_its_own_word(tmp_path: Path) -> None:
    alone = f'[[package]]\nname = "study"\nsource = {{ {STUDY} }}\n'
    alone += 'dependencies = [{ name = "alpha" }]\n'
    assert told(tmp_path, alone, ALPHA, listed=("alpha",)) == Local()


def test_a_name_at_two_places_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="core lies at two places"):
        told(
            tmp_path,
            package("study", STUDY, CORE),
            package("core", 'editable = "packages/core"'),
            package("core", 'directory = "libs/core"'),
        )


def test_in_a_workspace_the_one_place_that_uv_took_it_from_is_that_of_all_machines(
    tmp_path: Path,
) -> None:
    on_linux = f'{{ name = "alpha", marker = "sys_platform == \'linux\'", index = "{B}" }}'
    packages = [
        package("study", STUDY, on_linux, CORE),
        package("core", 'editable = "packages/core"'),
        package("alpha", f'registry = "{B}"'),
    ]
    listed, members = ("alpha", "core"), '[manifest]\nmembers = ["core", "study"]\n'
    alone = told(tmp_path, *packages, listed=listed)
    assert alone.sources == {}, "its own pyproject.toml says so, and uv does as it did"
    needs = told(tmp_path, *packages, listed=listed, head=members)
    assert needs.sources == {"alpha": (Source((("index", B),), "", ""),)}
    elsewhere = package("alpha", f'registry = "{A}"')
    assert told(tmp_path, *packages[:2], elsewhere, listed=listed, head=members).sources == {}


def test_what_a_group_has_a_source_for_comes_from_there_for_all(tmp_path: Path) -> None:
    group = f'\n[package.metadata.requires-dev]\ndev = [{{ name = "alpha", index = "{B}" }}]\n'
    needs = told(
        tmp_path,
        package("study", STUDY, '{ name = "delta" }', tail=group),
        package("delta", f'registry = "{A}"').replace("[]", '[{ name = "alpha" }]', 1),
        ALPHA,
        listed=("delta",),
    )
    assert needs.listings == (Listing("", "alpha"),)
    assert needs.sources == {"alpha": (Source((("index", B),), "", ""),)}


def test_a_lock_without_the_project_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProjectInvalid, match="has no project study"):
        told(tmp_path, ALPHA)
