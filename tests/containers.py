"""Real container engines, each with everything of its own in one folder, and no registry.

Nothing can be pulled where the tests run, so the images that a Dockerfile stands on are stood in
for by ones made on the spot: Debian with its Python, and the uv that runs the tests. The Dockerfile
stays as it is: the names that it says are made to mean the stand-ins.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PYTHON = "3.11"
"""Python of Debian 12, which the stand-ins are made of."""
STAND_IN = "localhost/uvmagic-stand-in"
STAND_IN_FINAL = "localhost/uvmagic-stand-in-final"
"""The same without uv."""
STAND_IN_TORCH = "localhost/uvmagic-stand-in-torch"
"""The latter with a torch that is none; made by the test that wants it."""
_SUITE = "bookworm"
_PACKAGES = (
    *("base-files", "base-passwd", "bash", "coreutils", "dash", "debianutils", "findutils", "grep"),
    *("gzip", "hostname", "libc-bin", "libstdc++6", "procps", "python3", "sed", "tar"),
)
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ROOM = 6 * 2**30
"""Bytes that the images of the tests take, and as much again."""


def fast_folder() -> Path | None:
    """A new folder in memory, where there is room for images: twice as fast as on a disk."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        return None
    if min(shutil.disk_usage(memory).free, psutil.virtual_memory().available) < _ROOM:
        return None
    return Path(tempfile.mkdtemp(prefix="uvmagic-images-", dir=memory))


def make_root(folder: Path) -> Path:
    """Make the file system of the stand-ins, an archive in a folder: Debian and its Python.

    Its packages are unpacked and not configured, in a quarter of the time; what is needed of what
    their scripts would have done is done here. This machine's certificates are in it, for a build
    can be lent none by Docker.
    """
    root, archive = folder / "root", folder / "root.tar"
    hook = "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"
    include = f"--include={','.join(_PACKAGES)}"
    bootstrap = ["mmdebstrap", "--variant=extract", hook, include, _SUITE, str(root)]
    _run(bootstrap)
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / f"etc/{name}")
    for made in ("root", "etc/uv", "etc/ssl/certs", "usr/local/bin"):
        (root / made).mkdir(parents=True, exist_ok=True)
    (root / "etc/uv/uv.toml").write_text("system-certs = true\n")
    shutil.copy(os.environ.get("SSL_CERT_FILE", _CERTIFICATES), root / f".{_CERTIFICATES}")
    _run(["tar", "-C", str(root), "-cf", str(archive), "."])
    shutil.rmtree(root)
    return archive


def _run(
    command: Sequence[str], *, check: bool = True, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command; stdout and stderr together."""
    done = subprocess.run(
        command,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{shlex.join(command)}\n{done.stdout[-4000:]}")
    return done


def named_images(dockerfile: Path) -> dict[str, str]:
    """The images that a Dockerfile names, each with its stand-in."""
    text = dockerfile.read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    named = set(re.findall(r"^(?:FROM |COPY --from=)(\S+)", text, re.MULTILINE)) - stages
    return {name: _stand_in(name) for name in sorted(named)}


def _stand_in(image: str) -> str:
    if image.startswith("pytorch/pytorch:"):
        return STAND_IN_TORCH
    return STAND_IN if "/uv:" in image else STAND_IN_FINAL


class Engine(ABC):
    """A container engine whose images, containers and configuration lie in one folder.

    Args:
        folder: the folder; it is made.
    """

    programs: ClassVar[tuple[str, ...]]
    """The programs that know its images; the first is its own."""
    needs: ClassVar[tuple[str, ...]]
    """The programs that those need."""
    path: ClassVar[str | None] = None
    """Where all of them are looked for; None for PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    @property
    @abstractmethod
    def environ(self) -> dict[str, str]:
        """The environment variables by which its programs find what is its own."""

    @abstractmethod
    def standing_in(self, dockerfile: Path) -> list[str]:
        """Put stand-ins in the place of the images that a Dockerfile names.

        Gives the options of `build` that it takes.
        """

    @abstractmethod
    def close(self) -> None:
        """End and remove everything that was made."""

    @classmethod
    def missing(cls) -> list[str]:
        """What the machine lacks to make stand-ins, build on them and run what was built."""
        needed = (*cls.programs, *cls.needs, "mmdebstrap")
        lacking = [name for name in needed if shutil.which(name, path=cls.path) is None]
        return lacking + (["root"] if os.geteuid() != 0 else [])

    def which(self, program: str) -> str:
        """The path of one of its programs."""
        found = shutil.which(program, path=self.path)
        assert found is not None, program
        return found

    def __call__(
        self, *arguments: str, check: bool = True, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run its own program; stdout and stderr together."""
        command = [self.which(self.programs[0]), *arguments]
        return _run(command, check=check, environ={**self.environ, **environ})

    def make_stand_ins(self, root: Path, uv: str) -> None:
        """Make the base images from the archive of a root file system, and from uv."""
        self("import", f"--change=ENV {_PATH}", str(root), STAND_IN_FINAL)
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            context = Path(scratch)
            shutil.copy(uv, context / "uv")
            (context / "Dockerfile").write_text(f"FROM {STAND_IN_FINAL}\nCOPY uv /usr/local/bin/\n")
            self("build", "--tag", STAND_IN, str(context))

    def build(self, context: Path, tag: str) -> None:
        """Build a bundle's Dockerfile as it is."""
        standing_in = self.standing_in(context / "Dockerfile")
        # Docker before 23 takes an older builder unless told
        self("build", *standing_in, "--tag", tag, str(context), DOCKER_BUILDKIT="1")

    def run(self, tag: str, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an image without network, its file system read-only, `/out` in a folder of ours."""
        out.mkdir(exist_ok=True)
        out.chmod(0o777)
        options = ["--rm", "--network=none", "--read-only", "--tmpfs=/tmp", f"--volume={out}:/out"]
        return self("run", *options, tag, *arguments, check=False)

    def shell(self, tag: str, command: str) -> str:
        """What a shell's command says in an image."""
        return self("run", "--rm", "--network=none", "--entrypoint=sh", tag, "-c", command).stdout

    def identity(self, tag: str) -> str:
        """The digest of an image: the same for the same layers and configuration."""
        return self("image", "inspect", "--format={{.Id}}", tag).stdout.strip()

    def size(self, tag: str) -> int:
        """Bytes of an image's layers, unpacked."""
        return int(self("image", "inspect", "--format={{.Size}}", tag).stdout)

    def layers(self, tag: str) -> list[str]:
        """The digests of an image's layers, the lowest first."""
        told = self("image", "inspect", "--format={{json .RootFS.Layers}}", tag).stdout
        found: list[str] = json.loads(told)
        return found

    def at_hand(self, folder: Path, dockerfile: Path) -> dict[str, str]:
        """The environment variables by which whoever calls its programs by name has it.

        Args:
            folder: a folder for the programs, which are the real ones and know the stand-ins; it is
                made.
            dockerfile: what is to be built.
        """
        folder.mkdir()
        told = shlex.join(self.standing_in(dockerfile))
        for name in self.programs:
            program = folder / name
            program.write_text(
                f'#!/bin/sh\nif [ "$1" = build ]; then shift; set -- build {told} "$@"; fi\n'
                f'exec {self.which(name)} "$@"\n'
            )
            program.chmod(0o755)
        return {**self.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
