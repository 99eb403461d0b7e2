"""A JupyterLab, started by any command, without a browser: until a cell has run in it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from clients import OverWebsocket
from servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PATIENCE_S = 300.0


@contextlib.contextmanager
def running_lab(command: Sequence[str], folder: Path) -> Iterator[Server]:
    """JupyterLab in a folder, from its first answer until the block is left.

    Args:
        command: what starts it; JupyterLab's own options are put behind.
        folder: where.
    """
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--no-browser"]
    options += ["--allow-root", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, *options], cwd=folder, stdout=quiet, stderr=quiet) as process:
        server = Server(port, process)
        try:
            _wait_until_it_answers(server)
            yield server
        finally:
            with contextlib.suppress(OSError):
                server.ask("shutdown", {}, "POST")  # whatever is between ends with it
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.terminate()


def _wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            server.ask("status")
        except OSError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no JupyterLab by {server.process.args!r}") from None
            time.sleep(0.02)
        else:
            return


def run_in_lab(server: Server, notebook: str, kernel: str, cells: Sequence[str]) -> None:
    """Open a notebook with a kernel, as JupyterLab does, and run cells until the last has replied.

    Raises:
        RuntimeError: one of them failed.
    """
    body = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": kernel}}
    client = OverWebsocket(server, server.ask("sessions", body)["kernel"]["id"])
    try:
        for cell in cells:
            request = client.execute(cell)
            client.listen_until(lambda r=request: client.answers[r].is_complete, _PATIENCE_S)  # type: ignore[misc]
            answer = client.answers[request]
            if not answer.replies or answer.status != "ok":
                raise RuntimeError(f"{kernel}: {cell}\n{answer.replies}\n{answer.text}")
    finally:
        client.close()
