"""`doctor` and `status` where they are asked: a shell, a cell, a folder without a project."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from index import wheel

from doctor.test_checks import FAULTS, lock_torch
from uvmagic.bundle import manifest
from uvmagic.bundle.manifest import Manifest
from uvmagic.errors import FoundWrong

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Shell
    from kernels import Kernel

    from doctor.world import World
    from uvmagic.outcome import Outcome


def test_a_shell_gets_status_1_and_json(world: World) -> None:
    FAULTS["credentials"][2](world)
    done = world.folder.uvmagic("doctor", "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["title"] == "1 error."
    (error,) = told["findings"]
    assert error["id"] == "credentials"
    assert error.keys() == {"id", "level", "seen", "why", "remedy", "fix"}
    assert "s3cret-of-mine" not in done.stdout
    (cache,) = [one for one in told["settings"] if one["name"] == "cache-dir"]
    assert (cache["where"], cache["overridden"]) == ("UV_CACHE_DIR", [])


def test_a_warning_is_no_failure(world: World) -> None:
    FAULTS["lock-behind"][2](world)
    done = world.folder.uvmagic("doctor")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:4] == [
        "1 warning.",
        "  warning uv.lock is not what pyproject.toml asks for: it has no gamma.  [lock-behind]",
        "          uv sync --locked  and a bundle refuse it.",
        "          → uvmagic sync",
    ]
    assert done.stdout.splitlines()[-1] == (
        "→ uvmagic doctor --fix   does what is safe of this: lock-behind."
    )


def test_without_a_project_uv_settings_and_kernels_are_looked_at(world: World) -> None:
    for name in ("kernels-dead", "uv-several"):
        FAULTS[name][2](world)
    shutil.rmtree(world.folder.path)
    world.folder.path.mkdir()
    found = world.found()
    assert found.keys() == {"project-missing", "kernels-dead", "uv-several"}
    assert world.found("--fix").keys() == {"project-missing", "uv-several"}


def test_a_cell_shows_what_was_found_and_then_fails(world: World, shell: Shell) -> None:
    FAULTS["files-missing"][2](world)
    with pytest.raises(FoundWrong, match="1 error, 2 warnings"):
        shell.run("%uv doctor")
    outcome = shell.outcome("%uv doctor --fix")
    assert {finding.id for finding in outcome.findings} == {
        "notebook-elsewhere",
        "ipykernel-missing",
    }
    assert "[project]\nname" in world.folder.pyproject.read_text()
    assert "ipykernel" not in world.folder.pyproject.read_text()  # --fix asks for nothing more
    (kernel,) = [one for one in outcome.findings if one.id == "ipykernel-missing"]
    assert kernel.remedy == "%uv kernel install"


@pytest.mark.heavy
def test_a_real_kernel_shows_it_once(world: World, jupyter_kernel: Kernel) -> None:
    world.patch.chdir(world.folder.path)
    FAULTS["credentials"][2](world)
    jupyter_kernel.run("%load_ext uvmagic")
    jupyter_kernel.run(f"import os; os.chdir({str(world.folder.path)!r})")
    cell = jupyter_kernel.run("%uv doctor")
    assert cell.status == "error"
    assert cell.text.count("password in a URL") == 1
    assert "Traceback" not in cell.text
    assert jupyter_kernel.run("%uv status").status == "ok"


# --- status ---------------------------------------------------------------------------------------


def told(outcome: Outcome) -> dict[str, str]:
    return dict(outcome.facts)


def test_the_card_tells_size_uv_and_what_somebody_has_set(world: World) -> None:
    world.set(UV_LINK_MODE="hardlink")
    world.uv("sync", "--reinstall")
    (world.path / "config" / "uv").mkdir(parents=True)
    (world.path / "config" / "uv" / "uv.toml").write_text('cache-dir = "/elsewhere"\n')
    card = told(world.run("status"))
    assert card.keys() == {
        "project",
        "environment",
        "lock",
        "kernel",
        "uv",
        "cache",
        "link mode",
        "Python asked for",
    }
    assert "of it linked from uv's cache" in card["environment"]
    assert card["link mode"] == "hardlink (UV_LINK_MODE)"
    users = world.path / "config" / "uv" / "uv.toml"
    assert card["cache"].endswith(f"(UV_CACHE_DIR), over /elsewhere ({users})")
    assert "None" not in world.run("status").text()


def test_the_card_tells_which_torch_each_platform_gets(world: World) -> None:
    world.index.add(wheel("torch", "2.7.1+cu126", tag="cp39-cp39-win_amd64"))
    lock_torch(world, "2.7.1+cu126", "cuda-runtime", "cudnn", "cublas")
    assert told(world.run("status"))["accelerator"].startswith(
        "torch 2.7.1+cu126: CUDA 12.6 on Linux x86-64"
    )
    world.folder.lock.write_text(world.folder.lock.read_text().replace("version = 1\n", ""))
    assert "uv.lock is not as uv writes it" in told(world.run("status"))["accelerator"]


def test_the_card_works_without_uv(world: World) -> None:
    FAULTS["uv-missing"][2](world)
    assert "there is no such program" in told(world.run("status"))["uv"]


def test_the_card_tells_whether_a_bundle_is_up_to_date(world: World) -> None:
    notebook = world.folder.path / "study.ipynb"
    write_notebook(notebook, "1 + 1", outputs=["2"])
    bundle = world.folder.path / "study-bundle"
    bundle.mkdir()
    write_notebook(bundle / "study.ipynb", "1 + 1", outputs=[])
    lock = manifest.sha256(world.folder.lock)
    made = Manifest("study.ipynb", "3.12", "0.13.9", "0.1.0", "any", "cpu", lock, {})
    (bundle / manifest.FILE).write_bytes(made.to_bytes())
    (world.folder.path / "no-bundle").mkdir()
    (world.folder.path / "no-bundle" / manifest.FILE).write_text("{}")

    card = world.run("status")
    assert told(card)["bundle"] == "study-bundle, up to date"
    assert card.data["bundles"] == [{"name": "study-bundle", "older_than": []}]
    write_notebook(notebook, "1 + 2", outputs=["3"])
    world.folder.lock.write_text(world.folder.lock.read_text() + "\n")
    assert told(world.run("status"))["bundle"] == "study-bundle, older than study.ipynb, uv.lock"


def write_notebook(file: Path, source: str, outputs: list[str]) -> None:
    cell = {"cell_type": "code", "source": [source], "outputs": outputs, "metadata": {}}
    file.write_text(json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5}))
