"""All that some notebooks and Python files ask for, their local modules followed through."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from uvmagic import notebook_code
from uvmagic.bundle.contents import LITTER
from uvmagic.bundle.modules import files_of_module
from uvmagic.data import imports
from uvmagic.errors import NotebookUnknown
from uvmagic.scan import found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from uvmagic.scan.found import Asked, Found, Place, Reading, Unread

STANDARD = (sys.stdlib_module_names | {"__main__"}) - imports.standard_gone().keys()
"""The modules that every Python brings along."""
_OF_A_KERNEL = frozenset(
    {"IPython", "comm", "ipykernel", "matplotlib_inline", "traitlets", "uvmagic"}
)
"""What every kernel has: a notebook may import it, and a bundle brings it along."""


_CARRIES = re.compile(r"^# /// script$", re.MULTILINE)


class Shadow(NamedTuple):
    """A local module in the place of one of the standard library, and where that is imported."""

    module: str
    file: Path
    place: Place


@dataclass(slots=True)
class Survey:
    """What was found.

    Attributes:
        imports: the modules that neither the standard library nor the files themselves bring.
        asked: the requirements that are installed by a line.
        broken: what is no Python.
        shadows: local modules with names of the standard library.
        unread: the files that cannot be read, and why.
        passed: the files that are not held against the project, and why.
        pythons: notebook → the version of Python that it was last run with.
        marks: when the cells ran, as text.
        read: the files that were read.
    """

    imports: list[Found] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    broken: list[Unread] = field(default_factory=list)
    shadows: list[Shadow] = field(default_factory=list)
    unread: list[tuple[Path, NotebookUnknown]] = field(default_factory=list)
    passed: list[tuple[Path, str]] = field(default_factory=list)
    pythons: dict[Path, str] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)
    read: set[Path] = field(default_factory=set)


def files_in(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files below a folder that are neither in an environment nor in a hidden folder."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _is_source(Path(parent, name))]
        found += (Path(parent, name) for name in names if name.endswith(suffixes))
    return sorted(found)


def _is_source(folder: Path) -> bool:
    name = folder.name
    is_hidden = name in LITTER or name.startswith(".") or name == "node_modules"
    return not is_hidden and not (folder / "pyvenv.cfg").exists()


def survey(files: Iterable[Path], roots: Sequence[Path], is_known: Callable[[str], bool]) -> Survey:
    """Read some files, one at a time, and the local modules that they import.

    Args:
        files: notebooks and Python files, absolute.
        roots: the folders, besides a file's own, that modules may be in.
        is_known: whether it is known of a module that a distribution has it; a folder of that name
            is then taken for no package unless it has an `__init__.py`.
    """
    made = Survey()
    waiting = deque((file, file.parent) for file in files)
    while waiting:
        file, working = waiting.popleft()
        if file in made.read:
            continue
        made.read.add(file)
        try:
            reading = _read(file, made)
        except OSError as error:
            problem = NotebookUnknown(f"{file} cannot be read: {error.strerror}.")
            made.unread.append((file, problem))
            continue
        except NotebookUnknown as error:
            made.unread.append((file, error))
            continue
        if reading is not None:
            made.asked += reading.asked
            made.broken += reading.broken
            waiting += (
                (other, working) for other in _judged(reading, working, roots, is_known, made)
            )
    return made


def _read(file: Path, made: Survey) -> Reading | None:
    """What a file says; None for what is not held against the project."""
    if file.suffix != ".ipynb":
        return _unless_carried(found.in_module(file), file, made)
    notebook = notebook_code.read(file)
    if not notebook.is_python:
        made.passed.append((file, f"is in {notebook.language}"))
        return None
    if notebook.python:
        made.pythons[file] = notebook.python
    made.marks += filter(None, [notebook.marks])
    return _unless_carried(found.in_notebook(notebook, file), file, made)


def _unless_carried(reading: Reading, file: Path, made: Survey) -> Reading | None:
    """What a file says; None where it carries its own requirements (PEP 723)."""
    if not any(_CARRIES.search(source) for source in reading.code.sources):
        return reading
    made.passed.append((file, "carries its own requirements (# /// script)"))
    return None


def _judged(
    reading: Reading,
    working: Path,
    roots: Sequence[Path],
    is_known: Callable[[str], bool],
    made: Survey,
) -> Iterator[Path]:
    """Sort what a file imports into the survey; gives the local files that it leads to."""
    folders = _folders(reading, working, roots)
    for each in reading.imports:
        top = each.module.partition(".")[0]
        if top in reading.writes or (each.place.cell and top == "uvmagic"):
            continue  # of an editable uvmagic, too: what it imports is its own project's business
        local = _local(top, folders, is_known)
        if local and top in STANDARD:
            made.shadows.append(Shadow(top, min(local), each.place))
        if local:
            yield from sorted(local)
        elif top not in STANDARD and not (each.place.cell and top in _OF_A_KERNEL):
            made.imports.append(each)
    for name in reading.runs:
        with contextlib.suppress(OSError):
            if (file := working / name).is_file():
                yield file


def _folders(reading: Reading, working: Path, roots: Sequence[Path]) -> list[Path]:
    """Where modules are looked for: the working folder, what the code adds, the roots."""
    code = reading.code
    own = [working, *(working / place.path for place in code.working_folders())]
    bases = {
        False: own,
        True: [code.file.parent] if code.file else own,
    }
    added = [
        base / place.path for place in code.module_folders() for base in bases[place.is_of_file]
    ]
    return list(dict.fromkeys([*own, *added, *roots]))


def _local(name: str, folders: Sequence[Path], is_known: Callable[[str], bool]) -> set[Path]:
    """The Python files of a local module; empty where there is none of that name."""
    for folder in folders:
        try:
            files = {file for file in files_of_module(folder, name) if file.suffix == ".py"}
        except OSError:  # one that may not be looked at, or a text that is no path
            continue
        is_plain = folder / f"{name}.py" in files or folder / name / "__init__.py" in files
        if is_plain or (files and name not in STANDARD and not is_known(name)):
            return files
    return set()
