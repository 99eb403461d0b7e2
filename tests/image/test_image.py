"""The bundle's Dockerfile, built and run for real, on a stand-in for its base image."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from podman import PYTHON, Podman, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture
def podman(tmp_path_factory: pytest.TempPathFactory, uv: str) -> Iterator[Podman]:
    """Podman with the stand-in base image."""
    lacking = missing()
    if lacking and "CI" not in os.environ:
        pytest.skip(f"images cannot be built here: no {', '.join(lacking)}")
    made = Podman(tmp_path_factory.mktemp("podman"))
    made.configure()
    made.make_stand_in(uv)
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
    assert "Dockerfile" not in inside

    failing = podman.run("study", out, "-p", "divisor", "0")
    assert failing.returncode == 1
    assert "ZeroDivisionError" in failing.stdout
    assert "ZeroDivisionError" in (out / "study.ipynb").read_text()

    text = (bundle / "study.ipynb").read_text()
    (bundle / "study.ipynb").write_text(text.replace("quotient", "ratio"))
    said = podman.build(bundle, "study")
    steps = re.split(r"^STEP \d+/\d+: ", said, flags=re.MULTILINE)
    (sync,) = (step for step in steps if 'uv", "sync' in step)
    assert "Using cache" in sync, "an edit of the notebook leaves the dependencies alone"
    (sources,) = (step for step in steps if step.startswith("COPY --chown"))
    assert "Using cache" not in sources
    assert podman.run("study", out).returncode == 0
    assert "ratio 4.0" in (out / "study.ipynb").read_text()
