"""A notebook that carries its own requirements (PEP 723), as juv writes them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kernels import Kernel
from robustness.aftermath import nobody_is_left

from uvmagic.errors import ProjectInvalid
from uvmagic.kernel import support
from uvmagic.kernel.carried import as_kernel, requirements_of

if TYPE_CHECKING:
    from conftest import Folder

BLOCK = '# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n#     "six",\n# ]\n# ///'


def notebook(file: Path, *sources: str, lock: str | None = None) -> Path:
    """Write a notebook with these code cells, after a cell of text."""
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "metadata": {}, "source": [BLOCK]}]
    for source in sources:
        cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": []}
        cell |= {"execution_count": None, "source": source.splitlines(keepends=True)}
        cells.append(cell)
    metadata = {} if lock is None else {"uv.lock": lock}
    text = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    file.write_text(json.dumps(text))
    return file


def test_the_block_and_the_lock_are_found(tmp_path: Path) -> None:
    file = notebook(tmp_path / "n.ipynb", "import six", BLOCK, lock="version = 1\n")
    told = requirements_of(file)
    assert told is not None
    assert tomllib.loads(told[0]) == {"requires-python": ">=3.11", "dependencies": ["six"]}
    assert told[1] == "version = 1\n"


@pytest.mark.parametrize(
    "source",
    ["1 + 1", "# /// script\n# dependencies = []", "#/// script\n# ///", "x = '# /// script'"],
)
def test_what_is_no_block_is_none(tmp_path: Path, source: str) -> None:
    assert requirements_of(notebook(tmp_path / "n.ipynb", source)) is None


def test_what_cannot_be_read_carries_nothing(tmp_path: Path) -> None:
    assert requirements_of(tmp_path / "no.ipynb") is None
    (tmp_path / "n.ipynb").write_text("# /// script\n# ///")
    assert requirements_of(tmp_path / "n.ipynb") is None


def test_of_two_blocks_none_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(ProjectInvalid, match="has 2 blocks"):
        requirements_of(notebook(tmp_path / "n.ipynb", BLOCK, BLOCK))


def test_a_kernel_needs_more() -> None:
    file = Path("n.ipynb")
    asked = tomllib.loads(as_kernel('dependencies = ["six"] # mine\n', file))["dependencies"]
    assert asked[:2] == ["six", "ipykernel"]
    assert asked[2] == "uvmagic; python_version >= '3.11'"
    source = tomllib.loads(as_kernel("", file))["tool"]["uv"]["sources"]["uvmagic"]
    assert source["path"] == str(support.origin_of_uvmagic().folder)
    twice = as_kernel('dependencies = ["ipykernel>=7", "uvmagic"]', file)
    assert tomllib.loads(twice)["dependencies"] == ["ipykernel>=7", "uvmagic"]
    assert len(tomllib.loads(as_kernel("", file))["dependencies"]) == 2
    for spoiled in ("dependencies = [", "dependencies = 3", 'dependencies = "six"'):
        with pytest.raises(ProjectInvalid, match="cannot be read"):
            as_kernel(spoiled, file)


@pytest.mark.network
@pytest.mark.heavy
def test_the_uv_kernel_runs_what_the_notebook_carries(empty: Folder, tmp_path: Path) -> None:
    assert empty.uvmagic("kernel", "install", "uv").returncode == 0
    file = notebook(empty.path / "my notes.ipynb", BLOCK)
    told = {"JPY_SESSION_NAME": str(file)}
    with Kernel("uv", empty.path, told) as kernel:
        assert kernel.run("import six; print(six.__name__)").text.strip() == "six"
        again = kernel.run("%uv add idna")
        assert "carries its own requirements" in again.text
        assert "Traceback" not in again.text
    notebook(file, BLOCK.replace('"six"', '"six", "idna"'))
    with Kernel("uv", empty.path, told) as kernel:
        assert kernel.run("import six, idna").status == "ok"
    notebook(file, BLOCK.replace('"six"', '"six==99"'))
    with Kernel("uv", empty.path, told) as kernel:
        refused = kernel.run("import six")
        assert "uv cannot make what my notes.ipynb asks for." in refused.text
        assert "six==99" in refused.text
        assert "Mend the cell" in refused.text
    assert [path.name for path in empty.path.iterdir()] == [file.name]
    nobody_is_left(tmp_path)
