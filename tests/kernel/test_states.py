"""Every state of a kernel that `kernel list` tells, made for real, and what mends it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Folder
from jupyter_client.kernelspec import KernelSpecManager
from kernels import Kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.network, pytest.mark.heavy]


def told(folder: Folder, *arguments: str) -> dict[str, Any]:
    done = folder.uvmagic("kernel", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def states(folder: Folder, *arguments: str) -> dict[str, str]:
    """Display name → state of uvmagic's kernels."""
    kernels: Sequence[dict[str, str]] = told(folder, "list", *arguments)["kernels"]
    return {kernel["display_name"]: kernel["state"] for kernel in kernels}


@pytest.fixture
def project(capable: Folder) -> Folder:
    """A project that is a kernel."""
    told(capable, "install", "--display-name", "Mein Kernel")
    return capable


def test_each_state_is_told_and_mended(project: Folder, tmp_path: Path) -> None:
    assert states(project) == {"Mein Kernel": "ready"}
    environment = project.path / ".venv"

    for part in environment.glob("lib/python3.*/site-packages/ipykernel*"):
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    assert states(project) == {"Mein Kernel": "no ipykernel"}
    told(project, "install")
    assert states(project) == {"Mein Kernel": "ready"}

    python = environment / "bin" / "python"
    python.unlink()
    python.symlink_to(tmp_path / "uninstalled")
    assert states(project) == {"Mein Kernel": "Python gone"}
    told(project, "install")
    assert states(project) == {"Mein Kernel": "ready"}

    shutil.rmtree(environment)
    assert states(project) == {"Mein Kernel": "no .venv"}
    (project.path / "uv.lock").unlink()
    told(project, "install")
    assert states(project) == {"Mein Kernel": "ready"}
    assert (project.path / "uv.lock").exists()


def test_a_project_that_was_moved_takes_its_kernel_along(project: Folder, tmp_path: Path) -> None:
    moved = Folder(project.path.rename(tmp_path / "another place"))
    (old,) = told(moved, "list")["kernels"]
    assert old["state"] == "project moved"
    assert "kernel install   here mends it" in moved.uvmagic("kernel", "list").stdout
    made = told(moved, "install")
    assert any("was moved here from" in note for note in made["notes"])
    (new,) = told(moved, "list")["kernels"]
    assert (new["display_name"], new["state"]) == ("Mein Kernel", "ready")
    assert new["name"] != old["name"]
    with Kernel(new["name"], moved.path) as kernel:
        prefix = kernel.run("import sys; print(sys.prefix)").text.strip()
        assert prefix == str(moved.path / ".venv")


def test_only_dead_kernels_of_its_own_are_pruned_and_they_are_shown(
    project: Folder, tmp_path: Path
) -> None:
    foreign = Path(str(KernelSpecManager().user_kernel_dir)) / "theirs" / "kernel.json"
    foreign.parent.mkdir()
    gone = {"argv": [str(tmp_path / "gone" / "python")], "display_name": "Theirs", "language": "x"}
    foreign.write_text(json.dumps(gone))
    listed = project.uvmagic("kernel", "list").stdout
    assert any(line.split() == ["theirs", "Theirs", "foreign"] for line in listed.splitlines())
    elsewhere = Folder(tmp_path)
    assert told(elsewhere, "prune")["kernels"] == []
    shutil.rmtree(project.path)
    assert states(elsewhere) == {"Mein Kernel": "project gone"}
    shown = told(elsewhere, "prune", "--dry-run")["kernels"]
    assert [kernel["display_name"] for kernel in shown] == ["Mein Kernel"]
    assert states(elsewhere) == {"Mein Kernel": "project gone"}
    assert told(elsewhere, "prune")["kernels"] == shown
    assert states(elsewhere) == {}
    assert foreign.exists()


def test_a_kernel_may_lie_under_another_prefix(empty: Folder, tmp_path: Path) -> None:
    assert empty.uvmagic("init").returncode == 0
    prefix = tmp_path / "prefix"
    (made,) = told(empty, "install", "--prefix", str(prefix))["kernels"]
    folder = prefix / "share" / "jupyter" / "kernels" / made["name"]
    assert {file.name for file in folder.iterdir()} >= {"kernel.json", "logo-64x64.png"}
    assert states(empty) == {}
    assert states(empty, "--prefix", str(prefix)) == {"empty (uv)": "ready"}
    assert empty.uvmagic("kernel", "remove", "--prefix", str(prefix)).returncode == 0
    assert not folder.exists()
