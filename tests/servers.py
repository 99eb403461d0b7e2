"""A real Jupyter Server on this machine, as JupyterLab runs it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Server:
    """A running Jupyter Server.

    Attributes:
        address: host and port.
        process: its process.
    """

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.address = f"127.0.0.1:{port}"
        self.process = process

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        """One call of its REST interface."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://{self.address}/api/{path}", data=data, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None

    def new_session(self, notebook: str) -> Any:
        """A session for a notebook and a kernel of this interpreter, as JupyterLab asks for it."""
        body: dict[str, Any] = {"path": notebook, "name": notebook, "type": "notebook"}
        return self.ask("sessions", body | {"kernel": {"name": "python3"}})


@contextlib.contextmanager
def running_server(root: Path) -> Iterator[Server]:
    """A server with a root folder, until the block is left."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"]
    command += [f"--ServerApp.port={port}", "--IdentityProvider.token=", "--log-level=ERROR"]
    command += ["--ServerApp.disable_check_xsrf=True", "--ServerApp.ip=127.0.0.1"]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL) as process:
        made = Server(port, process)
        try:
            for _ in range(300):
                try:
                    made.ask("status")
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                pytest.fail("the server did not start")
            yield made
        finally:
            process.terminate()
            process.wait(30)
