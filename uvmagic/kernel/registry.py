"""The user's kernels that uvmagic made: install, list, remove. It never touches another's."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmagic.errors import KernelRefused
from uvmagic.kernel import spec
from uvmagic.system.files import write_atomically
from uvmagic.system.host import shorten

if TYPE_CHECKING:
    from uvmagic.project import Project
    from uvmagic.system.environment import Environment


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
        """`ready`, or what is missing."""
        if not (self.project / "pyproject.toml").is_file():
            return "project gone"
        return "ready" if self.python.exists() else "environment gone"


def installed() -> list[Kernel]:
    """Every kernel that uvmagic made for this user, by name."""
    found = []
    for file in sorted(_kernels_folder().glob("*/kernel.json")):
        content = _read(file)
        project = spec.project_of(content)
        if project is not None:
            name = str(content.get("display_name", ""))
            argv = content.get("argv") or [""]  # one that somebody spoiled is listed all the same
            found.append(Kernel(file.parent.name, name, file.parent, project, Path(str(argv[0]))))
    return found


def install(
    project: Project, environment: Environment, display_name: str | None = None
) -> tuple[Kernel, bool]:
    """Register a project's environment as a kernel of this user.

    Args:
        project: the project.
        environment: its environment, with ipykernel and uvmagic in it.
        display_name: what the kernel menu shows; by default the project's name, with its folder
            where another project of uvmagic's has the same.

    Returns:
        The kernel, and whether anything had to be written.

    Raises:
        KernelRefused: a kernelspec of that name exists that uvmagic did not make.
        FilesUnwritable: the user's Jupyter folder takes no writes.
    """
    name = spec.kernel_name(project.root, project.name)
    folder = _kernels_folder() / name
    file = folder / "kernel.json"
    before = _read(file) if file.exists() else None
    if before is not None and spec.project_of(before) != project.root:
        raise KernelRefused(
            f"{shorten(file)} exists and was not made by uvmagic for this project.",
            "Move it away, then run  %uv kernel install  again.",
        )
    if display_name is None:
        # A name that the user once chose stays.
        kept = before.get("display_name") if before else None
        display_name = kept or _free_display_name(project)
    content = spec.kernel_json(environment.python, project.root, display_name)
    if content != before:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(content, indent=1, ensure_ascii=False).encode())
    return Kernel(name, display_name, folder, project.root, environment.python), content != before


def remove(kernel: Kernel) -> None:
    """Unregister a kernel that `installed` gave."""
    shutil.rmtree(kernel.folder)


def of_project(project: Project) -> Kernel | None:
    """The registered kernel of a project, None if there is none."""
    return next((kernel for kernel in installed() if kernel.project == project.root), None)


def _free_display_name(project: Project) -> str:
    plain = f"{project.name} (uv)"
    taken = {k.display_name for k in installed() if k.project != project.root}
    return f"{project.name} (uv, {shorten(project.root)})" if plain in taken else plain


def _kernels_folder() -> Path:
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "kernels"


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
