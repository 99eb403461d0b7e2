"""`bundle`: the order of things, from the notebook to the folder."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import uvmagic
from uvmagic.accelerator.audit import LINUX, audit_walked
from uvmagic.bundle import carried, contents, manifest, portable, recipe
from uvmagic.bundle.archive import packed
from uvmagic.bundle.bases import Needs, choose
from uvmagic.bundle.folder import put_in_place, refuse_foreign
from uvmagic.bundle.forecast import forecast
from uvmagic.bundle.locking import Locked, Locking, export_beside_torch, the_backend
from uvmagic.bundle.secrets import Inspection
from uvmagic.bundle.source import contents_of, gather
from uvmagic.bundle.wheels import build_wheels
from uvmagic.change.place import heal_if_needed
from uvmagic.change.report import with_note
from uvmagic.data.images import base_image
from uvmagic.errors import UsageError, UvFailed
from uvmagic.kernel import support
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk
from uvmagic.outcome import Outcome
from uvmagic.progress import Progress
from uvmagic.system import images
from uvmagic.system.environment import Environment
from uvmagic.system.files import write_atomically
from uvmagic.system.host import Host, shorten
from uvmagic.system.uv import Uv, environment_for_uv, find_uv
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from uvmagic.bundle.bases import Base
    from uvmagic.bundle.source import Source
    from uvmagic.grammar import Command
    from uvmagic.lockfile.walk import Closure
    from uvmagic.project import Project


def bundle(command: Command, host: Host) -> Outcome:
    """Make the bundle of a notebook; the working tree stays as it is.

    Raises:
        NotebookUnknown, ProjectMissing, BundleRefused, UvFailed, UvUnavailable, FilesUnwritable:
            no bundle was made, and one that was there stays.
    """
    # A change that is under way is waited for, one that was killed is undone.
    healed = heal_if_needed(host.cwd, host)
    source = gather(command, host)
    name = f"{source.notebook_file.stem}-bundle"
    target = (host.cwd / (command.value("--output") or name)).absolute()
    refuse_foreign(target, source.project)
    archive = _archive(command, host)
    uv = find_uv(host.environ)
    keep_outputs = command.has("--keep-outputs")
    # Before anything is built or fetched, and again when all is there.
    secrets = Inspection(command.options.get("--allow-secret", ()))
    secrets.require_none(contents_of(source, keep_outputs=keep_outputs))
    if command.has("--dry-run"):
        planned = _outcome(
            source, target, source.files, "Would bundle", image=_plan(source, uv, host)
        )
        return with_note(with_note(planned, secrets.note()), _of_outputs(source, keep_outputs))
    _require_fresh_lock(uv, source.project, host)
    with tempfile.TemporaryDirectory(prefix="uvmagic-bundle-") as scratch:
        stage = Path(scratch) / target.name
        stage.mkdir()
        locked, base = _fill(stage, source, uv, host, keep_outputs=keep_outputs)
        host.reporter.progress(Progress("Looking for secrets in the bundle"))
        files = {p.relative_to(stage).as_posix(): p for p in contents.files_below(stage)}
        secrets.require_none((path, file.read_bytes()) for path, file in files.items())
        image = _image(source, locked.lockfile, locked.closure, base, host)
        sized = _outcome(source, target, files, "Bundled", locked, image)
        put_in_place(stage, target)
    if archive is not None:
        content = packed(target, target.name)
        write_atomically(archive, content)
        packed_fact = ("archive", f"{shorten(archive)}  {in_bytes(len(content))}")
        sized = dataclasses.replace(sized, facts=(sized.facts[0], packed_fact, *sized.facts[1:]))
    told = with_note(with_note(sized, secrets.note()), _of_outputs(source, keep_outputs))
    return with_note(told, healed)


def _of_outputs(source: Source, are_kept: bool) -> str | None:
    """What to say of the outputs that the notebook was saved with."""
    if are_kept or not any(cell.get("outputs") for cell in source.notebook.cells):
        return None
    return "Saved outputs were seen; they go along only with --keep-outputs."


def _archive(command: Command, host: Host) -> Path | None:
    """The file that the bundle is packed to as well; None for none."""
    named = command.value("--archive")
    if named is not None and not named.endswith((".tar.gz", ".tgz")):
        raise UsageError(f"{named} would be no archive.", "Name one that ends in .tar.gz")
    return None if named is None else host.cwd / named


def _require_fresh_lock(uv: Uv, project: Project, host: Host) -> None:
    result = uv.run(
        ["lock", "--locked"], cwd=project.folder, environ=environment_for_uv(host.environ)
    )
    if result.returncode != 0:
        raise UvFailed(
            f"uv.lock is not up to date with pyproject.toml:\n{result.transcript.error()}",
            "Run  %uv lock  (or %uv sync) first.",
        )


def _fill(
    stage: Path, source: Source, uv: Uv, host: Host, *, keep_outputs: bool
) -> tuple[Locked, Base]:
    """Write the whole bundle into an empty folder. Gives what was locked, and what it stands on."""
    for path, content in contents_of(source, keep_outputs=keep_outputs):
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_bytes(content)
    if source.built:
        host.reporter.progress(Progress("Building wheels of local distributions"))
    wheels = build_wheels(stage, source.built, uv, host)
    host.reporter.progress(Progress("Locking for the bundle"))
    locked, has_uvmagic = _lock(stage, source, wheels, uv, host)
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
        has_uvmagic=has_uvmagic,
    )
    kernel = stage / "kernels" / recipe.KERNEL
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(recipe.kernel_json(made_recipe), encoding="utf-8")
    for path, text in {
        recipe.RUNNER: carried.text("run.py"),
        recipe.COMPILER: carried.text("compile.py"),
        recipe.IMPORTS: "".join(f"{name}\n" for name in source.imports),
        **({} if has_uvmagic else {recipe.STAND_IN: carried.text("uvmagic.py")}),
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


def _lock(
    stage: Path, source: Source, wheels: dict[str, str], uv: Uv, host: Host
) -> tuple[Locked, bool]:
    """Lock the bundle. Gives what was locked, and whether what its kernel is to load is in it.

    uvmagic may be newer than all that the project allows, by its Python or by exclude-newer.
    """
    plain = Locking(
        project=source.project,
        needs=source.needs,
        python=source.python,
        rerun=portable.RERUN,
        wheels=wheels,
        kept=source.kept_indexes,
        backend=source.backend,
    )
    if not source.loads_uvmagic:
        return plain.write(stage, uv, host), True
    own = "uvmagic" if "uvmagic" in wheels else support.origin_of_uvmagic().requirement
    try:
        return dataclasses.replace(plain, rerun=[*plain.rerun, own]).write(stage, uv, host), True
    except UvFailed as failure:
        others = {name: path for name, path in wheels.items() if name != "uvmagic"}
        try:
            locked = dataclasses.replace(plain, wheels=others).write(stage, uv, host)
        except UvFailed:
            raise failure from None
    note = "uvmagic is newer than its packages: there the magic checks names alone."
    return dataclasses.replace(locked, notes=(*locked.notes, note)), False


def _plan(source: Source, uv: Uv, host: Host) -> tuple[str, ...]:
    """What the image would be, from the project's own lock; what runs the notebook comes on top."""
    lockfile = Lockfile(source.project.lock.read_text(encoding="utf-8"))
    target = Target(LINUX, source.python)
    found = source.project  # what a member's backends are, its workspace tells
    one = the_backend(found.pyproject, source.backend) if found.is_root else None
    extras = (one.extra,) if one else ()
    closure = walk(lockfile, target, root=found.name, extras=extras)
    needs = Needs.of(closure, audit_walked(lockfile, closure, target))
    base = choose(source.base, needs, uv=uv.version, python=source.python)
    return _image(source, lockfile, closure, base, host)


def _image(
    source: Source, lockfile: Lockfile, closure: Closure, base: Base, host: Host
) -> tuple[str, ...]:
    """The base with why it is that one, and how large the image will be; a line each."""
    foreseen = forecast(
        lockfile,
        closure,
        known=Environment(source.project.environment(host.environ)).sizes(),
        in_base=base.has,
        base=None if base.kind == "own" else base_image(base.kind).bytes,
    )
    return f"{base.final}: {base.why}", foreseen.told()


def _outcome(
    source: Source,
    target: Path,
    files: dict[str, Path],
    verb: str,
    locked: Locked | None = None,
    image: tuple[str, ...] = (),
) -> Outcome:
    size = sum(file.stat().st_size for file in files.values())
    listed = [("", path, in_bytes(file.stat().st_size)) for path, file in sorted(files.items())]
    notes = [*source.left_out]
    if locked is None and source.built:
        names = ", ".join(each.name for each in source.built)
        notes.append(f"Would be built to wheels: {names}.")
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
        ),
        rows=tuple(listed),
        notes=(*notes, *(locked.notes if locked else ())),
        next_steps=()
        if locked is None
        else (
            f"uvmagic rerun {where}   runs it from nothing.",
            f"docker build -t {tag} {where}   makes an image.",
        ),
        data={"files": sorted(files), "path": str(target)},
    )
