"""What a bundle needs and no index has, as wheels: the project, dependencies by path, uvmagic."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from uvmagic.bundle import contents
from uvmagic.bundle.local import LocalDistribution
from uvmagic.errors import BundleRefused, UvFailed
from uvmagic.kernel import support
from uvmagic.names import normalise
from uvmagic.system.uv import Uv, environment_for_uv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from uvmagic.system.host import Host


def build_wheels(
    stage: Path, wanted: Sequence[LocalDistribution], uv: Uv, host: Host
) -> dict[str, str]:
    """Build what has no place on an index into a bundle's folder.

    Sources are copied first: some build back ends write into the folder that they build.

    Args:
        stage: the bundle's folder.
        wanted: what is built; a wheel is copied.
        uv: what builds.
        host: where it runs.

    Returns:
        Normalised name → path in the bundle.

    Raises:
        BundleRefused: a source is there no more, or a wheel names a place on this machine.
        UvFailed: one could not be built.
    """
    wheels = stage / "wheels"
    built: dict[str, str] = {}
    for local in wanted:
        if not _is_source(local.place):
            raise BundleRefused(
                f"{local.name} was installed from {local.place}, and is there no more.",
                "Install it again.",
            )
        wheels.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="uvmagic-build-") as scratch:
            wheel = local.place
            if local.metadata:
                wheel = wheel_of_metadata(local, Path(scratch))
            elif wheel.suffix != ".whl":
                source = _copied(local.place, Path(scratch) / "source", stage.name)
                out = Path(scratch) / "wheels"
                _build(uv, source, out, host, f"{local.name} could not be built")
                wheel = next(out.glob("*.whl"))
            _refuse_places_of_this_machine(local.name, wheel)
            shutil.copy(wheel, wheels)
            built[local.name] = f"wheels/{wheel.name}"
    return built


def told(wheels: Iterable[str]) -> str:
    """The names and versions of some wheels, by their paths: `core 0.3, study 0.1`."""
    names = (PurePosixPath(path).name.split("-") for path in sorted(wheels))
    return ", ".join(f"{normalise(name)} {version}" for name, version, *_ in names)


def of_uvmagic() -> list[LocalDistribution]:
    """The running uvmagic, where no index has it: it was installed from a folder or a wheel."""
    place = support.origin_of_uvmagic().folder
    return [] if place is None else [LocalDistribution("uvmagic", place)]


def _is_source(place: Path) -> bool:
    """Whether there is something that uv builds, or a wheel; older projects have a setup.py."""
    return place.is_file() or any(
        (place / name).is_file() for name in ("pyproject.toml", "setup.py")
    )


def _copied(place: Path, target: Path, bundle: str) -> Path:
    """A copy of a source folder; an archive stays where it is, for it is unpacked anyway."""
    if place.is_file():
        return place
    ignored = shutil.ignore_patterns(*sorted(contents.LITTER), f"{bundle}*")
    shutil.copytree(place, target, ignore=ignored, symlinks=True)
    return target


def wheel_of_metadata(local: LocalDistribution, folder: Path) -> Path:
    """A wheel that holds nothing but what a project that is no package asks for."""
    version = next(
        line.partition(": ")[2] for line in local.metadata.splitlines() if line[:8] == "Version:"
    )
    stem = f"{local.name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    files = {
        f"{info}/METADATA": local.metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: uvmagic\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # a date that is always the same
    return wheel


def _refuse_places_of_this_machine(name: str, wheel: Path) -> None:
    """Raise BundleRefused where a wheel asks for something from a folder, as PEP 508 allows."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode(errors="replace")
    if found := re.search(r"^Requires-Dist: *(\S+) *@ *file:", text, re.MULTILINE):
        raise BundleRefused(
            f"{name} asks for {found[1]} by its place on this machine.",
            f"Name it by {found[1]} alone, and its place in [tool.uv.sources] of {name}.",
        )


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
