"""The walls of the architecture: who may import whom (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import uvmagic

ROOT = Path(uvmagic.__file__).parent

FACES = {"magics", "cli", "terminal", "__main__"}
PURE = {
    "bundle.contents",
    "bundle.dockerfile",
    "bundle.portable",
    "bundle.recipe",
    "change.postconditions",
    "data",
    "errors",
    "frozen",
    "grammar",
    "kernel.spec",
    "lockfile",
    "notebook",
    "outcome",
    "progress",
    "project",
}
"""Rooms that decide and touch nothing but what they are handed, or read a file that is named."""
WORLD = {"asyncio", "fcntl", "importlib.metadata", "pty", "signal", "socket", "subprocess", "time"}
"""What pure rooms do not import: processes, signals, clocks, the running environment."""


def modules() -> list[str]:
    """Every module of the package, dotted, without the package's own name."""
    found = []
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found.append(".".join(part for part in parts if part != "__init__"))
    return found


def imports(module: str) -> set[str]:
    """What a module imports when it runs, at its top or inside its functions, dotted."""
    folder = ROOT.joinpath(*module.split(".")) if module else ROOT
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(file.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{a.name}" for a in node.names)}
        waiting += ast.iter_child_nodes(node)
    return found


def rooms(module: str) -> set[str]:
    """The modules of uvmagic that a module imports, without the package's own name."""
    known = set(modules())
    named = {name.removeprefix("uvmagic.") for name in imports(module) if name != "uvmagic"}
    return named & known


def is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


@pytest.mark.parametrize("module", modules())
def test_nobody_imports_a_face(module: str) -> None:
    allowed = {
        "": {"magics"},
        "__main__": {"cli"},
        "cli": {"terminal"},
        "magics": {"terminal"},
    }
    assert rooms(module) & FACES <= allowed.get(module, set())


@pytest.mark.parametrize("module", [m for m in modules() if any(is_in(m, p) for p in PURE)])
def test_a_pure_room_knows_only_pure_rooms_and_nothing_of_the_world(module: str) -> None:
    strangers = {room for room in rooms(module) if not any(is_in(room, pure) for pure in PURE)}
    assert strangers - {"bundle", "change", "kernel"} == set()
    touched = {name for name in imports(module) if any(is_in(name, taboo) for taboo in WORLD)}
    assert touched == set()


@pytest.mark.parametrize("module", [m for m in modules() if is_in(m, "system")])
def test_the_system_knows_no_flow(module: str) -> None:
    allowed = {"errors", "data", "progress", "project", "system"}
    assert {r for r in rooms(module) if not any(is_in(r, room) for room in allowed)} == set()


@pytest.mark.parametrize("module", modules())
def test_only_the_face_and_the_reader_of_cells_import_ipython(module: str) -> None:
    if module not in ("magics", "notebook"):
        assert {name for name in imports(module) if is_in(name, "IPython")} == set()
    if module == "notebook":  # to read a cell as IPython reads it, and for nothing else
        found = {name for name in imports(module) if is_in(name, "IPython")}
        assert all(is_in(name, "IPython.core.inputtransformer2") for name in found)


@pytest.mark.parametrize("module", modules())
def test_there_is_one_door_to_subprocess(module: str) -> None:
    if not is_in(module, "system"):
        assert "subprocess" not in imports(module)
        assert "os.system" not in imports(module)


def test_the_walls_see_imports() -> None:
    assert "system.uv" in rooms("change.transacted")
    assert "magics" in rooms("")
    assert "IPython.core.magic" in imports("magics")
