"""A real kernel through jupyter_client, and what a front end sees of its cells."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from pathlib import Path

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Cell:
    """What one cell sent.

    Attributes:
        status: `ok`, `error` or `aborted`.
        outputs: the outputs as a notebook would save them: an update replaces its display.
        shown: the plain text of every state of every display, in order.
    """

    status: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    _displays: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that a person reads in plain text, streams, results and errors alike."""
        parts = []
        for output in self.outputs:
            if "text" in output:
                parts.append(output["text"])
            elif "traceback" in output:
                parts.append("\n".join(output["traceback"]))
            else:
                parts.append(output["data"].get("text/plain", ""))
        return _ANSI.sub("", "\n".join(parts))

    def take(self, message: dict[str, Any]) -> None:
        """Take one message of the kernel's IOPub channel."""
        kind, content = message["msg_type"], message["content"]
        identity = content.get("transient", {}).get("display_id")
        if kind == "update_display_data" and identity in self._displays:
            self.shown.append(content["data"].get("text/plain", ""))
            self._displays[identity]["data"] = content["data"]
        elif kind in ("display_data", "execute_result"):
            output = {"type": kind, "data": content["data"]}
            self.shown.append(content["data"].get("text/plain", ""))
            self.outputs.append(output)
            if identity:
                self._displays[identity] = output
        elif kind in ("stream", "error"):
            self.outputs.append({"type": kind, **content})


class Kernel:
    """A running kernel; a context manager that shuts it down.

    Args:
        name: the kernelspec's name.
        folder: where it runs.
        environ: environment variables on top of this process's.
    """

    def __init__(self, name: str, folder: Path, environ: dict[str, str] | None = None) -> None:
        self._sockets = tempfile.TemporaryDirectory(prefix="ipc-")  # a socket's path must be short
        place = f"{self._sockets.name}/kernel"
        self.manager = KernelManager(kernel_name=name, transport="ipc", ip=place)
        self._folder = folder
        self._environ = {**os.environ, **(environ or {})}

    def __enter__(self) -> Kernel:
        self.manager.start_kernel(
            cwd=str(self._folder),
            env=self._environ,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        self._connect()
        return self

    def _connect(self) -> None:
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)

    def restart(self) -> None:
        """Restart it as the button of a front end does."""
        self.client.stop_channels()
        self.manager.restart_kernel()
        self._connect()

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
        self._sockets.cleanup()

    def prefix(self) -> str:
        """The environment that it runs in.

        What comes right behind a cell that failed may be aborted with those behind it.
        """
        while (cell := self.run("print(__import__('sys').prefix)")).status == "aborted":
            pass
        assert cell.status == "ok", cell.text
        return cell.text.strip()

    def run(self, code: str, timeout: float = 240) -> Cell:
        """Execute a cell and wait for its reply."""
        cell = Cell()
        reply = self.client.execute_interactive(
            code, timeout=timeout, output_hook=cell.take, allow_stdin=False
        )
        cell.status = reply["content"]["status"]
        return cell
