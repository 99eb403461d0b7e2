"""`bundle`: the order of things, from the notebook to the folder."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvmagic
from uvmagic import data
from uvmagic import notebook as notebooks
from uvmagic import project as projects
from uvmagic.accelerator.audit import LINUX, audit_walked
from uvmagic.bundle import carried, contents, manifest, portable, recipe
from uvmagic.bundle.archive import packed
from uvmagic.bundle.bases import Needs, choose
from uvmagic.bundle.dockerfile import reference
from uvmagic.bundle.forecast import forecast
from uvmagic.bundle.locking import Locked, Locking, export_beside_torch
from uvmagic.bundle.secrets import Inspection
from uvmagic.bundle.wheels import build_wheels
from uvmagic.change.chosen import chosen
from uvmagic.change.place import heal_if_needed
from uvmagic.change.report import with_note
from uvmagic.errors import BundleRefused, ProjectMissing, UsageError, UvFailed
from uvmagic.kernel import support
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk
from uvmagic.outcome import Outcome
from uvmagic.progress import Progress, in_bytes
from uvmagic.system import images
from uvmagic.system.environment import Environment
from uvmagic.system.files import write_atomically
from uvmagic.system.host import Host, shorten
from uvmagic.system.uv import Uv, environment_for_uv, find_uv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

    from uvmagic.bundle.bases import Base
    from uvmagic.data import Backend
    from uvmagic.grammar import Command
    from uvmagic.lockfile.walk import Closure
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
class _Source:
    """What a bundle is made from, all of it read before anything is written."""

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

    @property
    def notebook_path(self) -> str:
        return self.notebook_file.relative_to(self.project.folder).as_posix()


def bundle(command: Command, host: Host) -> Outcome:
    """Make the bundle of a notebook; the working tree stays as it is.

    Raises:
        NotebookUnknown, ProjectMissing, BundleRefused, UvFailed, UvUnavailable, FilesUnwritable:
            no bundle was made, and one that was there stays.
    """
    # A change that is under way is waited for, one that was killed is undone.
    healed = heal_if_needed(host.cwd, host)
    source = _source(command, host)
    name = f"{source.notebook_file.stem}-bundle"
    target = (host.cwd / (command.value("--output") or name)).absolute()
    _refuse_foreign(target, source.project)
    archive = _archive(command, host)
    uv = find_uv(host.environ)
    keep_outputs = command.has("--keep-outputs")
    # Before anything is built or fetched, and again when all is there.
    secrets = Inspection(command.options.get("--allow-secret", ()))
    secrets.require_none(_contents(source, keep_outputs=keep_outputs))
    if command.has("--dry-run"):
        planned = _outcome(
            source, target, source.files, "Would bundle", image=_plan(source, uv, host)
        )
        return with_note(planned, secrets.note())
    _require_fresh_lock(uv, source.project, host)
    with tempfile.TemporaryDirectory(prefix="uvmagic-bundle-") as scratch:
        stage = Path(scratch) / target.name
        stage.mkdir()
        locked, base = _fill(stage, source, uv, host, keep_outputs=keep_outputs)
        files = {p.relative_to(stage).as_posix(): p for p in contents.files_below(stage)}
        secrets.require_none((path, file.read_bytes()) for path, file in files.items())
        image = _image(source, locked.lockfile, locked.closure, base, host)
        sized = _outcome(source, target, files, "Bundled", locked, image)
        _put_in_place(stage, target)
    if archive is not None:
        content = packed(target, target.name)
        write_atomically(archive, content)
        packed_fact = ("archive", f"{shorten(archive)}  {in_bytes(len(content))}")
        sized = dataclasses.replace(sized, facts=(sized.facts[0], packed_fact, *sized.facts[1:]))
    return with_note(with_note(sized, secrets.note()), healed)


def _source(command: Command, host: Host) -> _Source:
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
    if project.root != project.folder:
        raise BundleRefused(
            f"{project.name} is a member of the workspace {shorten(project.root)}; bundles of "
            "workspace members cannot be made yet.",
            "Give the notebook a project of its own: %uv init in its folder.",
        )
    python = Environment(project.environment(host.environ)).python_version()
    if (project.folder / "uv.toml").is_file():
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
    folders = [file.parent, project.folder, project.folder / "src"]
    modules = contents.local_modules(sources, folders)
    read, large = contents.data_files(sources, file.parent)
    extra = {
        path
        for pattern in command.options.get("--include", ())
        for path in contents.included(pattern, host.cwd)
    }
    return _Source(
        project,
        file,
        notebook,
        contents.placed({file, *modules, *read, *extra}, project.folder),
        (
            *_RUNS_A_NOTEBOOK,
            *(_RUNS_A_MAGIC if uses_uvmagic else ()),
            *contents.foreign_imports(sources, modules),
        ),
        ".".join(python.split(".")[:2]),
        uses_uvmagic,
        command.options.get("--keep-index", ()),
        _backend(command, host),
        base,
        left_out=tuple(
            f"{path} ({in_bytes(size)}) is read, and too large to go unasked: --include '{path}'"
            for path, size in large.items()
            if file.parent / path not in extra
        ),
        compiles=not command.has("--no-compile"),
    )


def _archive(command: Command, host: Host) -> Path | None:
    """The file that the bundle is packed to as well; None for none."""
    named = command.value("--archive")
    if named is not None and not named.endswith((".tar.gz", ".tgz")):
        raise UsageError(f"{named} would be no archive.", "Name one that ends in .tar.gz")
    return None if named is None else host.cwd / named


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


def _require_fresh_lock(uv: Uv, project: Project, host: Host) -> None:
    result = uv.run(
        ["lock", "--locked"], cwd=project.folder, environ=environment_for_uv(host.environ)
    )
    if result.returncode != 0:
        raise UvFailed(
            f"uv.lock is not up to date with pyproject.toml:\n{result.transcript.error()}",
            "Run  %uv lock  (or %uv sync) first.",
        )


def _contents(source: _Source, *, keep_outputs: bool) -> Iterator[tuple[str, bytes]]:
    """What the project gives to the bundle: the place of each file in it, and the content."""
    for path, file in source.files.items():
        if path == source.notebook_path:
            made = notebooks.portable(source.notebook, keep_outputs=keep_outputs)
            yield path, notebooks.to_bytes(made)
        else:
            yield path, file.read_bytes()


def _fill(
    stage: Path, source: _Source, uv: Uv, host: Host, *, keep_outputs: bool
) -> tuple[Locked, Base]:
    """Write the whole bundle into an empty folder. Gives what was locked, and what it stands on."""
    for path, content in _contents(source, keep_outputs=keep_outputs):
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_bytes(content)
    host.reporter.progress(Progress("Building wheels of local distributions"))
    wheels = build_wheels(stage, source.project, uv, host, with_uvmagic=source.loads_uvmagic)
    rerun = [*portable.RERUN]
    if source.loads_uvmagic:
        origin = support.origin_of_uvmagic()
        rerun.append("uvmagic" if "uvmagic" in wheels else origin.requirement)
    locked = Locking(
        project=source.project,
        python=source.python,
        rerun=rerun,
        wheels=wheels,
        kept=source.kept_indexes,
        backend=source.backend,
    ).write(stage, uv, host)
    needs = Needs.of(locked.closure, locked.verdict)
    chosen_base = choose(source.base, needs, uv=uv.version, python=source.python)
    base = chosen_base.pinned(lambda image: images.digest(image, host.environ))
    if base.has:
        export_beside_torch(stage, uv, host)

    made_recipe = recipe.Recipe(
        notebook=source.notebook_path,
        base=base,
        uv=uv.version,
        python=source.python,
        loads_uvmagic=source.loads_uvmagic,
        wheels=tuple(wheels.values()),
        files=tuple(source.files),
        is_cuda=locked.accelerator.startswith("cuda"),
        has_own_index=locked.has_own_index,
        compiles=source.compiles,
    )
    kernel = stage / "kernels" / recipe.KERNEL
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(recipe.kernel_json(made_recipe), encoding="utf-8")
    for path, text in {
        recipe.RUNNER: carried.text("run.py"),
        recipe.COMPILER: carried.text("compile.py"),
        recipe.IMPORTS: "".join(f"{name}\n" for name in source.imports),
    }.items():
        (stage / path).write_text(text, encoding="utf-8")
    top = [path.name for path in stage.iterdir()]
    (stage / ".devcontainer").mkdir()
    for name, text in {
        "Dockerfile": recipe.dockerfile(made_recipe),
        ".dockerignore": recipe.dockerignore([*top, manifest.FILE]),
        ".devcontainer/devcontainer.json": recipe.devcontainer(made_recipe),
        "compose.yaml": recipe.compose(made_recipe),
        "README.md": recipe.readme(made_recipe),
    }.items():
        (stage / name).write_text(text, encoding="utf-8")
    listed = manifest.Manifest(
        notebook=source.notebook_path,
        python=source.python,
        uv=uv.version,
        uvmagic=uvmagic.__version__,
        platform=locked.platform,
        accelerator=locked.accelerator,
        source_lock_sha256=manifest.sha256(source.project.lock),
        files={
            path.relative_to(stage).as_posix(): manifest.sha256(path)
            for path in sorted(contents.files_below(stage))
        },
    )
    (stage / manifest.FILE).write_bytes(listed.to_bytes())
    return locked, base


# --- the folder -------------------------------------------------------------------------------


def _refuse_foreign(target: Path, project: Project) -> None:
    """A folder is replaced only if it is a bundle with nothing else in it."""
    if not target.exists():
        return
    if target.resolve() in (project.folder, *project.folder.parents):
        raise BundleRefused(f"{shorten(target)} is the project itself.", "Name another folder: -o")
    listed = manifest.read(target).files if (target / manifest.FILE).is_file() else None
    if listed is None:
        raise BundleRefused(
            f"{shorten(target)} exists and is not a bundle.", "Name another folder: -o DIR"
        )
    present = {p.relative_to(target).as_posix() for p in contents.files_below(target)}
    foreign = sorted(present - listed.keys() - {manifest.FILE})
    if foreign:
        raise BundleRefused(
            f"{shorten(target)} has files that are not the bundle's: {', '.join(foreign[:5])}.",
            "Move them away, or name another folder: -o DIR",
        )


def _put_in_place(stage: Path, target: Path) -> None:
    """Move the finished bundle to its place; an older one stays until then."""
    marker = target.parent / f".{target.name}.making"
    shutil.rmtree(marker, ignore_errors=True)
    old = target.parent / f".{target.name}.old"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(stage, marker)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
        marker.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(marker, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _plan(source: _Source, uv: Uv, host: Host) -> tuple[str, ...]:
    """What the image would be, from the project's own lock; what runs the notebook comes on top."""
    lockfile = Lockfile(source.project.lock.read_text(encoding="utf-8"))
    target = Target(LINUX, source.python)
    closure = walk(lockfile, target, root=source.project.name)
    needs = Needs.of(closure, audit_walked(lockfile, closure, target))
    base = choose(source.base, needs, uv=uv.version, python=source.python)
    return _image(source, lockfile, closure, base, host)


def _image(
    source: _Source, lockfile: Lockfile, closure: Closure, base: Base, host: Host
) -> tuple[str, ...]:
    """The base with why it is that one, and how large the image will be; a line each."""
    foreseen = forecast(
        lockfile,
        closure,
        known=Environment(source.project.environment(host.environ)).sizes(),
        in_base=base.has,
        base=None if base.kind == "own" else data.base_image(base.kind).bytes,
    )
    return f"{base.final}: {base.why}", foreseen.told()


def _outcome(
    source: _Source,
    target: Path,
    files: dict[str, Path],
    verb: str,
    locked: Locked | None = None,
    image: tuple[str, ...] = (),
) -> Outcome:
    size = sum(file.stat().st_size for file in files.values())
    listed = [f"{path}  {in_bytes(file.stat().st_size)}" for path, file in sorted(files.items())]
    notes = [*source.left_out]
    if any(cell.get("outputs") for cell in source.notebook.cells):
        notes.append("Saved outputs were seen; they go along only with --keep-outputs.")
    notes.append("What the notebook file holds is bundled: save it first.")
    where, tag = shorten(target), recipe.image_tag(source.notebook_file.stem)
    return Outcome(
        "bundle",
        f"{verb} {source.notebook_path}: {len(files)} files, {in_bytes(size)}",
        facts=(
            ("bundle", where),
            ("python", source.python),
            *((("accelerator", locked.accelerator),) if locked else ()),
            *zip(("image", "size"), image, strict=False),
            *(("files" if number == 0 else "", row) for number, row in enumerate(listed)),
        ),
        notes=(*notes, *(locked.notes if locked else ())),
        next_steps=()
        if locked is None
        else (
            f"uvmagic rerun {where}   runs it from nothing.",
            f"docker build -t {tag} {where}   makes an image.",
        ),
        data={"files": sorted(files), "path": str(target)},
    )
