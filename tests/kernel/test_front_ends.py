"""In VS Code, Colab and JupyterHub, by the marks that they leave: what is other there is told.

The front ends themselves are not to be had here; the kernels are real.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kernels import Cell, Kernel

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder

network = pytest.mark.network
heavy = pytest.mark.heavy

COLAB = {"COLAB_RELEASE_TAG": "release-colab_20261120-060131_RC00", "COLAB_GPU": ""}
VS_CODE = {"VSCODE_PID": "1", "VSCODE_CWD": "/", "VSCODE_HANDLES_UNCAUGHT_ERRORS": "true"}
HUB = {"JUPYTERHUB_USER": "ada", "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}
LOCKED_HUB = {**HUB, "JUPYTERHUB_DISABLE_USER_CONFIG": "1"}


def done(cell: Cell) -> str:
    assert cell.status == "ok", cell.text
    return cell.text


def refused(cell: Cell) -> str:
    assert cell.status == "error", cell.text
    assert "Traceback" not in cell.text
    return cell.text


def test_colab_has_the_project_but_not_its_kernel(folder: Folder) -> None:
    """It was made a kernel, which cannot be chosen there, for the price of 50 distributions."""
    with Kernel("python3", folder.path, COLAB) as kernel:
        done(kernel.run("%load_ext uvmagic"))
        told = done(kernel.run("%uv add alpha"))
        assert "Added alpha" in told
        assert "Colab runs its own Python alone: what is imported here takes  %pip install" in told
        assert "kernel “" not in told
        assert folder.installed() == {"alpha"}
        assert "ipykernel" not in folder.pyproject.read_text()

        told = refused(kernel.run("%uv kernel use"))
        assert "The notebook cannot move.\n→ Colab runs its own Python alone" in told
        told = refused(kernel.run("%uv kernel restart"))
        assert "Colab keeps its kernel to itself" in told
        assert "Runtime → Restart session" in told
        assert folder.installed() == {"alpha"}


@network
@heavy
def test_vs_code_tells_its_notebook_and_its_own_clicks(capable: Folder) -> None:
    notebook = capable.path / "study.ipynb"
    notebook.write_text("{}")
    with Kernel("python3", capable.path, VS_CODE) as kernel:
        done(kernel.run(f"__vsc_ipynb_file__ = {str(notebook)!r}\n%load_ext uvmagic"))
        assert "study.ipynb" in done(kernel.run("%uv status"))
        moved = done(kernel.run("%uv kernel use"))
        assert "From the next cell on this notebook runs there." in moved
        assert "A restart goes back to the old kernel. Click the kernel's name at the" in moved
        assert kernel.prefix() == str(capable.path / ".venv")


@network
@heavy
@pytest.mark.parametrize(
    ("environ", "told"),
    [(HUB, "Kernel → Change Kernel…"), (LOCKED_HUB, "This JupyterHub's menu leaves it out")],
)
def test_a_hub_whose_menu_leaves_out_ones_own_kernels_is_known(
    capable: Folder, tmp_path: Path, environ: dict[str, str], told: str
) -> None:
    session = {**environ, "JPY_SESSION_NAME": str(capable.path / "study.ipynb")}
    with Kernel("python3", capable.path, session) as kernel:
        done(kernel.run("%load_ext uvmagic"))
        assert told in done(kernel.run("%uv kernel use"))
        assert kernel.prefix() == str(capable.path / ".venv")
