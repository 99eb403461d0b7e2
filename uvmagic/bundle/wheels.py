"""What a bundle needs and no index has, as wheels: the project, dependencies by path, uvmagic."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.bundle import contents, portable
from uvmagic.errors import BundleRefused, UvFailed
from uvmagic.kernel import support
from uvmagic.system.uv import Uv, environment_for_uv

if TYPE_CHECKING:
    from uvmagic.project import Project
    from uvmagic.system.host import Host


def build_wheels(
    stage: Path, project: Project, uv: Uv, host: Host, *, with_uvmagic: bool
) -> dict[str, str]:
    """Build what has no place on an index into a bundle's folder.

    Sources are copied first: some build back ends write into the folder that they build.

    Returns:
        Normalised name → path in the bundle.

    Raises:
        BundleRefused: a source is there no more.
        UvFailed: one could not be built.
    """
    wanted = portable.local_distributions(project.pyproject, project.folder)
    if with_uvmagic:
        folder = support.origin_of_uvmagic().folder
        if folder is not None:
            wanted.append(portable.LocalDistribution("uvmagic", folder))
    built: dict[str, str] = {}
    for local in wanted:
        if local.folder.suffix == ".whl":
            (stage / "wheels").mkdir(exist_ok=True)
            shutil.copy(local.folder, stage / "wheels")
            built[local.name] = f"wheels/{local.folder.name}"
            continue
        if not (local.folder / "pyproject.toml").is_file():
            raise BundleRefused(
                f"{local.name} was installed from {local.folder}, and is there no more.",
                "Install it again.",
            )
        with tempfile.TemporaryDirectory(prefix="uvmagic-build-") as scratch:
            copied, out = Path(scratch) / "source", Path(scratch) / "wheels"
            ignored = shutil.ignore_patterns(*sorted(contents.LITTER), f"{stage.name}*")
            shutil.copytree(local.folder, copied, ignore=ignored, symlinks=True)
            _build(uv, copied, out, host, f"{local.name} could not be built")
            wheel = next(out.glob("*.whl"))
            (stage / "wheels").mkdir(exist_ok=True)
            shutil.move(wheel, stage / "wheels")
            built[local.name] = f"wheels/{wheel.name}"
    return built


def _build(uv: Uv, folder: Path, out: Path, host: Host, failed: str) -> None:
    """Build a wheel; its build requirements may come from wherever this machine gets them."""
    result = uv.run(
        ["build", "--wheel", "--out-dir", str(out), str(folder)],
        cwd=folder.parent,
        environ=environment_for_uv(host.environ),
        on_progress=host.reporter.progress,
    )
    if result.returncode != 0:
        raise UvFailed(f"{failed}; no bundle was made.\n{result.transcript.error()}")
