"""The walls between the rooms: who imports whom, read from the sources.

    faces → app → flows → helpers of flows → system → pure

Imports for the type checker alone do not count; imports inside a function do.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import uvmagic

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(uvmagic.__file__).parent

PURE = (
    "bundle.contents",
    "bundle.dockerfile",
    "bundle.portable",
    "bundle.recipe",
    "change.postconditions",
    "data",
    "errors",
    "frozen",
    "grammar",
    "grammar.command",
    "grammar.tokens",
    "grammar.usage",
    "grammar.words",
    "kernel.spec",
    "lockfile",
    "notebook",
    "outcome",
    "progress",
    "project",
)
SYSTEM = (
    "system.agreement",
    "system.environment",
    "system.files",
    "system.host",
    "system.journal",
    "system.process",
    "system.project_lock",
    "system.uv",
)
HELPERS = ("bundle.manifest", "kernel.live", "kernel.registry", "kernel.support")
FLOWS = (
    "bundle.flow",
    "change.already",
    "change.flow",
    "change.init",
    "change.place",
    "change.report",
    "change.session",
    "change.state",
    "change.transacted",
    "demo",
    "kernel.flow",
    "kernel.follow",
    "rerun.engines",
    "rerun.flow",
)
FACES = ("cli", "magics", "terminal")
LAYERS = (PURE, SYSTEM, HELPERS, FLOWS, ("app",), FACES)
ROOMS = ("bundle", "change", "kernel", "rerun", "system")
"""Packages that only say what is in them."""
DOORS = ("", "__main__")
"""What IPython and `python -m` open; they lead to the faces."""

RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}


@dataclass(frozen=True)
class Source:
    """A module's source and what it imports.

    Attributes:
        name: dotted, without the leading `uvmagic`; empty for the package itself.
        own: the modules of uvmagic's that it imports, named likewise.
        own_at_once: those of them that are imported with it, not by a function of it.
        others: the top-level names of everything else.
    """

    name: str
    own: frozenset[str]
    own_at_once: frozenset[str]
    others: frozenset[str]


def imports_of(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports below a node, without those for the type checker."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for otherwise in child.orelse:
                yield from imports_of(otherwise)
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        else:
            yield from imports_of(child)


def targets(node: ast.Import | ast.ImportFrom, known: frozenset[str]) -> set[str]:
    """The modules that an import names: `from a import b` means `a.b` where that is a module."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    assert node.level == 0, "imports are absolute"
    assert node.module is not None
    below = {f"{node.module}.{alias.name}" for alias in node.names}
    modules = below & known
    return modules if modules == below else {*modules, node.module}


def names() -> dict[str, Path]:
    """Every module, dotted → its file."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = file
    return found


def own_part(modules: set[str]) -> frozenset[str]:
    inside = {name for name in modules if name.partition(".")[0] == "uvmagic"}
    return frozenset(name.removeprefix("uvmagic").removeprefix(".") for name in inside)


@cache
def sources() -> dict[str, Source]:
    known = frozenset(names())
    found = {}
    for dotted, file in names().items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = [
            n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        late = {id(node) for function in functions for node in imports_of(function)}
        every: set[str] = set()
        at_once: set[str] = set()
        for node in imports_of(tree):
            every |= targets(node, known)
            at_once |= set() if id(node) in late else targets(node, known)
        name = dotted.removeprefix("uvmagic").removeprefix(".")
        others = frozenset(module.partition(".")[0] for module in every) - {"uvmagic"}
        found[name] = Source(name, own_part(every), own_part(at_once), others)
    return found


def test_every_module_has_its_place_in_the_architecture() -> None:
    assert sorted(sources()) == sorted([*RANK, *ROOMS, *DOORS])


@pytest.mark.parametrize("module", RANK)
def test_a_module_imports_nothing_from_a_layer_above_its_own(module: str) -> None:
    above = {name for name in sources()[module].own if RANK.get(name, 0) > RANK[module]}
    assert above == set()


@pytest.mark.parametrize("module", PURE)
def test_a_pure_room_imports_nothing_that_touches_the_world(module: str) -> None:
    source = sources()[module]
    worldly = {
        "IPython",
        "asyncio",
        "http",
        "multiprocessing",
        "socket",
        "subprocess",
        "threading",
        "time",
    }
    assert source.others & worldly == set()
    assert {name for name in source.own if name not in (*PURE, "")} == set()


@pytest.mark.parametrize("module", SYSTEM)
def test_the_system_knows_only_itself_and_the_pure_rooms(module: str) -> None:
    assert sources()[module].own <= {*SYSTEM, *PURE}


@pytest.mark.parametrize("room", ROOMS)
def test_a_rooms_own_file_only_says_what_is_in_it(room: str) -> None:
    assert sources()[room].own == frozenset()
    assert sources()[room].others <= {"__future__"}


def importers(name: str) -> set[str]:
    return {source.name for source in sources().values() if name in source.others}


def test_ipython_is_known_to_the_notebook_face_alone() -> None:
    assert {"magics"} <= importers("IPython") <= {"magics", "kernel.live", ""}


def test_processes_are_started_by_the_system_alone() -> None:
    assert importers("subprocess")
    assert importers("subprocess") <= set(SYSTEM)


def test_nothing_but_a_face_or_a_door_knows_the_faces() -> None:
    allowed = {*FACES, *DOORS}
    for source in sources().values():
        assert source.name in allowed or source.own.isdisjoint(FACES), source.name


def test_the_app_is_known_to_the_faces_alone() -> None:
    assert {source.name for source in sources().values() if "app" in source.own} <= set(FACES)


def test_the_pure_rooms_import_each_other_in_no_circle() -> None:
    no_circle({name: sources()[name].own for name in PURE})


def test_no_module_needs_itself_to_be_imported() -> None:
    no_circle({source.name: source.own_at_once for source in sources().values() if source.name})


def no_circle(graph: dict[str, frozenset[str]]) -> None:
    """Fail with the circle where there is one. The package itself is there before any of it."""
    try:
        order = list(TopologicalSorter({k: v - {"", k} for k, v in graph.items()}).static_order())
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))
    assert set(graph) <= set(order)


def test_loading_the_extension_imports_next_to_nothing_of_uvmagic() -> None:
    waiting, loaded = ["", "magics"], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in loaded:
            loaded.add(name)
            waiting += sources()[name].own_at_once
    assert loaded == {"", "magics", "outcome", "system.host"}


def test_no_name_of_a_third_party_is_imported_that_the_project_does_not_depend_on() -> None:
    declared = {"IPython", "jupyter_core", "nbclient", "nbformat", "packaging", "rich", "tomlkit"}
    comes_with = {"traitlets"}  # IPython's own configuration
    used = {name for source in sources().values() for name in source.others}
    assert used - sys.stdlib_module_names <= declared | comes_with
