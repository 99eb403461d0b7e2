"""The bundle's own pyproject.toml."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from uvmagic.bundle.portable import differing_versions, portable_pyproject
from uvmagic.errors import BundleRefused
from uvmagic.lockfile import Lockfile

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

RERUN = ["ipykernel", "papermill"]

NOTEBOOKS = """\
# What the analysis needs.
[project]
name = "analysis"
version = "0.1.0"
readme = "README.md"
requires-python = ">=3.11"  # as on the cluster
dependencies = [
    "numpy>=2",  # arrays
    "my-lib",
]

[dependency-groups]
dev = ["pytest", "helper"]

[tool.uv]
index-strategy = "unsafe-best-match"  # ours shadows PyPI
default-groups = ["dev"]

[[tool.uv.index]]
url = "https://x.org/simple"

[tool.uv.sources]
my-lib = { path = "lib", editable = true }
helper = { path = "../helper" }

[tool.ruff]
line-length = 100
"""

PACKAGE = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "My_Package"
dynamic = ["version"]
license-files = ["LICENSE"]
requires-python = ">=3.11"
dependencies = ["numpy>=2"]

[project.optional-dependencies]
plot = ["matplotlib"]

[project.scripts]
mine = "my_package:main"

[tool.hatch.version]
path = "src/my_package/__init__.py"
"""


def made(text: str, wheels: dict[str, str] | None = None) -> dict[str, Any]:
    return tomllib.loads(portable_pyproject(text, RERUN, wheels or {}))


def test_a_notebooks_project_reads_well(snapshot: SnapshotAssertion) -> None:
    wheels = {"my-lib": "wheels/my_lib-1-py3-none-any.whl"}
    assert portable_pyproject(NOTEBOOKS, [*RERUN, "uvmagic==0.1.0"], wheels) == snapshot


def test_a_packages_project_reads_well(snapshot: SnapshotAssertion) -> None:
    wheels = {"my-package": "wheels/my_package-1-py3-none-any.whl"}
    assert portable_pyproject(PACKAGE, RERUN, wheels) == snapshot


# --- any project ----------------------------------------------------------------------------------

REQUIREMENTS = st.lists(
    st.sampled_from(["numpy>=2", "my-lib", "From_Git[x]", "pandas; os_name == 'nt'"]), unique=True
)
SOURCES = {
    "my-lib": '{ path = "lib" }',
    "from-git": '{ git = "https://x.org/y" }',
    "of-a-group": '{ path = "../elsewhere" }',
    "also-of-a-group": '[{ index = "x", marker = "os_name == \'nt\'" }]',
}
OWN = {"mine-own": "wheels/own.whl"}
"""The wheel of the project itself, where it is a package."""


@st.composite
def pyprojects(draw: st.DrawFn) -> str:
    """A pyproject.toml with its tables in any order, but that [project] comes before its parts."""

    def quoted(values: list[str]) -> str:
        return "[" + ", ".join(f'"{value}"' for value in values) + "]"

    head = ['[project]\nname = "Mine.Own"\nrequires-python = ">=3.11"']
    version = draw(st.sampled_from(['version = "1"', 'dynamic = ["version"]']))
    head.append(version)
    if draw(st.booleans()):
        head.append(f"dependencies = {quoted(draw(REQUIREMENTS))}")
    if draw(st.booleans()):
        head.append('readme = "README.md"\nlicense-files = ["LICENSE"]\nauthors = [{ name = "A" }]')
    sections = ["\n".join(head)]
    optional = {
        "extras": f"[project.optional-dependencies]\nmore = {quoted(draw(REQUIREMENTS))}",
        "scripts": '[project.scripts]\nmine = "mine:main"',
        "entries": '[project.entry-points.x]\nmine = "mine:main"',
        "urls": '[project.urls]\nHome = "https://x.org"',
        "build": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"',
        "groups": '[dependency-groups]\ndev = ["of-a-group"]\ndocs = ["also-of-a-group"]',
        "ruff": "[tool.ruff.lint]\nselect = []",
        "uv": "[tool.uv]\n"
        + draw(st.sampled_from(["", "package = false\n", 'dev-dependencies = ["x"]\n']))
        + draw(st.sampled_from(["", 'default-groups = "all"\n', 'prerelease = "allow"\n'])),
        "index": '[[tool.uv.index]]\nname = "x"\nurl = "https://x.org"',
        "sources": "[tool.uv.sources]\n"
        + "\n".join(
            f"{name} = {SOURCES[name]}" for name in draw(st.sets(st.sampled_from(sorted(SOURCES))))
        ),
    }
    sections += [optional[key] for key in draw(st.sets(st.sampled_from(sorted(optional))))]
    ordered = draw(st.permutations(sections))
    begin = min(n for n, section in enumerate(ordered) if section.startswith("[project"))
    ordered = [section for section in ordered if section != sections[0]]
    return "\n\n".join([*ordered[:begin], sections[0], *ordered[begin:]]) + "\n"


@given(pyprojects())
def test_what_runs_the_notebook_is_the_one_group_and_installed_by_default(text: str) -> None:
    after = made(text)
    assert after["dependency-groups"] == {"rerun": RERUN}
    assert after["tool"]["uv"]["default-groups"] == ["rerun"]
    assert "dev-dependencies" not in after["tool"]["uv"]


@given(pyprojects())
def test_the_bundle_asks_for_what_the_project_asks_for(text: str) -> None:
    before = tomllib.loads(text)
    wheels = OWN if "build-system" in before else {}
    after, own = made(text, wheels), [*wheels]
    for key in ("requires-python", "optional-dependencies", "urls", "authors"):
        assert after["project"].get(key) == before["project"].get(key)
    dependencies = before["project"].get("dependencies", [])
    assert after["project"].get("dependencies", []) == [*dependencies, *own]


@given(pyprojects())
def test_the_bundle_builds_nothing_and_names_no_file_that_stays_behind(text: str) -> None:
    before = tomllib.loads(text)
    wheels = OWN if "build-system" in before else {}
    after = made(text, wheels)
    assert "build-system" not in after
    assert "package" not in after["tool"]["uv"]
    gone = {"readme", "license-files", "scripts", "gui-scripts", "entry-points", "dynamic"}
    assert gone.isdisjoint(after["project"])
    assert after["project"]["version"] == before["project"].get("version", "0")
    assert after["project"]["name"] == ("mine-own-bundle" if wheels else "Mine.Own")


@given(pyprojects())
def test_only_the_sources_of_what_is_asked_for_go_along(text: str) -> None:
    before, after = tomllib.loads(text), made(text, {"my-lib": "wheels/x.whl"})
    project = before["project"]
    asked = [
        *project.get("dependencies", []),
        *project.get("optional-dependencies", {}).get("more", []),
    ]
    asked_names = {
        canonicalize_name(text.split("[")[0].split(">")[0].split(";")[0]) for text in asked
    }
    kept = {
        name: source
        for name, source in before.get("tool", {}).get("uv", {}).get("sources", {}).items()
        if name in asked_names
    }
    assert after["tool"]["uv"]["sources"] == {**kept, "my-lib": {"path": "wheels/x.whl"}}


@given(pyprojects())
def test_every_other_setting_stays(text: str) -> None:
    before, after = tomllib.loads(text), made(text)
    ours = {"default-groups", "dev-dependencies", "package", "sources"}
    assert after["tool"].get("ruff") == before.get("tool", {}).get("ruff")
    uv = before.get("tool", {}).get("uv", {})
    assert {k: v for k, v in after["tool"]["uv"].items() if k not in ours} == {
        k: v for k, v in uv.items() if k not in ours
    }


def test_a_part_of_the_project_may_stand_before_it() -> None:
    after = made(
        '[project.entry-points.x]\nmine = "mine:main"\n\n'
        '[project]\nname = "mine"\ndynamic = ["version"]\ndependencies = ["numpy"]\n'
    )
    assert after["project"] == {"name": "mine", "version": "0", "dependencies": ["numpy"]}


def test_comments_of_what_is_kept_are_kept() -> None:
    text = portable_pyproject(NOTEBOOKS, RERUN, {})
    for comment in ("What the analysis needs.", "as on the cluster", "arrays", "ours shadows PyPI"):
        assert f"# {comment}" in text


def test_a_project_is_a_package_where_it_has_a_wheel() -> None:
    text = '[project]\nname = "a"\nversion = "1"\n[tool.uv]\npackage = true\n'
    after = made(text, {"a": "wheels/a.whl"})
    assert after["project"]["name"] == "a-bundle"
    assert after["project"]["dependencies"] == ["a"]
    assert made(text)["project"]["name"] == "a"


def test_a_wheel_takes_the_place_of_a_source_however_its_name_is_spelled() -> None:
    text = (
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["My_Lib"]\n'
        '[tool.uv.sources]\nMy_Lib = { path = "lib" }\n'
    )
    sources = made(text, {"my-lib": "wheels/x.whl"})["tool"]["uv"]["sources"]
    assert {canonicalize_name(name): source for name, source in sources.items()} == {
        "my-lib": {"path": "wheels/x.whl"}
    }
    assert len(sources) == 1


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ('{ path = "lib", editable = true }', {"path": "wheels/lib.whl"}),
        ("{ workspace = true }", {"path": "wheels/lib.whl"}),
        (
            '[{ path = "lib", marker = "m" }, { index = "x", marker = "n" }]',
            [{"path": "wheels/lib.whl", "marker": "m"}, {"index": "x", "marker": "n"}],
        ),
        (
            '[{ workspace = true, extra = "e" }, { index = "x", group = "dev" }]',
            {"path": "wheels/lib.whl", "extra": "e"},
        ),
    ],
)
def test_what_a_source_says_besides_its_place_stays(written: str, left: Any) -> None:
    text = '[project]\nname = "a"\ndependencies = ["lib"]\n[tool.uv.sources]\nlib = ' + written
    sources = made(text, {"lib": "wheels/lib.whl"})["tool"]["uv"]["sources"]
    assert sources == {"lib": left}


def test_no_source_names_a_place_that_has_no_wheel_or_a_group_that_stays_behind() -> None:
    # uv refuses a source of a group that is not there
    text = (
        '[project]\nname = "a"\ndependencies = ["lib", "six"]\n[tool.uv.sources]\n'
        'lib = { path = "lib" }\nsix = [{ index = "x", group = "dev" }]\n'
    )
    assert "sources" not in made(text)["tool"]["uv"]


def test_what_is_bounded_keeps_its_source_though_nothing_lists_it() -> None:
    text = (
        '[project]\nname = "a"\n[tool.uv]\noverride-dependencies = ["six"]\n'
        'sources.six = { index = "x" }\nsources.other = { index = "x" }\n'
    )
    assert made(text)["tool"]["uv"]["sources"] == {"six": {"index": "x"}}


def test_what_has_a_source_for_others_is_listed_where_nobody_installs_it() -> None:
    text = '[project]\nname = "a"\n[tool.uv.sources]\nsix = { index = "x" }\n'
    after = tomllib.loads(portable_pyproject(text, RERUN, {}, ["six ; os_name == 'nt'"]))
    assert after["dependency-groups"] == {"rerun": RERUN, "sources": ["six ; os_name == 'nt'"]}
    assert after["tool"]["uv"]["default-groups"] == ["rerun"]
    assert after["tool"]["uv"]["sources"] == {"six": {"index": "x"}}


def test_settings_of_groups_that_stay_behind_stay_behind() -> None:
    # uv refuses settings of a group that does not exist
    text = (
        '[project]\nname = "a"\nversion = "1"\n[dependency-groups]\ndev = []\n'
        '[tool.uv.dependency-groups]\ndev = { requires-python = ">=3.12" }\n'
    )
    assert "dev" not in made(text)["tool"]["uv"].get("dependency-groups", {})


@pytest.mark.parametrize("dynamic", ['"dependencies"', '"dependencies", "version"', '"readme"'])
def test_nothing_of_a_package_stays_dynamic_since_nothing_is_built(dynamic: str) -> None:
    version = "" if "version" in dynamic else 'version = "1"\n'
    text = f'[build-system]\nrequires = []\n[project]\nname = "a"\n{version}dynamic = [{dynamic}]\n'
    project = made(text, {"a": "wheels/a.whl"})["project"]
    assert project.get("dynamic", []) == []
    assert project["dependencies"] == ["a"]


def test_a_workspace_root_without_a_project_is_refused() -> None:
    with pytest.raises(BundleRefused):
        portable_pyproject('[tool.uv.workspace]\nmembers = ["packages/*"]\n', RERUN, {})


# --- the lock -------------------------------------------------------------------------------------


def lock(**versions: list[str]) -> Lockfile:
    blocks = [
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
        for name, known in versions.items()
        for version in known
    ]
    return Lockfile("\n".join(blocks))


def test_only_a_version_that_moved_is_told() -> None:
    before = lock(a=["1"], b=["1"], gone=["1"], fork=["1", "2"])
    after = lock(a=["1"], b=["2"], new=["1"], fork=["1", "3"])
    assert differing_versions(before, after) == {"b": ("1", "2"), "fork": ("1, 2", "1, 3")}


LOCKS = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.sampled_from("123"), min_size=1, unique=True)
)


@given(LOCKS, LOCKS)
def test_what_differs_has_a_version_that_was_not_locked(
    one: dict[str, list[str]], other: dict[str, list[str]]
) -> None:
    moved = differing_versions(lock(**one), lock(**other))
    for name in one.keys() & other.keys():
        assert (name in moved) == bool(set(other[name]) - set(one[name]))
    assert moved.keys() <= one.keys() & other.keys()
    assert all(old != new for old, new in moved.values())


@given(LOCKS, st.data())
def test_the_order_in_a_lock_makes_no_difference(
    versions: dict[str, list[str]], data: st.DataObject
) -> None:
    names = data.draw(st.permutations(list(versions)))
    shuffled = {name: versions[name][::-1] for name in names}
    assert differing_versions(lock(**versions), lock(**shuffled)) == {}
