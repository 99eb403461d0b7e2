"""The walk of a lock, held against uv's own plan on every platform, one case at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from index import PackageIndex, sdist, wheel
from lock.plan import PLATFORMS, PYTHON, check, lock, planned

from uvmagic.errors import UsageError
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from conftest import Folder

LINUX, ARM, WINDOWS, MAC, INTEL_MAC = PLATFORMS
MINOR = sys.version_info.minor

MARKERS = [
    "os_name == 'nt'",
    "os_name != 'nt'",
    "sys_platform == 'linux'",
    "sys_platform != 'darwin'",
    "'linux' in sys_platform",
    "'win' not in sys_platform",
    "sys_platform in 'linux darwin'",
    "platform_system == 'Windows'",
    "platform_machine == 'x86_64'",
    "platform_machine == 'AMD64'",
    "platform_machine == 'aarch64'",
    "platform_machine == 'arm64'",
    "platform_machine == 'ARM64'",
    "platform_machine in 'x86_64 AMD64'",
    "platform_release == ''",
    "platform_release >= '20'",
    "platform_release < '20'",
    "platform_release != '20'",
    "platform_release < 'some'",
    "platform_version < '20'",
    "'4' in platform_version",
    "implementation_name == 'cpython'",
    "implementation_name == 'pypy'",
    "implementation_version >= '3.11'",
    f"implementation_version == '{PYTHON}'",
    "implementation_version ~= '3.5'",
    "platform_python_implementation != 'PyPy'",
    f"python_version == '3.{MINOR}'",
    f"python_version > '3.{MINOR}'",
    f"python_version in '3.2 3.{MINOR}'",
    f"python_full_version == '{PYTHON}'",
    f"python_full_version != '{PYTHON}'",
    f"python_full_version > '{PYTHON}'",
    f"python_full_version < '3.{MINOR + 1}'",
    f"python_full_version != '3.{MINOR}.*'",
    f"sys_platform == 'win32' and python_version < '3.{MINOR + 1}' or os_name == 'posix'",
    f"(sys_platform == 'win32' or os_name == 'posix') and python_version > '3.{MINOR}'",
]


def write(
    folder: Folder,
    dependencies: Sequence[str] = (),
    *,
    extras: Mapping[str, Sequence[str]] = {},
    groups: Mapping[str, Sequence[str]] = {},
    uv: str = "",
    more: str = "",
) -> None:
    """Write the project's pyproject.toml and lock it; `uv` goes into `[tool.uv]`."""
    index = folder.pyproject.read_text().partition("[[tool.uv.index]]")
    folder.pyproject.write_text(
        f"""\
[project]
name = "project"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = {json.dumps(dependencies)}

[project.optional-dependencies]
{_lists(extras)}
[dependency-groups]
{_lists(groups)}
[tool.uv]
{uv}
{more}
{"".join(index[1:])}
"""
    )
    lock(folder.path)


def _lists(named: Mapping[str, Sequence[str]]) -> str:
    return "".join(f"{name} = {json.dumps(listed)}\n" for name, listed in named.items())


@pytest.fixture(autouse=True)
def _more_on_the_index(index: PackageIndex) -> None:
    """Distributions named for what is odd about them."""
    index.add(wheel("only-win", "1.0", tag="py3-none-win_amd64"), sdist("only-source", "1.0"))
    index.add(*(wheel("everywhere", v) for v in ("1.0", "2.0", "3.0")))
    index.add(wheel("linux-or-source", "1.0", tag="py3-none-manylinux_2_17_x86_64"))
    index.add(sdist("linux-or-source", "1.0"))
    index.add(wheel("wants-new", "1.0", requires=["everywhere>=2"]))
    index.add(wheel("optional", "1.0", extras={"a": ["p1"], "b": ["p2; os_name=='nt'"], "c": []}))
    index.add(wheel("nested", "1.0", extras={"all": ["optional[a,b]"]}, requires=["p3"]))


def test_markers_of_every_variable(folder: Folder, index: PackageIndex) -> None:
    each = [f"m{n}; {marker}" for n, marker in enumerate(MARKERS)]
    index.add(wheel("root", "1.0", requires=each))
    index.add(*(wheel(f"m{n}", "1.0") for n in range(len(MARKERS))))
    write(folder, ["root"])
    plans = check(folder.path)
    assert len({frozenset(plan or ()) for plan in plans.values()}) == 5


def test_extras_of_dependencies(folder: Folder) -> None:
    write(folder, ["nested[all]", "optional[c]", "delta[more]; sys_platform=='darwin'"])
    plans = check(folder.path)
    assert plans[WINDOWS] == dict.fromkeys(["nested", "optional", "p1", "p2", "p3"], "1.0")
    assert {"delta", "gamma"} <= (plans[MAC] or {}).keys()


def test_extras_of_the_project(folder: Folder) -> None:
    extras = {"one": ["p1"], "two": ["p2; os_name=='nt'"], "all": ["project[one,two]"], "none": []}
    write(folder, ["beta"], extras=extras)
    for chosen in ([], ["one"], ["Two"], ["all"], ["none"], ["one", "two"]):
        check(folder.path, extras=chosen)


def test_groups_of_the_project(folder: Folder) -> None:
    groups = {"dev": ["p1", "optional[a]"], "test": ["p2; sys_platform=='linux'"], "none": []}
    write(folder, ["beta"], groups=groups, extras={"x": ["p5"]})
    for chosen in ([], ["dev"], ["test"], ["none"], ["test", "dev"]):
        check(folder.path, groups=chosen)
    check(folder.path, groups=["dev"], extras=["x"])


@pytest.fixture
def second() -> Iterator[PackageIndex]:
    """Another index, of local versions for Linux and Windows on x86-64."""
    with PackageIndex() as made:
        for tag in ("manylinux_2_28_x86_64", "win_amd64"):
            made.add(wheel("everywhere", "2.0+cu1", tag=f"py3-none-{tag}", requires=["p9"]))
        yield made


SECOND = """
[[tool.uv.index]]
name = "second"
url = "{}"
explicit = true
"""


def test_extras_in_conflict(folder: Folder, second: PackageIndex) -> None:
    on_x86 = "platform_machine in 'x86_64 AMD64'"
    write(
        folder,
        ["beta", "wants-new; os_name=='posix'"],
        extras={"cpu": ["everywhere==2.0"], "gpu": ["p1", f"everywhere; {on_x86}"]},
        groups={"dev": ["project[cpu]"]},
        uv="conflicts = [[{extra='cpu'}, {extra='gpu'}]]\n"
        f"sources.everywhere = [{{index='second', extra='gpu', marker=\"{on_x86}\"}}]",
        more=SECOND.format(second.url),
    )
    for chosen in ([], ["cpu"], ["gpu"]):
        check(folder.path, extras=chosen)
    check(folder.path, groups=["dev"])
    assert set(check(folder.path, extras=["cpu", "gpu"]).values()) == {None}
    lockfile = Lockfile(folder.lock.read_text())
    with pytest.raises(UsageError, match=r"declares: extra cpu and extra gpu\."):
        walk(lockfile, Target(LINUX, PYTHON), root="project", extras=["cpu", "gpu"])


def test_groups_in_conflict(folder: Folder) -> None:
    write(
        folder,
        ["wants-new; sys_platform=='win32'"],
        extras={"x": ["everywhere<3"]},
        groups={"old": ["everywhere<3"], "new": ["everywhere>=3"], "dev": ["p1"]},
        uv="conflicts = [[{group='old'}, {group='new'}], [{group='new'}, {extra='x'}]]",
    )
    for chosen in ([], ["old"], ["new"], ["dev", "new"], ["old", "new"]):
        check(folder.path, groups=chosen)
        check(folder.path, groups=chosen, extras=["x"])


def test_versions_told_apart_by_python(folder: Folder) -> None:
    write(
        folder,
        [
            f"everywhere==1; python_version<'3.{MINOR}'",
            f"everywhere==2; python_version>='3.{MINOR}'",
            f"alpha==1; python_full_version<='{PYTHON}'",
            f"alpha==2; python_full_version>'{PYTHON}'",
        ],
    )
    plans = check(folder.path)
    assert plans[LINUX] == {"everywhere": "2.0", "alpha": "1.0"}


def test_versions_told_apart_by_platform(folder: Folder, index: PackageIndex) -> None:
    index.add(wheel("above", "1.0", requires=["everywhere", "nested[all]; os_name=='nt'"]))
    write(
        folder,
        [
            "above",
            "everywhere==1; sys_platform=='darwin' and platform_machine=='arm64'",
            "everywhere==2; sys_platform=='win32'",
        ],
    )
    plans = check(folder.path)
    versions = [(plan or {})["everywhere"] for plan in plans.values()]
    assert versions == ["2.0", "2.0", "2.0", "1.0", "2.0"]


def test_a_wheel_that_a_platform_lacks(folder: Folder) -> None:
    write(folder, ["beta", "only-win"])
    plans = check(folder.path)
    assert [plan is None for plan in plans.values()] == [True, True, False, True, True]
    lockfile = Lockfile(folder.lock.read_text())
    assert walk(lockfile, Target(LINUX, PYTHON), root="project").lacking == {"only-win"}


def test_a_wheel_that_only_its_platform_wants(folder: Folder) -> None:
    write(folder, ["only-win; sys_platform=='win32'", "only-source", "linux-or-source"])
    assert None not in check(folder.path).values()


def test_a_project_that_is_a_package(folder: Folder) -> None:
    write(folder, ["beta"], extras={"x": ["project[y]"], "y": ["p1"]}, uv="package = true")
    plans = check(folder.path, extras=["x"])
    assert plans[LINUX] == {"project": None, "alpha": "2.0", "beta": "1.0", "p1": "1.0"}


def member(
    folder: Folder, name: str, dependencies: Sequence[str], more: str = "", uv: str = ""
) -> None:
    """Write a project into a folder of the project's."""
    (folder.path / name).mkdir()
    (folder.path / name / "pyproject.toml").write_text(
        f"[project]\nname = '{name}'\nversion = '1.0'\nrequires-python = '>=3.11'\n"
        f"dependencies = {json.dumps(dependencies)}\n{more}\n[tool.uv]\n{uv}\n"
    )


def test_members_of_a_workspace(folder: Folder) -> None:
    workspace = "sources.app.workspace = true\n"
    member(folder, "lib", ["alpha<2", "app[x]"], uv=f"{workspace}package = true")
    extra = "[project.optional-dependencies]\nx = ['p1']\n"
    group = "[dependency-groups]\nown = ['p3']\nboth = ['p4']\n"
    member(folder, "app", ["gamma"], f"{extra}{group}", uv="package = false")
    write(
        folder,
        ["beta", "lib; os_name=='nt'"],
        groups={"dev": ["p2", "lib"], "both": ["p5"]},
        uv=f"workspace.members = ['lib', 'app']\nsources.lib.workspace = true\n{workspace}",
    )
    for groups in ([], ["dev"], ["both"], ["dev", "both"]):
        check(folder.path, groups=groups)
        check(folder.path, root="lib", at="lib", groups=groups)
        check(folder.path, root="app", at="app", groups=groups, extras=["x"])
    check(folder.path, root="app", at="app", groups=["own"])


def test_what_is_below_is_reached_through_what_is_no_package(folder: Folder) -> None:
    extra = "[project.optional-dependencies]\nx = ['p1']\n"
    member(folder, "app", ["gamma", "beta; os_name=='nt'"], extra, uv="package = false")
    member(folder, "lib", ["p2", "app[x]"], uv="package = true\nsources.app.workspace = true")
    uv = "workspace.members = ['lib', 'app']\nsources.lib.workspace = true"
    write(folder, ["lib", "p3"], uv=uv)
    check(folder.path)
    lockfile = Lockfile(folder.lock.read_text())
    closure = walk(lockfile, Target(LINUX, PYTHON), root="project")
    assert closure.below("lib") == {"app", "gamma", "p1", "p2"}
    assert closure.below("project") == {"lib", "p3"} | closure.below("lib")
    assert closure.below("nobody") == frozenset()
    assert closure.reached["app"].extras == {"x"}
    assert closure.reached["app"].requires == {"gamma", "p1"}
    assert closure.packages.keys() == {"gamma", "lib", "p1", "p2", "p3"}
    assert closure.packages["gamma"].source.keys() == {"registry"}


def test_a_workspace_whose_root_is_no_project(folder: Folder) -> None:
    member(folder, "one", ["beta"], "[project.optional-dependencies]\nx = ['p1']\n")
    member(folder, "two", ["p2"], "[dependency-groups]\ndev = ['p3']\n")
    folder.pyproject.write_text(
        "[dependency-groups]\ndev = ['optional[a]; os_name==\"nt\"', 'p4']\nmore = ['p5']\n"
        "[tool.uv]\nworkspace.members = ['one', 'two']\n"
        + "".join(folder.pyproject.read_text().partition("[[tool.uv.index]]")[1:])
    )
    lock(folder.path)
    check(folder.path)
    for groups in (["dev"], ["more", "dev"]):
        check(folder.path, extras=["x"], groups=groups)
        check(folder.path, root="one", at="one", groups=groups)
        check(folder.path, root="two", at="two", groups=groups)


def test_folders_and_archives_by_path(folder: Folder) -> None:
    member(folder, "near", ["beta"], uv="package = true")
    member(folder, "far", ["gamma"], uv="package = true")
    files = [wheel("zipped", "7", requires=["p1"]), sdist("tarred", "7")]
    files.append(wheel("for-win", "7", tag="py3-none-win_amd64", requires=["p2"]))
    for file in files:
        (folder.path / file.filename).write_bytes(file.data)
    paths = {file.project: file.filename for file in files} | {"near": "near"}
    write(
        folder,
        ["near", "far", "zipped", "tarred", "for-win; os_name=='nt'"],
        extras={"mistaken": ["for-win"]},
        more="[tool.uv.sources]\nfar = {path = 'far', editable = true}\n"
        + "".join(f"{name} = {{path = '{path}'}}\n" for name, path in paths.items()),
    )
    assert None not in check(folder.path).values()
    refused = [plan is None for plan in check(folder.path, extras=["mistaken"]).values()]
    assert refused == [True, True, False, True, True]


_BACKEND = """
from pathlib import Path


def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    info = Path(metadata_directory, "moving-9.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: moving\\nVersion: 9\\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\\n")
    return info.name


build_editable = build_wheel = None
"""


def test_a_version_that_only_a_build_tells(folder: Folder) -> None:
    (folder.path / "moving").mkdir()
    (folder.path / "moving" / "backend.py").write_text(_BACKEND)
    (folder.path / "moving" / "pyproject.toml").write_text(
        "[project]\nname = 'moving'\ndynamic = ['version']\ndependencies = ['beta']\n"
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    write(folder, ["moving"], uv="sources.moving = {path = 'moving', editable = true}")
    check(folder.path)
    closure = walk(Lockfile(folder.lock.read_text()), Target(LINUX, PYTHON), root="project")
    assert closure.packages["moving"].version is None


def test_direct_urls(folder: Folder, index: PackageIndex) -> None:
    index.add(wheel("alpha", "2.0", tag="py3-none-win_amd64", requires=["p1"]))
    files = index.url.replace("/simple", "/files")
    write(
        folder,
        [
            f"beta @ {files}/beta-1.0-py3-none-any.whl",
            f"only-source @ {files}/only_source-1.0.tar.gz",
            f"alpha @ {files}/alpha-2.0-py3-none-win_amd64.whl ; os_name=='nt'",
            "alpha<2; os_name!='nt'",
        ],
    )
    plans = check(folder.path)
    assert [(plan or {})["alpha"] for plan in plans.values()] == ["1.0", "1.0", "2.0", "1.0", "1.0"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_git_repository(folder: Folder, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "pyproject.toml").write_text(
        "[project]\nname = 'tracked'\nversion = '3'\ndependencies = ['beta']\n"
    )
    for call in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(
            ["git", "-c", "user.name=test", "-c", "user.email=test@index.invalid", *call],
            cwd=repository,
            check=True,
        )
    write(folder, ["tracked"], uv=f"sources.tracked.git = '{repository.as_uri()}'")
    check(folder.path)


def test_a_lock_that_leaves_metadata_out(folder: Folder) -> None:
    write(folder, ["optional[b]"], extras={"x": ["p3"]}, groups={"dev": ["p4"]})
    folder.lock.unlink()
    lock(folder.path, "--preview")
    assert "[package.metadata]" not in folder.lock.read_text()
    check(folder.path, extras=["x"], groups=["dev"])
    assert Lockfile(folder.lock.read_text()).asked_for("project") == {"optional", "p3", "p4"}


def test_environments_that_the_lock_is_for(folder: Folder) -> None:
    wanted = "environments = [\"sys_platform=='linux'\", \"os_name=='nt'\"]"
    write(folder, ["beta", "only-win; os_name=='nt'"], uv=wanted)
    plans = check(folder.path)
    assert [plan is None for plan in plans.values()] == [False, False, False, True, True]
    lockfile = Lockfile(folder.lock.read_text())
    closure = walk(lockfile, Target(MAC, PYTHON), root="project")
    assert closure.excluded
    assert not closure.packages


def test_environments_that_need_wheels(folder: Folder, index: PackageIndex) -> None:
    tags = ("manylinux_2_28_x86_64", "win_amd64", "macosx_11_0_arm64")
    index.add(*(wheel("alpha", "3.0", tag=f"py3-none-{tag}") for tag in tags[:2]))
    index.add(wheel("beta", "2.0", tag=f"py3-none-{tags[2]}"))
    wanted = "required-environments = [\"sys_platform=='darwin' and platform_machine=='arm64'\"]"
    write(folder, ["alpha", "beta"], uv=wanted)
    plans = check(folder.path)
    assert plans[MAC] is not None


@pytest.mark.parametrize("marker", ["platform_machine=='x86_64'", "sys_platform!='darwin'"])
def test_an_index_by_marker(folder: Folder, second: PackageIndex, marker: str) -> None:
    write(
        folder,
        ["everywhere==2", "wants-new", "p1"],
        uv=f"sources.everywhere = [{{index='second', marker=\"{marker}\"}}]",
        more=SECOND.format(second.url),
    )
    plans = check(folder.path)
    assert (plans[LINUX] or {})["everywhere"] == "2.0+cu1"
    assert (plans[MAC] or {})["everywhere"] == "2.0"


@pytest.mark.parametrize(
    ("asked", "is_for"),
    [
        (f">={PYTHON}", True),
        (f">{PYTHON}", False),
        (f"<3.{MINOR}", False),
        (f"!=3.{MINOR}.*", False),
        (f"==3.{MINOR}.*", True),
    ],
)
def test_pythons_that_the_lock_is_for(folder: Folder, asked: str, is_for: bool) -> None:
    write(folder, ["beta"])
    for file in (folder.pyproject, folder.lock):  # uv locks for no Python that it has not
        file.write_text(file.read_text().replace(">=3.11", asked))
    plans = check(folder.path)
    assert [plan is not None for plan in plans.values()] == [is_for] * 5


# --- wheels -----------------------------------------------------------------------------------

CP = f"cp3{MINOR}"
PYTHONS = [
    *(f"{CP}-{abi}" for abi in (CP, "none", "abi3", f"{CP}t", f"{CP}d", f"cp3{MINOR - 1}")),
    *(f"{python}-abi3" for python in ("cp32", "cp3", f"cp3{MINOR - 1}", f"cp3{MINOR + 1}", "py3")),
    *(f"cp3{minor}-cp3{minor}" for minor in (MINOR - 1, MINOR + 1)),
    *(f"{python}-none" for python in ("py3", "py2", "py2.py3", "py30", f"py3{MINOR}", "cp3")),
    *(f"py3{MINOR + 1}-none", f"pp3{MINOR}-none", f"py3-{CP}", f"cp2.cp3.{CP}-abi3", "cp36-cp36m"),
]
SYSTEMS = [
    *("any", "linux_x86_64", "linux_aarch64", "linux_i686", "linux_armv7l", "win_arm64", "win32"),
    *("manylinux1_x86_64", "manylinux1_aarch64", "manylinux2010_x86_64", "manylinux2010_aarch64"),
    *("manylinux2014_x86_64", "manylinux2014_aarch64", "manylinux_2_4_x86_64", "win_amd64"),
    *(f"manylinux_2_{glibc}_x86_64" for glibc in (5, 16, 17, 24, 28, 29, 34)),
    *(f"manylinux_2_{glibc}_aarch64" for glibc in (5, 16, 17, 24, 28, 29, 34)),
    *("musllinux_1_1_x86_64", "musllinux_1_2_aarch64", "manylinux_2_17_i686", "macosx_10_9_intel"),
    *(f"macosx_10_9_{build}" for build in ("x86_64", "universal2", "universal", "fat64", "arm64")),
    *(f"macosx_10_16_{build}" for build in ("x86_64", "universal2", "arm64")),
    *(f"macosx_11_0_{build}" for build in ("x86_64", "universal2", "arm64")),
    *(f"macosx_13_0_{build}" for build in ("x86_64", "universal2", "arm64")),
    *(f"macosx_13_1_{build}" for build in ("x86_64", "universal2", "arm64")),
    *(f"macosx_14_0_{build}" for build in ("x86_64", "universal2", "arm64")),
    *("macosx_12_3_arm64", "manylinux_2_17_x86_64.manylinux2014_x86_64", "ios_13_0_arm64_iphoneos"),
]
NATIVE = ["any", "linux_x86_64", "manylinux_2_28_aarch64", "win_amd64", "macosx_11_0_universal2"]
TAGS = sorted(
    {f"{python}-{system}" for python in (f"{CP}-{CP}", "py3-none") for system in SYSTEMS}
    | {f"{python}-{system}" for python in PYTHONS for system in NATIVE}
)


@pytest.mark.parametrize(
    "platform", [*PLATFORMS, "x86_64-manylinux_2_17", "aarch64-manylinux_2_34"]
)
def test_wheels_that_a_platform_takes(folder: Folder, platform: str) -> None:
    """Those that the target accepts can all be installed; of the others not one."""
    target = Target(platform, PYTHON)
    accepted = [tag for tag in TAGS if target.accepts(f"a-1.0-{tag}.whl")]
    refused = [tag for tag in TAGS if tag not in accepted]
    assert accepted
    folder.lock.write_text(_lock_of_wheels([[tag] for tag in accepted]))
    assert planned(folder.path, platform) == {f"d{n}": "1.0" for n in range(len(accepted))}
    folder.lock.write_text(_lock_of_wheels([refused]))
    assert planned(folder.path, platform) is None


def _lock_of_wheels(distributions: Sequence[Sequence[str]]) -> str:
    """A lock of as many distributions, each with wheels of these tags."""
    source = 'source = { registry = "https://index.invalid/simple" }'
    edges = "".join(f'    {{ name = "d{n}" }},\n' for n in range(len(distributions)))
    blocks = [
        'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n',
        '[[package]]\nname = "project"\nversion = "0.1.0"\nsource = { virtual = "." }\n'
        f"dependencies = [\n{edges}]\n",
    ]
    for n, tags in enumerate(distributions):
        urls = [f"https://index.invalid/d{n}-1.0-{tag}.whl" for tag in tags]
        wheels = "".join(f'    {{ url = "{url}", hash = "sha256:{n:064}" }},\n' for url in urls)
        head = f'[[package]]\nname = "d{n}"\nversion = "1.0"\n{source}\n'
        blocks.append(f"{head}wheels = [\n{wheels}]\n")
    return "\n".join(blocks)
