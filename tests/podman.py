"""Podman, and buildah with it: no daemon, a configuration of their own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from containers import Engine, named_images

if TYPE_CHECKING:
    from pathlib import Path


class Podman(Engine):
    """Podman and buildah with their images in a folder; nothing under /etc is touched."""

    programs = ("podman", "buildah")
    needs = ("conmon", "runc")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\n'
            f'runroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n'
        )
        (folder / "containers.conf").write_text("""\
[containers]
netns = "host"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
""")

    @property
    def environ(self) -> dict[str, str]:
        return {
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "TMPDIR": str(self.folder),
        }

    def standing_in(self, dockerfile: Path) -> list[str]:
        options = ["--pull-never"]
        for image, stand_in in named_images(dockerfile).items():
            options += ["--build-context", f"{image}=docker-image://{stand_in}"]
        return options

    def close(self) -> None:
        self("rmi", "--all", "--force", check=False)
        self("unmount", "--all", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
