"""Docker with a daemon of its own."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from containers import Engine, named_images

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 60
"""How long a daemon may take to begin, and to end."""


class Docker(Engine):
    """Docker with a daemon whose images, socket and containerd are in a folder."""

    programs = ("docker",)
    needs = ("dockerd", "containerd", "runc", "setpriv")
    path = "/usr/sbin:/usr/bin"
    """The distribution's own: a docker that is found earlier may be a client and no more."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._socket = f"unix://{folder}/docker.sock"
        with (folder / "dockerd.log").open("wb") as log:
            self._daemon = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig=TERM"),  # nothing stays where the tests are killed
                    *(self.which("dockerd"), f"--host={self._socket}"),
                    *(f"--data-root={folder}/data", f"--exec-root={folder}/exec"),
                    *(f"--pidfile={folder}/pid", "--storage-driver=overlay2"),
                    *("--bridge=none", "--iptables=false"),  # the machine's network stays as it is
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._await_daemon()
        except BaseException:
            self.close()
            raise

    @property
    def environ(self) -> dict[str, str]:
        return {"DOCKER_HOST": self._socket, "DOCKER_CONFIG": str(self.folder / "config")}

    def standing_in(self, dockerfile: Path) -> list[str]:
        for image, stand_in in named_images(dockerfile).items():
            self("tag", stand_in, image)
        return ["--network=host"]

    def close(self) -> None:
        self._daemon.terminate()
        self._daemon.wait(_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _await_daemon(self) -> None:
        """Wait until the daemon answers."""
        until = time.monotonic() + _SECONDS
        while self("version", check=False).returncode != 0:
            if self._daemon.poll() is not None or time.monotonic() > until:
                said = (self.folder / "dockerd.log").read_text(errors="replace")
                raise AssertionError(f"dockerd does not answer\n{said[-4000:]}")
            time.sleep(0.1)
