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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_STOP_TIMEOUT = 10.0
"""Seconds that a process gets to stop after SIGINT; uv takes 5 ms, a build back end longer."""
_TICK = 0.2
"""Seconds between two calls of `on_tick`: five a second is what an eye can follow."""
_WIDE = 400
"""Columns of the terminal that a process is given: wide enough that uv wraps no message."""

_Pieces: TypeAlias = "queue.Queue[tuple[str, str | None]]"
"""(stream, text) as it comes; None for the text marks the stream's end."""


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


def _stop(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        interrupt = signal.CTRL_C_EVENT
    else:
        interrupt = signal.SIGINT
    deadline = time.monotonic() + _STOP_TIMEOUT
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(interrupt)
    while process.poll() is None:
        try:
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except KeyboardInterrupt:  # the impatient second press: uv is already stopping
            continue
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int | None, int | None]]:
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
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 50, _WIDE, 0, 0))
    try:
        yield reader, writer
    finally:
        os.close(reader)


def read_all(
    streams: Mapping[str, int],
    take: Callable[[str, str], None],
    on_tick: Callable[[], None] = lambda: None,
) -> None:
    """Read streams until each has ended.

    Args:
        streams: name → descriptor.
        take: called in this thread with a stream's name and its next text, as it comes.
        on_tick: called at most five times a second, also while nothing comes.
    """
    pieces: _Pieces = queue.Queue()
    pumps = [_pump(descriptor, name, pieces) for name, descriptor in streams.items()]
    ended, due = 0, time.monotonic() + _TICK
    while ended < len(pumps):
        with contextlib.suppress(queue.Empty):
            name, text = pieces.get(timeout=_TICK)
            if text is None:
                ended += 1
            else:
                take(name, text)
        if time.monotonic() >= due:
            due = time.monotonic() + _TICK
            on_tick()
    for pump in pumps:
        pump.join()


def run_captured(
    command: Sequence[str], *, cwd: Path, environ: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command to its end. Gives its exit status, and stdout and stderr together."""
    said: list[str] = []
    with started(
        list(command),
        cwd=cwd,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        read_all({"": descriptor(process.stdout)}, lambda _, text: said.append(text))
        return process.wait(), "".join(said)


def _pump(source: int, name: str, into: _Pieces) -> threading.Thread:
    """Copy a stream to a queue from a thread, decoded."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def copy() -> None:
        with contextlib.suppress(OSError):  # a terminal whose other side is closed: its end
            while piece := os.read(source, 65536):
                into.put((name, decoder.decode(piece)))
        into.put((name, None))

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    return thread


def descriptor(stream: IO[bytes] | None) -> int:
    """The descriptor of a process's stream that is a pipe."""
    assert stream is not None
    return stream.fileno()
