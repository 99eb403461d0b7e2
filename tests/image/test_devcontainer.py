"""A bundle opened as VS Code does: its image built, the bundle mounted, its environment used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from image.studies import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import Docker

pytestmark = [pytest.mark.network, pytest.mark.heavy, pytest.mark.timeout(600)]


class Devcontainer:
    """The devcontainer command line on a bundle, by an engine.

    Args:
        docker: the engine.
        bundle: the bundle's folder.
        scratch: a folder for the engine's programs; it is made.
    """

    def __init__(self, docker: Docker, bundle: Path, scratch: Path) -> None:
        at_hand = docker.at_hand(scratch, bundle / "Dockerfile")
        self._environ = {**os.environ, **at_hand, "DOCKER_BUILDKIT": "1"}
        self._bundle = bundle

    def __call__(self, command: str, *arguments: str) -> str:
        """Run one of its commands, which must succeed. Gives its stdout."""
        folder = ["--workspace-folder", str(self._bundle)]
        done = subprocess.run(
            ["devcontainer", command, *folder, *arguments],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def devcontainer(docker: Docker, study: Path, tmp_path: Path) -> Iterator[Devcontainer]:
    """The command line on a bundle of one's own, whose container is removed."""
    if shutil.which("devcontainer") is None and "CI" not in os.environ:
        pytest.skip("no devcontainer: npm install --global @devcontainers/cli")
    bundle = tmp_path / "study-bundle"
    shutil.copytree(study, bundle)
    yield Devcontainer(docker, bundle, tmp_path / "bin")
    mine = ["ps", "--quiet", "--filter", f"label=devcontainer.local_folder={bundle}"]
    for container in docker(*mine).stdout.split():
        docker("rm", "--force", container)


def test_a_devcontainer_has_the_bundles_environment(
    devcontainer: Devcontainer, tmp_path: Path
) -> None:
    built = json.loads(devcontainer("build"))
    assert built["outcome"] == "success"

    began = json.loads(devcontainer("up"))
    assert (began["remoteUser"], began["remoteWorkspaceFolder"]) == (
        "root",
        "/workspaces/study-bundle",
    )
    told = devcontainer("exec", "python", "-c", "import six, sys, helper; print(sys.prefix)")
    assert told == "/app/.venv\n"

    run = ["python", "kernels/run.py", "--kernel", "bundle", "study.ipynb", "executed.ipynb"]
    devcontainer("exec", *run, "-p", "divisor", "4")
    executed = shown(tmp_path / "study-bundle" / "executed.ipynb")
    assert "quotient 2.0 as 0 /app/.venv 42" in executed
    assert "In the bundle's environment: six" in executed
