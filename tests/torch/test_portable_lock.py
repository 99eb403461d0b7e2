"""The bundle of a project with torch: locked where torch is published, judged for an image."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from index import PackageIndex, wheel

from uvmagic.accelerator.audit import LINUX
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder
    from torch_hosts.fixtures import TorchHosts

MIRROR, OFFICIAL = "https://mirror.nju.edu.cn/pytorch/whl", "https://download.pytorch.org/whl"


@pytest.fixture
def folder(torch_hosts: TorchHosts) -> Folder:
    """A project with a notebook, whose default index has a name by which it can be kept."""
    torch_hosts.pypi.add(wheel("ipykernel", "7.0"), wheel("papermill", "2.7"))
    made = torch_hosts.folder
    made.pyproject.write_text(
        made.pyproject.read_text().replace("[[tool.uv.index]]", '[[tool.uv.index]]\nname = "main"')
    )
    cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "id": "a"}
    notebook = {
        "cells": [{**cell, "execution_count": None}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (made.path / "n.ipynb").write_text(json.dumps(notebook))
    return made


def added(folder: Folder, *arguments: str) -> None:
    done = folder.uvmagic("add", *arguments)
    assert done.returncode == 0, done.stderr


def bundled(folder: Folder, *arguments: str, **environ: str) -> Path:
    done = folder.uvmagic("bundle", "n.ipynb", "--keep-index", "main", *arguments, **environ)
    assert done.returncode == 0, done.stderr
    return folder.path / "n-bundle"


def refused(folder: Folder, *arguments: str) -> str:
    before = folder.contents()
    done = folder.uvmagic("bundle", "n.ipynb", "--keep-index", "main", *arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (folder.path / "n-bundle").exists()
    assert folder.contents() == before
    return done.stderr


def torch_of(lock: str) -> list[tuple[str, str]]:
    """Version and registry of each locked torch."""
    return re.findall(r'name = "torch"\nversion = "(.*)"\nsource = { registry = "(.*)" }', lock)


def test_a_mirror_is_only_transport(folder: Folder) -> None:
    added(folder, "torch==2.7.1", "--cuda", "126", "--mirror", "nju")
    text = folder.pyproject.read_text().replace("torch==2.7.1", "torch")  # 2.9.1 would fit as well
    folder.pyproject.write_text(text)
    assert folder.uvmagic("lock").returncode == 0
    before = folder.contents()
    bundle = bundled(folder)
    made, lock = (bundle / "pyproject.toml").read_text(), (bundle / "uv.lock").read_text()
    assert MIRROR in folder.lock.read_text()
    assert "nju" not in made + lock
    assert ("2.7.1+cu126", f"{OFFICIAL}/cu126") in torch_of(lock)
    assert folder.contents() == before
    listed = json.loads((bundle / "bundle.json").read_text())
    assert (listed["accelerator"], listed["platform"]) == ("cuda 12.6", "linux/amd64")


def test_a_flat_mirror_is_only_transport_too(folder: Folder) -> None:
    added(folder, "torch==2.7.1", "--cuda", "126", "--mirror", "aliyun")
    bundle = bundled(folder)
    made = (bundle / "pyproject.toml").read_text()
    assert "aliyun" not in made + (bundle / "uv.lock").read_text()
    assert 'format = "flat"' not in made


def test_an_index_that_is_named_is_kept_and_that_is_said(folder: Folder) -> None:
    added(folder, "torch==2.7.1", "--cuda", "126", "--mirror", "nju")
    done = folder.uvmagic(
        "bundle", "n.ipynb", "--keep-index", "main", "--keep-index", "pytorch-cu126"
    )
    assert done.returncode == 0, done.stderr
    lock = (folder.path / "n-bundle" / "uv.lock").read_text()
    assert ("2.7.1+cu126", f"{MIRROR}/cu126") in torch_of(lock)
    assert f"pytorch-cu126 was kept: whoever builds must reach {MIRROR}/cu126" in done.stdout


BACK_END = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "core-0.3-py3-none-any.whl"
    told = "Metadata-Version: 2.1\\nName: core\\nVersion: 0.3\\nRequires-Dist: torch==2.7.1\\n"
    tag = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as archive:
        for path, text in (("METADATA", told), ("WHEEL", tag), ("RECORD", "")):
            archive.writestr(f"core-0.3.dist-info/{path}", text)
    return name

build_editable = build_wheel
"""


@pytest.mark.parametrize("place", ["member", "root"])
def test_the_torch_of_a_member_comes_from_its_index_though_a_wheel_cannot_say_so(
    folder: Folder, place: str
) -> None:
    core = folder.path / "packages" / "core"
    core.mkdir(parents=True)
    (core / "back_end.py").write_text(BACK_END)
    source = f'[[tool.uv.index]]\nname = "pytorch-cu126"\nurl = "{MIRROR}/cu126"\n'
    source += 'explicit = true\n[tool.uv.sources]\ntorch = { index = "pytorch-cu126" }\n'
    (core / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "back_end"\nbackend-path = ["."]\n'
        '[project]\nname = "core"\nversion = "0.3"\nrequires-python = ">=3.11"\n'
        'dependencies = ["torch==2.7.1"]\n' + (source if place == "member" else "")
    )
    text = folder.pyproject.read_text().replace("dependencies = []", 'dependencies = ["core"]')
    text += (source if place == "root" else "[tool.uv.sources]\n") + "core = { workspace = true }\n"
    folder.pyproject.write_text(text + '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    assert folder.uvmagic("sync").returncode == 0
    bundle = bundled(folder)
    made, lock = (bundle / "pyproject.toml").read_text(), (bundle / "uv.lock").read_text()
    assert "nju" not in made + lock
    assert torch_of(lock) == [("2.7.1+cu126", f"{OFFICIAL}/cu126")]
    assert json.loads((bundle / "bundle.json").read_text())["accelerator"] == "cuda 12.6"


def test_keeping_an_index_that_is_not_there_is_refused(folder: Folder) -> None:
    added(folder, "torch==2.7.1", "--cuda", "126")
    assert "has no index of that name" in refused(folder, "--keep-index", "nowhere")


def test_a_version_that_is_not_published_is_told(folder: Folder, torch_hosts: TorchHosts) -> None:
    added(folder, "torch", "--cuda", "126", "--mirror", "nju")
    text = re.sub(r"torch>=[\d.]+", "torch", folder.pyproject.read_text())
    folder.pyproject.write_text(text)
    assert folder.uvmagic("lock").returncode == 0
    torch_hosts.official.without("2.9.1")
    told = refused(folder)
    assert "there are no such versions as the project has locked from a mirror" in told
    assert "torch: " in told
    assert "2.9.1+cu126" in told
    assert "--keep-index NAME" in told


def test_files_that_are_not_those_published_are_told(
    folder: Folder, torch_hosts: TorchHosts
) -> None:
    torch_hosts.nju.tampered("2.7.1")
    added(folder, "torch==2.7.1", "--cuda", "126", "--mirror", "nju")
    told = refused(folder)
    assert "The mirror's files are not those that are published" in told
    assert "torch-2.7.1+cu126-cp311-cp311-manylinux_2_28_x86_64.whl" in told


@pytest.mark.parametrize(
    ("options", "version", "accelerator"),
    [
        ((), "2.7.1+cu126", "cuda 12.6"),
        (("--cpu",), "2.7.1+cpu", "cpu"),
        (("--cuda", "126"), "2.7.1+cu126", "cuda 12.6"),
    ],
)
def test_of_several_backends_the_bundle_has_one(
    folder: Folder, options: tuple[str, ...], version: str, accelerator: str
) -> None:
    added(folder, "torch==2.7.1", "--cuda", "126", "--cpu", "--no-sync")
    assert folder.uvmagic("sync").returncode == 0
    planned = folder.uvmagic("bundle", "n.ipynb", "--dry-run", *options).stdout
    assert ("CUDA's libraries come as packages" in planned) is (accelerator != "cpu")
    assert "0 distributions" not in planned
    bundle = bundled(folder, *options)
    versions = {version for version, _ in torch_of((bundle / "uv.lock").read_text())}
    assert versions == {version, "2.7.1"}  # the latter is macOS's
    assert "optional-dependencies" not in (bundle / "pyproject.toml").read_text()
    assert json.loads((bundle / "bundle.json").read_text())["accelerator"] == accelerator


def test_a_backend_that_the_project_does_not_have_is_refused(folder: Folder) -> None:
    added(folder, "torch==2.7.1", "--cuda", "126")
    told = refused(folder, "--cuda", "128")
    assert "The project has no torch for cu128; it has one for cu126." in told


def test_metadata_that_is_wrong_at_the_origin_is_mended(
    folder: Folder, torch_hosts: TorchHosts
) -> None:
    torch_hosts.official.inconsistent()
    added(folder, "torch==2.7.1", "--cuda", "126", "--mirror", "nju")
    assert "dependency-metadata" not in folder.pyproject.read_text()
    bundle = bundled(folder)
    made, lock = (bundle / "pyproject.toml").read_text(), (bundle / "uv.lock").read_text()
    assert 'version = "2.7.1+cu126"' in made[made.index("[[tool.uv.dependency-metadata]]") :]
    assert 'name = "nvidia-cuda-runtime-cu12"' in lock
    assert "nju" not in made + lock


def test_a_torch_that_would_not_start_makes_no_bundle(
    folder: Folder, torch_hosts: TorchHosts
) -> None:
    torch_hosts.official.incomplete("cuda-runtime")
    torch_hosts.official.inconsistent()
    added(folder, "torch==2.7.1", "--cuda", "126", "--mirror", "nju")
    told = refused(folder)
    assert "torch 2.7.1+cu126 would be without its CUDA libraries in an image" in told
    assert re.search(r"What torch-2.7.1.*x86_64.whl says of itself does not mend it", told)


def test_settings_of_this_machine_do_not_reach_the_bundle(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(folder, "filelock")
    plain = (bundled(folder) / "uv.lock").read_bytes()
    config = tmp_path / "config" / "uv" / "uv.toml"
    config.parent.mkdir(parents=True)
    with PackageIndex() as own:
        own.add(*(wheel(name, "99") for name in ("ipykernel", "papermill")))
        config.write_text(f'prerelease = "allow"\n[[index]]\nurl = "{own.url}"\n')
        monkeypatch.setenv("XDG_CONFIG_HOME", str(config.parent.parent))
        assert folder.uvmagic("lock").returncode == 0
        assert 'prerelease-mode = "allow"' in folder.lock.read_text()
        assert own.requests != []
        own.requests.clear()
        told = bundled(folder)
        assert f"{own.url}/ipykernel/" not in own.requests
        assert "prerelease-mode" not in (told / "uv.lock").read_text()
        assert own.url not in (told / "uv.lock").read_text()
    assert b"ipykernel" in plain


@pytest.mark.parametrize("place", ["index", "direct"])
def test_a_password_in_a_url_never_reaches_the_bundle(
    folder: Folder, torch_hosts: TorchHosts, place: str
) -> None:
    added(folder, "filelock")
    text = folder.pyproject.read_text()
    if place == "index":
        text = text.replace("http://127.0.0.1", "http://me:hunter2@127.0.0.1")
    else:
        url = torch_hosts.pypi.url.replace("http://", "http://me:hunter2@")
        found = re.search(r'url = "[^"]*/(files/filelock[^"]*)"', folder.lock.read_text())
        assert found is not None
        direct = f"{url.removesuffix('/simple')}/{found[1]}"
        text = re.sub(r'"filelock[^"]*"', f'"filelock @ {direct}"', text)
    folder.pyproject.write_text(text)
    assert folder.uvmagic("lock").returncode == 0
    told = refused(folder)
    assert "a URL with a user and a password" in told
    assert "hunter2" not in told
    assert "docker build --secret" in told


def test_a_uv_toml_beside_the_project_is_refused_by_name(folder: Folder) -> None:
    added(folder, "filelock")
    (folder.path / "uv.toml").write_text('[[index]]\nurl = "http://127.0.0.1:9"\ndefault = true\n')
    assert "The project has a uv.toml" in refused(folder)


def test_an_image_with_torch_gets_the_rest_of_the_lock(folder: Folder) -> None:
    added(folder, "torch==2.9.1", "torchvision", "--cuda", "126")
    added(folder, "sympy")
    bundle = bundled(folder, "--base", "pytorch")
    assert (
        "FROM pytorch/pytorch:2.9.1-cuda12.6-cudnn9-runtime\n"
        in (bundle / "Dockerfile").read_text()
    )
    packages = tomllib.loads((bundle / "pylock.toml").read_text())["packages"]
    versions = {(each["name"], each["version"]) for each in packages}
    assert ("torchvision", "0.24.1+cu126") in versions
    names = {each["name"] for each in packages}
    assert {"ipykernel", "papermill", "numpy", "sympy", "mpmath"} <= names
    assert not {name for name in names if name == "torch" or name.startswith("nvidia-")}
    assert all(each["hashes"]["sha256"] for one in packages for each in one["wheels"])
    closure = walk(
        Lockfile((bundle / "uv.lock").read_text()),
        Target(LINUX, "3.11"),
        root="project",
        groups=["rerun"],
    )
    assert closure.packages.keys() - closure.only_through("torch") == {
        each["name"] for each in packages if "linux" in each.get("marker", "linux")
    }, "what the walk leaves out is what uv prunes"
    folder.path.joinpath("n-bundle").rename(folder.path / "first")
    again = bundled(folder, "--base", "pytorch")
    assert (again / "pylock.toml").read_bytes() == (folder.path / "first/pylock.toml").read_bytes()


def test_an_image_with_torch_for_cuda_is_none_for_another(folder: Folder) -> None:
    added(folder, "torch==2.9.1", "--cpu")
    assert "none is locked" in refused(folder, "--base", "pytorch")


def test_what_is_for_other_systems_alone_is_refused_by_name(
    folder: Folder, torch_hosts: TorchHosts
) -> None:
    torch_hosts.pypi.add(wheel("onlywindows", "1.0", tag="py3-none-win_amd64"))
    added(folder, "numpy")
    added(folder, "onlywindows", "--no-sync")
    told = refused(folder)
    assert "could not install onlywindows" in told
    assert "sys_platform != 'linux'" in told
