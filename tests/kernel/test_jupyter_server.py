"""A session of the real Jupyter Server: it tells which notebook a cell belongs to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from kernels import Cell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder

pytestmark = pytest.mark.heavy


class Server:
    """A running Jupyter Server on this machine."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/api/"

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        """One call of its REST interface."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None


@pytest.fixture
def server(folder: Folder) -> Iterator[Server]:
    """A server whose root is the loopback project."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"]
    command += [f"--ServerApp.port={port}", "--IdentityProvider.token=", "--log-level=ERROR"]
    command += ["--ServerApp.disable_check_xsrf=True", "--ServerApp.ip=127.0.0.1"]
    with subprocess.Popen(command, cwd=folder.path, stderr=subprocess.DEVNULL) as process:
        made = Server(port)
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


def run_in_session(connection_file: Path, code: str) -> Cell:
    """Run a cell in a kernel that a server has started."""
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        cell = Cell()
        reply = client.execute_interactive(code, timeout=60, output_hook=cell.take)
        cell.status = reply["content"]["status"]
        return cell
    finally:
        client.stop_channels()


def test_the_server_tells_which_notebook_it_is(
    folder: Folder, server: Server, tmp_path: Path
) -> None:
    (folder.path / "study.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    assert folder.uvmagic("add", "alpha").returncode == 0
    body: dict[str, Any] = {"path": "study.ipynb", "name": "study.ipynb", "type": "notebook"}
    body |= {"kernel": {"name": "python3"}}  # as JupyterLab asks for a session
    session = server.ask("sessions", body)
    runtime = tmp_path / "jupyter" / "runtime"
    connection_file = runtime / f"kernel-{session['kernel']['id']}.json"
    assert os.path.exists(connection_file)  # noqa: PTH110
    run_in_session(connection_file, "%load_ext uvmagic")
    cell = run_in_session(connection_file, "%uv bundle --dry-run")
    server.ask(f"sessions/{session['id']}", method="DELETE")
    assert "Would bundle study.ipynb" in cell.text
