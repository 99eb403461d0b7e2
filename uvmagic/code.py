"""What code spells out: the modules that it imports, where it looks for them, what it reads.

Code is read as syntax and never run; which paths are known, `spelling` says.
"""

from __future__ import annotations

import ast
import contextlib
import re
import shlex
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from uvmagic.spelling import Place, Spelling, called_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_OF_IPYTHON = frozenset({"getoutput", "run_cell_magic", "run_line_magic", "system"})
"""What a cell's magics and shell lines become calls of."""
_IMPORTING = frozenset({"import_module", "__import__", "importorskip"})
"""Calls that import what their first argument names."""
_RUNNING = frozenset(
    {"Popen", "call", "check_call", "check_output", "getoutput", "popen", "run", "system"}
)
"""Calls of `os` and `subprocess` that run what their first argument says."""
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


class ShellCommand(NamedTuple):
    """A command that is run, as a shell would be told it; which source, which line there."""

    text: str
    source: int
    line: int


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

    def installing(self) -> list[ShellCommand]:
        """The commands with `install` in them that it runs by `os.system` or `subprocess`."""
        return [
            ShellCommand(text, tree.source, tree.above + node.lineno)
            for tree in self._trees
            if "install" in tree.text
            for node in ast.walk(tree.syntax)
            if isinstance(node, ast.Call) and called_name(node) in _RUNNING
            if "get_ipython" not in ast.unparse(node.func)  # a line of its shell is read as a line
            if "install" in (text := _command(node))
        ]

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
                case ast.Call(args=[folder, *_]) if called_name(node) == "addsitedir":
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
                case ast.Call(args=[folder]) if called_name(node) == "chdir":
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
        is_whole = _reads_folders(called_name(node))
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        if called_name(node) in ("glob", "rglob") and of is not None and not _is_name(of, "glob"):
            folder, pattern = self._place(of), self._place(given[0]) if given else None
            if folder is not None and pattern is not None:
                below = Place("**") if called_name(node) == "rglob" else Place("")
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
        name = called_name(node)
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
            return Spelling(self._bound, self.file).place(node)
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
            case ast.Call(args=[ast.Constant(str(module)), *_]) if called_name(node) in _IMPORTING:
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


def _command(node: ast.Call) -> str:
    """What a call of `os` or `subprocess` runs, as a line of shell; empty where it spells none."""
    match node.args:
        case [ast.Constant(str(line)), *_]:
            return line
        case [ast.List(elts=elements), *_]:
            words = ["python" if _is_interpreter(each) else _text(each) for each in elements]
            return shlex.join(words) if all(words) else ""
    return ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_interpreter(node: ast.expr) -> bool:
    return ast.unparse(node) == "sys.executable"


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
