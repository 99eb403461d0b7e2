"""The main job end to end against PyPI: the quickstart notebook, as the demo runs it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from uvmagic.data.notebooks import quickstart

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


pytestmark = [pytest.mark.network, pytest.mark.heavy]


def kernels_of_the_user(folder: Folder) -> list[Any]:
    listed: list[Any] = json.loads(folder.uvmagic("kernel", "list", "--json").stdout)["kernels"]
    return listed


def test_the_demo_runs_the_quickstart_bundles_it_and_reruns_it(empty: Folder) -> None:
    assert kernels_of_the_user(empty) == []
    done = empty.uvmagic("demo", "scratch")
    assert done.returncode == 0, done.stderr
    assert kernels_of_the_user(empty) == [], "the demo leaves the user's kernels alone"
    folder = empty.path / "scratch" / "quickstart"

    executed = read(folder / "quickstart.ipynb")
    nbformat.validate(executed)
    outputs = [o for cell in executed.cells for o in cell.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "error"]
    printed = "".join(o.get("text", "") for o in outputs)
    found = re.search(r"half-life ([\d.]+) ± ([\d.]+)", printed)
    assert found is not None
    assert abs(float(found[1]) - 12.3) < 5 * float(found[2])
    assert [o for o in outputs if "image/png" in o.get("data", {})]
    shown = "\n".join(o.data.get("text/plain", "") for o in outputs if "data" in o)
    assert "Already there: pandas" in shown
    assert "Bundled quickstart.ipynb" in shown

    bundle = folder / "quickstart-bundle"
    names = {path.name for path in bundle.iterdir()}
    wanted = {"Dockerfile", ".dockerignore", "pyproject.toml", "uv.lock", "quickstart.ipynb"}
    assert wanted | {"README.md", "bundle.json"} <= names
    bundled = read(bundle / "quickstart.ipynb")
    assert not [cell for cell in bundled.cells if cell.get("outputs")]

    rerun = read(folder / "quickstart-rerun.ipynb")
    told = "".join(o.get("text", "") for c in rerun.cells for o in c.get("outputs", []))
    assert "(truth 20" in told, "the parameter from the command line arrived"

    picture = [line for line in done.stdout.splitlines() if "█" in line]
    assert len(picture) >= 4
    assert "from nothing: uvmagic rerun" in done.stdout


def test_the_quickstart_is_kept_without_outputs() -> None:
    kept = read(quickstart())
    nbformat.validate(kept)
    assert kept.cells[1].source == "%load_ext uvmagic"
    assert not [cell for cell in kept.cells if cell.get("outputs")]
