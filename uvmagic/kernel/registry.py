"""The kernels that uvmagic made: install, list, remove, prune. It never touches another's."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmagic.errors import FilesUnwritable, KernelRefused
from uvmagic.kernel import spec
from uvmagic.system.agreed import FOLDER
from uvmagic.system.environment import Environment
from uvmagic.system.files import own_folder, write_atomically, writing
from uvmagic.system.host import shorten

if TYPE_CHECKING:
    from uvmagic.project import Project

_NAME_FILE = "kernel"
"""In the project's own folder: its kernel's name, by which a project that was moved is known."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A registered kernel of uvmagic's.

    Attributes:
        name: its legal name, the folder's.
        display_name: what the kernel menu shows.
        folder: where kernel.json lies.
        project: the root folder of its project.
        python: the interpreter that it starts.
    """

    name: str
    display_name: str
    folder: Path
    project: Path
    python: Path

    @property
    def state(self) -> str:
        """`ready`, or why it does not start."""
        if not (self.project / "pyproject.toml").is_file():
            return "project gone"
        environment = Environment(self.python.parent.parent)
        if not self.python.exists():
            # a link whose Python was uninstalled is not the same as an environment not made
            return "Python gone" if self.python.is_symlink() else "no .venv"
        return "ready" if "ipykernel" in environment.installed() else "no ipykernel"

    @property
    def is_dead(self) -> bool:
        """Whether nothing in its project can bring it back."""
        return self.state == "project gone"


def user_kernels() -> Path:
    """The folder of this user's kernels."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "kernels"


def kernels_under(prefix: Path) -> Path:
    """The folder of kernels under a prefix, such as an environment's."""
    return prefix / "share" / "jupyter" / "kernels"


def installed(kernels: Path | None = None) -> list[Kernel]:
    """Every kernel that uvmagic made in a folder of kernels (this user's), by name."""
    found = []
    for file in sorted((kernels or user_kernels()).glob("*/kernel.json")):
        content = _read(file)
        project = spec.project_of(content)
        if project is not None:
            name = str(content.get("display_name", ""))
            argv = content.get("argv") or [""]  # one that somebody spoiled is listed all the same
            found.append(Kernel(file.parent.name, name, file.parent, project, Path(str(argv[0]))))
    return found


def foreign(kernels: Path) -> list[tuple[str, str]]:
    """(name, display name) of the kernels in a folder that uvmagic did not make, by name."""
    files = sorted(kernels.glob("*/kernel.json"))
    specs = ((file.parent.name, _read(file)) for file in files)
    return [
        (name, str(content.get("display_name", "")))
        for name, content in specs
        if not spec.is_of_uvmagic(content)
    ]


def launcher(kernels: Path | None = None) -> tuple[Path, str] | None:
    """(folder, state) of the kernel for all projects; None where it is not installed."""
    folder = (kernels or user_kernels()) / spec.LAUNCHER
    content = _read(folder / "kernel.json")
    if not spec.is_of_uvmagic(content) or spec.project_of(content) is not None:
        return None
    python = Path(str((content.get("argv") or [""])[0]))
    return folder, "ready" if python.exists() else "Python gone"


def install_launcher(python: Path, kernels: Path | None = None) -> Path:
    """Register the kernel for all projects. Gives its folder.

    Args:
        python: an interpreter that has uvmagic and ipykernel.
        kernels: the folder of kernels, this user's by default.

    Raises:
        KernelRefused: a kernelspec of that name exists that uvmagic did not make.
        FilesUnwritable: the folder takes no writes.
    """
    folder = (kernels or user_kernels()) / spec.LAUNCHER
    file = folder / "kernel.json"
    if file.exists() and launcher(kernels) is None:
        raise KernelRefused(
            f"{shorten(file)} exists and was not made by uvmagic.", "Move it away, then try again."
        )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _copy_logos(Environment(python.parent.parent), folder)
    _write(file, spec.launcher_json(python, _for_the_kernel()))
    return folder


def places() -> list[Path]:
    """The folders in which Jupyter looks for kernels, this user's first; those that are there."""
    from jupyter_core.paths import jupyter_path

    found = [user_kernels(), *map(Path, jupyter_path("kernels"))]
    return [place for place in dict.fromkeys(found) if place.is_dir()]


def moved_here(project: Project) -> Kernel | None:
    """The kernel of a project from before its folder was moved; None where there is none."""
    try:
        name = (project.root / FOLDER / _NAME_FILE).read_text(encoding="utf-8")
    except OSError:
        return None
    for place in places():
        for kernel in installed(place):
            if kernel.name == name and kernel.is_dead:
                return kernel
    return None


def install(
    project: Project,
    environment: Environment,
    display_name: str | None = None,
    kernels: Path | None = None,
) -> tuple[Kernel, bool]:
    """Register a project's environment as a kernel; one from before the project moved goes.

    Args:
        project: the project.
        environment: its environment, with ipykernel in it.
        display_name: what the kernel menu shows; by default the project's name, with its folder
            where another project of uvmagic's has the same.
        kernels: the folder of kernels, this user's by default.

    Returns:
        The kernel, and whether anything had to be written.

    Raises:
        KernelRefused: a kernelspec of that name exists that uvmagic did not make.
        FilesUnwritable: the user's Jupyter folder takes no writes.
    """
    name = spec.kernel_name(project.root, project.name)
    kernels = kernels or user_kernels()
    folder = kernels / name
    file = folder / "kernel.json"
    before = _read(file) if file.exists() else None
    if before is not None and spec.project_of(before) != project.root:
        raise KernelRefused(
            f"{shorten(file)} exists and was not made by uvmagic for this project.",
            "Move it away, then run  %uv kernel install  again.",
        )
    moved = moved_here(project)
    # A name that the user once chose stays.
    kept = before.get("display_name") if before else moved.display_name if moved else None
    chosen = display_name or kept
    display_name = chosen or _free_display_name(project, kernels)
    has_uvmagic = "uvmagic" in environment.installed()
    python, root, environ = environment.python, project.root, _for_the_kernel()
    content = spec.kernel_json(python, root, display_name, environ, has_uvmagic=has_uvmagic)
    if content != before:
        folder.mkdir(parents=True, exist_ok=True)
        _copy_logos(environment, folder)
        _write(file, content)
        # one of the same name may have been registered at the same moment: the later one sees it
        if not chosen and (free := _free_display_name(project, kernels)) != display_name:
            display_name = free
            content = spec.kernel_json(python, root, display_name, environ, has_uvmagic=has_uvmagic)
            _write(file, content)
    if moved is not None and moved.name != name:
        remove(moved)
    with contextlib.suppress(FilesUnwritable):  # then a move of the folder is not noticed
        write_atomically(own_folder(project.root) / _NAME_FILE, name.encode())
    return Kernel(name, display_name, folder, root, python), content != before


def remove(kernel: Kernel) -> None:
    """Unregister a kernel that `installed` gave."""
    shutil.rmtree(kernel.folder)


def of_project(project: Project) -> Kernel | None:
    """The registered kernel of a project, None if there is none."""
    return next((kernel for kernel in installed() if kernel.project == project.root), None)


def _for_the_kernel() -> dict[str, str]:
    """The environment variables that a kernel is registered with: where uv is."""
    from uvmagic.system.uv import told_to_others  # packaging and psutil; most calls register none

    return told_to_others(os.environ)


def _copy_logos(environment: Environment, folder: Path) -> None:
    """Give the kernel the logos that ipykernel brings, for the launcher's tiles."""
    site_packages = environment.site_packages()
    logos = site_packages.glob("ipykernel/resources/logo-*") if site_packages else ()
    for logo in logos:
        with contextlib.suppress(OSError):  # a kernel without a picture works as well
            shutil.copyfile(logo, folder / logo.name)


def _free_display_name(project: Project, kernels: Path) -> str:
    plain = f"{project.name} (uv)"
    taken = {k.display_name for k in installed(kernels) if k.project != project.root}
    return f"{project.name} (uv, {shorten(project.root)})" if plain in taken else plain


def _write(file: Path, content: dict[str, Any]) -> None:
    write_atomically(file, json.dumps(content, indent=1, ensure_ascii=False).encode())


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
