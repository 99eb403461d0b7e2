"""The bundle's Dockerfile, built as it is and run by podman, buildah and Docker 20.10."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from image.studies import code, own_world, shown, succeed, write

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Folder
    from containers import Engine
    from docker import Docker

    Rerun = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.network, pytest.mark.heavy, pytest.mark.timeout(600)]


def test_the_image_runs_the_notebook_and_an_edit_makes_its_last_layer_new(
    study: Path, engine: Engine, tmp_path: Path
) -> None:
    bundle, out = tmp_path / "study-bundle", tmp_path / "out"
    shutil.copytree(study, bundle)
    (bundle / "secret.txt").write_text("left beside the bundle's files")

    engine.build(bundle, "study")
    done = engine.run("study", out, "-p", "divisor", "4")
    assert done.returncode == 0, done.stdout
    assert "cell 6 of 6: " in done.stdout
    executed = shown(out / "study.ipynb")
    assert "quotient 2.0 as 1000 /app/.venv 42" in executed
    assert "In the bundle's environment: six" in executed
    inside = engine.shell("study", "ls -A /app; command -v uv || true").split()
    assert {"study.ipynb", "bundle.json", "uv.lock", ".venv", "helper.py", "data"} <= set(inside)
    assert {"secret.txt", "Dockerfile"}.isdisjoint(inside)
    assert not any(name.endswith("/uv") for name in inside), "uv stays behind"

    other = engine.run("study", out, "python", "-c", "print('a command in place of parameters')")
    assert (other.returncode, other.stdout) == (0, "a command in place of parameters\n")

    failing = engine.run("study", out, "-p", "divisor", "0")
    assert failing.returncode == 1
    assert "In [6]:\nimport os, sys, helper, six" in failing.stdout
    assert re.search(r"ZeroDivisionError\S*: division by zero\n\Z", failing.stdout)
    assert "ZeroDivisionError" in shown(out / "study.ipynb")

    layers = engine.layers("study")
    text = (bundle / "study.ipynb").read_text()
    (bundle / "study.ipynb").write_text(text.replace("quotient", "ratio"))
    engine.build(bundle, "study")
    *lower, last = engine.layers("study")
    assert lower == layers[:-1], "an edit of the notebook leaves all else alone"
    assert last != layers[-1]
    assert "'ratio'" in engine.shell("study", "cat /app/study.ipynb")


def test_a_second_build_finds_every_step_in_the_cache(study: Path, docker: Docker) -> None:
    docker.build(study, "once")
    docker.build(study, "again")
    assert docker.identity("again") == docker.identity("once")


HOSTILE = "größe $HOME ${x} `id` \"q\" 'a' <script>"
"""A name that no builder, shell or page may take for more than a name."""
BESIDE = (
    " spaces at its ends.csv ",
    "!not.csv",
    "#hash.csv",
    "$(id) ${HOME}.csv",
    "-rf.csv",
    "<b>&amp;.csv",
    "[a-z]*?.csv",
    "a.b,c=d;e|f^g+h.csv",
    "back\\slash.csv",
    "data (1)/a [b]{c}.csv",
    "~.csv",
    "漢字 🐍.csv",
)
"""Files beside it, sorted, with such names."""


@pytest.fixture(scope="module")
def hostile(project: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a notebook of that name in a folder of that name, and of files beside it."""
    (project.path / HOSTILE).mkdir()
    (project.path / "data (1)").mkdir()
    for name in BESIDE:
        (project.path / name).touch()
    write(
        project.path / HOSTILE / f"{HOSTILE}.ipynb",
        code("%load_ext uvmagic"),
        code("divisor = 2", "parameters"),
        code("1 / 0", "raises-exception"),
        code("print('quotient', 8 / divisor)"),
        code(
            "import pathlib\n"
            "print(sorted(str(p.relative_to('..')) for p in pathlib.Path('..').rglob('*.csv*')\n"
            "             if '.venv' not in p.parts))"
        ),
    )
    bundle = tmp_path_factory.mktemp("hostile") / f"{HOSTILE}-bundle"
    with own_world(tmp_path_factory):
        options = ["-o", str(bundle), "--include", "*.csv*", "--include", "data (1)"]
        succeed(project, "bundle", f"{HOSTILE}/{HOSTILE}.ipynb", *options)
    return bundle


@pytest.fixture
def rerun(program: str, hostile: Path, request: pytest.FixtureRequest, empty: Folder) -> Rerun:
    """Call `uvmagic rerun` on that bundle with the engine that a program is of."""
    engine: Engine = request.getfixturevalue("docker" if program == "docker" else "podman")
    environ = engine.at_hand(empty.path / "bin", hostile / "Dockerfile")
    call = ["rerun", str(hostile), "--engine", program, "-o", "executed.ipynb"]
    return lambda *options: empty.uvmagic(*call, *options, **environ)


@pytest.mark.parametrize("program", ["podman", "buildah", "docker"])
def test_a_bundle_is_rerun_by_an_engine_whatever_its_files_are_called(
    program: str, rerun: Rerun, empty: Folder
) -> None:
    (empty.path / "given.yaml").write_text("divisor: 4\n")
    done = rerun("-f", "given.yaml")
    assert done.returncode == 0, done.stderr
    assert f"engine    {program}" in done.stdout
    assert "Raised, as expected: code cell 3 (ZeroDivisionError)." in done.stdout
    executed = shown(empty.path / "executed.ipynb")
    assert "quotient 2.0" in executed
    assert str(sorted([*BESIDE, "data/table.csv"])) in executed


@pytest.mark.parametrize("program", ["buildah", "docker"])  # podman runs an image as Docker does
def test_a_cell_that_raises_in_an_engine_is_told(program: str, rerun: Rerun, empty: Folder) -> None:
    failed = rerun("-p", "divisor", "0")
    assert failed.returncode == 1
    assert "cell 4 raised ZeroDivisionError" in failed.stderr
    assert "ZeroDivisionError" in shown(empty.path / "executed.ipynb")


def test_an_engine_that_is_not_there_or_cannot_build_is_told(study: Path, empty: Folder) -> None:
    nowhere = empty.path / "bin"
    nowhere.mkdir()
    done = empty.uvmagic("rerun", str(study), "--engine", "docker", PATH=str(nowhere))
    assert done.returncode == 1
    assert "docker is not on PATH" in done.stderr
    assert "--engine local" in done.stderr
    docker = nowhere / "docker"
    docker.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    docker.chmod(0o755)
    for engine in ("docker", "auto"):
        done = empty.uvmagic("rerun", str(study), "--engine", engine, PATH=str(nowhere))
        assert done.returncode == 1
        assert "docker build failed:\nCannot connect to the Docker daemon" in done.stderr


def test_what_is_no_image_is_refused(project: Folder, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    call = ["bundle", "study.ipynb", "--base", "no image", "-o", str(bundle)]
    for options in ([], ["--dry-run"]):
        refused = project.uvmagic(*call, *options)
        assert refused.returncode == 1
        assert "'no image' is no image reference" in refused.stderr
    assert not bundle.exists()
