"""The walls of the architecture: who may import whom (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import uvmagic

ROOT = Path(uvmagic.__file__).parent

FACES = {"assist", "cell", "cell_output", "magics", "cli", "terminal", "__main__"}
PURE = {
    "accelerator",
    "adopt.builds",
    "adopt.conda_lists",
    "adopt.environment_yml",
    "adopt.lines",
    "adopt.live",
    "adopt.matchspec",
    "adopt.notebook_lines",
    "adopt.pipfile",
    "adopt.plan",
    "adopt.poetry",
    "adopt.requirements_txt",
    "adopt.setup_files",
    "adopt.sources",
    "adopt.tables",
    "adopt.texts",
    "adopt.toml_statements",
    "adopt.versions",
    "as_of",
    "bundle.bases",
    "bundle.contents",
    "bundle.dockerfile",
    "bundle.forecast",
    "bundle.local",
    "bundle.modules",
    "bundle.portable",
    "bundle.reads",
    "bundle.recipe",
    "bundle.secrets",
    "bundle.standalone",
    "change.postconditions",
    "change.refusals",
    "code",
    "data",
    "display.html",
    "display.layout",
    "display.pace",
    "display.text",
    "display.visible",
    "doctor.checks",
    "doctor.examine",
    "doctor.facts",
    "errors",
    "frozen",
    "grammar",
    "kernel.spec",
    "lockfile",
    "names",
    "notebook",
    "notebook_code",
    "outcome",
    "progress",
    "project",
    "rerun.compare",
    "rerun.png",
    "rerun.report",
    "rerun.texts",
    "scan.found",
    "scan.judge",
    "scan.names",
    "scan.survey",
    "sections",
    "spelling",
    "wording",
}
"""Rooms that decide and touch nothing but what they are handed, or read a file that is named."""
WORLD = {"asyncio", "fcntl", "importlib.metadata", "pty", "signal", "socket", "subprocess", "time"}
"""What pure rooms do not import: processes, signals, clocks, the running environment."""


ELSEWHERE = {
    ROOT / "bundle" / "carried" / "compile.py",
    ROOT / "bundle" / "carried" / "run.py",
    ROOT / "bundle" / "carried" / "uvmagic.py",
    ROOT / "kernel" / "proxy" / "uvmagic.py",
}
"""What runs in environments without uvmagic: data here."""


def modules() -> list[str]:
    """Every module of the package, dotted, without the package's own name."""
    found = []
    for file in sorted(set(ROOT.rglob("*.py")) - ELSEWHERE):
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
        "cell": {"cell_output"},
        "cell_output": {"terminal"},
        "magics": {"assist", "cell"},
    }
    assert rooms(module) & FACES <= allowed.get(module, set())


@pytest.mark.parametrize("module", [m for m in modules() if any(is_in(m, p) for p in PURE)])
def test_a_pure_room_knows_only_pure_rooms_and_nothing_of_the_world(module: str) -> None:
    strangers = {room for room in rooms(module) if not any(is_in(room, pure) for pure in PURE)}
    assert strangers - PACKAGES == set()
    touched = {name for name in imports(module) if any(is_in(name, taboo) for taboo in WORLD)}
    assert touched == set()


@pytest.mark.parametrize("module", [m for m in modules() if is_in(m, "system")])
def test_the_system_knows_no_flow(module: str) -> None:
    allowed = {"accelerator.drivers", "errors", "data", "names", "progress", "project", "system"}
    assert {r for r in rooms(module) if not any(is_in(r, room) for room in allowed)} == set()


@pytest.mark.parametrize("module", modules())
def test_only_the_face_and_the_reader_of_cells_import_ipython(module: str) -> None:
    if module not in ("assist", "cell_output", "code", "magics"):
        assert {name for name in imports(module) if is_in(name, "IPython")} == set()
    if module == "code":  # to read a cell as IPython reads it, and for nothing else
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


# --- the order of the layers, and what is there at once ------------------------------------------

PACKAGES = {
    "accelerator",
    "adopt",
    "bundle",
    "change",
    "data",
    "display",
    "doctor",
    "doctor.checks",
    "kernel",
    "rerun",
    "scan",
    "system",
}
"""They only say what is in them."""
LAYERS = (
    PURE,
    {"display.drawing", "system"},
    {
        "bundle.manifest",
        "kernel.live",
        "kernel.registry",
        "kernel.support",
        "kernel.whereabouts",
    },
    {"adopt", "bundle", "change", "demo", "doctor", "kernel", "offers", "rerun", "scan", "status"},
    {"app"},
    FACES,
)
"""From the bottom up; a module is in the first that holds it."""


def rank(module: str) -> int:
    return next(n for n, layer in enumerate(LAYERS) if any(is_in(module, room) for room in layer))


def at_once(module: str) -> set[str]:
    """The modules of uvmagic that are there once a module is, with no function of it called."""
    folder = ROOT.joinpath(*module.split("."))
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    known = set(modules())
    waiting: list[ast.AST] = [ast.parse(file.read_text())]
    found: set[str] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            own = {name for name in below if name.removeprefix("uvmagic.") in known}
            found |= own if own == below else {*own, str(node.module)}
        waiting += ast.iter_child_nodes(node)
    return {name.removeprefix("uvmagic.") for name in found} & known - {module}


def outside_at_once(module: str) -> set[str]:
    """The modules that are not uvmagic's that a module imports at its top."""
    folder = ROOT.joinpath(*module.split("."))
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    top = [node for node in ast.parse(file.read_text()).body if not isinstance(node, ast.If)]
    found = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    return found | {str(node.module) for node in top if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("module", [m for m in modules() if m])
def test_a_module_has_its_layer_and_knows_none_above_it(module: str) -> None:
    known = rooms(module) - PACKAGES
    assert {room for room in known if room and rank(room) > rank(module)} == set()


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_only_says_what_is_in_it(package: str) -> None:
    assert imports(package) == set()


def test_no_module_needs_itself_to_be_there() -> None:
    graph = {module: at_once(module) - PACKAGES for module in modules() if module}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))
    assert set(order) >= {"errors", "app", "magics"}


def test_loading_the_extension_loads_next_to_nothing_of_uvmagic() -> None:
    loaded, waiting = set[str](), ["magics"]
    while waiting:
        module = waiting.pop()
        if module not in loaded:
            loaded.add(module)
            waiting += at_once(module)
    assert loaded - PACKAGES == {"assist", "magics"}


def test_the_launcher_loads_next_to_nothing_either() -> None:
    loaded, waiting = set[str](), ["kernel.launcher"]
    while waiting:
        module = waiting.pop()
        if module not in loaded:
            loaded.add(module)
            waiting += at_once(module)
    assert loaded - PACKAGES == {
        "kernel.frontends",
        "kernel.launcher",
        "kernel.spec",
        "names",
        "system.agreed",
    }
    heavy = {"dataclasses", "importlib.metadata", "pathlib", "tomllib", "typing"}
    for module in loaded:
        assert not heavy & outside_at_once(module), module


def test_what_is_imported_from_elsewhere_is_asked_for_in_pyproject() -> None:
    pyproject = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())
    asked = {Requirement(text).name.lower() for text in pyproject["project"]["dependencies"]}
    asked |= {"traitlets"}  # IPython's own settings, which come with it
    tops = {name.partition(".")[0] for module in modules() for name in imports(module)}
    owners = packages_distributions()
    for top in tops - sys.stdlib_module_names - {"uvmagic"}:
        names = {name.lower().replace("_", "-") for name in owners.get(top, [])}
        assert names & asked, f"{top} comes from {names or 'nowhere'}"
