"""torch as PyPI has it, locked for real: CUDA 12, CUDA 13, two torches by Python."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from uvmagic.accelerator import audit
from uvmagic.accelerator.audit import LINUX, TARGETS, Build
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk
from uvmagic.system.plan import planned
from uvmagic.system.uv import environment_for_uv, find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Folder

pytestmark = [pytest.mark.network, pytest.mark.heavy]

PYTHON = f"3.{sys.version_info.minor}"


@pytest.fixture
def project(empty: Folder) -> Folder:
    """A project that asks for nothing, and resolves where uv does by default."""
    empty.pyproject.write_text(
        '[project]\nname = "project"\nversion = "0"\nrequires-python = ">=3.11"\n'
        "dependencies = []\n"
    )
    return empty


def added(project: Folder, *arguments: str) -> str:
    done = project.uvmagic("add", *arguments, "--no-sync")
    assert done.returncode == 0, done.stderr
    return done.stdout


def plan_of(folder: Path, platform: str, *options: str) -> Mapping[str, str]:
    """What uv itself would install; the walk says the same. Empty where both refuse."""
    environ = environment_for_uv(os.environ)
    plan = planned(
        find_uv(os.environ),
        cwd=folder,
        environ=environ,
        platform=platform,
        options=["--python", sys.executable, *options],
    )
    lockfile = Lockfile((folder / "uv.lock").read_text())
    closure = walk(lockfile, Target(platform, PYTHON), root="project")
    assert bool(plan.refusal) == bool(closure.lacking)
    walked = {name: one.version or "" for name, one in closure.packages.items()}
    assert plan.refusal or walked == plan.versions
    return walked


def verdicts(folder: Path) -> dict[str, audit.Verdict]:
    lockfile = Lockfile((folder / "uv.lock").read_text())
    return {
        platform: audit.audit(lockfile, plan_of(folder, platform), Target(platform, PYTHON))
        for platform in TARGETS
    }


def test_cuda_12_with_its_libraries(project: Folder) -> None:
    told = added(project, "torch==2.6.0")
    found = verdicts(project.path)
    assert found[LINUX].told == "CUDA 12.4"
    assert found[LINUX].is_right
    assert [found[platform].build for platform in TARGETS[1:]] == [Build.CPU] * 3
    assert "torch 2.6.0: CUDA 12.4 on Linux x86-64; CPU on Linux ARM64, Windows, macOS." in told
    assert "To be fetched: " in told
    assert "GiB" in told  # PyPI tells sizes


def test_cuda_13_whose_libraries_are_extras_of_a_toolkit(project: Folder) -> None:
    told = added(project, "torch==2.15.0")
    found = verdicts(project.path)
    for platform in TARGETS[:2]:
        assert found[platform].build is Build.CUDA
        assert found[platform].toolkit.startswith("13.")
        plan = plan_of(project.path, platform)
        assert {"cuda-toolkit", "nvidia-cublas", "nvidia-cuda-runtime"} <= plan.keys()
    assert found[TARGETS[2]].build is Build.CPU
    # its wheels for macOS ask for a later one than uv assumes
    assert found[TARGETS[3]].build is Build.NO_WHEEL
    assert "Linux x86-64, Linux ARM64; CPU on Windows, macOS 14 or later." in told


def test_two_torches_by_python(project: Folder) -> None:
    older = f"torch==2.6.0 ; python_full_version < '{PYTHON}'"
    newer = f"torch==2.15.0 ; python_full_version >= '{PYTHON}'"
    text = project.pyproject.read_text().replace(">=3.11", ">=3.10")
    project.pyproject.write_text(text.replace("[]", f'["{older}", "{newer}"]'))
    assert project.uvmagic("lock").returncode == 0
    locked = Lockfile(project.lock.read_text()).versions()["torch"]
    assert locked == ("2.15.0", "2.6.0")
    found = verdicts(project.path)
    assert {one.version for one in found.values()} == {"2.15.0"}
    assert found[LINUX].is_right
    older_python = Target(LINUX, "3.10")
    closure = walk(Lockfile(project.lock.read_text()), older_python, root="project")
    plan = {name: one.version or "" for name, one in closure.packages.items()}
    verdict = audit.audit(Lockfile(project.lock.read_text()), plan, older_python)
    assert (verdict.version, verdict.told) == ("2.6.0", "CUDA 12.4")


def test_a_torch_that_another_package_brings(project: Folder) -> None:
    told = added(project, "torchvision==0.21.0")
    assert verdicts(project.path)[LINUX].told == "CUDA 12.4"
    assert "torch 2.6.0: CUDA 12.4 on Linux x86-64" in told
