"""Calls for torch that cannot be: one clear error, and nothing is changed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import Folder
from index import PackageIndex, wheel
from robustness.aftermath import Aftermath, message_of
from torch_calls import done, indexes, is_installed, locked, taken_from, uv_of, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch_hosts.fixtures import TorchHosts

FAILED, WRONG = 1, 2
"""The exit status of work that failed, and of a call that was wrong."""

OWN = f"3.{sys.version_info.minor}"
LATER = (sys.version_info.minor + 1, sys.version_info.minor + 2)
"""The Python of the tests, and the minor versions of the two after it."""


@pytest.fixture(autouse=True)
def _one_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare uv the search for a Python, which takes it longer than all the rest."""
    monkeypatch.setenv("UV_PYTHON", sys.executable)


@pytest.fixture
def folder(torch_hosts: TorchHosts) -> Folder:
    """A project without requirements."""
    return torch_hosts.folder


def refused(folder: Folder, *call: str, status: int, **environ: str) -> str:
    """Run a call that must fail and leave everything as it is; gives its one message."""
    aftermath = Aftermath(folder, folder.path.parent)
    ended = folder.uvmagic(*call, **environ)
    message = aftermath.is_clean(ended, status=status)
    assert not (folder.path / ".uvmagic" / "journal").exists()
    return message


# --- what the options say -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cuda", "999"], ["--cuda 999", "The nearest: 13.2 (cu132)"]),
        (["--cuda", "12.7"], ["--cuda 12.7", "12.6 (cu126), 12.8 (cu128)"]),
        (["--cuda", "12"], ["which minor version?", "12.6 (cu126)"]),
        (["--cuda", "banana"], ["'banana' is no version", "--cuda auto"]),
        (["--cuda"], ["--cuda needs a value"]),
        (["--cuda="], ["--cuda needs a value", "--cuda auto"]),
        (["--cuda", "auto"], ["no NVIDIA driver was found", "nvidia-smi", "--cpu"]),
        (["--cuda", "--cpu"], ["'--cpu' is no version"]),
        (["--cpu=1"], ["--cpu takes no value"]),
        (["--rocm", "7.3"], ["--rocm 7.3", "7.2 (rocm7.2)"]),
        (["--rocm", "auto"], ["no AMD GPU was found"]),
        (["--cuda", "126", "--cuda", "12.6"], ["One backend was chosen twice"]),
        (["--cuda", "126", "--cpu", "--dev"], ["Several backends", "--dev", "Leave that"]),
        (["--cuda", "126", "--cpu", "--optional", "ml"], ["Several backends", "--optional"]),
        (["--mirror", "nju"], ["no backend was chosen", "--cuda 126 --mirror nju"]),
        (["--cuda", "126", "--mirror", "njuu"], ["njuu", "official, nju, sjtu, aliyun"]),
        (["--cuda", "126", "--mirror", "ftp://a.example/whl"], ["ftp://a.example/whl", "no URL"]),
    ],
    ids=lambda value: " ".join(value) if "-" in value[0] else "",
)
def test_an_option_that_cannot_be_meant_is_told(
    torch_hosts: TorchHosts, options: list[str], said: list[str]
) -> None:
    message = refused(torch_hosts.folder, "add", "torch", *options, status=WRONG)
    for words in said:
        assert words in message
    assert torch_hosts.network.requests == []
    assert torch_hosts.pypi.requests == []


def test_a_driver_whose_version_is_none_is_told(folder: Folder) -> None:
    call = ("add", "torch", "--cuda", "auto")
    message = refused(folder, *call, status=WRONG, UV_CUDA_DRIVER_VERSION="new")
    assert "UV_CUDA_DRIVER_VERSION is 'new', which is no version of a driver" in message


def test_as_json_an_error_is_one_object(folder: Folder) -> None:
    ended = folder.uvmagic("add", "torch", "--cuda", "999", "--json")
    assert (ended.returncode, ended.stderr) == (WRONG, "")
    told = json.loads(ended.stdout)
    assert told["kind"] == "UsageError"
    assert "--cuda 999" in told["error"]
    assert "13.2 (cu132)" in told["hint"]


def test_a_password_in_a_mirrors_address_is_not_written_and_not_shown(folder: Folder) -> None:
    address = "https://me:hunter2@wheels.example/whl/{backend}"
    message = refused(folder, "add", "torch", "--cuda", "126", "--mirror", address, status=WRONG)
    assert "hunter2" not in message
    assert "UV_INDEX_PYTORCH_CU126_PASSWORD" in message


@pytest.mark.parametrize("call", [("--cuda", "126"), ("filelock", "--cuda", "126")], ids=" ".join)
def test_without_torch_there_is_no_build_to_choose(folder: Folder, call: tuple[str, ...]) -> None:
    message = refused(folder, "add", *call, status=WRONG)
    assert "There is no torch to choose a build of" in message
    assert "uvmagic add torch --cuda 126" in message


@pytest.mark.parametrize("word", ["remove", "lock"])
def test_only_what_chooses_has_options_for_backends(torch_hosts: TorchHosts, word: str) -> None:
    write(torch_hosts, "torch==2.7.1")
    names = ["torch"] if word == "remove" else []
    assert "--cuda" in refused(torch_hosts.folder, word, *names, "--cuda", "126", status=WRONG)


def test_an_index_of_ones_own_and_a_backend_contradict_each_other(torch_hosts: TorchHosts) -> None:
    index = f"own={torch_hosts.pypi.url}"
    call = ("add", "torch==2.7.1", "--cuda", "126", "--index", index, "--no-sync")
    ended = torch_hosts.folder.uvmagic(*call)
    if ended.returncode == 0:  # then the choice holds
        assert "2.7.1+cu126" in locked(torch_hosts.folder)
    else:
        assert "--index" in message_of(ended.stderr)


# --- which torch this machine gets ----------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [("--cuda", "128"), ("--cuda", "auto"), ("--rocm", "6.4")], ids=" ".join
)
@pytest.mark.parametrize("chosen", [("--cuda", "126"), ("--cuda", "126", "--cpu")], ids=" ".join)
def test_a_backend_that_the_project_has_not_cannot_be_installed(
    folder: Folder, chosen: tuple[str, ...], options: tuple[str, ...]
) -> None:
    done(folder, "add", "torch==2.7.1", *chosen, "--no-sync")
    environ = {"UV_CUDA_DRIVER_VERSION": "580.65"} if "auto" in options else {}
    message = refused(folder, "sync", *options, status=WRONG, **environ)
    assert "The project has no torch for" in message
    assert "it has one for cu126" in message
    assert "uvmagic add torch --cuda 12.6" in message


def test_an_environment_is_for_one_backend(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cpu", "--no-sync")
    message = refused(folder, "sync", "--cuda", "126", "--cpu", status=WRONG)
    assert "An environment is for one backend" in message


@pytest.fixture
def for_later_pythons(torch_hosts: TorchHosts) -> Iterator[tuple[str, ...]]:
    """The call that asks for a torch that has no wheel for this Python, but for later ones."""
    libraries = ["nvidia-cublas-cu12", "nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12"]
    platforms = ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "win_amd64")
    with PackageIndex() as index:
        for minor in LATER:
            for platform in platforms:
                tag = f"cp3{minor}-cp3{minor}-{platform}"
                index.add(wheel("torch", "2.7.1+cu126", requires=libraries, tag=tag))
        torch_hosts.network.serve("wheels.example", index.answer)
        mirror = ("--mirror", "https://wheels.example/simple")
        yield ("add", "torch==2.7.1", "--cuda", "126", *mirror)


@is_installed
def test_a_python_without_a_wheel_is_told_which_have_one(
    folder: Folder, for_later_pythons: tuple[str, ...]
) -> None:
    message = refused(folder, *for_later_pythons, status=FAILED)
    assert f"torch 2.7.1+cu126 has no wheel for Python {OWN}" in message
    assert f"it has some for Python 3.{LATER[0]}, 3.{LATER[1]};" in message
    assert "yproject.toml and uv.lock are as they were" in message
    assert f"uvmagic python pin 3.{LATER[1]}" in message


def test_a_torch_that_is_not_to_be_installed_here_needs_no_wheel_for_here(
    folder: Folder, for_later_pythons: tuple[str, ...]
) -> None:
    done(folder, *for_later_pythons, "--no-sync")
    assert "2.7.1+cu126" in locked(folder)


@is_installed
def test_the_python_that_is_asked_for_is_the_one_that_is_judged(
    torch_hosts: TorchHosts, tmp_path: Path
) -> None:
    python = tmp_path / "python3.14"
    minor = sys.version_info.minor
    python.write_text(f"#!/bin/sh\n'{sys.executable}' \"$@\" | sed 's/3[.]{minor}/3.14/g'\n")
    python.chmod(0o755)
    call = ("add", "torch==2.7.1", "--cuda", "126", "--python", str(python))
    message = refused(torch_hosts.folder, *call, status=FAILED)
    assert "torch 2.7.1+cu126 has no wheel for Python 3.14" in message
    assert "3.12, 3.13" in message


def test_a_version_that_the_backend_has_not_is_told(torch_hosts: TorchHosts) -> None:
    message = refused(torch_hosts.folder, "add", "torch==2.6.0", "--cuda", "128", status=FAILED)
    assert "there is no version of torch" in " ".join(message.split())
    assert "==2.6.0" in message


def test_a_bound_of_ones_own_that_the_backend_does_not_reach_is_told(
    torch_hosts: TorchHosts,
) -> None:
    write(torch_hosts, "torch>=2.14")
    done(torch_hosts.folder, "lock")  # at 2.15.0, so that uv did not write that bound
    message = refused(
        torch_hosts.folder, "add", "torch", "--cuda", "126", "--no-sync", status=FAILED
    )
    assert ">=2.14" in message


# --- what somebody has written by hand ------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        '{ git = "https://example.org/torch" }',
        '{ url = "https://example.org/torch-2.7.1-cp311-cp311-linux_x86_64.whl" }',
        '{ path = "wheels/torch-2.7.1-cp311-cp311-linux_x86_64.whl" }',
        '[{ index = "own", marker = "sys_platform == \'linux\'" }]',
    ],
    ids=["git", "url", "path", "index"],
)
def test_a_source_of_ones_own_is_in_the_way_of_a_choice(
    torch_hosts: TorchHosts, source: str
) -> None:
    own = f'\n[[tool.uv.index]]\nname = "own"\nurl = "{torch_hosts.pypi.url}"\nexplicit = true\n'
    more = f"\n[tool.uv.sources]\ntorch = {source}\n{own if 'own' in source else ''}"
    write(torch_hosts, "torch", more=more)
    message = refused(torch_hosts.folder, "add", "torch", "--cuda", "126", status=FAILED)
    assert "torch has a source of its own in [tool.uv.sources]" in message
    assert "Remove that line" in message


def test_a_source_of_ones_own_is_kept_beside_a_choice_for_others(torch_hosts: TorchHosts) -> None:
    own = f"""
[tool.uv.sources]
torch = {{ index = "own" }}

[[tool.uv.index]]
name = "own"
url = "{torch_hosts.pypi.url}"
explicit = true
"""
    write(torch_hosts, "torch==2.7.1", more=own)
    folder = torch_hosts.folder
    said = done(folder, "add", "torchvision", "--cuda", "126", "--no-sync")
    assert "torch has a source of its own in [tool.uv.sources], which was kept" in said
    assert uv_of(folder)["sources"]["torch"] == {"index": "own"}
    assert locked(folder).keys() == {"2.7.1"}
    assert "0.22.1+cu126" in locked(folder, "torchvision")


@pytest.mark.parametrize(
    ("backend", "option"), [("cu126", "--cuda 12"), ("cpu", "--cpu"), ("rocm6.4", "--rocm 6.4")]
)
def test_a_setting_that_uv_does_not_heed_is_told(
    torch_hosts: TorchHosts, backend: str, option: str
) -> None:
    write(torch_hosts, more=f'\n[tool.uv]\ntorch-backend = "{backend}"\n')
    said = done(torch_hosts.folder, "add", "torch==2.7.1", "--no-sync")
    assert f'uv heeds torch-backend = "{backend}" in uv pip alone' in said
    assert f"uvmagic add torch {option}" in said


def test_such_a_setting_is_not_spoken_of_where_a_backend_is_chosen(
    torch_hosts: TorchHosts,
) -> None:
    write(torch_hosts, more='\n[tool.uv]\ntorch-backend = "cu126"\n')
    said = done(torch_hosts.folder, "add", "torch==2.7.1", "--cuda", "128", "--no-sync")
    assert "torch-backend" not in said
    assert "2.7.1+cu128" in locked(torch_hosts.folder)


def test_extras_for_backends_need_a_project(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    folder.pyproject.write_text("[tool.uv.workspace]\nmembers = []\n")
    message = refused(folder, "add", "torch", "--cuda", "126", "--cpu", status=FAILED)
    assert "[project]" in message
    assert "TOML parse error" not in message


def test_a_pyproject_that_is_no_toml_is_told(folder: Folder) -> None:
    folder.pyproject.write_text("[project\n")
    message = refused(folder, "add", "torch", "--cuda", "126", status=FAILED)
    assert "pyproject.toml" in message


# --- an index that is not there -------------------------------------------------------------------


@pytest.mark.parametrize("address", ["https://nowhere.example/{backend}", "no pages", "forbidden"])
def test_a_mirror_that_does_not_answer_is_told(torch_hosts: TorchHosts, address: str) -> None:
    if address == "no pages":
        torch_hosts.nju.fail("*", 503)
    elif address == "forbidden":
        torch_hosts.nju.fail("*", 401)
    mirror = address if "://" in address else "nju"
    folder = torch_hosts.folder
    message = refused(folder, "add", "torch", "--cuda", "126", "--mirror", mirror, status=FAILED)
    assert (torch_hosts.nju.host if mirror == "nju" else "nowhere.example") in message


@is_installed
def test_a_file_that_is_gone_leaves_no_trace(torch_hosts: TorchHosts) -> None:
    torch_hosts.official.fail("*.whl", 404)
    message = refused(torch_hosts.folder, "add", "torch==2.7.1", "--cuda", "126", status=FAILED)
    assert "torch" in message


def test_a_backend_that_pytorch_does_not_serve_is_told(folder: Folder) -> None:
    message = refused(folder, "add", "torch", "--cuda", "13.0", status=FAILED)
    assert "torch" in message


# --- removing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("requirements", [(), ("torchvision",)], ids=str)
def test_what_is_not_there_cannot_be_removed(
    torch_hosts: TorchHosts, requirements: tuple[str, ...]
) -> None:
    write(torch_hosts, *requirements)
    message = refused(torch_hosts.folder, "remove", "torch", status=FAILED)
    assert "`torch` could not be found" in message


@pytest.mark.parametrize(
    ("brought_by", "names"),
    [
        ("torchvision", ["torch"]),
        ("carrier", ["torch"]),
        ("vision-carrier", ["torch", "torchvision"]),
    ],
)
def test_what_another_package_still_needs_stays_chosen(
    torch_hosts: TorchHosts, brought_by: str, names: list[str]
) -> None:
    folder = torch_hosts.folder
    done(folder, "add", "torch==2.7.1", brought_by, "--cuda", "126", "--no-sync")
    message = refused(folder, "remove", *names, "--no-sync", status=FAILED)
    assert " ".join(names) in message.replace(" and ", " ")
    assert f"by {brought_by}" in message


def test_a_group_that_still_needs_torch_is_named(folder: Folder) -> None:
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--dev", "--no-sync")
    done(folder, "add", "torchvision", "--group", "gpu", "--no-sync")
    message = refused(folder, "remove", "torch", "--dev", "--no-sync", status=FAILED)
    assert "by torchvision" in message


# --- workspaces -----------------------------------------------------------------------------------


def test_a_member_with_another_backend_than_the_root_is_told(torch_hosts: TorchHosts) -> None:
    write(torch_hosts, more='\n[tool.uv.workspace]\nmembers = ["member"]\n')
    root = torch_hosts.folder
    member = Folder(root.path / "member")
    member.path.mkdir()
    member.pyproject.write_text(
        '[project]\nname = "member"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["torch==2.7.1"]\n\n[tool.uv]\npackage = false\n'
        + taken_from(torch_hosts.official, "cpu")
    )
    of_member = member.contents()
    message = refused(root, "add", "torch==2.7.1", "--cuda", "126", status=FAILED)
    assert "conflicting indexes for package `torch`" in message
    assert member.contents() == of_member
    assert indexes(root) == {}
