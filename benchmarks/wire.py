"""A kernel and its bare sockets: when it was asked, and when it has answered.

jupyter_client's own client tries to connect every 100 to 200 ms, and waits 200 ms for nothing once
the kernel is ready: more than what is to be measured. This one tries every 2 ms and waits for the
reply alone.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any

import zmq
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_MS = 120_000


class Wire:
    """A running kernel; a context manager that ends it.

    Args:
        name: the kernelspec's name.
        notebook: the notebook, which a Jupyter server tells its kernels; they run in its folder.

    Attributes:
        began: when its start was asked for, by the clock of `time.perf_counter`.
    """

    def __init__(self, name: str, notebook: Path) -> None:
        self._name, self._notebook = name, notebook
        self._sockets = tempfile.TemporaryDirectory(prefix="ipc-")  # a socket's path must be short

    def __enter__(self) -> Wire:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._context.setsockopt(zmq.RECONNECT_IVL, 2)  # of all its sockets
        self._context.setsockopt(zmq.LINGER, 0)
        self.began = time.perf_counter()
        self._manager = KernelManager(
            kernel_name=self._name,
            transport="ipc",
            ip=f"{self._sockets.name}/kernel",
            context=self._context,
        )
        self._manager.start_kernel(
            cwd=str(self._notebook.parent),
            env={**os.environ, "JPY_SESSION_NAME": str(self._notebook)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._shell = self._manager.connect_shell()
        self._iopub = self._manager.connect_iopub()
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.shutdown_kernel()
        self._shell.close()
        self._iopub.close()
        self._manager.cleanup_resources()
        self._context.destroy(linger=0)
        self._sockets.cleanup()

    def send(self, code: str) -> str:
        """Ask for a cell; gives the message's id."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = self._manager.session.send(self._shell, "execute_request", content)
        return str(message["header"]["msg_id"])

    def reply(self, request: str) -> None:
        """Wait for a cell's reply, which must be a good one."""
        while (reply := self._receive(self._shell))["parent_header"].get("msg_id") != request:
            pass
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"{self._name}: {reply['content']}")

    def run(self, code: str) -> float:
        """Run a cell to its reply; gives when that had come."""
        self.reply(self.send(code))
        return time.perf_counter()

    def settle(self) -> None:
        """Run a cell whose messages on IOPub come, too; from now on all do."""
        while not self._iopub.poll(50):
            self.run("pass")
        while self._iopub.poll(50):
            self._iopub.recv_multipart()

    def round_trip(self, code: str) -> float:
        """Run a cell until its reply is there and it is told to be idle; gives the seconds.

        Only after `settle`.
        """
        began = time.perf_counter()
        request = self.send(code)
        self.reply(request)
        while True:
            message = self._receive(self._iopub)
            if message["parent_header"].get("msg_id") == request and (
                message["content"].get("execution_state") == "idle"
            ):
                return time.perf_counter() - began

    def _receive(self, socket: Any) -> dict[str, Any]:
        if not socket.poll(_PATIENCE_MS):
            raise RuntimeError(f"{self._name}: no message")
        message: dict[str, Any] = self._manager.session.recv(socket, mode=0)[1]
        return message


def start_to_first_reply(name: str, notebook: Path) -> float:
    """Start a kernel, have it run a first cell, end it; gives the seconds to that cell's reply."""
    with Wire(name, notebook) as kernel:
        return kernel.run("1") - kernel.began
