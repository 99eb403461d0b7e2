"""The program that makes the bytecode of a bundle's image, run as its Dockerfile runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from uvmagic.bundle import carried

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compile.py").write_text(carried.text("compile.py"))
    modules = tmp_path / "modules"
    (modules / "package").mkdir(parents=True)
    (modules / "package" / "__init__.py").write_text("attribute = 1\n")
    (modules / "package" / "part.py").write_text("")
    (modules / "unused.py").write_text("")
    (modules / "raises.py").write_text("raise RuntimeError('no GPU here')\n")
    (modules / "exits.py").write_text("import os\nos._exit(3)\n")
    return tmp_path


def compiled(folder: Path, *names: str) -> tuple[set[str], str]:
    """The modules of the folder that have bytecode afterwards, and what was said."""
    (folder / "imports.txt").write_text("".join(f"{name}\n" for name in names))
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, str(folder / "compile.py")],
        env={
            **environ,
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            "PYTHONPATH": str(folder / "modules"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    below = folder / "bytecode" / (folder / "modules").relative_to("/")
    files = (path.relative_to(below) for path in below.rglob("*.pyc"))
    return {str(file.with_name(file.name.partition(".")[0])) for file in files}, done.stdout


def test_what_is_imported_is_compiled_and_nothing_else(folder: Path) -> None:
    found, said = compiled(folder, "package.attribute", "package.part", "nowhere")
    assert found == {"package/__init__", "package/part"}
    assert said == "", "what is no module is no news"


def test_what_cannot_be_imported_is_told_and_left_out(folder: Path) -> None:
    found, said = compiled(folder, "raises", "package")
    assert "package/__init__" in found
    assert said == "raises is left out: RuntimeError\n"


def test_an_import_that_ends_its_process_ends_no_build(folder: Path) -> None:
    found, _ = compiled(folder, "package", "exits", "unused")
    assert "package/__init__" in found
    assert "unused" not in found
