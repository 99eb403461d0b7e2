"""A running kernel names what it must restart for, and nothing else: numpy, pydantic for real."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from conftest import Folder, make_capable
from kernel.test_project_kernel import kernels_of_uvmagic
from kernels import Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kept import Kept

pytestmark = [pytest.mark.network, pytest.mark.heavy]

RESTART = "Restart the kernel: it has loaded the old version of "


@pytest.fixture
def kernel(empty: Folder, kept: Kept) -> Iterator[Kernel]:
    """The kernel of a project that has an older numpy and pydantic."""

    def make(path: Path) -> None:
        kept.copy("capable", path, make_capable)
        done = Folder(path).uvmagic("add", "numpy==2.2.6", "pydantic==2.11.7")
        assert done.returncode == 0, done.stderr
        shutil.rmtree(path / ".uvmagic")

    kept.copy("numpy", empty.path, make)
    for call in (["sync"], ["kernel", "install"]):
        done = empty.uvmagic(*call)
        assert done.returncode == 0, done.stderr
    (name,) = kernels_of_uvmagic()
    with Kernel(name, empty.path) as running:
        yield running


def changed(kernel: Kernel, call: str) -> str:
    cell = kernel.run(f"%uv {call}")
    assert cell.status == "ok", cell.text
    return cell.text


def test_upgraded_and_downgraded_while_loaded(kernel: Kernel) -> None:
    # nothing of them is loaded yet
    assert RESTART not in changed(kernel, "add numpy==2.2.5")
    assert kernel.run("import numpy; numpy.__version__").text == "'2.2.5'"
    # loaded, and another one is not
    told = changed(kernel, "add numpy==2.3.1 pydantic==2.11.5")
    assert f"{RESTART}numpy 2.2.5 → 2.3.1." in told
    told = changed(kernel, "add numpy==2.2.6")
    assert f"{RESTART}numpy 2.3.1 → 2.2.6." in told
    # what comes along counts as much as what is named
    assert kernel.run("import pydantic; pydantic.VERSION").text == "'2.11.5'"
    told = changed(kernel, "add pydantic==2.10.6")
    line = next(line for line in told.splitlines() if RESTART in line)
    assert "pydantic 2.11.5 → 2.10.6" in line
    assert "pydantic-core" in line
    assert "numpy" not in line


def test_what_only_comes_needs_no_restart(kernel: Kernel) -> None:
    assert kernel.run("import numpy, pydantic").status == "ok"
    for call in ("add six", "add 'pydantic[email]'", "add --dev idna", "remove six", "sync"):
        assert "estart" not in changed(kernel, call)
    assert kernel.run("import email_validator").status == "ok"
    assert "estart" not in changed(kernel, "sync --reinstall-package numpy")


def test_what_is_loaded_and_removed_is_named(kernel: Kernel) -> None:
    assert kernel.run("import numpy").status == "ok"
    assert f"{RESTART}numpy 2.2.6" in changed(kernel, "remove numpy")


def test_what_is_loaded_and_cannot_be_replaced_is_refused_before(
    kernel: Kernel, empty: Folder
) -> None:
    kernel.run("import uvmagic.change.loaded as loaded; loaded.LOCKS_LOADED_FILES = True")
    assert RESTART not in changed(kernel, "add numpy==2.2.5")  # nothing of it is loaded yet
    assert kernel.run("import numpy; numpy.__version__").text == "'2.2.5'"
    before, installed = empty.contents(), empty.installed()
    refused = kernel.run("%uv add numpy==2.3.1 six")
    assert refused.status == "error"
    assert "This kernel has loaded numpy, and Windows lets nobody replace" in refused.text
    assert "before anything imports numpy" in refused.text
    assert "Traceback" not in refused.text
    assert (empty.contents(), empty.installed()) == (before, installed)
    assert "Import it in the next cell." in changed(kernel, "add six")  # numpy stays


def test_editable_installs_and_entry_points_are_there_at_once(
    kernel: Kernel, empty: Folder
) -> None:
    for name, backend in (("flat", "hatchling"), ("laid", "setuptools")):
        package = empty.path / name / "src" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("answer = 42\n")
        back = "hatchling.build" if backend == "hatchling" else "setuptools.build_meta"
        (empty.path / name / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["{backend}"]\nbuild-backend = "{back}"\n'
            f'[project]\nname = "{name}"\nversion = "1"\n'
            f'[project.entry-points."study.plugins"]\n{name} = "{name}:answer"\n'
        )
        told = changed(kernel, f"add --editable ./{name} --no-workspace")
        assert "estart" not in told
        found = kernel.run(
            f"import {name}\nfrom importlib.metadata import entry_points\n"
            f"print({name}.answer, [p.load() for p in entry_points(group='study.plugins')])"
        )
        assert found.status == "ok", found.text
        assert found.text.startswith("42 [42")
        assert str(empty.path) in kernel.run(f"print({name}.__file__)").text
