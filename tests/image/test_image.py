"""The bundle's Dockerfile, built and run for real, on a stand-in for its base image."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from conftest import find_real_uv
from podman import PYTHON, Podman, fast_folder, missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder

pytestmark = [pytest.mark.network, pytest.mark.heavy, pytest.mark.timeout(600)]

NOTEBOOK = """{"cells": [
 {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [],
  "source": "%load_ext uvmagic"},
 {"cell_type": "code", "id": "b", "metadata": {}, "execution_count": null, "outputs": [],
  "source": "%uv add six"},
 {"cell_type": "code", "id": "c", "metadata": {"tags": ["parameters"]}, "execution_count": null,
  "outputs": [], "source": "divisor = 2"},
 {"cell_type": "code", "id": "d", "metadata": {}, "execution_count": null, "outputs": [],
  "source": "import os, six, sys\\nprint('quotient', 8 / divisor, 'as', os.getuid(), sys.prefix)"}
], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"""


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """Podman with the stand-ins for the base images."""
    lacking = missing()
    if lacking and "CI" not in os.environ:
        pytest.skip(f"images cannot be built here: no {', '.join(lacking)}")
    made = Podman(fast_folder() or tmp_path_factory.mktemp("podman"))
    made.configure()
    made.make_stand_in(find_real_uv())
    yield made
    made.close()


def test_the_image_runs_the_notebook(empty: Folder, podman: Podman) -> None:
    assert empty.uvmagic("init", "--python", PYTHON).returncode == 0
    assert empty.uvmagic("add", "six", "--python", PYTHON).returncode == 0
    (empty.path / "study.ipynb").write_text(NOTEBOOK)
    made = empty.uvmagic("bundle", "study.ipynb")
    assert made.returncode == 0, made.stderr
    bundle, out = empty.path / "study-bundle", empty.path / "out"
    (bundle / "secret.txt").write_text("left beside the bundle's files")

    podman.build(bundle, "study")
    done = podman.run("study", out, "-p", "divisor", "4")
    assert done.returncode == 0, done.stdout
    executed = (out / "study.ipynb").read_text()
    assert "quotient 2.0 as 1000 /app/.venv" in executed
    assert "In the bundle's environment: six" in executed
    inside = podman("run", "--rm", "--entrypoint=ls", "study", "-A", "/app").stdout.split()
    assert {"study.ipynb", "bundle.json", "uv.lock", ".venv"} <= set(inside)
    assert "secret.txt" not in inside
    assert "cell 5 of 5: " in done.stdout
    found = podman("run", "--rm", "--entrypoint=sh", "study", "-c", "command -v uv", check=False)
    assert found.returncode != 0, "uv stays behind"
    assert "Dockerfile" not in inside

    failing = podman.run("study", out, "-p", "divisor", "0")
    assert failing.returncode == 1
    assert "ZeroDivisionError" in failing.stdout
    assert "In [5]:\nimport os, six, sys" in failing.stdout
    assert "ZeroDivisionError" in (out / "study.ipynb").read_text()

    text = (bundle / "study.ipynb").read_text()
    (bundle / "study.ipynb").write_text(text.replace("quotient", "ratio"))
    said = podman.build(bundle, "study")
    steps = re.split(r"^(?:\[\d/\d\] )?STEP \d+/\d+: ", said, flags=re.MULTILINE)
    (sync,) = (step for step in steps if 'uv", "sync' in step)
    assert "Using cache" in sync, "an edit of the notebook leaves the dependencies alone"
    *_, last = (step for step in steps if step.startswith("COPY"))
    assert "Using cache" not in last
    (environment,) = (step for step in steps if step.startswith("COPY --from=environment"))
    assert "Using cache" in environment
    assert podman.run("study", out).returncode == 0
    assert "ratio 4.0" in (out / "study.ipynb").read_text()


def test_it_stands_on_an_image_of_the_users_own(empty: Folder, podman: Podman) -> None:
    assert empty.uvmagic("init", "--python", PYTHON).returncode == 0
    assert empty.uvmagic("add", "six", "--python", PYTHON).returncode == 0
    (empty.path / "helper.py").write_text("answer = 42\n")
    text = NOTEBOOK.replace("import os, six", "import helper, os, six")
    (empty.path / "study.ipynb").write_text(text)
    made = empty.uvmagic("bundle", "study.ipynb", "--base", "team/base:2026", "--no-compile")
    assert made.returncode == 0, made.stderr
    bundle, out = empty.path / "study-bundle", empty.path / "out"
    text = (bundle / "Dockerfile").read_text()
    assert "FROM team/base:2026 AS environment" in text
    assert "--compile-bytecode" not in text
    podman.build(bundle, "own")
    done = podman.run("own", out)
    assert done.returncode == 0, done.stdout
    assert "quotient 4.0 as 1000 /app/.venv" in (out / "study.ipynb").read_text()


@pytest.mark.parametrize("engine", ["podman", "buildah"])
def test_a_bundle_is_rerun_by_an_engine(
    engine: str, empty: Folder, podman: Podman, tmp_path: Path
) -> None:
    assert empty.uvmagic("init", "--python", PYTHON).returncode == 0
    assert empty.uvmagic("add", "six", "--python", PYTHON).returncode == 0
    expected = NOTEBOOK.replace(
        '"cells": [',
        '"cells": [{"cell_type": "code", "id": "e", "execution_count": null, "outputs": [],'
        '"metadata": {"tags": ["raises-exception"]}, "source": "1 / 0"},',
    )
    (empty.path / "study.ipynb").write_text(expected)
    assert empty.uvmagic("bundle", "study.ipynb").returncode == 0
    bundle = empty.path / "study-bundle"
    path = podman.on_path(tmp_path / "bin", bundle / "Dockerfile")
    environ = {**podman.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    (empty.path / "given.yaml").write_text("divisor: 4\n")
    call = ["rerun", "study-bundle", "--engine", engine]
    done = empty.uvmagic(*call, "-f", "given.yaml", **environ)
    assert done.returncode == 0, done.stderr
    assert f"engine    {engine}" in done.stdout
    assert "Raised, as expected: code cell 1 (ZeroDivisionError)." in done.stdout
    executed = (empty.path / "study-rerun.ipynb").read_text()
    assert "quotient 2.0" in executed
    assert "/app/.venv" in executed
    failed = empty.uvmagic(*call, "-p", "divisor", "0", **environ)
    assert failed.returncode == 1
    assert "raised ZeroDivisionError" in failed.stderr


def test_an_engine_that_is_not_there_or_cannot_build_is_told(empty: Folder, uv: str) -> None:
    assert empty.uvmagic("init", "--python", PYTHON).returncode == 0
    assert empty.uvmagic("add", "six", "--python", PYTHON).returncode == 0
    (empty.path / "study.ipynb").write_text(NOTEBOOK)
    assert empty.uvmagic("bundle", "study.ipynb").returncode == 0
    nowhere = empty.path / "bin"
    nowhere.mkdir()
    done = empty.uvmagic("rerun", "study-bundle", "--engine", "docker", PATH=str(nowhere))
    assert done.returncode == 1
    assert "docker is not on PATH" in done.stderr
    assert "--engine local" in done.stderr
    docker = nowhere / "docker"
    docker.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    docker.chmod(0o755)
    for engine in ("docker", "auto"):
        done = empty.uvmagic("rerun", "study-bundle", "--engine", engine, PATH=str(nowhere))
        assert done.returncode == 1
        assert "docker build failed:\nCannot connect to the Docker daemon" in done.stderr


def test_what_is_no_image_is_refused(empty: Folder) -> None:
    assert empty.uvmagic("init", "--python", PYTHON).returncode == 0
    assert empty.uvmagic("add", "six", "--python", PYTHON).returncode == 0
    (empty.path / "study.ipynb").write_text(NOTEBOOK)
    made = empty.uvmagic("bundle", "study.ipynb", "--base", "no image")
    assert made.returncode == 1
    assert "'no image' is no image reference" in made.stderr
    assert not (empty.path / "study-bundle").exists()
