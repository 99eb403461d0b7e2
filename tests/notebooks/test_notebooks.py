"""The notebooks of notebooks/, run from top to bottom in a real kernel, in a scratch folder."""

from __future__ import annotations

import ast
import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbclient
import nbformat
import pytest
from torch_calls import LIBRARIES, is_whole_on_linux

if TYPE_CHECKING:
    from conftest import Folder
    from torch_hosts.fixtures import TorchHosts

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class Executed:
    """A notebook that ran to its end.

    Args:
        notebook: with its outputs.
    """

    def __init__(self, notebook: Any) -> None:
        self._cells = [cell for cell in notebook.cells if cell.cell_type == "code"]

    def __getitem__(self, beginning: str) -> str:
        """What a person reads below the one cell that has a line beginning so."""
        line = re.compile(rf"^{re.escape(beginning)}", re.MULTILINE)
        (cell,) = [cell for cell in self._cells if line.search(cell.source)]
        return "\n".join(_read(output) for output in cell.outputs)

    def value(self, beginning: str) -> Any:
        """That cell's value."""
        return ast.literal_eval(self[beginning])

    @property
    def pictures(self) -> int:
        """How many cells have drawn one."""
        data = [[o.get("data", {}) for o in cell.outputs] for cell in self._cells]
        return sum(any("image/png" in each for each in outputs) for outputs in data)


def _read(output: Any) -> str:
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return str(output.get("text") or output.data["text/plain"])


def kept(name: str) -> Any:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]


def run_all(name: str, folder: Path) -> Executed:
    """Copy the notebooks to a folder and run one there, as *Run All* does, in Jupyter's kernel."""
    shutil.copytree(NOTEBOOKS, folder, dirs_exist_ok=True)
    made = kept(name)
    nbclient.execute(made, cwd=str(folder), kernel_name="python3", timeout=240)
    return Executed(made)


@pytest.mark.parametrize("name", sorted(file.stem for file in NOTEBOOKS.glob("*.ipynb")))
def test_a_notebook_is_kept_clean(name: str) -> None:
    notebook = kept(name)
    nbformat.validate(notebook)
    assert notebook.metadata == kept("quickstart").metadata
    for cell in notebook.cells:
        assert cell.metadata.keys() <= {"tags"}
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.network
@pytest.mark.heavy
def test_the_quickstart(capable: Folder) -> None:
    ran = run_all("quickstart", capable.path)
    assert "From the next cell on this notebook runs in the project" in ran["%uv init"]
    found = re.search(r"half-life ([\d.]+) ± ([\d.]+) minutes \(truth 12.3\)", ran["tail ="])
    assert found is not None
    assert abs(float(found[1]) - 12.3) < 5 * float(found[2])
    assert ran.pictures == 1
    assert (capable.path / "quickstart-bundle" / "bundle.json").is_file()


@pytest.mark.network
@pytest.mark.heavy
def test_bundle_and_rerun(capable: Folder) -> None:
    ran = run_all("bundle-and-rerun", capable.path)
    assert "Bundled oscillator.ipynb" in ran["%uv bundle oscillator"]
    result = ran.value("result =")
    assert result["alpha"] == 0.4
    assert abs(result["found"] - 0.4) < 4 * result["error"]
    claimed = ran["%uv bundle damped"]
    assert "2 outputs as saved" in claimed, "the picture and the value"
    assert "they go along only with" not in claimed, "they do go along"
    assert (capable.path / "damped-rerun-compare.html").is_file()
    bundled = json.loads((capable.path / "damped-bundle" / "damped.ipynb").read_text())
    assert bundled["cells"][-1]["outputs"][0]["data"]["text/plain"]


@pytest.mark.network
@pytest.mark.heavy
def test_sweep(capable: Folder) -> None:
    ran = run_all("sweep", capable.path)
    runs = sorted(file.name for file in (capable.path / "runs").iterdir())
    assert runs == [f"alpha-{alpha}.ipynb" for alpha in (0.1, 0.2, 0.4)]
    rows = re.findall(r"put in ([\d.]+) +found ([\d.]+)", ran["runs ="])
    assert [float(row[0]) for row in rows] == [0.1, 0.2, 0.4]
    assert len({row[1] for row in rows}) == 3, "each run found its own"
    assert ran.pictures == 1


@pytest.mark.network
@pytest.mark.heavy
def test_from_conda(empty: Folder) -> None:
    ran = run_all("from-conda", empty.path)
    adopted = ran["%uv adopt"]
    assert "7 of 8 lines; 1 to look at" in adopted
    assert re.search(r"^ *! +8 +ffmpeg .* a program", adopted, re.MULTILINE)
    assert re.search(
        r"^ *~ +7 +matplotlib-base .* conda's matplotlib-base is PyPI's", adopted, re.MULTILINE
    )
    assert re.search(r"^ *! +tabulate +missing: tabulate", ran["%uv scan from"], re.MULTILINE)
    assert "from-conda.ipynb: 1 missing." in ran["%uv scan from"], "and not what uvmagic imports"
    assert "Added tabulate" in ran["%uv scan --add"]
    project = tomllib.loads(empty.pyproject.read_text())["project"]
    wanted = ["matplotlib", "numpy>=1.26", "tabulate>=", "uncertainties>=3.2"]
    assert [n.split("0")[0] for n in project["dependencies"]] == wanted
    lifetime = re.search(r"this simulation +([\d.]+)\((\d+)\)", ran["rows ="])
    assert lifetime is not None
    assert abs(float(lifetime[1]) - 2.197) < 5 * 2.2 / 4000**0.5
    assert ran.pictures == 1


def test_cuda(torch_hosts: TorchHosts) -> None:
    folder = torch_hosts.folder
    ran = run_all("cuda", folder.path)
    shown = ran["%uv add torch --cuda 126 --dry-run"]
    assert "Would change this; nothing was changed" in shown
    assert '+url = "https://download.pytorch.org/whl/cu126"' in shown
    assert ran.value("lock =") == {
        "2.9.1+cu126": torch_hosts.official.url("cu126"),
        "2.15.0": torch_hosts.pypi.url,
    }
    assert set(ran.value("sorted(")) >= LIBRARIES
    assert is_whole_on_linux(folder)
    build = "torch 2.9.1+cu126: CUDA 12.6 on Linux x86-64, Linux ARM64, Windows"
    assert build in ran["%uv add torch --cuda 126 --no-sync"]
    assert build in ran["%uv status"]
    assert not (folder.path / ".venv").exists(), "locked only"
