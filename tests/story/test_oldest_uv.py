"""The oldest uv that data/uv.json names does the whole change."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from uvmagic.data.uv import minimum

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder

pytestmark = [pytest.mark.network, pytest.mark.heavy]


@pytest.fixture
def oldest(tmp_path: Path, uv: str) -> str:
    """The path of the oldest uv, from its wheel."""
    target = tmp_path / "oldest"
    wanted = f"uv=={minimum()}"
    install = [uv, "pip", "install", "-q", "--target", str(target), wanted]
    subprocess.run(install, cwd=tmp_path, check=True)
    return str(target / "bin" / "uv")


def test_the_oldest_uv_does_the_whole_change(folder: Folder, oldest: str) -> None:
    said = subprocess.run([oldest, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.split()[1] == minimum()
    assert folder.uvmagic("add", "beta", UV=oldest).returncode == 0
    assert folder.installed() == {"alpha", "beta"}
    again = folder.uvmagic("add", "beta", UV=oldest)
    assert "Already there: beta 1.0" in again.stdout
    before = folder.contents()
    failed = folder.uvmagic("add", "broken", UV=oldest)
    assert failed.returncode == 1
    assert "no compiler here" in failed.stderr
    assert folder.contents() == before
    assert folder.uvmagic("add", "gamma", "--dry-run", UV=oldest).returncode == 0
    assert folder.contents() == before
    assert folder.uvmagic("lock", UV=oldest).returncode == 0
    assert folder.uvmagic("sync", UV=oldest).returncode == 0
    assert folder.uvmagic("remove", "beta", UV=oldest).returncode == 0
    assert folder.installed() == set()


def test_the_oldest_uv_makes_a_project_a_kernel_and_a_bundle(empty: Folder, oldest: str) -> None:
    assert empty.uvmagic("init", UV=oldest).returncode == 0
    installed = empty.uvmagic("kernel", "install", UV=oldest)
    assert installed.returncode == 0, installed.stderr
    (empty.path / "one.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    made = empty.uvmagic("bundle", "one.ipynb", UV=oldest)
    assert made.returncode == 0, made.stderr
    rerun = empty.uvmagic("rerun", "one-bundle", UV=oldest)
    assert rerun.returncode == 0, rerun.stderr
