"""Kernels registered at the same moment, by many: each is whole, and nothing else is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.heavy

MANY = 8
ROUNDS = 3
LOGO = "<svg/>" * 100_000

_WAITS_FOR_THE_WORD = """\
import sys
import uvmagic.kernel.flow
from uvmagic.cli import main

print("ready", flush=True)
sys.stdin.readline()
sys.exit(main(sys.argv[1:]))
"""


def a_project(path: Path) -> Folder:
    """A project that needs no uv to be a kernel: as far as its files tell, all is installed."""
    path.mkdir(parents=True)
    (path / "pyproject.toml").write_text(
        '[project]\nname = "same"\nversion = "1"\nrequires-python = ">=3.11"\n'
        '[dependency-groups]\ndev = ["ipykernel", "uvmagic"]\n'
    )
    (path / "uv.lock").write_text("version = 1\n")
    packages = path / ".venv" / "lib" / "python3.12" / "site-packages"
    for name in ("ipykernel", "uvmagic"):
        (packages / f"{name}-1.0.dist-info").mkdir(parents=True)
    logos = packages / "ipykernel" / "resources"
    logos.mkdir(parents=True)
    (logos.parent / "__pycache__").mkdir()  # compiled already: no progress is told
    (logos / "logo-svg.svg").write_text(LOGO)
    python = path / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    return Folder(path)


def install_at_once(folders: Sequence[Folder], *arguments: str) -> list[dict[str, Any]]:
    """Run `uvmagic kernel install` in each folder, all at the same moment; what each answers."""
    command = [sys.executable, "-c", _WAITS_FOR_THE_WORD, "kernel", "install", *arguments, "--json"]
    running = [
        subprocess.Popen(
            command,
            cwd=folder.path,
            env={**os.environ, "UV": "/nowhere/uv"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("now\n")
            process.stdin.flush()
        answers = []
        for process in running:
            stdout, stderr = process.communicate(timeout=60)
            assert (process.returncode, stderr) == (0, "")
            answers.append(json.loads(stdout))
        return answers
    finally:
        for process in running:
            process.kill()
            process.communicate()


def registered(folder: Folder) -> list[dict[str, str]]:
    done = folder.uvmagic("kernel", "list", "--json")
    assert done.returncode == 0, done.stderr
    kernels: list[dict[str, str]] = json.loads(done.stdout)["kernels"]
    return kernels


def is_whole(kernels: Path, names: set[str], logos: set[str]) -> None:
    """Assert that the kernels' folder has these, each with all that belongs to it and no more."""
    assert {path.name for path in kernels.iterdir()} == names
    for folder in kernels.iterdir():
        assert {path.name for path in folder.iterdir()} == {"kernel.json", *logos}
        assert json.loads((folder / "kernel.json").read_text())["language"] == "python"
        assert all((folder / logo).read_text() == LOGO for logo in logos)


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    return tmp_path / "jupyter" / "data" / "kernels"


def test_in_one_project(tmp_path: Path, kernels: Path) -> None:
    for number in range(ROUNDS):
        folder = a_project(tmp_path / f"{number}" / "same")
        answers = install_at_once([folder] * MANY)
        names = {answer["kernels"][0]["name"] for answer in answers}
        assert len(names) == 1
        (kernel,) = [k for k in registered(folder) if k["project"] == str(folder.path)]
        assert (kernel["name"], kernel["state"]) == (*names, "ready")
        own = {path.name for path in (folder.path / ".uvmagic").iterdir()}
        assert own == {".gitignore", "kernel"}
    is_whole(kernels, {k["name"] for k in registered(folder)}, {"logo-svg.svg"})


def test_in_projects_of_the_same_name(tmp_path: Path, kernels: Path) -> None:
    for number in range(ROUNDS):
        folders = [a_project(tmp_path / f"{number}-{n}" / "same") for n in range(MANY)]
        install_at_once(folders)
    found = registered(Folder(tmp_path))
    assert len(found) == ROUNDS * MANY
    assert len({k["project"] for k in found}) == ROUNDS * MANY
    assert {k["state"] for k in found} == {"ready"}
    is_whole(kernels, {k["name"] for k in found}, {"logo-svg.svg"})
    assert len({k["display_name"] for k in found}) == ROUNDS * MANY, "the menu shows two alike"


def test_for_all_projects(tmp_path: Path, kernels: Path) -> None:
    for _ in range(ROUNDS):
        install_at_once([Folder(tmp_path)] * MANY, "uv")
        assert json.loads((kernels / "uv" / "kernel.json").read_text())["argv"][0]
        assert [path.name for path in kernels.iterdir()] == ["uv"]
        assert not list((kernels / "uv").glob(".*"))
        assert Folder(tmp_path).uvmagic("kernel", "remove", "uv").returncode == 0
