"""A lock without CUDA's libraries for Linux is repaired, or refused; whichever call made it."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Folder
from index import PackageIndex, wheel
from robustness.aftermath import Aftermath
from torch_calls import (
    LIBRARIES,
    done,
    indexes,
    is_installed,
    is_whole_on_linux,
    locked,
    locked_by_uv,
    plan,
    taken_from,
    uv_of,
    write,
)
from torch_hosts import TorchIndex, releases

from uvmagic.accelerator.audit import LINUX

if TYPE_CHECKING:
    from pathlib import Path

    from index import Distribution
    from torch_hosts.fixtures import TorchHosts

CPYTHON = f"cp3{sys.version_info.minor}"
WHEEL = f"torch-2.7.1+cu126-{CPYTHON}-{CPYTHON}-{{}}.whl"
X86, ARM, WINDOWS = "manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "win_amd64"
MENDED = "pyproject.toml tells uv now what"
ANEW = "torch was locked anew"
FROM_NJU = ("add", "torch==2.7.1", "--cuda", "126", "--mirror", "nju")


@pytest.fixture(autouse=True)
def _one_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare uv the search for a Python, which takes it longer than all the rest."""
    monkeypatch.setenv("UV_PYTHON", sys.executable)


@pytest.fixture
def folder(torch_hosts: TorchHosts) -> Folder:
    """A project without requirements."""
    return torch_hosts.folder


@pytest.fixture
def aftermath(torch_hosts: TorchHosts, tmp_path: Path) -> Aftermath:
    """The project as it was before a call that fails."""
    return Aftermath(torch_hosts.folder, tmp_path)


def told_to_uv(folder: Folder) -> list[dict[str, Any]]:
    """What pyproject.toml says of distributions in the place of their own metadata."""
    found: list[dict[str, Any]] = uv_of(folder).get("dependency-metadata", [])
    return found


class Careless(TorchIndex):
    """A mirror some of whose wheels say too little."""

    def lacks(self, platform: str, *libraries: str) -> None:
        """Say nothing of what begins so in the metadata of torch for a platform."""
        self._change(lambda file: without(file, *libraries) if platform in file.filename else file)


@pytest.fixture
def careless(torch_hosts: TorchHosts) -> Careless:
    """Stands for the mirror `nju`."""
    address = torch_hosts.nju.url("").removeprefix("https://").rstrip("/")
    made = Careless(address)
    torch_hosts.network.serve(made.host, made.answer)
    return made


def without(file: Distribution, *libraries: str) -> Distribution:
    """A distribution whose metadata, if it is torch's, requires nothing that begins so."""
    if file.project != "torch" or file.metadata is None:
        return file
    starts = tuple(f"Requires-Dist: {each}".encode() for each in libraries)
    lines = file.metadata.splitlines(keepends=True)
    return replace(file, metadata=b"".join(line for line in lines if not line.startswith(starts)))


def no_metadata(index: TorchIndex) -> None:
    """Serve neither the metadata of the wheels for x86_64 Linux nor those wheels."""
    index.fail("*x86_64.whl", 404)
    index.fail("*x86_64.whl.metadata", 404)


# --- repaired -------------------------------------------------------------------------------------


def test_the_trap_of_2_6_0_is_repaired_by_what_its_wheel_says(
    torch_hosts: TorchHosts, python312: str
) -> None:
    folder = torch_hosts.folder
    write(torch_hosts, python=">=3.12")
    call = ("add", "torch==2.6.0", "--cuda", "126", "--no-sync", "--python", python312)
    said = done(folder, *call)
    assert "torch 2.6.0+cu126 for Linux lacked nvidia-cublas-cu12, nvidia-cuda-cupti-cu12" in said
    assert f"{MENDED} torch-2.6.0+cu126-cp312-cp312-{X86}.whl says of itself" in said
    (entry,) = told_to_uv(folder)
    assert (entry["name"], entry["version"]) == ("torch", "2.6.0+cu126")
    assert sum("nvidia-" in each for each in entry["requires-dist"]) == 13
    assert f"# uvmagic: the metadata of torch-2.6.0+cu126-cp312-cp312-{X86}.whl." in (
        folder.pyproject.read_text()
    )
    assert is_whole_on_linux(folder, "--python", python312)


def test_without_the_repair_the_trap_is_there(torch_hosts: TorchHosts, python312: str) -> None:
    """What the test above guards against: should this fail, it proves nothing any more."""
    source = taken_from(torch_hosts.official, "cu126", marker="sys_platform == 'linux'")
    write(torch_hosts, "torch==2.6.0", more=source, python=">=3.12")
    locked_by_uv(torch_hosts.folder, "--python", python312)
    assert "2.6.0+cu126" in locked(torch_hosts.folder)
    assert not plan(torch_hosts.folder, LINUX, "--python", python312).keys() & LIBRARIES


@is_installed
def test_an_inconsistent_mirror_is_repaired(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    torch_hosts.nju.inconsistent()
    said = done(folder, *FROM_NJU)
    assert f"{MENDED} {WHEEL.format(X86)} says of itself" in said
    assert is_whole_on_linux(folder)
    assert {name.replace("-", "_") for name in LIBRARIES} <= folder.installed()


def test_a_partial_loss_is_seen_and_repaired(folder: Folder, careless: Careless) -> None:
    careless.lacks(ARM, "nvidia-nccl")  # that one uv reads
    said = done(folder, *FROM_NJU, "--no-sync")
    assert "torch 2.7.1+cu126 for Linux lacked nvidia-nccl-cu12: " in said
    assert "nvidia-nccl-cu12" in plan(folder)


def test_a_wheel_that_uv_does_not_read_does_no_harm(folder: Folder, careless: Careless) -> None:
    careless.lacks(WINDOWS, "nvidia-")
    said = done(folder, *FROM_NJU, "--no-sync")
    assert "lacked" not in said
    assert is_whole_on_linux(folder)


@pytest.fixture
def clinging(torch_hosts: TorchHosts, careless: Careless) -> Folder:
    """A project locked when its mirror had torch for Windows alone, which names no libraries."""
    write(torch_hosts, "torch==2.7.1", more=taken_from(careless, "cu126"))
    careless.lacks(WINDOWS, "nvidia-")
    careless.windows_only()
    locked_by_uv(torch_hosts.folder)
    careless.heal()
    careless.lacks(WINDOWS, "nvidia-")
    return torch_hosts.folder


def test_a_lock_that_clings_to_a_wheel_for_windows_is_made_anew(clinging: Folder) -> None:
    said = done(clinging, "add", "torch", "--cuda", "126", "--no-sync")
    assert "torch 2.7.1+cu126 for Linux lacked" in said
    assert ANEW in said
    assert told_to_uv(clinging) == []
    assert is_whole_on_linux(clinging)


def test_bare_uv_leaves_such_a_lock_as_it_is(clinging: Folder) -> None:
    """What the test above guards against: should this fail, it proves nothing any more."""
    locked_by_uv(clinging, "--refresh")
    assert "2.7.1+cu126" in locked(clinging)
    assert not plan(clinging).keys() & LIBRARIES


def test_a_mirror_that_has_been_healed_is_believed(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    torch_hosts.nju.inconsistent()
    write(torch_hosts, "torch==2.7.1", more=taken_from(torch_hosts.nju, "cu126"))
    locked_by_uv(folder)
    assert not plan(folder).keys() & LIBRARIES
    torch_hosts.nju.heal()
    said = done(folder, "lock")
    assert "torch 2.7.1+cu126 for Linux lacked" in said
    assert ANEW in said
    assert is_whole_on_linux(folder)
    assert told_to_uv(folder) == []


def test_of_several_backends_the_one_that_lacks_is_repaired(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    torch_hosts.official.inconsistent()
    said = done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cpu", "--no-sync")
    assert "torch 2.7.1+cu126 for Linux lacked" in said
    assert is_whole_on_linux(folder, "--extra", "cu126")
    assert plan(folder, LINUX, "--extra", "cpu")["torch"] == "2.7.1+cpu"
    assert [each["version"] for each in told_to_uv(folder)] == ["2.7.1+cu126"]


def test_two_backends_that_lack_are_both_repaired(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    torch_hosts.official.inconsistent()
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cuda", "128", "--no-sync")
    assert is_whole_on_linux(folder, "--extra", "cu126")
    assert is_whole_on_linux(folder, "--extra", "cu128")


@pytest.mark.parametrize("table", ["--group", "--optional"])
def test_a_torch_that_is_not_installed_by_default_is_judged_too(
    torch_hosts: TorchHosts, table: str
) -> None:
    folder = torch_hosts.folder
    torch_hosts.official.inconsistent()
    done(folder, "add", "torch==2.7.1", "--cuda", "126", table, "ml", "--no-sync")
    option = "--group" if table == "--group" else "--extra"
    assert is_whole_on_linux(folder, option, "ml")


def test_in_a_workspace_the_root_is_told(torch_hosts: TorchHosts) -> None:
    root = torch_hosts.folder
    torch_hosts.official.inconsistent()
    write(torch_hosts, more='\n[tool.uv.workspace]\nmembers = ["member"]\n')
    member = Folder(root.path / "member")
    member.path.mkdir()
    member.pyproject.write_text(
        '[project]\nname = "member"\nversion = "1"\nrequires-python = ">=3.11"\n'
        "dependencies = []\n[tool.uv]\npackage = false\n"
    )
    done(member, "add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    assert [each["version"] for each in told_to_uv(root)] == ["2.7.1+cu126"]
    assert told_to_uv(member) == []
    assert is_whole_on_linux(member)
    done(member, "remove", "torch", "--no-sync")
    assert told_to_uv(root) == []


def test_a_torch_of_pypi_is_judged_as_well(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    lies_about_torch(torch_hosts.pypi)
    said = done(folder, "add", "carrier", "torch==2.7.1", "--no-sync")
    assert "torch 2.7.1 for Linux lacked" in said
    assert plan(folder).keys() >= LIBRARIES


def test_a_torch_that_another_package_brings_is_judged_as_well(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    lies_about_torch(torch_hosts.pypi)
    said = done(folder, "add", "carrier", "--no-sync")
    assert "torch 2.15.0 for Linux lacked" in said
    assert "nvidia-cudnn-cu13" in plan(folder)


@pytest.mark.parametrize("way", [{"UV_OFFLINE": "1"}, {}])
def test_offline_nobody_is_asked(torch_hosts: TorchHosts, way: dict[str, str]) -> None:
    folder = torch_hosts.folder
    done(folder, "add", "torch==2.7.1", "--cuda", "126")
    done(folder, "remove", "torch")
    asked = list(torch_hosts.network.requests)
    options = [] if way else ["--offline"]
    told = folder.uvmagic("add", "torch==2.7.1", "--cuda", "126", *options, **way)
    assert told.returncode == 0, told.stderr
    assert torch_hosts.network.requests == asked


def test_what_was_repaired_once_is_not_said_to_lack_again(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    lies_about_torch(torch_hosts.pypi)
    done(folder, "add", "torch==2.7.1", "--no-sync")
    told = told_to_uv(folder)
    said = done(folder, "add", "numpy", "--no-sync")
    assert "lacked" not in said
    assert told_to_uv(folder) == told
    assert plan(folder).keys() >= LIBRARIES


def lies_about_torch(index: PackageIndex) -> None:
    """Have PyPI's metadata of torch say nothing of libraries, but for x86_64 Linux."""
    others = [file for file in releases.pypi() if not file.filename.endswith("x86_64.whl")]
    index.add(*(without(file, "nvidia-", "cuda-") for file in others))


# --- what a repair has left goes with its reason --------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        ("add", "torch", "--cpu"),
        ("add", "torch==2.9.1", "--cuda", "126", "--mirror", "official"),
        ("remove", "torch"),
    ],
    ids=" ".join,
)
def test_a_repair_goes_with_the_torch_that_it_was_for(
    torch_hosts: TorchHosts, call: tuple[str, ...]
) -> None:
    folder = torch_hosts.folder
    torch_hosts.nju.inconsistent()
    done(folder, *FROM_NJU, "--no-sync")
    assert told_to_uv(folder) != []
    done(folder, *call, "--no-sync")
    assert told_to_uv(folder) == []
    assert "uvmagic:" not in folder.pyproject.read_text()


def test_what_the_user_told_uv_is_not_overwritten(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    own = """
# Ours has its own.
[[tool.uv.dependency-metadata]]
name = "torch"
version = "2.7.1+cu126"
requires-dist = ["filelock"]
"""
    write(torch_hosts, more=own)
    ended = folder.uvmagic("add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    assert "Traceback" not in ended.stderr
    assert own in folder.pyproject.read_text()
    assert "dependency-metadata" in ended.stdout + ended.stderr


def test_a_repair_is_shown_by_a_dry_run_and_not_made(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    torch_hosts.official.inconsistent()
    before = folder.contents()
    said = done(folder, "add", "torch==2.7.1", "--cuda", "126", "--dry-run")
    assert "torch 2.7.1+cu126 for Linux lacked" in said
    assert '+version = "2.7.1+cu126"' in said
    assert folder.contents() == before


# --- every call that locks ------------------------------------------------------------------------


@is_installed
@pytest.mark.parametrize(
    "call",
    [
        ("lock",),
        ("sync",),
        ("add", "jinja2", "--no-sync"),
        ("remove", "numpy", "--no-sync"),
        ("lock", "--upgrade"),
    ],
    ids=" ".join,
)
def test_every_call_that_locks_is_judged(torch_hosts: TorchHosts, call: tuple[str, ...]) -> None:
    folder = torch_hosts.folder
    torch_hosts.official.inconsistent()
    source = taken_from(torch_hosts.official, "cu126")
    write(torch_hosts, "numpy", "torch==2.7.1", more=source)
    said = done(folder, *call)
    assert "torch 2.7.1+cu126 for Linux lacked" in said
    assert is_whole_on_linux(folder)
    assert ("nvidia_cudnn_cu12" in folder.installed()) is (call == ("sync",))


def test_a_call_from_the_root_judges_what_a_member_gets(torch_hosts: TorchHosts) -> None:
    root = torch_hosts.folder
    torch_hosts.official.inconsistent()
    write(torch_hosts, more='\n[tool.uv.workspace]\nmembers = ["member"]\n')
    member = Folder(root.path / "member")
    member.path.mkdir()
    member.pyproject.write_text(
        '[project]\nname = "member"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["torch==2.7.1"]\n[tool.uv]\npackage = false\n'
        + taken_from(torch_hosts.official, "cu126")
    )
    said = done(root, "lock")
    assert "torch 2.7.1+cu126 for Linux lacked" in said
    assert is_whole_on_linux(member)


# --- refused --------------------------------------------------------------------------------------


def test_what_cannot_be_mended_is_refused(torch_hosts: TorchHosts, aftermath: Aftermath) -> None:
    torch_hosts.nju.inconsistent()
    no_metadata(torch_hosts.nju)
    message = aftermath.is_clean(
        torch_hosts.folder.uvmagic(*FROM_NJU),
        "torch 2.7.1+cu126 would be installed on Linux without its CUDA libraries",
        "(nvidia-cuda-runtime, nvidia-cudnn, nvidia-cublas)",
        f"{WHEEL.format(X86)} gives no metadata to mend it with",
        "pyproject.toml and uv.lock are as they were",
        "Ask for another version of torch, uvmagic add 'torch!=2.7.1' --cuda 126",
        "--mirror official",
    )
    assert message.count("→") == 1
    assert not (torch_hosts.folder.path / ".uvmagic" / "journal").exists()


def test_the_ways_out_of_a_refusal_are_ways_out(torch_hosts: TorchHosts) -> None:
    torch_hosts.nju.inconsistent()
    no_metadata(torch_hosts.nju)
    folder = torch_hosts.folder
    call = ("add", "torch==2.7.1", "--cuda", "126", "--no-sync", "--mirror")
    assert folder.uvmagic(*call, "nju").returncode == 1
    done(folder, *call, "official")
    assert is_whole_on_linux(folder)


def test_the_official_index_is_not_offered_where_it_is_the_one(
    torch_hosts: TorchHosts, aftermath: Aftermath
) -> None:
    torch_hosts.official.inconsistent()
    no_metadata(torch_hosts.official)
    ended = torch_hosts.folder.uvmagic("add", "torch==2.7.1", "--cuda", "126")
    assert "--mirror official" not in aftermath.is_clean(ended, "without its CUDA libraries")


def test_a_wheel_that_says_too_little_itself_is_refused(
    folder: Folder, careless: Careless, aftermath: Aftermath
) -> None:
    careless.lacks("torch", "nvidia-cudnn", "nvidia-nccl")
    aftermath.is_clean(
        folder.uvmagic(*FROM_NJU, "--no-sync"),
        "without its CUDA libraries (nvidia-cudnn)",
        f"What {WHEEL.format(X86)} says of itself does not mend it",
    )


def test_a_wheel_that_requires_nothing_at_all_is_refused(
    torch_hosts: TorchHosts, aftermath: Aftermath
) -> None:
    with PackageIndex() as index:
        index.add(wheel("torch", "2.7.1+cu126", tag=f"{CPYTHON}-{CPYTHON}-{X86}"))
        torch_hosts.network.serve("wheels.example", index.answer)
        mirror = ("--mirror", "https://wheels.example/simple")
        call = ("add", "torch==2.7.1", "--cuda", "126", *mirror, "--no-sync")
        aftermath.is_clean(torch_hosts.folder.uvmagic(*call), "without its CUDA libraries")


@pytest.mark.parametrize("wanted", ["torch==2.7.1", "torch"])
def test_a_mirror_for_windows_alone_is_refused(
    torch_hosts: TorchHosts, aftermath: Aftermath, wanted: str
) -> None:
    torch_hosts.nju.windows_only()
    aftermath.is_clean(
        torch_hosts.folder.uvmagic("add", wanted, "--cuda", "126", "--mirror", "nju"),
        "pyproject.toml and uv.lock are as they were",
        "no `platform_machine == 'x86_64' and sys_platform == 'linux'`-compatible wheels",
    )
    assert not (torch_hosts.folder.path / ".uvmagic" / "journal").exists()


def test_a_refusal_in_a_member_leaves_the_root_too(
    torch_hosts: TorchHosts, aftermath: Aftermath
) -> None:
    torch_hosts.official.inconsistent()
    no_metadata(torch_hosts.official)
    write(torch_hosts, more='\n[tool.uv.workspace]\nmembers = ["member"]\n')
    member = Folder(torch_hosts.folder.path / "member")
    member.path.mkdir()
    member.pyproject.write_text(
        '[project]\nname = "member"\nversion = "1"\nrequires-python = ">=3.11"\n'
        "dependencies = []\n[tool.uv]\npackage = false\n"
    )
    of_root, of_member = torch_hosts.folder.contents(), member.contents()
    ended = member.uvmagic("add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    assert ended.returncode == 1
    assert (torch_hosts.folder.contents(), member.contents()) == (of_root, of_member)


@pytest.fixture
def bare_before(torch_hosts: TorchHosts) -> Folder:
    """A project that the bare uv has locked without libraries, and that cannot be mended."""
    torch_hosts.nju.inconsistent()
    source = taken_from(torch_hosts.nju, "cu126")
    write(torch_hosts, "torch==2.7.1", more=source)
    locked_by_uv(torch_hosts.folder)
    no_metadata(torch_hosts.nju)
    return torch_hosts.folder


@pytest.mark.parametrize("call", [("add", "numpy"), ("lock",)], ids=" ".join)
def test_a_lock_that_was_so_before_is_told_and_not_refused(
    bare_before: Folder, call: tuple[str, ...]
) -> None:
    sync = ["--no-sync"] if call[0] == "add" else []
    said = done(bare_before, *call, *sync)
    assert "torch 2.7.1+cu126 would be installed on Linux without its CUDA libraries" in said
    assert "It was so before." in said
    assert told_to_uv(bare_before) == []
    assert ("numpy" in bare_before.lock.read_text()) is (call[0] == "add")


def test_a_lock_that_was_so_before_can_be_left_by_another_mirror(bare_before: Folder) -> None:
    done(bare_before, "add", "torch", "--cuda", "126", "--mirror", "official", "--no-sync")
    assert is_whole_on_linux(bare_before)
    assert indexes(bare_before)["pytorch-cu126"].startswith("https://download.pytorch.org")
    assert tomllib.loads(bare_before.pyproject.read_text())["project"]["dependencies"] == [
        "torch==2.7.1"
    ]
