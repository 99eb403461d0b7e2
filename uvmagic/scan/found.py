"""What a notebook or a module asks for, and where: imports, magics, lines that install."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from uvmagic.adopt import notebook_lines
from uvmagic.adopt.lines import Conda, Requires
from uvmagic.code import Code
from uvmagic.data import conda
from uvmagic.grammar import tokenise_requirements
from uvmagic.names import normalise
from uvmagic.project import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from uvmagic.code import Broken, Magic
    from uvmagic.notebook_code import Notebook

How: TypeAlias = Literal["plain", "try", "typing", "magic"]
"""How a module is asked for; see `code.How`."""
_LOADS = frozenset({"load_ext", "reload_ext"})
_BUILTIN = frozenset({"autoreload", "storemagic"})
"""IPython's own extensions (IPython/core/extensions.py)."""
_NEEDS = {
    "R": ["rpy2.ipython"],
    "pylab": ["numpy", "matplotlib"],
}
"""Magics that import something by themselves ("Built-in magic commands"; Cython's, rpy2's)."""
_OF_MATPLOTLIB = {
    "--list": [],
    "-l": [],
    "ipympl": ["matplotlib", "ipympl"],
    "widget": ["matplotlib", "ipympl"],
}
"""What `%matplotlib` needs by its argument; for all others it is matplotlib."""
_WRITES = frozenset({"file", "writefile"})
_IMPORT = re.compile(r"\s*(?:import|from)\s+[\w.]+.*")


class Place(NamedTuple):
    """Where something stands: the cell is None in a Python file; numbers from 1."""

    file: Path
    cell: int | None
    line: int


class Found(NamedTuple):
    """A module that is asked for, dotted as far as it may be one."""

    module: str
    how: How
    place: Place


class Asked(NamedTuple):
    """A requirement that a line installs."""

    requirement: str
    place: Place


class Unread(NamedTuple):
    """What is no Python, and what is wrong there."""

    place: Place
    told: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says.

    Attributes:
        code: its syntax.
        imports: the modules that it asks for.
        asked: the requirements that it installs.
        broken: what is no Python in it; its imports are known line by line.
        runs: the files that it runs, as it spells them.
        writes: the modules that it writes itself.
    """

    code: Code
    imports: tuple[Found, ...]
    asked: tuple[Asked, ...] = ()
    broken: tuple[Unread, ...] = ()
    runs: tuple[str, ...] = ()
    writes: frozenset[str] = frozenset()


def in_module(file: Path) -> Reading:
    """What a Python file says. Raises OSError."""
    return _reading(Code.of_file(file), file, None)


def in_notebook(notebook: Notebook, file: Path) -> Reading:
    """What a notebook says."""
    return _reading(Code(notebook.sources), file, notebook.numbers)


def _reading(code: Code, file: Path, numbers: Sequence[int] | None) -> Reading:
    def place(source: int, line: int) -> Place:
        return Place(file, None if numbers is None else numbers[source], line)

    imports = [
        Found(name, each.how, place(each.source, each.line))
        for each in code.imported()
        for name in each.names()
    ]
    broken = code.broken()
    for each in broken:
        imports += (
            Found(name, "plain", place(each.source, line))
            for name, line in _salvaged(code.sources[each.source])
        )
    asked: list[Asked] = []
    for number, source in enumerate(code.sources if numbers is not None else ()):
        asked += (Asked(wanted, place(number, line)) for wanted, line in _installed(source))
    runs, writes = list[str](), set[str]()
    for magic in code.magics():
        where = place(magic.source, magic.number)
        imports += (Found(name, "magic", where) for name in _imported_by(magic))
        asked += (Asked(wanted, where) for wanted in _listed_in(magic))
        if magic.name == "run" and (file_run := _file_of(magic.line, (".py", ".ipynb"))):
            runs.append(file_run)
        if magic.name in _WRITES and (written := _file_of(magic.line, (".py",))):
            writes.add(re.split(r"[/\\]", written.removesuffix(".py"))[-1])
            imports += (
                Found(name, each.how, where)
                for each in Code((magic.body or "",)).imported()
                for name in each.names()
            )
    told = tuple(Unread(place(each.source, each.line), _told(each)) for each in broken)
    return Reading(code, tuple(imports), tuple(asked), told, tuple(runs), frozenset(writes))


def _told(broken: Broken) -> str:
    return broken.told.split(" (<unknown>")[0].rstrip(".?")


def _salvaged(source: str) -> Iterator[tuple[str, int]]:
    """The modules that lines import by themselves in what is no Python as a whole, and where."""
    for number, line in enumerate(source.splitlines(), 1):
        if _IMPORT.fullmatch(line):
            for each in Code((line.strip(),)).imported():
                yield from ((name, number) for name in each.names())


# --- magics ---------------------------------------------------------------------------------------


def _imported_by(magic: Magic) -> list[str]:
    words = magic.line.split()
    if magic.name in _LOADS:
        return [word for word in words[:1] if word not in _BUILTIN and _is_dotted(word)]
    if magic.name == "aimport":
        return [word for word in re.split(r"[,\s]+", magic.line) if _is_dotted(word)]
    if magic.name == "matplotlib":
        return _OF_MATPLOTLIB.get("".join(words[:1]), ["matplotlib"])
    if magic.name == "cython" and magic.body:
        return ["Cython", *(name for name, _ in _salvaged(magic.body))]
    return _NEEDS.get(magic.name, [])


def _is_dotted(word: str) -> bool:
    return all(part.isidentifier() for part in word.split("."))


def _file_of(line: str, suffixes: tuple[str, ...]) -> str | None:
    """The first word of a magic's line that names a file; None where it is to be filled in."""
    words = (word.strip("'\"") for word in line.split())
    named = next((word for word in words if word.endswith(suffixes)), None)
    return named if named and "{" not in named and "$" not in named else None


# --- lines that install ---------------------------------------------------------------------------


def _installed(source: str) -> Iterator[tuple[str, int]]:
    """The requirements that a cell's lines install, each with its line."""
    if "install" not in source and " add " not in source:
        return
    for line in notebook_lines.of_cell(source, ""):
        yield from ((wanted, line.first) for wanted in filter(None, map(_requirement, line.asks)))


def _listed_in(magic: Magic) -> list[str]:
    """The requirements that `%%uv add` lists."""
    if magic.name not in ("uv", "uvmagic") or magic.body is None or "add" not in magic.line.split():
        return []
    listed = tokenise_requirements(magic.body)
    return [wanted for wanted in listed if parse_requirement(wanted) is not None]


def _requirement(ask: object) -> str | None:
    """What a line asks for as uv takes it; None for what names no distribution of an index."""
    match ask:
        case Requires(requirement=wanted) if parse_requirement(wanted) is not None:
            return wanted
        case Conda(name=name):
            own = normalise(name)
            if own == "python" or own in conda.accelerators() or conda.kind_of(own):
                return None
            return conda.renamed().get(own, own)
    return None
