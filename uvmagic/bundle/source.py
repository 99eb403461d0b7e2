"""What a bundle is made from: all of it read and judged, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic import notebook as notebooks
from uvmagic import project as projects
from uvmagic.bundle import contents, modules, reads
from uvmagic.bundle.dockerfile import reference
from uvmagic.bundle.local import local
from uvmagic.bundle.wheels import of_uvmagic
from uvmagic.change.chosen import chosen
from uvmagic.code import Code
from uvmagic.errors import BundleRefused, ProjectMissing, UsageError
from uvmagic.lockfile import Lockfile
from uvmagic.system.environment import Environment
from uvmagic.system.host import Host, shorten
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nbformat import NotebookNode

    from uvmagic.bundle.local import Local, LocalDistribution
    from uvmagic.bundle.reads import Reads
    from uvmagic.data.torch import Backend
    from uvmagic.grammar import Command
    from uvmagic.project import Project

_RUNS_A_NOTEBOOK = (
    "papermill.cli",
    "papermill.engines",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
)
"""What the program that runs the notebook, and its kernel, import once they start."""
_RUNS_A_MAGIC = ("uvmagic.cell", "uvmagic.frozen")
"""What a `%uv` cell of a bundle imports when it runs."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a bundle is made from.

    Attributes:
        project: the notebook's.
        notebook_file: the notebook, in the project.
        notebook: as it was read.
        files: path in the bundle → file, of all that the project gives.
        imports: the modules whose bytecode the image gets, dotted.
        python: Python's minor version, `3.12`.
        loads_uvmagic: whether the notebook has magics of uvmagic's.
        kept_indexes: names of indexes that stay though they may be mirrors.
        backend: of torch, where the call chooses one.
        base: what the image is to stand on, where the call says it.
        left_out: what is read and does not go along, a sentence each.
        compiles: whether the image gets bytecode.
        needs: what the project needs of its workspace and of paths.
    """

    project: Project
    notebook_file: Path
    notebook: NotebookNode
    files: dict[str, Path]
    imports: tuple[str, ...]
    python: str
    loads_uvmagic: bool
    kept_indexes: tuple[str, ...]
    backend: Backend | None
    base: str | None
    left_out: tuple[str, ...]
    compiles: bool
    needs: Local

    @property
    def built(self) -> list[LocalDistribution]:
        """What the bundle carries as a wheel."""
        runs = of_uvmagic() if self.loads_uvmagic else []
        names = {each.name for each in runs}  # where it is uvmagic's own project
        return [*(each for each in self.needs.distributions if each.name not in names), *runs]

    @property
    def notebook_path(self) -> str:
        """The notebook's path in the bundle."""
        return self.notebook_file.relative_to(self.project.root).as_posix()


def gather(command: Command, host: Host) -> Source:
    """Read what a call means.

    Raises:
        NotebookUnknown, ProjectMissing, BundleRefused, UsageError: it cannot be bundled so.
    """
    told = host.frontend.notebook if host.frontend else None
    if len(command.positionals) > 1:
        raise BundleRefused(f"One notebook a bundle; {len(command.positionals)} were named.")
    base = _base(command)
    named = command.positionals[0] if command.positionals else None
    file = notebooks.locate(named, host.cwd, told)
    try:
        project = projects.find(file.parent)
    except ProjectMissing as error:
        raise ProjectMissing(
            f"{file.name} belongs to no project: nothing says what it needs.",
            "Run  %uv init  and  %uv add …  in its folder first.",
        ) from error
    if "project" not in project.pyproject:
        raise BundleRefused(
            f"{file.name} lies in the root of a workspace, {shorten(project.root)}, which is no "
            "project itself: nothing says what the notebook needs.",
            "Move it into one of the workspace's projects, or give the root a [project] table.",
        )
    environment = Environment(project.environment(host.environ))
    python = environment.python_version()
    if (project.root / "uv.toml").is_file():
        raise BundleRefused(
            "The project has a uv.toml, whose settings uv takes in place of [tool.uv]; a bundle "
            "has pyproject.toml alone.",
            "Move its settings to [tool.uv] in pyproject.toml.",
        )
    if not project.lock.is_file() or python is None:
        raise BundleRefused(
            "The project has no uv.lock or no environment yet.", "Run  %uv sync  first."
        )
    notebook = notebooks.read(file)
    sources = notebooks.code_cells(notebook)
    uses_uvmagic = notebooks.uses_uvmagic(sources)
    code = Code(tuple(sources))
    working = modules.working_folders(code, file.parent)
    imported = modules.local_modules(
        code,
        working,
        project.root,
        more=[project.folder, project.folder / "src"],
        is_installed=environment.has_module,
    )
    read = reads.data_files(imported.code, working, project.root)
    extra = {
        path
        for pattern in command.options.get("--include", ())
        for path in contents.included(pattern, host.cwd)
    }
    return Source(
        project,
        file,
        notebook,
        contents.placed({file, *imported.files, *read.files, *extra}, project.root),
        (
            *_RUNS_A_NOTEBOOK,
            *(_RUNS_A_MAGIC if uses_uvmagic else ()),
            *imported.foreign(),
        ),
        ".".join(python.split(".")[:2]),
        uses_uvmagic,
        command.options.get("--keep-index", ()),
        _backend(command, host),
        base,
        left_out=tuple(_left_out(read, extra, project.root, host.cwd)),
        compiles=not command.has("--no-compile"),
        needs=local(project, Lockfile(project.lock.read_text(encoding="utf-8"))),
    )


def _left_out(read: Reads, extra: set[Path], root: Path, cwd: Path) -> Iterator[str]:
    """What is read and does not go along, a sentence each."""
    for path, files in read.large.items():
        if not files <= extra:
            is_below = (root / path).is_relative_to(cwd)
            named = (root / path).relative_to(cwd).as_posix() if is_below else path
            yield (
                f"{named} ({in_bytes(reads.size_of(files))}) is read, and too large to go "
                f"unasked: --include '{named}'" + ("" if is_below else f" in {shorten(root)}")
            )
    for text in read.outside:
        yield f"{text} is read, and lies outside the project: copy it into {shorten(root)}."


def _base(command: Command) -> str | None:
    """What the image is to stand on, as the call says it; None where it says nothing."""
    base = command.value("--base")
    return base if base in (None, "uv", "pytorch") else reference(base)


def _backend(command: Command, host: Host) -> Backend | None:
    """The backend of torch that the call chooses; None where it chooses none."""
    choices = chosen(command, host)
    if len(choices) > 1:
        raise UsageError("A bundle is for one backend; several were chosen.", "Choose one.")
    return choices[0].backend if choices else None


def contents_of(source: Source, *, keep_outputs: bool) -> Iterator[tuple[str, bytes]]:
    """What the project gives to the bundle: the place of each file in it, and the content."""
    for path, file in source.files.items():
        if path == source.notebook_path:
            made = notebooks.portable(source.notebook, keep_outputs=keep_outputs)
            yield path, notebooks.to_bytes(made)
        else:
            yield path, file.read_bytes()
