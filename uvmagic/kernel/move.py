"""The running notebook moves to another environment: from the next cell on it runs there.

The new kernel is started first, and waited for. Then this one hands over what it has not begun, and
its process stays as the relay between front end and kernel; or, behind a relay already, goes.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmagic.errors import KernelRefused
from uvmagic.kernel.frontends import keeps_its_kernel
from uvmagic.kernel.spec import LAUNCHED, RELAY

if TYPE_CHECKING:
    from uvmagic.kernel.successor import Launch

_PATIENCE_MS = 90_000
"""How long the relay gets for its answer: longer than it gives the kernel."""


def hindrance(kernel: Any) -> str | None:
    """Why a running kernel cannot give its place to another; None where it can.

    Args:
        kernel: the running kernel, None outside of one.
    """
    if kernel is None:
        return "this is no notebook"
    if sys.platform == "win32":
        return "on Windows a kernel cannot give its place away"
    if keeps_its_kernel(os.environ):
        return "Colab keeps its kernel to itself"
    # what the hand-over takes hold of: ipykernel 7 has all of it, 6 has not
    parts = ("shell_channel_thread", "control_thread", "iopub_thread", "dispatch_shell")
    if not all(getattr(kernel, part, None) for part in parts):
        from importlib.metadata import version

        return f"ipykernel {version('ipykernel')} cannot give its place away, 7 can"
    return None


def is_moving(kernel: Any) -> bool:
    """Whether a kernel has given its place away, in the cell that it is still running."""
    return "dispatch_shell" in getattr(kernel, "__dict__", {})


def keeps_gpu(descriptors: Path = Path("/proc/self/fd")) -> bool:
    """Whether this process would stay as the relay and hold on to a GPU that it has opened.

    Args:
        descriptors: where Linux lists what a process has open.
    """
    if _relay()[1]:
        return False  # this one goes
    opened = []
    with contextlib.suppress(OSError):
        for entry in descriptors.iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                opened.append(str(entry.readlink()))
    return any(path.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri/")) for path in opened)


def looks_again() -> bool:
    """Whether a restart of this kernel finds the notebook's project again: the launcher did it."""
    own_process = {str(os.getpid()), _relay()[0]}
    return os.environ.get(LAUNCHED) in own_process


def _relay() -> tuple[str, str]:
    """(process id, address) of the process that keeps this kernel's sockets; empty for itself."""
    pid, _, address = os.environ.get(RELAY, "").partition(":")
    return (pid, address) if pid == str(os.getppid()) else ("", "")  # else it was inherited


def move(kernel: Any, launch: Launch) -> None:
    """Start a kernel; from the next cell on the notebook runs in it.

    Args:
        kernel: the running kernel, which `hindrance` finds none with; within a cell.
        launch: what is to take its place.

    Raises:
        KernelRefused: the other kernel does not start; this one stays.
        KeyboardInterrupt: likewise.
    """
    _, address = _relay()
    if address:
        _behind_relay(kernel, launch, address)
    else:
        _become_relay(kernel, launch)


def _become_relay(kernel: Any, launch: Launch) -> None:
    from uvmagic.kernel.departure import depart
    from uvmagic.kernel.relay import Relay

    relay = Relay(kernel)
    successor = relay.start(launch)
    depart(kernel, relay.captured, relay.settled)
    kernel.io_loop.add_callback(relay.hand_over, successor)  # once the cell is done


def _behind_relay(kernel: Any, launch: Launch, address: str) -> None:
    import zmq

    from uvmagic.kernel.departure import depart

    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PAIR)
    socket.linger = 1000
    socket.connect(address)
    socket.send_multipart([b"start", json.dumps(launch.plain()).encode()])
    try:
        if not socket.poll(_PATIENCE_MS):
            raise KernelRefused("The process that keeps this notebook's sockets does not answer.")
        answer, *reason = socket.recv_multipart()
        if answer != b"ready":
            raise KernelRefused(reason[0].decode())
    except BaseException:
        socket.send(b"cancel")
        socket.close()
        raise

    def hand_over(frames: list[bytes]) -> None:
        # without the identity of the relay, which the reply would be sent back to in its stead
        socket.send_multipart([b"request", *frames[1:]])

    def settled() -> None:
        socket.send(b"settled")

    depart(kernel, hand_over, settled)
    kernel.io_loop.add_callback(socket.send, b"go")  # once the cell is done
