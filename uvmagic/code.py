"""What code spells out: the modules that it imports, where it looks for them, what it reads.

Code is read as syntax and never run. A path is known that is a literal, or that is made of known
ones by what `pathlib` and `os.path` join, make absolute or take the folder of; or a name that is
bound to such a path once. Whatever else a program computes stays unknown.
"""

from __future__ import annotations

import ast
import contextlib
import posixpath
import re
import warnings
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_OF_IPYTHON = frozenset({"getoutput", "run_cell_magic", "run_line_magic", "system"})
"""What a cell's magics and shell lines become calls of."""
_IMPORTING = frozenset({"import_module", "__import__", "importorskip"})
"""Calls that import what their first argument names."""
_OF_IMPORTS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_OPTIONS = re.compile(r"\A(?:-\w+\s*\d*\s+)*")
"""What may stand before the Python of a line's magic: `-n 10 -r3`."""
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun"})
_WRITES = ("dump", "export", "imsave", "imwrite", "mkdir", "save", "to_", "touch", "write")
"""How the names of calls begin that write what their arguments name."""
_READS = (
    *("fwalk", "from_", "glob", "iglob", "iterdir", "listdir", "load", "open", "read", "rglob"),
    *("scan", "walk"),
)
"""How the names of calls begin that may read all of a folder, or what a pattern names."""
_OF_A_FOLDER = ("directory", "folder")
"""What the names of others have in them: `ImageFolder`, `dataset_from_directory`."""
_PATHS = frozenset({"Path", "PosixPath", "PurePath", "PurePosixPath"})
_DEEPEST = 20
"""The folders above that `parents[…]` may mean."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path that code spells out.

    Attributes:
        text: POSIX, as it is written.
        above: how many folders above the working folder `text` begins, where the code has made the
            path absolute. None where it has not: then the parent of `..` is `.` to Python.
        is_of_file: whether it begins at the folder of the code's own file, by `__file__`.
    """

    text: str
    above: int | None = None
    is_of_file: bool = False

    @property
    def path(self) -> str:
        """The path from the folder where it begins; absolute only where the code says one."""
        return posixpath.join("../" * (self.above or 0), self.text) or "."

    def joined(self, other: Place) -> Place:
        """What `join` makes of two paths: the other alone where it is absolute."""
        if other.above is not None:
            return other
        return replace(self, text=posixpath.join(self.text, other.text))

    def full(self) -> Place:
        """The path as `resolve` and `abspath` give it; a literal one that is absolute stays."""
        parts = PurePosixPath(posixpath.normpath(self.path)).parts
        above = sum(part == ".." for part in parts)
        return replace(self, text="/".join(parts[above:]).replace("//", "/"), above=above)

    def normal(self) -> Place:
        """The path as `normpath` gives it."""
        if self.above is not None:
            return self.full()
        return replace(self, text=posixpath.normpath(self.text))

    def tidy(self) -> Place:
        """The path as pathlib writes it, without `.` and double slashes."""
        text = str(PurePosixPath(self.text))
        return replace(self, text="" if text == "." and self.above is not None else text)

    def parent(self, of: Callable[[str], str]) -> Place:
        """The folder that it is in.

        Args:
            of: gives that of a text, as pathlib or `os.path` does.
        """
        if self.above is not None and not self.text:
            return replace(self, above=self.above + 1)
        return replace(self, text=of(self.text))


@dataclass(frozen=True, slots=True)
class Read:
    """What a call may read.

    Attributes:
        place: a file's.
        is_whole: whether it may as well be a folder's, with all that is below, or a pattern.
    """

    place: Place
    is_whole: bool


How = Literal["plain", "try", "typing"]
"""How an import stands: `try` where a handler is for its failing, `typing` under TYPE_CHECKING."""


class Import(NamedTuple):
    """An import as it is written, or a call of `import_module` or `__import__` with a text.

    Attributes:
        module: dotted.
        members: what `from … import` names; empty for all other forms, and for `*`.
        how: under which conditions.
        source: which of the code's sources, from 0.
        line: in it, from 1.
    """

    module: str
    members: tuple[str, ...]
    how: How
    source: int
    line: int

    def names(self) -> list[str]:
        """The modules that it may mean: `from a import b` takes `a.b`, were it a module."""
        return [f"{self.module}.{member}" for member in self.members] or [self.module]


class Magic(NamedTuple):
    """A magic that is called.

    Attributes:
        name: without `%`.
        line: what follows it.
        body: the lines below `%%…`; None for a line's magic.
        source: which of the code's sources, from 0.
        number: of its line there, from 1.
    """

    name: str
    line: str
    body: str | None
    source: int
    number: int


class Broken(NamedTuple):
    """A source that is no Python: which, at which line, and what is wrong there."""

    source: int
    line: int
    told: str


class _Tree(NamedTuple):
    """The syntax of a source, or of what stands in a magic in it.

    Attributes:
        text: what was parsed, magics as the calls that they are.
        syntax: of it.
        magics: these calls.
        source: which, from 0.
        above: how many lines of the source stand above the first.
    """

    text: str
    syntax: ast.Module
    magics: tuple[Magic, ...]
    source: int
    above: int

    @classmethod
    def of(cls, parsed: tuple[str, ast.Module], source: int, above: int = 0) -> _Tree:
        """What was parsed, with its magics found."""
        text, syntax = parsed
        found = _magics(syntax, source, above) if "get_ipython" in text else ()
        return cls(text, syntax, tuple(found), source, above)


@dataclass(frozen=True)
class Code:
    """The cells of a notebook, or a Python file.

    Attributes:
        sources: the cells in order, which share their names; or the file's text alone.
        file: the file, absolute; None for cells, which have no `__file__`.
    """

    sources: tuple[str, ...]
    file: Path | None = None

    @classmethod
    def of_file(cls, file: Path) -> Code:
        """The code of a Python file, read."""
        return cls((file.read_text(encoding="utf-8", errors="replace"),), file)

    def imports(self) -> set[str]:
        """The modules that it imports, dotted: `{"numpy", "mine.sub"}`.

        `from a import b` gives both `a` and `a.b`, since `b` may be a module. Relative imports are
        not among them. What is no Python gives nothing.
        """
        found: set[str] = set()
        for each in self.imported():
            found |= {each.module, *each.names()}
        return found

    def imported(self) -> list[Import]:
        """Its imports, in order, with how and where each stands; no relative ones."""
        return [
            Import(module, members, how, tree.source, tree.above + line)
            for tree in self._trees
            if "import" in tree.text  # `import_module` too
            for module, members, how, line in sorted(_imports(tree.syntax), key=lambda i: i[3])
        ]

    def magics(self) -> list[Magic]:
        """The magics that it calls, in order, those in a script that was a notebook too."""
        return [magic for tree in self._trees for magic in tree.magics]

    def broken(self) -> list[Broken]:
        """The sources that are no Python; there is nothing else known of them."""
        return self._read[1]

    def module_folders(self) -> list[Place]:
        """The folders that it adds to `sys.path`."""
        added: list[ast.expr] = []
        for node in self._nodes_near("sys.path", "addsitedir"):
            match node:
                case ast.Call(func=ast.Attribute(value, "append" | "insert" | "extend")) if (
                    _is_sys_path(value)
                ):
                    added += [part for arg in node.args[-1:] for part in _elements(arg)]
                case ast.Call(args=[folder, *_]) if _name(node) == "addsitedir":
                    added.append(folder)
                case ast.AugAssign(target=target, value=value) if _is_sys_path(target):
                    added += _elements(value)
                case ast.Assign(targets=[target], value=value) if _is_sys_path(target):
                    lists = (part for part in ast.walk(value) if isinstance(part, ast.List))
                    added += [element for part in lists for element in part.elts]
        return [place for part in added if (place := self._place(part)) is not None]

    def working_folders(self) -> list[Place]:
        """The folders that it makes the working folder: `os.chdir`, `%cd`."""
        found: list[Place | None] = []
        for node in self._nodes_near("chdir", "'cd'"):
            match node:
                case ast.Call(args=[folder]) if _name(node) == "chdir":
                    found.append(self._place(folder))
                case ast.Call(
                    func=ast.Attribute(attr="run_line_magic"),
                    args=[ast.Constant("cd"), ast.Constant(str(line))],
                ):
                    words = line.strip().strip("'\"")
                    found.append(Place(words) if words and not words.startswith("-") else None)
        return [place for place in found if place is not None]

    def reads(self) -> set[Read]:
        """What its calls may read by a path that is spelled out.

        Every argument is one, and what paths are joined to, unless the call writes: `to_csv`,
        `savefig`, `open(…, "w")`, `Path(…).write_text`. Of a folder, and of a pattern, it is all
        where the call says that it reads: `listdir`, `glob`, `read_parquet`, `ImageFolder`.
        """
        written = {id(part) for node in self._nodes for part in self._written(node)}
        return {
            read
            for node in self._nodes
            for part, read in self._reads_of(node)
            if id(part) not in written
        }

    def _reads_of(self, node: ast.AST) -> Iterator[tuple[ast.AST, Read]]:
        """Parts of the code, and what may be read by each."""
        if isinstance(node, ast.BinOp | ast.Call) and (place := self._place(node)) is not None:
            yield node, Read(place, is_whole=False)
        if not isinstance(node, ast.Call) or _is_of_ipython(node):
            return
        is_whole = _reads_folders(_name(node))
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        if _name(node) in ("glob", "rglob") and of is not None and not _is_name(of, "glob"):
            folder, pattern = self._place(of), self._place(given[0]) if given else None
            if folder is not None and pattern is not None:
                below = Place("**") if _name(node) == "rglob" else Place("")
                yield of, Read(folder.joined(below).joined(pattern), is_whole=True)
            return
        if of is not None and not isinstance(of, ast.Constant | ast.JoinedStr):
            given.append(of)
        for part in given:
            if (place := self._place(part)) is not None:
                yield part, Read(place, is_whole)

    def _written(self, node: ast.AST) -> Iterator[ast.AST]:
        """The parts of a call that name what it writes."""
        if not isinstance(node, ast.Call):
            return
        name = _name(node)
        if name == "open":
            modes = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "mode")]
            if not any(
                isinstance(m, ast.Constant) and set("wax") & set(str(m.value)) for m in modes
            ):
                return
        elif not name.startswith(_WRITES):
            return
        of_path = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        for part in (*of_path, *node.args, *(keyword.value for keyword in node.keywords)):
            if self._place(part) is not None:
                yield from ast.walk(part)

    def _place(self, node: ast.expr) -> Place | None:
        """The path that an expression spells out, None where it spells none."""
        try:
            return _Spelling(self._bound, self.file).place(node)
        except RecursionError:
            return None

    @cached_property
    def _nodes(self) -> Sequence[ast.AST]:
        return [node for tree in self._trees for node in ast.walk(tree.syntax)]

    def _nodes_near(self, *texts: str) -> Iterator[ast.AST]:
        """The parts of the sources that have one of some texts in them; most have none."""
        for tree in self._trees:
            if any(text in tree.text for text in texts):
                yield from ast.walk(tree.syntax)

    @property
    def _trees(self) -> Sequence[_Tree]:
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[list[_Tree], list[Broken]]:
        """The syntax of all that is Python, and what of the sources is none."""
        parse = _of_file if self.file else _of_cell
        trees, broken = list[_Tree](), list[Broken]()
        for number, source in enumerate(self.sources):
            try:
                new = [_Tree.of(parse(source), number)]
            except SyntaxError as error:
                broken.append(Broken(number, error.lineno or 1, error.msg))
                continue
            while new:
                trees += new
                new = [below for tree in new for below in _in_magics(tree)]
        return trees, broken

    @cached_property
    def _bound(self) -> dict[str, ast.expr]:
        """What each name is bound to that is bound once."""
        times = Counter(name for node in self._nodes for name in _binds(node))
        return {
            target.id: value
            for node in self._nodes
            for target, value in _assigned(node)
            if times[target.id] == 1
        }


class _Spelling:
    """Evaluates an expression that spells a path out.

    Args:
        bound: what names stand for.
        file: the code's own file, if it has one.
    """

    def __init__(self, bound: Mapping[str, ast.expr], file: Path | None) -> None:
        self._bound = bound
        self._file = file
        self._open: set[str] = set()

    def place(self, node: ast.expr) -> Place | None:
        """The path; None where the expression spells none."""
        match node:
            case ast.Constant(value=str(text)):
                return Place(text)
            case ast.Name(id="__file__") if self._file is not None:
                return Place(self._file.name, above=0, is_of_file=True)
            case ast.Name(id=name) if name in self._bound.keys() - self._open:
                self._open.add(name)  # a name that stands for itself stands for nothing
                found = self.place(self._bound[name])
                self._open.remove(name)
                return found
            case ast.JoinedStr(values=parts):
                return self._in_a_row(parts)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.place(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._in_a_row([left, right])
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._path([left, right])
            case ast.Attribute(value=value, attr="parent"):
                return self._parent(value)
            case ast.Subscript(
                value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(int(number))
            ) if 0 <= number < _DEEPEST:
                return self._parent(value, times=number + 1)
            case ast.Call(keywords=[]):
                return self._called(node)
        return None

    def _called(self, node: ast.Call) -> Place | None:
        arguments = node.args
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        match _name(node), len(arguments):
            case name, _ if name in _PATHS:
                return self._path(arguments)
            case "joinpath", _ if of is not None:
                return self._path([of, *arguments])
            case "join", 1 | 2 | 3 | 4 | 5 if not isinstance(of, ast.Constant):
                return self._joined(arguments)
            case "cwd" | "getcwd", 0:
                return Place("", above=0)
            case "str" | "fspath", 1:
                return self.place(arguments[0])
            case "normpath", 1:
                found = self.place(arguments[0])
                return found and found.normal()
            case "as_posix", 0 if of is not None:
                return self.place(of)
            case "resolve", 0 if of is not None:
                return self._full(of)
            case "absolute", 0 if of is not None:
                found = self.place(of)
                if found is None or found.above is not None:
                    return found
                # it would stay in it, and the parent be the folder beside, not above
                return None if ".." in PurePosixPath(found.text).parts else found.full()
            case "abspath" | "realpath", 1:
                return self._full(arguments[0])
            case "dirname", 1:
                found = self.place(arguments[0])
                return found and found.parent(posixpath.dirname)
        return None

    def _joined(self, parts: Sequence[ast.expr]) -> Place | None:
        found = Place("")
        for part in parts:
            place = self.place(part)
            if place is None:
                return None
            found = found.joined(place)
        return found

    def _path(self, parts: Sequence[ast.expr]) -> Place | None:
        found = self._joined(parts)
        return found and found.tidy()

    def _in_a_row(self, parts: Sequence[ast.expr]) -> Place | None:
        """Texts, or paths made texts, written one behind the other."""
        places = [place for part in parts if (place := self.place(part)) is not None]
        if not places or len(places) < len(parts) or any(p.above is not None for p in places[1:]):
            return None
        first, text = places[0], "".join(place.text for place in places)
        if first.above is None or first.text:
            return replace(first, text=text)
        return replace(first, text=text.lstrip("/")) if text.startswith("/") else None

    def _full(self, node: ast.expr) -> Place | None:
        found = self.place(node)
        return found and found.full()

    def _parent(self, node: ast.expr, times: int = 1) -> Place | None:
        found = self.place(node)
        for _ in range(times if found else 0):
            found = found and found.parent(lambda text: str(PurePosixPath(text).parent)).tidy()
        return found


# --- the parts of the syntax ----------------------------------------------------------------------


def _of_cell(source: str) -> tuple[str, ast.Module]:
    """A cell as IPython reads it, magics and all. Raises SyntaxError for what is no Python.

    What is Python as it stands is the same to IPython, which takes three times as long.
    """
    try:
        return _of_file(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        return _of_file(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]


def _of_file(text: str) -> tuple[str, ast.Module]:
    """Python, and its syntax. Raises SyntaxError, and nothing else."""
    try:
        with warnings.catch_warnings():  # of the user's code, which is not run here
            warnings.simplefilter("ignore")
            return text, ast.parse(text)
    except (ValueError, MemoryError, RecursionError) as error:
        raise SyntaxError(str(error) or "nested too deeply") from error


def _in_magics(tree: _Tree) -> Iterator[_Tree]:
    """The Python that stands in a tree's magics: `%time …`, `%%capture`."""
    for magic in tree.magics:
        if magic.name in _PYTHON_MAGICS:
            is_line = magic.body is None
            text = _OPTIONS.sub("", magic.line, count=1) if magic.body is None else magic.body
            with contextlib.suppress(SyntaxError):
                yield _Tree.of(_of_cell(text), tree.source, magic.number - is_line)


def _magics(syntax: ast.Module, source: int, above: int) -> Iterator[Magic]:
    """The calls of magics: what IPython makes of them, and a script that was a notebook has."""
    for node in ast.walk(syntax):
        if not isinstance(node, ast.Call) or not _is_of_ipython(node):
            continue
        match node.args:
            case [ast.Constant(str(name)), ast.Constant(str(line))]:
                yield Magic(name, line, None, source, above + node.lineno)
            case [ast.Constant(str(name)), ast.Constant(str(line)), ast.Constant(str(body))]:
                yield Magic(name, line, body, source, above + node.lineno)


_ImportedAt = tuple[str, tuple[str, ...], How, int]


def _imports(syntax: ast.Module) -> Iterator[_ImportedAt]:
    """Module, members, how and line of each import, in any order."""
    waiting: list[tuple[ast.AST, How]] = [(syntax, "plain")]
    while waiting:
        node, how = waiting.pop()
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, (), how, node.lineno) for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                members = tuple(alias.name for alias in names if alias.name != "*")
                yield module, members, how, node.lineno
            case ast.Call(args=[ast.Constant(str(module)), *_]) if _name(node) in _IMPORTING:
                if not module.startswith("."):
                    yield module, (), how, node.lineno
        waiting += _below(node, how)


def _below(node: ast.AST, how: How) -> Iterator[tuple[ast.AST, How]]:
    """The parts of a node, each with how an import in it stands."""
    match node:
        case ast.Try(body=body, handlers=handlers) if any(map(_is_for_imports, handlers)):
            guarded = {*map(id, body), *map(id, handlers)}
            under: How = "try" if how == "plain" else how
            yield from ((n, under if id(n) in guarded else how) for n in ast.iter_child_nodes(node))
        case ast.If(test=test, body=body) if "TYPE_CHECKING" in ast.unparse(test):
            typed = set() if isinstance(test, ast.UnaryOp) else {*map(id, body)}
            yield from (
                (n, "typing" if id(n) in typed else how) for n in ast.iter_child_nodes(node)
            )
        case _:
            yield from ((n, how) for n in ast.iter_child_nodes(node))


def _is_for_imports(handler: ast.ExceptHandler) -> bool:
    """Whether it catches what a failing import raises, by name or with all else."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or ast.unparse(one) in _OF_IMPORTS for one in caught)


def _is_of_ipython(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in _OF_IPYTHON


def _name(call: ast.Call) -> str:
    """The last part of what is called: `read_csv`."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _reads_folders(name: str) -> bool:
    lower = name.lower()
    return lower.startswith(_READS) or any(part in lower for part in _OF_A_FOLDER)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_sys_path(node: ast.expr) -> bool:
    """`sys.path`, or a slice of it."""
    match node:
        case ast.Attribute(value=ast.Name("sys"), attr="path"):
            return True
        case ast.Subscript(value=value):
            return _is_sys_path(value)
    return False


def _elements(node: ast.expr) -> list[ast.expr]:
    """Those of a list, else the expression alone."""
    return node.elts if isinstance(node, ast.List | ast.Tuple) else [node]


def _binds(node: ast.AST) -> Iterator[str]:
    """The names that a part of the code binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.partition(".")[0]


def _assigned(node: ast.AST) -> Iterator[tuple[ast.Name, ast.expr]]:
    match node:
        case ast.Assign(targets=[ast.Name() as target], value=value):
            yield target, value
        case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
            yield target, value
