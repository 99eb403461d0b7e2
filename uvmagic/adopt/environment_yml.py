"""A conda environment.yml, read line by line. Pure but for the files that its pip section names.

Source: "Creating an environment file manually" (docs.conda.io); the selectors of conda-build and
conda-lock (`# [win]`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from uvmagic.adopt import matchspec, requirements_txt
from uvmagic.adopt.lines import CHANNEL, Ask, Conda, Covered, Left, Line, with_headings
from uvmagic.errors import SourceInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SELECTOR = re.compile(r"#\s*\[(?P<platform>win|linux|osx|unix)(?:64|32|-64)?\]\s*$")
_MARKERS = {
    "win": "sys_platform == 'win32'",
    "linux": "sys_platform == 'linux'",
    "osx": "sys_platform == 'darwin'",
    "unix": "sys_platform != 'win32'",
}
_NO_DEFAULTS = Covered("PyPI is what there is besides")
_KEYS: dict[str, Ask] = {
    "name": Covered("the environment's name: uv's is the project's .venv"),
    "prefix": Covered("where conda put it: uv's is the project's .venv"),
    "platforms": Covered("uv.lock is for all platforms"),
    "category": Left("conda-lock's category: add it again with --group NAME"),
    "variables": Left("an environment variable: set it in the notebook, or in your shell"),
}
"""What a key other than `dependencies` and `channels` comes to."""
_MISPLACED = Left("it is not where conda looks for a package: say it with  %uv add  by hand")


def read(text: str, file: str, folder: Path) -> list[Line]:
    """Every line of an environment.yml.

    Args:
        text: its content.
        file: its name for people.
        folder: what the files that its pip section names are relative to.

    Raises:
        SourceInvalid: it is no YAML, or no mapping; or a file that it names is not there.
    """
    import yaml  # 15 ms, for this one word

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SourceInvalid(f"{file}{place}: no YAML: {why}.", "Mend that place.") from error
    if not isinstance(root, yaml.MappingNode):
        raise SourceInvalid(
            f"{file} is no environment of conda's: it has no keys.",
            "One has at least  dependencies:  and a list below it.",
        )
    reader = _Reader(text, file, folder)
    lines = [line for key, value in root.value for line in reader.entry(key, value)]
    own = [line for line in lines if line.file == file]
    others = [line for line in lines if line.file != file]
    return [*with_headings(file, text, own), *others]


class _Reader:
    """One environment.yml: nodes of its YAML to lines."""

    def __init__(self, text: str, file: str, folder: Path) -> None:
        self.file, self.folder = file, folder
        self.text = text.splitlines()

    def entry(self, key: Any, value: Any) -> Iterator[Line]:
        name = str(key.value)
        if name == "dependencies":
            for item in _items(value):
                yield from self._dependency(item)
        elif name == "channels":
            for item in _items(value):
                begin, end = item if isinstance(item, tuple) else (item, item)
                yield self._line(begin, end, _NO_DEFAULTS if _is_nodefaults(item) else CHANNEL)
        elif name in _KEYS and _is_block(key, value):
            for item in _items(value):
                begin, end = item if isinstance(item, tuple) else (item, item)
                yield self._line(begin, end, _KEYS[name])
        else:
            unknown = Left(f"{name!r} means nothing to uv: look whether you need it")
            yield self._line(key, value, _KEYS.get(name, unknown))

    def _dependency(self, item: Any) -> Iterator[Line]:
        if isinstance(item, tuple):  # `dependencies` is a mapping
            key, value = item
            yield self._line(key, value, _MISPLACED)
            return
        if isinstance(item.value, str):
            yield self._line(item, item, self._package(item))
            return
        for key, value in item.value if _is_mapping(item) else []:
            if key.value == "pip":
                for requirement in _items(value):
                    yield from self._of_pip(requirement)
            else:
                yield self._line(key, value, _MISPLACED)
        if not _is_mapping(item):
            yield self._line(item, item, _MISPLACED)

    def _package(self, item: Any) -> Ask:
        spec = matchspec.parse(item.value)
        if spec is None:
            return Left("no package as conda writes one: mend it, or leave it out")
        last = self.text[_last(item) - 1]
        selector = _SELECTOR.search(last)
        if selector is None:
            return spec
        marker = _MARKERS[selector["platform"]]
        return Conda(spec.name, spec.version, spec.build, marker)

    def _of_pip(self, item: Any) -> Iterator[Line]:
        if isinstance(item, tuple):
            key, value = item
            yield self._line(key, value, _MISPLACED)
            return
        if not isinstance(item.value, str):
            yield self._line(item, item, _MISPLACED)
            return
        statement = Line(self.file, _first(item), _last(item), self._scalar(item), ())
        yield from requirements_txt.expanded(statement, item.value, self.folder, ())

    def _line(self, begin: Any, end: Any, ask: Ask) -> Line:
        first, last = _first(begin), max(_first(begin), _last(end))
        return Line(self.file, first, last, self._between(first, last), (ask,))

    def _between(self, first: int, last: int) -> str:
        told = " ".join(line.strip() for line in self.text[first - 1 : last])
        return re.sub(r"^-\s+", "", told)

    def _scalar(self, item: Any) -> str:
        return self._between(_first(item), _last(item)) if item.value != "" else ""


def _items(node: Any) -> list[Any]:
    """The items of a list, the pairs of a mapping; of a scalar itself, of an empty one nothing."""
    if isinstance(node.value, list):
        return list(node.value)
    return [node] if node.value else []


def _is_nodefaults(item: Any) -> bool:
    return getattr(item, "value", "") == "nodefaults"


def _is_mapping(node: Any) -> bool:
    return isinstance(node.value, list) and all(isinstance(v, tuple) for v in node.value)


def _is_block(key: Any, value: Any) -> bool:
    """Whether a key's value stands below it, an item a line."""
    return isinstance(value.value, list) and bool(value.value) and _first(value) > _first(key)


def _first(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _last(node: Any) -> int:
    """The last line of a node; the end of a block is where the next thing begins."""
    if isinstance(node.value, list) and node.value and not node.flow_style:
        final = node.value[-1]
        return _last(final[-1] if isinstance(final, tuple) else final)
    end = node.end_mark
    is_over = end.column == 0 and end.line > node.start_mark.line
    return int(end.line) + (0 if is_over else 1)
