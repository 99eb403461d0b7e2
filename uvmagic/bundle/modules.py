"""The local modules that a notebook imports, followed through."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from uvmagic.bundle.contents import LITTER, files_below, is_file, straight
from uvmagic.code import Code
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from uvmagic.spelling import Place


@dataclass(frozen=True, slots=True)
class Modules:
    """What was found.

    Attributes:
        files: of all modules; a package goes whole.
        code: the notebook's and that of each module.
        names: of the modules, without those in packages.
    """

    files: frozenset[Path]
    code: tuple[Code, ...]
    names: frozenset[str]

    def foreign(self) -> list[str]:
        """What the code imports that is not of these, dotted, sorted.

        What `from a import b` gives may be no module.
        """
        imported = {name for code in self.code for name in code.imports()}
        return sorted(name for name in imported if name.partition(".")[0] not in self.names)


def working_folders(notebook: Code, folder: Path) -> list[Path]:
    """The folders that a notebook runs in: its own, then those that it changes to from there."""
    places = [place for place in notebook.working_folders() if not is_absolute(place)]
    return list(dict.fromkeys([folder, *(straight(folder / place.path) for place in places)]))


def is_absolute(place: Place) -> bool:
    """Whether the code itself says an absolute path, which is another one on another machine."""
    return place.path.startswith("/") or PurePath(place.path).is_absolute()


def bases(place: Place, code: Code, working: Sequence[Path]) -> Sequence[Path]:
    """The folders that a path may be relative to: the code's own by `__file__`, else each."""
    return [code.file.parent] if place.is_of_file and code.file else working


def local_modules(
    notebook: Code,
    working: Sequence[Path],
    root: Path,
    *,
    more: Iterable[Path] = (),
    is_installed: Callable[[str], bool] = lambda _: False,
) -> Modules:
    """The modules that a notebook imports from folders of its project, and what they import.

    Looked for in the working folders, in `more`, and in what the code adds to `sys.path`, in this
    order, whatever Python's own is: what is found first is taken.

    Args:
        notebook: its cells.
        working: the folders that it runs in.
        root: the project's folder, its workspace's root if it has one; resolved.
        more: other folders that modules may be in.
        is_installed: whether the environment has a module of a name.

    Raises:
        BundleRefused: a module comes from outside the project alone; by name.
    """
    first = dict.fromkeys([*working, *more])
    places = {folder: None for folder in first if folder.is_relative_to(root)}
    outside = {folder: None for folder in first if folder not in places}
    wanted, found = set[str](), set[str]()
    files = set[Path]()
    followed, new = [notebook], [notebook]
    while new:
        for code in new:
            wanted |= {name.partition(".")[0] for name in code.imports()}
            for place in code.module_folders():
                for base in bases(place, code, working):
                    path = straight(base / place.path)
                    is_held = path.is_relative_to(root) and not is_absolute(place)
                    (places if is_held else outside)[path] = None
        new = []
        for name in sorted(wanted - found):
            of_module = next(filter(None, (files_of_module(each, name) for each in places)), set())
            if of_module:
                found.add(name)
                files |= of_module
                new += [Code.of_file(f) for f in sorted(of_module) if _is_python(f)]
        followed += new
    for name in sorted(wanted - found - sys.stdlib_module_names):
        for folder in outside:
            if _has_module(folder, name) and not is_installed(name):
                raise BundleRefused(
                    f"{name} is imported from {folder}, which lies outside the project {root}, or "
                    "is named by an absolute path; the bundle would be without it.",
                    f"Move {name} into the project, and name its folder relative to the "
                    "notebook's: sys.path.append('lib')",
                )
    return Modules(frozenset(files), tuple(followed), frozenset(found))


def files_of_module(folder: Path, name: str) -> set[Path]:
    """As Python finds it: a package before a module, a namespace package last."""
    package, module = folder / name, folder / f"{name}.py"
    if (package / "__init__.py").is_file():
        return set(files_below(package))
    if module.is_file():
        return {module}
    below = set(files_below(package)) if package.is_dir() and name not in LITTER else set()
    return below if any(file.suffix == ".py" for file in below) else set()


def _has_module(folder: Path, name: str) -> bool:
    """Whether a folder outside has a module; little is read there."""
    candidates = (folder / f"{name}.py", folder / name / "__init__.py")
    if any(map(is_file, candidates)):
        return True
    try:
        return any(path.suffix == ".py" for path in (folder / name).iterdir())
    except OSError:
        return False


def _is_python(file: Path) -> bool:
    return file.suffix == ".py" and file.is_file()
