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
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


class Server:
    """A running Jupyter Server.

    Attributes:
        address: host and port.
        process: its process.
        token: what who asks must know; empty where anybody may ask.
    """

    def __init__(self, port: int, process: subprocess.Popen[bytes], token: str = "") -> None:
        self.address = f"127.0.0.1:{port}"
        self.process = process
        self.token = token

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        """One call of its REST interface."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}"} if self.token else {}
        request = urllib.request.Request(
            f"http://{self.address}/api/{path}", data=data, headers=headers, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None

    def new_session(self, notebook: str) -> Any:
        """A session for a notebook and a kernel of this interpreter, as JupyterLab asks for it."""
        body: dict[str, Any] = {"path": notebook, "name": notebook, "type": "notebook"}
        return self.ask("sessions", body | {"kernel": {"name": "python3"}})


_SERVER = (sys.executable, "-m", "jupyter_server")


@contextlib.contextmanager
def running_server(
    root: Path,
    program: Sequence[str] = _SERVER,
    *,
    token: str = "",
    environ: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server with a root folder, until the block is left.

    Args:
        root: what it serves.
        program: how it is started; JupyterLab takes the same options.
        token: what who asks must know; without one, anybody may ask.
        environ: its environment variables; this process's where none are given.
    """
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*program, "--allow-root", "--no-browser", "--log-level=ERROR"]
    command += [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1"]
    command += [f"--IdentityProvider.token={token}"]
    command += [] if token else ["--ServerApp.disable_check_xsrf=True"]
    with subprocess.Popen(command, cwd=root, env=environ, stderr=subprocess.DEVNULL) as process:
        made = Server(port, process, token)
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
