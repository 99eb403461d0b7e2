"""A path that an expression spells out: a literal, or what is made of known ones.

What `pathlib` and `os.path` join, make absolute or take the folder of is known, and so is a name
that is bound to such a path once. Whatever else a program computes stays unknown. Pure.
"""

from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

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


class Spelling:
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
        match called_name(node), len(arguments):
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


def called_name(call: ast.Call) -> str:
    """The last part of what is called: `read_csv`."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))
