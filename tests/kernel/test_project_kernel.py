"""A project becomes a kernel: for real, with ipykernel from PyPI."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from kernels import Kernel
from robustness.aftermath import wait_until

if TYPE_CHECKING:
    from conftest import Folder

pytestmark = [pytest.mark.network, pytest.mark.heavy]


def kernels_of_uvmagic() -> dict[str, dict[str, Any]]:
    """The kernels that Jupyter lists and uvmagic made, by name."""
    found = KernelSpecManager().get_all_specs()
    return {n: s["spec"] for n, s in found.items() if "uvmagic" in s["spec"].get("metadata", {})}


def test_the_first_change_from_a_notebook_makes_the_project_a_kernel(
    empty: Folder, jupyter_kernel: Kernel
) -> None:
    jupyter_kernel.run("%load_ext uvmagic")
    assert jupyter_kernel.run("%uv init").status == "ok"
    cell = jupyter_kernel.run("%uv add six")
    assert cell.status == "ok"

    pyproject = tomllib.loads(empty.pyproject.read_text())
    assert [entry.split(">")[0] for entry in pyproject["project"]["dependencies"]] == ["six"]
    group = {entry.split(">")[0] for entry in pyproject["dependency-groups"]["dev"]}
    assert group == {"ipykernel", "uvmagic"}
    assert "path" in pyproject["tool"]["uv"]["sources"]["uvmagic"]
    assert "uvmagic from the folder" in cell.text
    assert {"six", "ipykernel", "uvmagic"} <= empty.installed()

    ((name, spec),) = kernels_of_uvmagic().items()
    assert spec["display_name"] == "empty (uv)"
    assert spec["argv"][0] == str(empty.path / ".venv" / "bin" / "python")
    assert spec["metadata"]["uvmagic"]["project"] == str(empty.path)
    assert "From the next cell on this notebook runs in the project" in cell.text
    assert jupyter_kernel.run("import six; print(six.__file__)").text.startswith(str(empty.path))

    with Kernel(name, empty.path) as project_kernel:
        loaded = project_kernel.run("print(get_ipython().find_line_magic('uv').__self__)").text
        assert "UvMagics" in loaded
        # what a call needs is imported once the kernel has nothing else to do
        wait_until(
            lambda: (
                "True"
                in project_kernel.run(
                    "import sys, time; time.sleep(0.05); print('uvmagic.grammar' in sys.modules)"
                ).text
            ),
            "the import",
        )
        again = project_kernel.run("%uv add six")
        assert again.text.startswith("Already there: six")
        assert "→" not in again.text
        added = project_kernel.run("%uv add idna")
        assert "Import it in the next cell." in added.text
        assert project_kernel.run("import idna; print(idna.__name__)").text.strip() == "idna"
        assert project_kernel.run("import six").status == "ok"
        older = project_kernel.run('%uv add "idna<3.10"')
        assert "Restart the kernel: it has loaded the old version of idna" in older.text
        removed = project_kernel.run("%uv remove six")
        assert removed.status == "ok"
        assert {"ipykernel", "uvmagic"} <= empty.installed()
        assert '"six' not in empty.pyproject.read_text()


def test_install_list_and_remove_from_a_shell(empty: Folder) -> None:
    assert empty.uvmagic("init").returncode == 0
    installed = empty.uvmagic("kernel", "install", "--display-name", "Mein Kernel", "--json")
    assert installed.returncode == 0, installed.stderr
    (told,) = json.loads(installed.stdout)["kernels"]
    assert told["display_name"] == "Mein Kernel"
    assert list(kernels_of_uvmagic()) == [told["name"]]
    with Kernel(told["name"], empty.path) as kernel:
        assert kernel.run("import sys; print(sys.prefix)").text.strip() == str(empty.path / ".venv")
    listed = empty.uvmagic("kernel", "list")
    assert "Mein Kernel" in listed.stdout
    assert "ready" in listed.stdout
    assert empty.uvmagic("kernel", "remove").returncode == 0
    assert kernels_of_uvmagic() == {}
    gone = empty.uvmagic("kernel", "remove")
    assert gone.returncode == 1
    assert "not registered" in gone.stderr


def test_a_foreign_kernelspec_is_never_overwritten(capable: Folder) -> None:
    first = json.loads(capable.uvmagic("kernel", "install", "--json").stdout)["kernels"][0]["name"]
    (spec,) = (Path(KernelSpecManager().get_kernel_spec(first).resource_dir),)
    foreign = '{"argv": ["python"], "display_name": "Not ours", "language": "python"}'
    (spec / "kernel.json").write_text(foreign)
    refused = capable.uvmagic("kernel", "install")
    assert refused.returncode == 1
    assert "was not made by uvmagic" in refused.stderr
    assert (spec / "kernel.json").read_text() == foreign
