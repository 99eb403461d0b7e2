"""A bundle on PyTorch's image: its torch is used, and all else comes from the lock.

The torch in the stand-in for that image is none, and so are the wheels of the one that is locked.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from conftest import Folder
from containers import PYTHON, STAND_IN_FINAL, STAND_IN_TORCH
from index import PackageIndex, wheel

from image.studies import code, own_world, shown, succeed, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from podman import Podman

pytestmark = [pytest.mark.network, pytest.mark.heavy, pytest.mark.timeout(600)]

VERSION = "2.9.1"
LIBRARIES = {
    "nvidia-cublas-cu12": "12.6.4.1",
    "nvidia-cuda-runtime-cu12": "12.6.77",
    "nvidia-cudnn-cu12": "9.10.2.21",
}


@pytest.fixture(scope="module")
def lab() -> Iterator[PackageIndex]:
    """The index that torch is locked from."""
    tag = f"cp{PYTHON.replace('.', '')}-none-manylinux_2_28_x86_64"
    with PackageIndex() as index:
        requires = [*(f"{name}=={version}" for name, version in LIBRARIES.items()), "sympy"]
        index.add(wheel("torch", f"{VERSION}+cu126", requires=requires, tag=tag))
        index.add(*(wheel(name, version, tag=tag) for name, version in LIBRARIES.items()))
        yield index


@pytest.fixture(scope="module")
def bundle(lab: PackageIndex, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a notebook that says whose torch and whose six it has."""
    project = Folder(tmp_path_factory.mktemp("learned"))
    project.pyproject.write_text(
        f'[project]\nname = "learned"\nversion = "1"\nrequires-python = ">={PYTHON}"\n'
        'dependencies = ["six", "torch"]\n\n'
        f'[[tool.uv.index]]\nname = "lab"\nurl = "{lab.url}"\n'
    )
    write(
        project.path / "learn.ipynb",
        code("import sys, six, torch\nprint(torch.whose, torch.__file__)"),
        code("print(six.__file__, sys.prefix)"),
    )
    with own_world(tmp_path_factory):
        succeed(project, "sync", "--python", PYTHON)
        options = ["--base", "pytorch", "--keep-index", "lab", "--no-compile"]
        made = succeed(project, "bundle", "learn.ipynb", *options)
    assert "torch 2.9.1 for CUDA 12.6 is in it already" in made
    return project.path / "learn-bundle"


def make_stand_in(podman: Podman, folder: Path, version: str) -> None:
    """Make the image that has a torch: in a Python that its distribution manages, as PyTorch's."""
    site = "/usr/lib/python3/dist-packages"
    (folder / "torch.py").write_text("whose = 'the image has it'\n")
    metadata = f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n"
    (folder / "METADATA").write_text(metadata)
    (folder / "Dockerfile").write_text(
        f"FROM {STAND_IN_FINAL}\n"
        f"COPY torch.py {site}/\n"
        f"COPY METADATA {site}/torch-{version}.dist-info/\n"
        f"RUN ln -s python3 /usr/bin/python; touch /usr/lib/python{PYTHON}/EXTERNALLY-MANAGED\n"
    )
    podman("build", "--pull-never", "--tag", STAND_IN_TORCH, str(folder))


def test_its_torch_is_the_images_and_all_else_the_locks(
    bundle: Path, podman: Podman, tmp_path: Path
) -> None:
    packages = tomllib.loads((bundle / "pylock.toml").read_text())["packages"]
    names = {each["name"] for each in packages}
    assert {"six", "ipykernel", "papermill"} <= names
    assert names.isdisjoint({"torch", "sympy", *LIBRARIES}), "the image has what torch needs"
    make_stand_in(podman, tmp_path, f"{VERSION}+cu126")
    podman.build(bundle, "learn")
    done = podman.run("learn", tmp_path / "out")
    assert done.returncode == 0, done.stdout
    executed = shown(tmp_path / "out" / "learn.ipynb")
    assert "the image has it /usr/lib/python3/dist-packages/torch.py" in executed
    assert f"/app/.venv/lib/python{PYTHON}/site-packages/six.py /app/.venv" in executed


def test_an_image_with_another_torch_is_not_built_on(
    bundle: Path, podman: Podman, tmp_path: Path
) -> None:
    make_stand_in(podman, tmp_path, "2.8.0")
    with pytest.raises(AssertionError, match=r"assert m\.version"):
        podman.build(bundle, "other")
