"""A bundle run by a container engine: its image built, its notebook run, its copy brought out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.bundle import recipe
from uvmagic.bundle.manifest import FILE
from uvmagic.errors import EngineFailed
from uvmagic.progress import Progress
from uvmagic.rerun.engines import Run, Settings, cells_told
from uvmagic.system.process import run_captured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uvmagic.bundle.manifest import Manifest
    from uvmagic.system.host import Host

ENGINES = ("docker", "podman", "buildah")
"""The container engines, the one first that `auto` takes first."""
_PARAMETERS = "/parameters"
"""Where files of parameters are in the container."""
_GPU = {"docker": ("--gpus", "all"), "podman": ("--device", "nvidia.com/gpu=all")}
"""How each gives a container the GPUs; buildah knows no such thing."""
_BUILDER = {"DOCKER_BUILDKIT": "1"}
"""Docker before 23, as Debian 12 has it, takes a builder that knows no cache mount unless told."""


def first_at_hand(environ: dict[str, str]) -> str | None:
    """The first container engine on PATH; None for none."""
    return next((name for name in ENGINES if shutil.which(name, path=environ.get("PATH"))), None)


@contextlib.contextmanager
def in_container(
    engine: str, bundle: Path, manifest: Manifest, settings: Settings, host: Host
) -> Iterator[Run]:
    """Build a bundle's image and run it; the image stays, so that the next build is short.

    Args:
        engine: one of `ENGINES`.
        bundle: the bundle's folder; it is not written to.
        manifest: its manifest.
        settings: parameters and timeout.
        host: where it runs.

    Raises:
        EngineFailed: the engine is not there, or the image could not be built.
        Interrupted: by the user.
    """
    program = shutil.which(engine, path=host.environ.get("PATH"))
    if program is None:
        raise EngineFailed(f"{engine} is not on PATH.", _LOCAL)
    cells, steps = cells_told(manifest.notebook, host), steps_told(host)
    calls = _Calls(program, host, lambda text: (cells(text), steps(text)))
    digest = hashlib.sha256((bundle / FILE).read_bytes()).hexdigest()[:12]
    title = Path(manifest.notebook).stem
    tag = f"localhost/uvmagic-{recipe.image_tag(title)}:{digest}"
    layers = ["--layers"] if engine == "buildah" else []
    host.reporter.progress(Progress("Building the image"))
    calls.must("build", *layers, *_lent(bundle, host), "--tag", tag, str(bundle))
    with tempfile.TemporaryDirectory(prefix="uvmagic-rerun-") as scratch:
        out, parameters = Path(scratch) / "out", Path(scratch) / "parameters"
        out.mkdir()
        parameters.mkdir()
        inside = _brought(settings, parameters)
        mounts = ["--volume", f"{out}:/out:z", "--volume", f"{parameters}:{_PARAMETERS}:ro,z"]
        host.reporter.progress(Progress(f"Running {manifest.notebook}"))
        if engine == "buildah":
            returncode, said = _run_by_buildah(calls, tag, manifest, mounts, inside)
        else:
            gpu = _GPU[engine] if manifest.accelerator.startswith("cuda") else ()
            options = [*mounts, *_as_caller(engine), *gpu]
            returncode, said = calls("run", "--rm", *options, tag, *inside)
        yield Run(returncode, out / Path(manifest.notebook).name, said)


_STEP = re.compile(
    r"^(?:#\d+ \[[^\]]*\d+/\d+\]|(?:\[\d+/\d+\] )?STEP \d+/\d+ ?:) (\S.*)",
    re.MULTILINE | re.IGNORECASE,
)
"""What Docker's builders (`#7 [env 2/4] RUN …`, `Step 2/9 : RUN …`) and podman say of each step."""


def steps_told(host: Host) -> Callable[[str], None]:
    """What listens to a container engine that builds, and tells which step it is at."""

    def heard(text: str) -> None:
        for step in _STEP.findall(text):
            host.reporter.progress(Progress(f"Building the image: {step}"))

    return heard


_LOCAL = "--engine local  needs uv alone."


class _Calls:
    """Calls of a container engine; `heard` gets what they say as it comes."""

    def __init__(self, program: str, host: Host, heard: Callable[[str], object]) -> None:
        self._program, self._host, self._heard = program, host, heard

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """Run the engine to its end: exit status, stdout and stderr together."""
        return run_captured(
            [self._program, *arguments],
            cwd=self._host.cwd,
            environ={**_BUILDER, **self._host.environ},
            heard=self._heard,
        )

    def must(self, *arguments: str) -> str:
        """Likewise; raises EngineFailed where it fails."""
        returncode, said = self(*arguments)
        if returncode != 0:
            name = Path(self._program).name
            last = "\n".join(said.strip().splitlines()[-8:])
            raise EngineFailed(f"{name} {arguments[0]} failed:\n{last}", _LOCAL)
        return said.strip()


def _lent(bundle: Path, host: Host) -> list[str]:
    """What lends a build the passwords of indexes, where it takes them and uv would find them."""
    home = host.environ.get("HOME", "/")
    netrc = Path(host.environ.get("NETRC") or f"{home}/.netrc")
    takes = f"type=secret,id={recipe.NETRC}," in (bundle / "Dockerfile").read_text(encoding="utf-8")
    return ["--secret", f"id={recipe.NETRC},src={netrc}"] if takes and netrc.is_file() else []


def _brought(settings: Settings, folder: Path) -> list[str]:
    """Papermill's arguments, their files copied to a folder that the container has as its own."""
    inside = []
    for number, file in enumerate(settings.parameter_files):
        copied = f"{number}{file.suffix}"
        shutil.copyfile(file, folder / copied)
        inside.append(Path(_PARAMETERS) / copied)
    return Settings(settings.parameters, inside, settings.timeout).arguments()


def _as_caller(engine: str) -> list[str]:
    """What makes the executed copy the caller's own."""
    if not hasattr(os, "getuid"):
        return []
    user = ["--user", f"{os.getuid()}:{os.getgid()}"]
    is_rootless = engine == "podman" and os.getuid() != 0
    return [*(["--userns", "keep-id"] if is_rootless else []), *user]


def _run_by_buildah(
    calls: _Calls, tag: str, manifest: Manifest, mounts: Sequence[str], inside: Sequence[str]
) -> tuple[int, str]:
    """Run the image's own command: buildah starts no entry point."""
    container = calls.must("from", "--pull-never", tag)
    try:
        command = ["python", *recipe.run_in_image(manifest.notebook), *inside]
        return calls("run", "--user", "0:0", *mounts, container, "--", *command)
    finally:
        calls("rm", container)
