"""A kernel that is to take a running one's place: started, and waited for until it answers."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import zmq

from uvmagic.errors import KernelRefused
from uvmagic.kernel.spec import CARRIED, CHOSEN, REASON, RELAY, extension, kernel_argv
from uvmagic.system.host import shorten
from uvmagic.system.process import run_captured, start_apart
from uvmagic.system.uv import told_to_others

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_client.session import Session

    from uvmagic.system.environment import Environment
    from uvmagic.system.host import Host

_PATIENCE = 60.0
"""Seconds that a kernel gets to answer; a first start without bytecode takes two."""
_RECONNECT_MS = 20
"""How soon a socket tries again: the kernel binds its own while we wait."""
_LONGEST_PLACE = 50
"""Bytes of the path of the temporary folder that leave room for a socket's own name."""
_FOLDER = "uvmagic-kernel-"
"""What the names of successors' folders begin with; the relay's process id follows."""
_OF_THE_OLD = (
    CARRIED,
    REASON,
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)
"""Environment variables that speak of the old kernel's Python alone."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What is started.

    Attributes:
        python: the interpreter of an environment with ipykernel.
        has_uvmagic: whether uvmagic is there to be loaded from the start.
        cwd: the current folder of the kernel.
        environ: its environment variables.
    """

    python: Path
    has_uvmagic: bool
    cwd: Path
    environ: Mapping[str, str]

    @classmethod
    def into(cls, environment: Environment, root: Path, host: Host) -> Launch:
        """Of the environment of a project, whose root is given, in place of a running kernel."""
        environ = {name: v for name, v in host.environ.items() if name not in _OF_THE_OLD}
        environ |= {**told_to_others(environ), CHOSEN: str(root)}
        has_uvmagic = "uvmagic" in environment.installed()
        return cls(environment.python, has_uvmagic, host.cwd, environ)

    def plain(self) -> dict[str, Any]:
        """As JSON values; `of` takes them."""
        return {
            "python": str(self.python),
            "has_uvmagic": self.has_uvmagic,
            "cwd": str(self.cwd),
            "environ": dict(self.environ),
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Launch:
        """From what `plain` gave."""
        return cls(
            Path(plain["python"]), plain["has_uvmagic"], Path(plain["cwd"]), plain["environ"]
        )


class Successor:
    """A started kernel, and the sockets that are a client's of it.

    It listens in a folder that only its user can enter, and signs with the key of the kernel whose
    place it takes, so that messages pass unopened.

    Args:
        launch: what to start.
        session: of the kernel whose place it takes.
        output: descriptors for the process's own stdout and stderr.

    Attributes:
        process: the kernel's process.
        shell, control, stdin: DEALER sockets to it.
        iopub: the SUB socket to it.
        moves: the PAIR socket by which it asks for a move of its own.

    Raises:
        KernelRefused: its Python cannot be run, or its current folder is gone.
    """

    def __init__(self, launch: Launch, session: Session, output: tuple[int, int]) -> None:
        from jupyter_client.connect import write_connection_file

        self._session, self._launch = session, launch
        _sweep()
        self._folder = Path(tempfile.mkdtemp(dir=_place(), prefix=f"{_FOLDER}{os.getpid()}-"))
        file, ports = write_connection_file(
            str(self._folder / "kernel.json"),
            ip=str(self._folder / "kernel"),
            key=session.key,
            transport="ipc",
            signature_scheme=session.signature_scheme,
        )
        address = f"ipc://{self._folder / 'kernel'}-"
        identity = os.urandom(8)  # replies and questions to the user find their way back by it
        self.shell = self._socket(zmq.DEALER, f"{address}{ports['shell_port']}", identity)
        self.control = self._socket(zmq.DEALER, f"{address}{ports['control_port']}", identity)
        self.stdin = self._socket(zmq.DEALER, f"{address}{ports['stdin_port']}", identity)
        self.iopub = self._socket(zmq.SUB, f"{address}{ports['iopub_port']}", identity)
        self.iopub.subscribe(b"")
        self.moves = _context().socket(zmq.PAIR)
        self.moves.linger = 0
        self.moves.bind(f"ipc://{self._folder / 'moves'}")
        environ = dict(launch.environ)
        environ["JPY_PARENT_PID"] = str(os.getpid())  # should this process die, it ends too
        environ[RELAY] = f"{os.getpid()}:ipc://{self._folder / 'moves'}"
        try:
            self.process = start_apart(
                [*kernel_argv(launch.python), "-f", file, *extension(launch.has_uvmagic)],
                cwd=launch.cwd,
                environ=environ,
                output=output,
            )
        except OSError as error:
            self._close()
            self.clean_up()
            raise KernelRefused(
                f"The kernel of {self._told} did not start: {error.strerror} ({error.filename})"
            ) from error

    def _socket(self, kind: int, address: str, identity: bytes) -> zmq.Socket[bytes]:
        socket = _context().socket(kind)
        socket.linger = 0
        socket.identity = identity
        socket.reconnect_ivl = _RECONNECT_MS
        socket.rcvhwm = 0  # what comes faster than it is relayed waits, else outputs are lost
        socket.connect(address)
        return socket

    def wait(self) -> None:
        """Until it has answered on the shell channel, and published that on IOPub.

        Raises:
            KernelRefused: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + _PATIENCE
        poller = zmq.Poller()
        for socket in (self.shell, self.iopub):
            poller.register(socket, zmq.POLLIN)
        asked = 0.0
        waiting = {self.shell, self.iopub}
        while waiting:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise KernelRefused(f"The kernel of {self._told} did not start: {self._reason()}")
            if self.shell not in waiting or not asked:
                # what it published before IOPub was connected is lost: it is asked again
                asked = time.monotonic()
                self._session.send(self.shell, "kernel_info_request")
            for socket, _ in poller.poll(50):
                socket.recv_multipart()
                waiting.discard(socket)
        while poller.poll(10):  # the answers to all that was asked
            for socket, _ in poller.poll(0):
                socket.recv_multipart()

    @property
    def _told(self) -> str:
        return shorten(self._launch.python.parent.parent)

    def _reason(self) -> str:
        """Why it has ended, as its own Python tells when asked again."""
        if self.process.poll() is None:
            return f"it has not answered in {_PATIENCE:.0f} s."
        told = run_captured(
            [str(self._launch.python), "-c", "import ipykernel.kernelapp"],
            cwd=self._launch.cwd,
            environ=self._launch.environ,
        )[1].strip()
        return told.splitlines()[-1] if told else f"it ended with {self.process.returncode}."

    def interrupt(self) -> None:
        """Interrupt the kernel and what it has started, as the stop button does."""
        self._signal("SIGINT")

    def kill(self) -> None:
        """End it at once, with what it has started."""
        self._signal("SIGKILL")

    def _signal(self, name: str) -> None:
        import signal

        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
            os.killpg(self.process.pid, getattr(signal, name))

    def remove(self) -> None:
        """Leave nothing of it; for one that has nobody's place, and whose sockets no stream has."""
        self.kill()
        self.process.wait()
        self._close()
        self.clean_up()

    def _close(self) -> None:
        for socket in (self.shell, self.control, self.stdin, self.iopub, self.moves):
            socket.close()

    def clean_up(self) -> None:
        """Remove its folder; for one that has ended."""
        shutil.rmtree(self._folder, ignore_errors=True)


@functools.cache
def _context() -> zmq.Context[zmq.Socket[bytes]]:
    """One for all successors: each has threads of its own."""
    return zmq.Context()


def _place() -> Path:
    """Where folders of sockets go: their paths have 100 bytes, and a TMPDIR may take them all."""
    temporary = Path(tempfile.gettempdir())
    return temporary if len(os.fsencode(temporary)) <= _LONGEST_PLACE else Path("/tmp")  # noqa: S108


def _sweep() -> None:
    """Remove the folders of relays that were killed."""
    for folder in _place().glob(f"{_FOLDER}*"):
        pid = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)  # another user's stays
