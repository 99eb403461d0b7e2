"""A session of the real Jupyter Server: it tells which notebook a cell belongs to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from kernels import Cell
from servers import Server, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder

pytestmark = pytest.mark.heavy


@pytest.fixture
def server(folder: Folder) -> Iterator[Server]:
    """A server whose root is the loopback project."""
    with running_server(folder.path) as running:
        yield running


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
    session = server.new_session("study.ipynb")
    runtime = tmp_path / "jupyter" / "runtime"
    connection_file = runtime / f"kernel-{session['kernel']['id']}.json"
    assert os.path.exists(connection_file)  # noqa: PTH110
    run_in_session(connection_file, "%load_ext uvmagic")
    cell = run_in_session(connection_file, "%uv bundle --dry-run")
    server.ask(f"sessions/{session['id']}", method="DELETE")
    assert "Would bundle study.ipynb" in cell.text
