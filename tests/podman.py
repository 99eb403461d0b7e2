"""Podman without an engine or registry: private configuration, and a stand-in base image.

Nothing can be pulled where the tests run, so uv's image is stood in for by one made on the spot:
Debian with its Python, and the uv that runs the tests. The Dockerfile stays as it is: the name that
it says is mapped to the stand-in when it is built.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

STAND_IN = "localhost/uvmagic-stand-in"
STAND_IN_FINAL = "localhost/uvmagic-stand-in-final"
"""The same without uv."""
PYTHON = "3.11"
"""Python of Debian 12, which the stand-in is made of."""
_SUITE = "bookworm"
_ROOM = 6 * 2**30
"""Bytes that the images of the tests take, and as much again."""
_NEEDED = ("buildah", "podman", "runc", "mmdebstrap")


def fast_folder() -> Path | None:
    """A new folder in memory, where there is room for images: twice as fast as on a disk."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < _ROOM:
        return None
    return Path(tempfile.mkdtemp(prefix="uvmagic-podman-", dir=memory))


def missing() -> list[str]:
    """What the machine lacks to build images."""
    lacking = [name for name in _NEEDED if shutil.which(name) is None]
    return lacking + (["root"] if os.geteuid() != 0 else [])


@dataclass(frozen=True)
class Podman:
    """Podman with everything of its own in one folder.

    Attributes:
        folder: where images, containers and configuration lie.
    """

    folder: Path

    def configure(self) -> None:
        """Write the configuration; nothing under /etc is touched."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "uv.toml").write_text("system-certs = true\n")
        system = Path("/etc/ssl/certs/ca-certificates.crt")
        certificates = os.environ.get("SSL_CERT_FILE", str(system))
        (self.folder / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\nrunroot = "{self.folder}/run"\n'
            f'graphroot = "{self.folder}/graph"\n'
        )
        (self.folder / "containers.conf").write_text(f"""\
[containers]
netns = "host"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
volumes = ["{certificates}:{system}:ro", "{self.folder}/uv.toml:/etc/uv/uv.toml:ro"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
""")

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables by which podman and buildah know their configuration."""
        return {
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "TMPDIR": str(self.folder),
        }

    def on_path(self, folder: Path, dockerfile: Path) -> Path:
        """Programs `podman` and `buildah` for a PATH: the real ones, told of the stand-ins."""
        folder.mkdir()
        told = " ".join(f"'{option}'" for option in self._mapped(dockerfile))
        for name in ("podman", "buildah"):
            program = folder / name
            program.write_text(
                f'#!/bin/sh\nif [ "$1" = build ]; then shift; set -- build {told} "$@"; fi\n'
                f'exec {shutil.which(name)} "$@"\n'
            )
            program.chmod(0o755)
        return folder

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run podman; stdout and stderr together."""
        done = subprocess.run(
            ["podman", *arguments],
            env={**os.environ, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"podman {' '.join(arguments)}\n{done.stdout[-4000:]}")
        return done

    def make_stand_in(self, uv: str) -> None:
        """Make the base image: Debian, its Python, the uv of the tests."""
        root = self.folder / "root"
        include = "--include=python3,python3-venv,ca-certificates"
        bootstrap = ["mmdebstrap", "--variant=minbase", "--dpkgopt=force-unsafe-io", include]
        subprocess.run([*bootstrap, _SUITE, str(root)], check=True, capture_output=True)
        shutil.copy(uv, root / "usr" / "local" / "bin" / "uv")
        (root / "etc" / "uv").mkdir()
        (root / "etc" / "uv" / "uv.toml").touch()
        archive = self.folder / "root.tar"
        for name in (STAND_IN, STAND_IN_FINAL):
            subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
            self("import", "--quiet", str(archive), name)
            (root / "usr" / "local" / "bin" / "uv").unlink(missing_ok=True)
        archive.unlink()
        shutil.rmtree(root)

    def build(self, context: Path, tag: str) -> str:
        """Build a bundle's Dockerfile as it is. Gives what podman said."""
        options = ["--layers", *self._mapped(context / "Dockerfile")]
        return self("build", *options, "--tag", tag, str(context)).stdout

    def _mapped(self, dockerfile: Path) -> list[str]:
        """The options that put the stand-ins in the place of the images that are named."""
        named = re.findall(r"^(?:FROM |COPY --from=)(\S+)", dockerfile.read_text(), re.MULTILINE)
        options = ["--pull-never"]
        for image in sorted(set(named) - {"environment"}):
            stand_in = STAND_IN if "/uv:" in image else STAND_IN_FINAL
            options += ["--build-context", f"{image}=docker-image://{stand_in}"]
        return options

    def run(self, tag: str, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an image without network, its file system read-only, `/out` in a folder of ours."""
        out.mkdir(exist_ok=True)
        out.chmod(0o777)
        options = ["--rm", "--network=none", "--read-only", "--tmpfs=/tmp", f"--volume={out}:/out"]
        return self("run", *options, tag, *arguments, check=False)

    def close(self) -> None:
        """Remove everything that was made."""
        self("rmi", "--all", "--force", check=False)
        self("unmount", "--all", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
