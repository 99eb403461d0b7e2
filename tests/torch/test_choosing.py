"""Choosing which torch: what is written, locked and installed, and what is said about it."""

from __future__ import annotations

import json
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from conftest import Folder
from index import PackageIndex, wheel
from torch_calls import (
    LIBRARIES,
    MACOS,
    done,
    indexes,
    is_installed,
    is_whole_on_linux,
    locked,
    masked,
    parsed,
    plan,
    taken_from,
    uv_of,
    write,
)
from torch_hosts import releases

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion
    from torch_hosts.fixtures import TorchHosts

OLD_DRIVER, NEW_DRIVER = "550.54.14", "580.65"
"""Of NVIDIA's drivers, one that runs CUDA 12 and one that runs CUDA 13."""


@pytest.fixture(autouse=True)
def _one_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare uv the search for a Python, which takes it longer than all the rest."""
    monkeypatch.setenv("UV_PYTHON", sys.executable)


@pytest.fixture
def folder(torch_hosts: TorchHosts) -> Folder:
    """A project without requirements."""
    return torch_hosts.folder


# --- one backend ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["12.6", "cu126"])
def test_a_version_of_cuda_may_be_written_in_any_way(torch_hosts: TorchHosts, version: str) -> None:
    folder = torch_hosts.folder
    done(folder, "add", "torch==2.7.1", "--cuda", version, "--no-sync")
    official = torch_hosts.official.url("cu126")
    assert indexes(folder) == {"pytorch-cu126": official}
    assert locked(folder) == {"2.7.1": torch_hosts.pypi.url, "2.7.1+cu126": official}


@pytest.mark.parametrize(
    "options",
    [
        ("--cuda", "126"),
        ("--rocm", "6.4"),
        ("--cuda", "126", "--mirror", "aliyun"),
        ("--cuda", "126", "--cpu"),
    ],
    ids=" ".join,
)
def test_what_is_written_reads_well(
    torch_hosts: TorchHosts, options: tuple[str, ...], snapshot: SnapshotAssertion
) -> None:
    done(torch_hosts.folder, "add", "torch", *options, "--no-sync")
    assert masked(torch_hosts.folder, torch_hosts) == snapshot


@is_installed
def test_what_was_chosen_is_installed_with_its_libraries(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    said = done(folder, "add", "torch==2.7.1", "--cuda", "126")
    assert "+ torch                     2.7.1+cu126" in said
    assert (
        "torch 2.7.1+cu126: CUDA 12.6 on Linux x86-64, Linux ARM64, Windows; torch 2.7.1: CPU"
        in said
    )
    assert "Fetched: 24 distributions" in said
    assert {name.replace("-", "_") for name in LIBRARIES} <= folder.installed()
    assert is_whole_on_linux(folder)
    # a Mac's comes from PyPI, and so does all else: the index is explicit
    assert plan(folder, MACOS)["torch"] == "2.7.1"
    assert locked(folder)["2.7.1"] == torch_hosts.pypi.url
    for name in ("filelock", "nvidia-cudnn-cu12", "triton"):
        assert set(locked(folder, name).values()) == {torch_hosts.pypi.url}


@is_installed
@pytest.mark.parametrize(
    ("options", "version", "companion"),
    [
        (("--cpu",), "2.9.1+cpu", None),
        (("--rocm", "6.4"), "2.9.1+rocm6.4", "pytorch-triton-rocm"),
        (("--xpu",), "2.9.1+xpu", "pytorch-triton-xpu"),
    ],
)
def test_every_other_kind_is_installed_with_what_it_needs(
    torch_hosts: TorchHosts, options: tuple[str, ...], version: str, companion: str | None
) -> None:
    folder = torch_hosts.folder
    said = done(folder, "add", "torch", *options)
    assert f" {version}\n" in said
    official = torch_hosts.official.url(version.partition("+")[2])
    assert locked(folder)[version] == official
    assert not any(name.startswith("nvidia") for name in folder.installed())
    if companion:
        assert set(locked(folder, companion).values()) == {official}
        assert companion.replace("-", "_") in folder.installed()


@pytest.mark.parametrize("mirror", ["nju", "sjtu", "aliyun"])
def test_a_mirror_is_the_only_place_that_is_asked_for_torch(
    torch_hosts: TorchHosts, mirror: str
) -> None:
    index = {"nju": torch_hosts.nju, "sjtu": torch_hosts.sjtu, "aliyun": torch_hosts.aliyun}[mirror]
    done(
        torch_hosts.folder, "add", "torch==2.7.1", "--cuda", "126", "--mirror", mirror, "--no-sync"
    )
    assert locked(torch_hosts.folder)["2.7.1+cu126"].rstrip("/") == index.url("cu126")
    asked = {url.split("/")[2] for url in torch_hosts.network.requests}
    assert asked == {index.host}


@pytest.mark.parametrize("backend", ["{backend}", "cu126"])
def test_a_mirror_may_be_an_address(torch_hosts: TorchHosts, backend: str) -> None:
    address = torch_hosts.sjtu.url(backend)
    done(
        torch_hosts.folder, "add", "torch==2.7.1", "--cuda", "126", "--mirror", address, "--no-sync"
    )
    assert indexes(torch_hosts.folder) == {"pytorch-cu126": torch_hosts.sjtu.url("cu126")}
    assert locked(torch_hosts.folder)["2.7.1+cu126"] == torch_hosts.sjtu.url("cu126")


@is_installed
def test_an_index_whose_address_names_no_backend_is_known_by_its_name(
    torch_hosts: TorchHosts,
) -> None:
    with PackageIndex() as index:
        index.add(*(each for each in releases.pytorch("cu126") if each.project == "torch"))
        torch_hosts.network.serve("wheels.example", index.answer)
        call = ("add", "torch==2.7.1", "--cuda", "126", "--mirror", "https://wheels.example/simple")
        done(torch_hosts.folder, *call)
        assert locked(torch_hosts.folder)["2.7.1+cu126"] == "https://wheels.example/simple"
        assert "Already there: torch 2.7.1+cu126" in done(torch_hosts.folder, *call)


def test_another_backend_comes_from_the_mirror_that_the_project_has(
    torch_hosts: TorchHosts,
) -> None:
    folder = torch_hosts.folder
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--mirror", "nju", "--no-sync")
    done(folder, "add", "torch", "--cuda", "128", "--no-sync")
    assert indexes(folder) == {"pytorch-cu128": torch_hosts.nju.url("cu128")}
    done(folder, "add", "--mirror", "official", "--no-sync")
    assert indexes(folder) == {"pytorch-cu128": torch_hosts.official.url("cu128")}


def test_an_address_of_another_backends_index_is_not_taken_for_the_chosen_one(
    torch_hosts: TorchHosts,
) -> None:
    folder = torch_hosts.folder
    done(folder, "add", "torch==2.7.1", "--cuda", "128", "--no-sync")
    before = folder.contents()
    ended = folder.uvmagic("add", "--mirror", torch_hosts.nju.url("cu126"), "--no-sync")
    if ended.returncode == 0:  # then it is a switch to that backend
        assert indexes(folder) == {"pytorch-cu126": torch_hosts.nju.url("cu126")}
    else:
        assert folder.contents() == before


def test_a_torch_for_newer_macs_is_not_said_to_be_for_none(folder: Folder) -> None:
    said = done(folder, "add", "torch==2.15.0", "--no-sync")  # its wheels are for macOS 14
    assert "no wheel on macOS." not in said


# --- what comes by another package ----------------------------------------------------------------


@pytest.mark.parametrize("table", [(), ("--dev",), ("--group", "gpu"), ("--optional", "gpu")])
def test_a_torch_that_another_package_brings_is_chosen_too(
    torch_hosts: TorchHosts, table: tuple[str, ...]
) -> None:
    folder = torch_hosts.folder
    said = done(folder, "add", "carrier", "--cuda", "126", *table, "--no-sync")
    assert "torch came by another package; now the project asks for it itself" in said
    assert locked(folder)["2.9.1+cu126"] == torch_hosts.official.url("cu126")


def test_all_of_the_family_that_another_package_brings_is_chosen(
    torch_hosts: TorchHosts,
) -> None:
    folder = torch_hosts.folder
    said = done(folder, "add", "vision-carrier", "--cuda", "126", "--no-sync")
    assert "torch and torchvision came by another package" in said
    assert parsed(folder)["project"]["dependencies"] == [
        "torch>=2.9.1",
        "torchvision>=0.24.1",
        "vision-carrier>=1.0",
    ]
    official = torch_hosts.official.url("cu126")
    assert locked(folder)["2.9.1+cu126"] == official
    assert locked(folder, "torchvision")["0.24.1+cu126"] == official


@pytest.mark.parametrize("table", [(), ("--group", "gpu")])
def test_what_comes_later_is_of_the_backend_that_is_there(
    folder: Folder, table: tuple[str, ...]
) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    done(folder, "add", "torchaudio", "vision-carrier", *table, "--no-sync")
    assert "2.7.1+cu126" in locked(folder, "torchaudio")
    assert "0.22.1+cu126" in locked(folder, "torchvision")
    assert indexes(folder).keys() == {"pytorch-cu126"}


# --- switching ------------------------------------------------------------------------------------

OWN = """\
# What the analysis needs.
[project]
name = "project"
version = "0.1.0"
requires-python = ">=3.11"  # as on the cluster
dependencies = [
    "filelock",  # one run at a time
    "torch>=2.6",  # the model
]

[tool.uv]
prerelease = "disallow"  # nothing half done

# The institute's.
[[tool.uv.index]]
url = "PYPI"
default = true

[tool.other]
line-length = 100
"""


@pytest.mark.parametrize(
    "through",
    [
        [("--cuda", "126", "--mirror", "aliyun"), ("--cuda", "128", "--mirror", "official")],
        [("--rocm", "6.4")],
        [("--cuda", "126", "--cpu")],
    ],
    ids=["cuda", "rocm", "extras"],
)
def test_only_the_last_choice_leaves_a_trace(
    torch_hosts: TorchHosts, through: list[tuple[str, ...]]
) -> None:
    folder = torch_hosts.folder
    text = OWN.replace("PYPI", torch_hosts.pypi.url)
    folder.pyproject.write_text(text)
    done(folder, "add", "torch", "--cpu", "--no-sync")
    at_once = folder.pyproject.read_text()
    folder.lock.unlink()
    folder.pyproject.write_text(text)
    for options in through:
        done(folder, "add", "torch", *options, "--no-sync")
    done(folder, "add", "torch", "--cpu", "--no-sync")
    assert folder.pyproject.read_text() == at_once
    assert locked(folder).keys() == {"2.9.1+cpu", "2.15.0"}
    for line in text.splitlines():
        assert line in folder.pyproject.read_text()


@is_installed
def test_another_backends_libraries_are_uninstalled(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126")
    before, installed = folder.contents(), folder.installed()
    said = done(folder, "add", "torch", "--cpu", "--dry-run")
    assert '-name = "pytorch-cu126"' in said
    assert (folder.contents(), folder.installed()) == (before, installed)
    said = done(folder, "add", "--cpu")
    assert "Chosen: --cpu" in said
    assert "2.7.1+cu126 → 2.7.1+cpu" in said
    assert not any(name.startswith("nvidia") for name in folder.installed())


def test_a_torch_of_pypi_can_be_switched_to_a_backend(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--no-sync")
    done(folder, "add", "torch", "--cuda", "128", "--no-sync")
    assert "2.7.1+cu128" in locked(folder)
    assert parsed(folder)["project"]["dependencies"] == ["torch==2.7.1"]


def test_the_bound_that_uv_wrote_for_another_build_is_no_obstacle(folder: Folder) -> None:
    done(folder, "add", "torch", "torchvision", "--no-sync")  # PyPI's newest
    assert "torch>=2.15.0" in parsed(folder)["project"]["dependencies"]
    said = done(folder, "add", "torch", "--cuda", "126", "--no-sync")
    assert "torch>=2.15.0 was the bound that uv wrote for the build before" in said
    assert "2.9.1+cu126" in locked(folder)
    assert "0.24.1+cu126" in locked(folder, "torchvision")


def test_an_index_that_is_there_is_used_and_no_second_one_made(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    write(torch_hosts, more=taken_from(torch_hosts.official, "cu126", name="institute"))
    done(folder, "add", "torch==2.7.1", "torchvision", "--cuda", "126", "--no-sync")
    assert indexes(folder) == {"institute": torch_hosts.official.url("cu126")}
    done(folder, "add", "torch", "--cuda", "12.6", "--mirror", "nju", "--no-sync")
    assert indexes(folder) == {"institute": torch_hosts.nju.url("cu126")}
    assert locked(folder, "torchvision")["0.22.1+cu126"] == torch_hosts.nju.url("cu126")


@pytest.mark.parametrize("place", ["mirror", "elsewhere"])
def test_an_index_of_the_users_own_is_not_moved_elsewhere_in_silence(
    torch_hosts: TorchHosts, place: str
) -> None:
    folder = torch_hosts.folder
    own = torch_hosts.nju.url("cu126")
    if place == "elsewhere":
        own = "https://wheels.example/torch"
        torch_hosts.network.serve("wheels.example", torch_hosts.nju.answer)
    more = f'\n[[tool.uv.index]]\nname = "pytorch-cu126"\nurl = "{own}"\nexplicit = true\n'
    write(torch_hosts, more=more)
    ended = folder.uvmagic("add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    if indexes(folder) != {"pytorch-cu126": own}:
        assert own in ended.stdout


# --- removing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [("--cuda", "126"), ("--cuda", "126", "--cpu"), ("--cuda", "126", "--dev")],
    ids=" ".join,
)
def test_removing_torch_takes_along_all_that_was_for_it(
    torch_hosts: TorchHosts, options: tuple[str, ...]
) -> None:
    folder = torch_hosts.folder
    write(torch_hosts, "numpy", more='\n[dependency-groups]\ndev = ["filelock"]\n')
    before = parsed(folder)
    done(folder, "add", "torch==2.7.1", *options, "--no-sync")
    assert parsed(folder) != before
    done(folder, "remove", "torch", *options[2:][-1:] * ("--dev" in options), "--no-sync")
    assert parsed(folder) == before
    assert '"torch"' not in folder.lock.read_text()


def test_what_others_of_the_family_still_need_stays(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    before = parsed(folder)
    done(folder, "add", "torch==2.7.1", "torchvision", "--cuda", "126", "--no-sync")
    done(folder, "remove", "torchvision", "--no-sync")
    assert indexes(folder) == {"pytorch-cu126": torch_hosts.official.url("cu126")}
    assert uv_of(folder)["sources"].keys() == {"torch"}
    assert len(uv_of(folder)["required-environments"]) == 1
    done(folder, "remove", "torch", "--no-sync")
    assert parsed(folder) == before


def test_what_the_user_wrote_beside_it_outlives_the_choice(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    own = """
[tool.uv]
required-environments = ["sys_platform == 'darwin'"]

[tool.uv.sources]
numpy = { index = "own" }

[[tool.uv.index]]
name = "own"
url = "URL"
explicit = true
"""
    write(torch_hosts, "numpy", more=own.replace("URL", torch_hosts.pypi.url))
    text = folder.pyproject.read_text()
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    assert len(uv_of(folder)["required-environments"]) == 2
    done(folder, "remove", "torch", "--no-sync")
    assert tomllib.loads(text) == parsed(folder)


# --- settings of this machine ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"UV_DEFAULT_INDEX": "URL"},
        {"UV_INDEX": "near=URL"},
        {"UV_DEFAULT_INDEX": "URL", "UV_INDEX": "near=URL"},
    ],
    ids=str,
)
def test_a_mirror_of_the_environment_is_used_and_not_written_down(
    torch_hosts: TorchHosts, settings: dict[str, str]
) -> None:
    folder = torch_hosts.folder
    with PackageIndex() as near:
        near.add(*releases.pypi())
        environ = {name: value.replace("URL", near.url) for name, value in settings.items()}
        said = done(folder, "add", "torch==2.7.1", "--cuda", "126", "--no-sync", **environ)
        assert "from the environment" in said
        assert "/simple/filelock/" in near.requests
        assert near.url not in folder.pyproject.read_text()
    assert indexes(folder) == {"pytorch-cu126": torch_hosts.official.url("cu126")}
    assert uv_of(folder)["sources"].keys() == {"torch"}
    assert locked(folder)["2.7.1+cu126"] == torch_hosts.official.url("cu126")


# --- several backends -----------------------------------------------------------------------------


def test_several_backends_are_one_lock(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    said = done(folder, "add", "torch==2.7.1", "torchvision", "--cuda", "126", "--cpu", "--no-sync")
    assert "cu126: torch 2.7.1+cu126: CUDA 12.6 on Linux x86-64" in said
    assert "cpu: torch 2.7.1+cpu: CPU on Linux x86-64" in said
    assert parsed(folder)["project"]["optional-dependencies"] == {
        "cu126": ["torch==2.7.1", "torchvision"],
        "cpu": ["torch==2.7.1", "torchvision"],
    }
    assert uv_of(folder)["conflicts"] == [[{"extra": "cu126"}, {"extra": "cpu"}]]
    assert locked(folder).keys() == {"2.7.1", "2.7.1+cpu", "2.7.1+cu126"}
    assert is_whole_on_linux(folder, "--extra", "cu126")
    on_cpu = plan(folder, "x86_64-manylinux_2_28", "--extra", "cpu")
    assert (on_cpu["torch"], on_cpu["torchvision"]) == ("2.7.1+cpu", "0.22.1+cpu")
    assert not on_cpu.keys() & LIBRARIES
    assert plan(folder, MACOS, "--extra", "cu126")["torch"] == "2.7.1"


@is_installed
def test_a_machine_gets_the_backend_that_it_can_run_or_that_is_named(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cpu")
    assert version_of(folder, "torch") == "2.7.1+cpu"
    before = folder.contents()
    said = done(folder, "sync", UV_CUDA_DRIVER_VERSION=OLD_DRIVER)
    assert f"this machine gets cu126: NVIDIA driver {OLD_DRIVER}" in said
    assert version_of(folder, "torch") == "2.7.1+cu126"
    assert "nvidia_cudnn_cu12" in folder.installed()
    said = done(folder, "sync")
    assert "this machine gets cpu: no accelerator was found" in said
    assert version_of(folder, "torch") == "2.7.1+cpu"
    assert "nvidia_cudnn_cu12" not in folder.installed()
    assert folder.contents() == before


@is_installed
@pytest.mark.parametrize(
    ("options", "version"),
    [
        (("--cpu",), "2.7.1+cpu"),
        (("--cuda", "126"), "2.7.1+cu126"),
        (("--extra", "cpu"), "2.7.1+cpu"),
    ],
    ids=str,
)
def test_a_backend_may_be_named_for_this_machine(
    folder: Folder, options: tuple[str, ...], version: str
) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cpu", "--no-sync")
    has_driver = {"UV_CUDA_DRIVER_VERSION": OLD_DRIVER} if version.endswith("cpu") else {}
    done(folder, "sync", *options, **has_driver)
    assert version_of(folder, "torch") == version


def version_of(folder: Folder, name: str) -> str:
    """The version of a distribution in the environment."""
    (found,) = folder.path.glob(f".venv/lib/python3.*/site-packages/{name}-*.dist-info")
    return found.name.removesuffix(".dist-info").partition("-")[2]


def test_one_backend_becomes_several_and_one_again(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    done(folder, "add", "torch==2.7.1", "torchvision", "--cuda", "126", "--no-sync")
    one = parsed(folder)
    done(folder, "add", "torch", "--cuda", "126", "--cpu", "--no-sync")
    assert parsed(folder)["project"]["dependencies"] == []
    assert parsed(folder)["project"]["optional-dependencies"]["cpu"] == [
        "torch==2.7.1",
        "torchvision>=0.22.1",
    ]
    done(folder, "add", "torch", "--cuda", "126", "--no-sync")
    assert parsed(folder) == one


def test_what_is_added_later_goes_to_every_backend(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cpu", "--no-sync")
    done(folder, "add", "torchvision", "filelock", "--no-sync")
    project = parsed(folder)["project"]
    assert project["dependencies"] == ["filelock>=4.2.12"]
    in_each = ["torch==2.7.1", "torchvision"]
    assert project["optional-dependencies"] == {"cu126": in_each, "cpu": in_each}
    assert locked(folder, "torchvision").keys() == {"0.22.1", "0.22.1+cpu", "0.22.1+cu126"}


@pytest.fixture
def with_extra_of_its_own(torch_hosts: TorchHosts) -> Folder:
    """A project with several backends, and an extra of the user's own that lists torch."""
    extra = '\n[project.optional-dependencies]\nml = ["torch==2.7.1"]\n'
    write(torch_hosts, "numpy", more=extra)
    done(torch_hosts.folder, "add", "torch", "--cuda", "126", "--cpu", "--no-sync")
    return torch_hosts.folder


def test_an_extra_of_the_users_own_that_lists_torch_can_be_emptied(
    with_extra_of_its_own: Folder,
) -> None:
    done(with_extra_of_its_own, "remove", "torch", "--optional", "ml", "--no-sync")
    extras = parsed(with_extra_of_its_own)["project"]["optional-dependencies"]
    assert extras.get("ml", []) == []
    assert extras["cpu"] != []


def test_removing_torch_from_all_backends_leaves_the_users_own_extra(
    with_extra_of_its_own: Folder,
) -> None:
    done(with_extra_of_its_own, "remove", "torch", "--no-sync")
    extras = parsed(with_extra_of_its_own)["project"]["optional-dependencies"]
    assert extras == {"ml": ["torch==2.7.1"]}


def test_an_extra_of_the_users_own_with_a_backends_name_keeps_what_it_has(
    torch_hosts: TorchHosts,
) -> None:
    folder = torch_hosts.folder
    own = """
[project.optional-dependencies]
a = ["filelock"]
b = ["numpy"]
cpu = ["jinja2"]  # ours

[tool.uv]
conflicts = [[{ extra = "a" }, { extra = "b" }]]
"""
    write(torch_hosts, more=own)
    before = parsed(folder)
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cpu", "--no-sync")
    assert parsed(folder)["project"]["optional-dependencies"]["cpu"] == ["jinja2", "torch==2.7.1"]
    assert len(uv_of(folder)["conflicts"]) == 2
    done(folder, "remove", "torch", "--no-sync")
    assert parsed(folder) == before
    assert 'cpu = ["jinja2"]  # ours' in folder.pyproject.read_text()


# --- auto -----------------------------------------------------------------------------------------


def test_auto_says_what_it_found_and_what_it_chose(folder: Folder) -> None:
    call = ("add", "torch==2.7.1", "--cuda", "auto", "--no-sync")
    said = done(folder, *call, UV_CUDA_DRIVER_VERSION=OLD_DRIVER)
    assert f"auto: NVIDIA driver {OLD_DRIVER} (UV_CUDA_DRIVER_VERSION) → cu126" in said
    assert "cu130 needs 580" in said
    assert "2.7.1+cu126" in locked(folder)


def test_auto_takes_cuda_13_where_the_driver_runs_it(torch_hosts: TorchHosts) -> None:
    libraries = ["nvidia-cublas", "nvidia-cuda-runtime", "nvidia-cudnn-cu13"]
    with PackageIndex() as index:
        tags = (f"cp3{n}-cp3{n}-manylinux_2_28_x86_64" for n in (11, 12, 13))
        index.add(*(wheel("torch", "2.15.0+cu130", requires=libraries, tag=tag) for tag in tags))
        torch_hosts.network.serve("wheels.example", index.answer)
        mirror = ("--mirror", "https://wheels.example/simple")
        call = ("add", "torch", "--cuda", "auto", *mirror, "--no-sync")
        said = done(torch_hosts.folder, *call, UV_CUDA_DRIVER_VERSION=NEW_DRIVER)
    assert f"auto: NVIDIA driver {NEW_DRIVER} (UV_CUDA_DRIVER_VERSION) → cu130" in said
    assert "2.15.0+cu130" in locked(torch_hosts.folder)


def test_a_driver_that_is_too_old_is_warned_of(folder: Folder) -> None:
    call = ("add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    said = done(folder, *call, UV_CUDA_DRIVER_VERSION="470.82.01")
    assert "cu126 needs NVIDIA driver 525.60.13 or newer; this machine has" in said


# --- showing, and asking again --------------------------------------------------------------------


@is_installed
def test_a_dry_run_shows_the_change_and_makes_none(folder: Folder) -> None:
    before = folder.contents()
    said = done(folder, "add", "torch==2.7.1", "--cuda", "126", "--dry-run")
    assert "nothing was changed" in said
    assert '+    "torch==2.7.1",' in said
    assert '+name = "pytorch-cu126"' in said
    assert "To be fetched: 24 distributions" in said
    assert folder.contents() == before
    assert not (folder.path / ".venv").exists()


def test_json_is_one_object(folder: Folder) -> None:
    said = done(folder, "add", "torch==2.7.1", "--cuda", "126", "--no-sync", "--json")
    told = json.loads(said)
    assert said.count("\n") == 1
    assert (told["word"], told["title"]) == ("add", "Added torch==2.7.1")
    changed = {each["name"]: each["after"] for each in told["changes"]}
    assert "2.7.1+cu126" in changed["torch"]
    assert any("CUDA 12.6 on Linux x86-64" in note for note in told["notes"])


@is_installed
@pytest.mark.parametrize(
    "call",
    [
        ("torch==2.7.1", "torchvision", "--cuda", "126"),
        ("torch==2.7.1", "--cuda", "126", "--mirror", "aliyun"),
        ("torch==2.7.1", "--cuda", "126", "--cpu"),
        ("torch==2.7.1", "--cuda", "126", "--optional", "ml"),
        ("carrier", "--rocm", "6.4"),
    ],
    ids=" ".join,
)
def test_what_is_there_is_not_asked_for_again(
    torch_hosts: TorchHosts, call: tuple[str, ...]
) -> None:
    folder = torch_hosts.folder
    done(folder, "add", *call)
    before, asked = folder.contents(), list(torch_hosts.network.requests)
    asked_of_pypi = list(torch_hosts.pypi.requests)
    said = done(folder, "add", *call)
    assert said.startswith("Already there: ")
    assert torch_hosts.network.requests == asked
    assert torch_hosts.pypi.requests == asked_of_pypi
    assert folder.contents() == before


@is_installed
def test_another_choice_is_not_taken_for_there_already(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126")
    assert "2.7.1+cu126 → 2.7.1+cu128" in done(folder, "add", "torch", "--cuda", "128")
    done(folder, "add", "torch", "--cuda", "128", "--mirror", "nju")
    assert indexes(folder) == {"pytorch-cu128": "https://mirror.nju.edu.cn/pytorch/whl/cu128"}
    assert done(folder, "add", "torch", "--cuda", "128").startswith("Already there")


@is_installed
def test_a_plain_torch_says_in_one_line_what_each_platform_gets(folder: Folder) -> None:
    said = done(folder, "add", "torch==2.7.1")
    told = [line.strip() for line in said.splitlines() if line.startswith("  torch ")]
    assert told == ["torch 2.7.1: CUDA 12.6 on Linux x86-64; CPU on Linux ARM64, Windows, macOS."]
    assert "+ nvidia-cudnn-cu12" in said
    assert uv_of(folder).keys() == {"index"}


# --- other calls, and other files -----------------------------------------------------------------


@is_installed
def test_many_are_added_at_once(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "torchvision", "torchaudio", "numpy", "--cuda", "126")
    assert uv_of(folder)["sources"].keys() == {"torch", "torchaudio", "torchvision"}
    assert "0.22.1+cu126" in locked(folder, "torchvision")
    assert version_of(folder, "torchaudio") == "2.7.1+cu126"


@is_installed
@pytest.mark.parametrize("table", ["--group", "--optional"])
def test_torch_may_be_in_any_table(folder: Folder, table: str) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", table, "ml")
    assert parsed(folder)["project"]["dependencies"] == []
    assert version_of(folder, "torch") == "2.7.1+cu126"
    done(folder, "add", "torch", "--cpu", table, "ml", "--no-sync")
    assert "2.7.1+cpu" in locked(folder)
    assert indexes(folder).keys() == {"pytorch-cpu"}


def test_torch_in_two_groups_keeps_its_backend_until_the_last_is_gone(
    torch_hosts: TorchHosts,
) -> None:
    folder = torch_hosts.folder
    groups = '\n[dependency-groups]\na = ["torch==2.7.1"]\nb = ["torch"]\n'
    write(torch_hosts, "numpy", more=groups)
    before = uv_of(folder)
    done(folder, "add", "torch", "--cuda", "126", "--group", "a", "--no-sync")
    done(folder, "remove", "torch", "--group", "a", "--no-sync")
    assert indexes(folder).keys() == {"pytorch-cu126"}
    assert is_whole_on_linux(folder, "--group", "b")
    done(folder, "remove", "torch", "--group", "b", "--no-sync")
    assert uv_of(folder) == before


def test_a_requirement_may_have_an_extra_and_a_marker(folder: Folder) -> None:
    wanted = "torch[opt]==2.7.1 ; sys_platform == 'linux'"
    done(folder, "add", wanted, "--cuda", "126", "--no-sync")
    assert parsed(folder)["project"]["dependencies"] == [wanted]
    assert locked(folder).keys() == {"2.7.1+cu126"}
    done(folder, "add", "torch", "--cuda", "126", "--cpu", "--no-sync")
    extras = parsed(folder)["project"]["optional-dependencies"]
    assert extras == {"cu126": [wanted], "cpu": [wanted]}


def test_a_name_may_be_spelled_in_capitals(folder: Folder) -> None:
    done(folder, "add", "Torch==2.7.1", "TorchVision", "--cuda", "126", "--no-sync")
    assert uv_of(folder)["sources"].keys() == {"torch", "torchvision"}
    assert locked(folder, "torchvision").keys() == {"0.22.1", "0.22.1+cu126"}


@pytest.mark.parametrize("options", [("--cuda", "126"), ("--cuda", "126", "--cpu")], ids=" ".join)
def test_torch_may_stand_in_a_file_of_requirements(
    folder: Folder, options: tuple[str, ...]
) -> None:
    (folder.path / "requirements.txt").write_text("torch==2.7.1\nfilelock\n")
    done(folder, "add", "-r", "requirements.txt", *options, "--no-sync")
    assert "2.7.1+cu126" in locked(folder)
    assert is_whole_on_linux(folder, *(["--extra", "cu126"] if "--cpu" in options else []))


def test_a_file_of_requirements_is_named_as_what_was_added(folder: Folder) -> None:
    (folder.path / "requirements.txt").write_text("filelock\n")
    said = done(folder, "add", "-r", "requirements.txt", "--no-sync")
    assert said.startswith("Added ")


@is_installed
def test_what_is_not_to_be_installed_may_be_named(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--no-install-package", "torch")
    assert "2.7.1+cu126" in locked(folder)
    assert "torch" not in folder.installed()
    assert "nvidia_cudnn_cu12" in folder.installed()


def test_groups_may_include_each_other(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    groups = '\n[dependency-groups]\nml = ["torch==2.7.1"]\ndev = [{ include-group = "ml" }]\n'
    write(torch_hosts, more=groups)
    done(folder, "add", "torch", "--cuda", "126", "--group", "ml", "--no-sync")
    assert is_whole_on_linux(folder)


def test_the_project_may_be_named_from_elsewhere(folder: Folder) -> None:
    elsewhere = Folder(folder.path.parent)
    done(elsewhere, "--directory", "project", "add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    assert is_whole_on_linux(folder)
    done(elsewhere, "add", "torch", "--cpu", "--project", "project", "--no-sync")
    assert "2.7.1+cpu" in locked(folder)


def test_line_ends_of_windows_stay(folder: Folder) -> None:
    text = folder.pyproject.read_bytes().replace(b"\n", b"\r\n")
    folder.pyproject.write_bytes(text)
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cpu", "--no-sync")
    written = folder.pyproject.read_bytes()
    assert written.count(b"\n") == written.count(b"\r\n") > text.count(b"\n")
    done(folder, "remove", "torch", "--no-sync")
    assert tomllib.loads(folder.pyproject.read_text()) == tomllib.loads(text.decode())


@pytest.mark.parametrize(
    "settings",
    [
        '[tool]\nuv = { index = [{ url = "PYPI", default = true }] }\n',
        '[tool]\nuv.index = [{ url = "PYPI", default = true }]\n',
    ],
    ids=["inline", "dotted"],
)
def test_settings_may_be_written_in_any_form(torch_hosts: TorchHosts, settings: str) -> None:
    folder = torch_hosts.folder
    write(torch_hosts, "torch==2.7.1", "torchvision")
    head = folder.pyproject.read_text().partition("\n[[")[0]
    folder.pyproject.write_text(f"{head}\n{settings.replace('PYPI', torch_hosts.pypi.url)}")
    done(folder, "add", "torch", "--cuda", "126", "--no-sync")
    assert is_whole_on_linux(folder)
    done(folder, "add", "torch", "--cpu", "--no-sync")
    assert "2.7.1+cpu" in locked(folder)
    assert indexes(folder).keys() == {"pytorch-cpu"}
    assert "required-environments" not in uv_of(folder)


@is_installed
def test_what_is_not_to_be_locked_is_only_written(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--frozen")
    assert indexes(folder).keys() == {"pytorch-cu126"}
    assert not folder.lock.exists()
    done(folder, "sync")
    assert version_of(folder, "torch") == "2.7.1+cu126"


# --- workspaces -----------------------------------------------------------------------------------


@pytest.fixture
def member(torch_hosts: TorchHosts) -> Folder:
    """A member of a workspace whose root is the project."""
    write(torch_hosts, more='\n[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    path = torch_hosts.folder.path / "packages" / "member"
    path.mkdir(parents=True)
    (path / "pyproject.toml").write_text(
        '[project]\nname = "member"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        "dependencies = []\n\n[tool.uv]\npackage = false\n"
    )
    return Folder(path)


def test_in_a_member_all_is_written_where_uv_reads_it(
    torch_hosts: TorchHosts, member: Folder
) -> None:
    root = torch_hosts.folder
    before = parsed(root), parsed(member)
    done(member, "add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    assert indexes(member) == {"pytorch-cu126": torch_hosts.official.url("cu126")}
    assert uv_of(member)["sources"].keys() == {"torch"}
    assert "required-environments" not in uv_of(member)
    assert len(uv_of(root)["required-environments"]) == 1
    assert "2.7.1+cu126" in locked(root)
    assert is_whole_on_linux(member)
    done(member, "remove", "torch", "--no-sync")
    assert (parsed(root), parsed(member)) == before


def test_a_member_can_be_named_from_the_root(torch_hosts: TorchHosts, member: Folder) -> None:
    root = torch_hosts.folder
    done(root, "add", "torch==2.7.1", "--cuda", "126", "--package", "member", "--no-sync")
    assert parsed(member)["project"]["dependencies"] == ["torch==2.7.1"]
    assert locked(root)["2.7.1+cu126"] == torch_hosts.official.url("cu126")
    assert is_whole_on_linux(member)


def test_a_member_may_have_several_backends(torch_hosts: TorchHosts, member: Folder) -> None:
    done(member, "add", "torch==2.7.1", "--cuda", "126", "--cpu", "--no-sync")
    assert locked(torch_hosts.folder).keys() == {"2.7.1", "2.7.1+cpu", "2.7.1+cu126"}
    assert is_whole_on_linux(member, "--extra", "cu126")


def test_a_root_that_is_no_project_may_have_torch_for_development(torch_hosts: TorchHosts) -> None:
    root = torch_hosts.folder
    root.pyproject.write_text(
        "[tool.uv.workspace]\nmembers = []\n[[tool.uv.index]]" + root_index(torch_hosts)
    )
    done(root, "add", "torch==2.7.1", "--cuda", "126", "--dev", "--no-sync")
    assert "2.7.1+cu126" in locked(root)


@pytest.mark.parametrize("call", [("lock",), ("add", "numpy", "--dev", "--no-sync")], ids=" ".join)
def test_a_root_that_is_no_project_may_have_a_member_with_torch(
    torch_hosts: TorchHosts, member: Folder, call: tuple[str, ...]
) -> None:
    root = torch_hosts.folder
    root.pyproject.write_text(
        '[tool.uv.workspace]\nmembers = ["packages/*"]\n[[tool.uv.index]]' + root_index(torch_hosts)
    )
    done(member, "add", "torch==2.7.1", "--cuda", "126", "--no-sync")
    done(root, *call)
    assert is_whole_on_linux(member)


def root_index(hosts: TorchHosts) -> str:
    """What stands below the header of the project's own index."""
    return f'\nurl = "{hosts.pypi.url}"\ndefault = true\n'
