"""Running processes so that they can be watched, and stopped without leaving anything behind.

The one door to subprocess: an argument list, never a shell, and an environment of its own.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from uvmagic.errors import Interrupted
from uvmagic.system.interrupts import held_back, raise_if_pressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import psutil

_STOP_TIMEOUT = 10.0
"""Seconds that a process gets to stop after SIGINT; uv takes 5 ms, a build back end longer."""
_ROWS = 100
"""Rows of the terminal that uv is given: it draws a bar for each of 50 downloads at once."""
_TICK = 0.2
"""Seconds between two calls of `on_tick`: five a second is what an eye can follow."""
_Pieces: TypeAlias = "queue.SimpleQueue[tuple[str, str | None]]"
"""(stream, text) as it comes; None for the text marks the stream's end."""
_RUNNING: dict[subprocess.Popen[bytes], int] = {}
"""What was started and may run still, and the thread that it was started in."""


@contextlib.contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A running process that is gone when the block is left, however it is left.

    On an interrupt uv gets SIGINT, restores its files and is waited for. SIGTERM and SIGKILL
    would leave half-edited files, so SIGKILL is only for one that does not answer.

    Raises:
        OSError: it cannot be started.
        Interrupted: in place of KeyboardInterrupt.
    """
    try:
        process = subprocess.Popen(command, **{"stdin": subprocess.DEVNULL, **options})
    except KeyboardInterrupt as interrupt:
        raise Interrupted("Stopped.") from interrupt
    try:
        _RUNNING[process] = threading.get_ident()
        yield process
    except KeyboardInterrupt as interrupt:
        _stop(process)
        raise Interrupted("Stopped.") from interrupt
    except BaseException:
        _stop(process)
        raise
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        if process.returncode is not None:
            _RUNNING.pop(process, None)


def start_apart(
    command: list[str], *, cwd: Path, environ: Mapping[str, str], output: tuple[int, int]
) -> subprocess.Popen[bytes]:
    """Start what goes on beyond the call, in a session of its own: no signal to ours reaches it.

    Args:
        command: the argument list.
        cwd: its current folder.
        environ: its environment variables.
        output: the descriptors for its stdout and stderr.
    """
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=output[0],
        stderr=output[1],
        start_new_session=True,
    )


def stop_what_is_left() -> None:
    """Stop what this thread has started and an interrupt has kept it from stopping.

    One that comes between two steps of Python's own, on the way out of a block, can do that.
    """
    for process, thread in list(_RUNNING.items()):
        if thread == threading.get_ident():
            _stop(process)
            _RUNNING.pop(process, None)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGINT to the process and all that it started; SIGKILL to what then stays too long."""
    is_stopped = process.returncode is not None
    while not is_stopped:  # a press before it is held back would leave all of it out
        with contextlib.suppress(KeyboardInterrupt), held_back():  # pressed again: it is stopping
            _stop_family(process.pid)
            process.wait()
            is_stopped = True


def _stop_family(pid: int) -> None:
    import psutil  # 9 ms that only a stop need take

    with contextlib.suppress(psutil.Error):
        running = psutil.Process(pid)
        family = [running, *running.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.Error):
                _interrupt(member)
        _, alive = psutil.wait_procs(family, timeout=_STOP_TIMEOUT)
        for member in alive:
            with contextlib.suppress(psutil.Error):
                member.kill()


def _interrupt(process: psutil.Process) -> None:
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_C_EVENT)
    else:
        process.send_signal(signal.SIGINT)


@contextlib.contextmanager
def terminal(columns: int) -> Iterator[tuple[int | None, int | None]]:
    """(reader, writer) of a terminal for uv's stderr; (None, None) where there is none.

    Only on a terminal does uv tell how many bytes of a download have come.
    """
    if sys.platform == "win32":
        yield None, None
        return
    import fcntl
    import pty
    import struct
    import termios

    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    try:
        yield reader, writer
    finally:
        os.close(reader)


def read_all(
    process: subprocess.Popen[bytes],
    streams: Mapping[str, int],
    take: Callable[[str, str], None],
    on_tick: Callable[[], None] = lambda: None,
) -> None:
    """Read a process's streams until each has ended.

    Args:
        process: the process; once it has ended, what it has left behind may hold its streams open,
            and is not waited for.
        streams: name → descriptor.
        take: called in this thread with a stream's name and its next text, as it comes.
        on_tick: called at most five times a second, also while nothing comes.
    """
    # a SimpleQueue, for a KeyboardInterrupt within a Queue may leave its lock half released
    pieces: _Pieces = queue.SimpleQueue()
    over = threading.Event()
    for name, source in streams.items():
        _pump(source, name, pieces, over)
    ended, due = 0, time.monotonic() + _TICK
    while ended < len(streams):
        raise_if_pressed()
        is_over = process.poll() is not None
        try:
            name, text = pieces.get(timeout=_TICK)
        except queue.Empty:
            if is_over:
                break
        else:
            if text is None:
                ended += 1
            else:
                take(name, text)
        if time.monotonic() >= due:
            due = time.monotonic() + _TICK
            on_tick()
    over.set()


def run_captured(
    command: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    heard: Callable[[str], object] = lambda _text: None,
    limit: float | None = None,
) -> tuple[int, str]:
    """Run a command to its end. Gives its exit status, and stdout and stderr together.

    Args:
        command: the argument list.
        cwd: its current folder.
        environ: its environment variables.
        heard: called with each piece of what it says, as it comes.
        limit: seconds that it may take; None for as many as it takes.

    Raises:
        OSError: it cannot be started; TimeoutError among them: it took longer, and was stopped.
        Interrupted: by the user.
    """
    said: list[str] = []
    began = time.monotonic()

    def take(_stream: str, text: str) -> None:
        said.append(text)
        heard(text)

    def stop_when_over() -> None:
        if limit is not None and time.monotonic() - began > limit:
            raise TimeoutError(f"{command[0]} took longer than {limit} s")

    with started(
        list(command),
        cwd=cwd,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        read_all(process, {"": descriptor(process.stdout)}, take, stop_when_over)
        return process.wait(), "".join(said)


def _pump(source: int, name: str, into: _Pieces, over: threading.Event) -> None:
    """Copy a stream to a queue from a thread, decoded, until it ends or nobody wants it."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def copy() -> None:
        with contextlib.suppress(OSError):  # a terminal whose other side is closed: its end
            while not over.is_set() and (piece := os.read(source, 65536)):
                into.put((name, decoder.decode(piece)))
        into.put((name, None))

    threading.Thread(target=copy, daemon=True).start()


def descriptor(stream: IO[bytes] | None) -> int:
    """The descriptor of a process's stream that is a pipe."""
    assert stream is not None
    return stream.fileno()
