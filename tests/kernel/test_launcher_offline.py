"""The kernel for all projects where the environment is gone, and nothing can be fetched."""

from __future__ import annotations

import re
import shutil
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from index import PackageIndex, wheel
from kernels import Kernel
from robustness.aftermath import nobody_is_left

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder

pytestmark = pytest.mark.heavy


def unused_port() -> int:
    """A port at which nobody listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def project(folder: Folder, index: PackageIndex, tmp_path: Path) -> Folder:
    """A project that was locked once; its environment and uv's cache are gone."""
    index.add(wheel("ipykernel", "7.0"))
    text = folder.pyproject.read_text()
    folder.pyproject.write_text(f'{text}\n[dependency-groups]\ndev = ["ipykernel"]\n')
    done = folder.uvmagic("sync")
    assert done.returncode == 0, done.stderr
    assert "ipykernel" in folder.installed()
    assert folder.uvmagic("kernel", "install", "uv").returncode == 0
    shutil.rmtree(folder.path / ".venv")
    shutil.rmtree(tmp_path / "cache")
    return folder


@pytest.mark.parametrize("is_locked", [True, False])
@pytest.mark.parametrize("is_refused", [True, False])
def test_that_there_is_no_network_is_told(
    project: Folder, index: PackageIndex, tmp_path: Path, is_locked: bool, is_refused: bool
) -> None:
    environ = {} if is_refused else {"UV_OFFLINE": "1"}
    if is_refused:
        here = index.url.split("/")[2]
        nowhere = f"127.0.0.1:{unused_port()}"
        for file in (project.pyproject, project.lock):
            file.write_text(file.read_text().replace(here, nowhere))
    if not is_locked:
        project.lock.unlink()
    before = project.contents()
    asked = len(index.requests)
    with Kernel("uv", project.path, environ) as kernel:
        cell = kernel.run("print(6 * 7)")
        assert cell.status == "error"
        (error,) = cell.outputs
        assert error["ename"] == "KernelRefused"
        told = " ".join(cell.text.split())
        assert "Traceback" not in told
        assert "42" not in told.split()
        if is_refused:
            assert "cannot be reached (Connection refused)" in told
        else:
            assert re.search(r"[Nn]etwork (connectivity is|was) disabled", told), told
            assert "ipykernel" in told, told
        works = kernel.run("%uv --version")
        assert works.status == "ok", works.text
        assert works.text.startswith("uv "), works.text
        kernel.manager.shutdown_kernel()
    assert project.contents() == before
    assert len(index.requests) == asked
    nobody_is_left(tmp_path)
