"""Environments that cannot have uvmagic: a Python, or packages, from before its time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from index import wheel
from kernels import Kernel
from scan.labelled_set import cell, notebook

if TYPE_CHECKING:
    from conftest import Folder
    from index import PackageIndex

network = pytest.mark.network
heavy = pytest.mark.heavy

_STYLE = "import matplotlib.pyplot as plt\nplt.style.use('seaborn-whitegrid')"
"""A style that matplotlib 3.8 removed."""


def write_old(folder: Folder, python: str, *more: str) -> None:
    """A notebook of May 2022, as JupyterLab with its execution times has saved it."""
    ran = cell(_STYLE)
    ran["metadata"] = {"execution": {"iopub.execute_input": "2022-05-31T10:00:00.000000Z"}}
    made = json.loads(notebook((*map(cell, more), ran)))
    made["metadata"]["language_info"] = {"name": "python", "version": f"{python}.1"}
    (folder.path / "old.ipynb").write_text(json.dumps(made))


@network
@heavy
def test_an_old_notebook_runs_again(
    empty: Folder, older_python: str, jupyter_kernel: Kernel
) -> None:
    """With the packages of its day, on its Python, in the notebook itself; `%uv` stays."""
    write_old(empty, older_python)
    jupyter_kernel.run("%load_ext uvmagic")
    assert jupyter_kernel.run("%uv init").status == "ok"
    made = jupyter_kernel.run("%uv scan old.ipynb --add --as-of auto")
    assert made.status == "ok", made.text
    assert f"For Python {older_python}, as old.ipynb was last run" in made.text
    assert "there the magic is answered by the uvmagic of" in made.text

    assert jupyter_kernel.run("%load_ext uvmagic").status == "ok"
    assert jupyter_kernel.run(_STYLE).status == "ok"
    version = jupyter_kernel.run("import sys; print(sys.version)")
    assert version.text.startswith(f"{older_python}.")

    added = jupyter_kernel.run("%uv add six")
    assert "+ six" not in added.text  # it came by another
    assert "Added six" in added.text
    lines = "# what else\ncolorama  # for the terminal\n"
    assert "+ colorama" in jupyter_kernel.run(f"%%uv add\n{lines}").text
    assert jupyter_kernel.run("import colorama").status == "ok"
    refused = jupyter_kernel.run("%uv add six==99")
    assert refused.status == "error"
    assert "as they were" in refused.text
    assert "Traceback" not in refused.text
    assert jupyter_kernel.prefix() == str(empty.path / ".venv")
    script = jupyter_kernel.run("%%uv run --no-project\nimport sys\nprint(sys.argv, 40 + 2)")
    assert "42" in script.text


@network
@heavy
def test_a_call_that_is_handed_over_can_be_stopped(empty: Folder, older_python: str) -> None:
    assert empty.uvmagic("init", "--python", older_python).returncode == 0
    assert empty.uvmagic("kernel", "install").returncode == 0
    (spec,) = (empty.path.parent / "jupyter" / "data" / "kernels").iterdir()
    with Kernel(spec.name, empty.path) as kernel:
        message = kernel.client.execute("%%uv run\nimport time\nprint('there')\ntime.sleep(600)")
        while True:
            told = kernel.client.get_iopub_msg(timeout=120)
            if "there" in told["content"].get("text", ""):
                break
        kernel.manager.interrupt_kernel()
        replies = iter(lambda: kernel.client.get_shell_msg(timeout=120), None)
        reply = next(one for one in replies if one["parent_header"]["msg_id"] == message)
        assert reply["content"]["status"] == "error"
        assert kernel.prefix() == str(empty.path / ".venv")


@network
@heavy
def test_a_bundle_of_an_old_notebook_runs_where_uvmagic_cannot_be(
    empty: Folder, older_python: str
) -> None:
    write_old(empty, older_python, "%load_ext uvmagic\n%uv add matplotlib")
    assert empty.uvmagic("init").returncode == 0
    assert empty.uvmagic("scan", "--add", "--as-of", "auto").returncode == 0
    done = empty.uvmagic("bundle", "old.ipynb")
    assert done.returncode == 0, done.stderr
    assert "there the magic checks names alone" in done.stdout
    done = empty.uvmagic("rerun", "old-bundle", "-o", "again.ipynb")
    assert done.returncode == 0, done.stderr
    again = (empty.path / "again.ipynb").read_text()
    assert "In the bundle's environment: matplotlib 3." in again


def test_a_world_before_uvmagic_has_a_kernel_too(folder: Folder, index: PackageIndex) -> None:
    """What the index has is too old for uvmagic: the project is a kernel without it."""
    index.add(wheel("ipykernel", "6.0"))
    with Kernel("python3", folder.path) as kernel:
        kernel.run("%load_ext uvmagic\n%config UvMagics.auto_move = 'never'")
        added = kernel.run("%uv add beta")
        assert added.status == "ok"
        assert "To be a kernel the project now has ipykernel." in added.text
        assert "too old for uvmagic" in added.text
        again = kernel.run("%uv add gamma")
        assert "too old" not in again.text
    (spec,) = (folder.path.parent / "jupyter" / "data" / "kernels").glob("*/kernel.json")
    assert "load_extension('uvmagic')" in json.loads(spec.read_text())["argv"][-1]
    assert folder.installed() == {"alpha", "beta", "gamma", "ipykernel"}
