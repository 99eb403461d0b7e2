"""The process that keeps a notebook's sockets, while the kernel behind them changes.

When a kernel gives its place to another, its process stays as a relay: the front end is still
connected to it, and every message passes through it, unopened, to the kernel that runs now. So
nothing can be lost on the way, whenever it comes: no socket is closed.

Each of the four channels is relayed in the thread that ipykernel itself serves it in, for a zmq
socket belongs to one thread. All that changes is changed in the shell channel's.
"""

from __future__ import annotations

import json
import signal
import threading
from typing import TYPE_CHECKING, Any

import zmq
from zmq.eventloop.zmqstream import ZMQStream

from uvmagic.errors import UvmagicError
from uvmagic.kernel.departure import LAST, message_type, parent_session
from uvmagic.kernel.successor import Launch, Successor
from uvmagic.system.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Callable

Frames = list[bytes]

_TO_END = 0.1
"""Seconds that the last messages of a kernel that has ended get to come through."""
_OUTPUTS_WAITING = 100_000
"""Messages that wait for a front end at most; zmq's own limit is 1,000."""
_TO_RETIRE = 5.0
"""Seconds that a kernel gets to end by itself once another has its place."""


class Relay:
    """Between a front end and the kernels that take a kernel's place, one after the other.

    Args:
        kernel: this process's own kernel, of ipykernel 7. Its sockets are served by it until
            `hand_over` is called.
    """

    def __init__(self, kernel: Any) -> None:
        from jupyter_client.session import Session

        self._kernel = kernel
        self._session = Session(
            key=kernel.session.key, signature_scheme=kernel.session.signature_scheme
        )
        self._shell_loop = kernel.shell_channel_thread.io_loop
        self._control_loop = kernel.control_thread.io_loop
        self._iopub = kernel.iopub_thread
        self._current: _Line | None = None  # None: this process's own kernel
        self._next: _Line | None = None
        self._held: list[Frames] = []
        self._captured: list[Frames] = []
        self._last: Frames = []
        self._is_shut_down = False

    # --- a successor ----------------------------------------------------------------------------

    def start(self, launch: Launch) -> Successor:
        """Start a kernel and wait until it answers; nothing has changed then.

        Raises:
            KernelRefused: it does not start.
            KeyboardInterrupt: it is gone again.
        """
        successor = None
        try:
            with held_back():  # a press between a process's start and its name leaves it running
                successor = Successor(launch, self._session, _own_output())
            successor.wait()
        except BaseException:
            if successor is not None:
                with held_back():
                    successor.remove()
            raise
        return successor

    def hand_over(self, successor: Successor) -> None:
        """From the next request on, a successor that has answered is the kernel."""
        self._shell_loop.add_callback(self._expect, successor)

    def captured(self, frames: Frames) -> None:
        """Take a request that the old kernel has not begun; from any thread, in order."""
        self._shell_loop.add_callback(self._captured.append, frames)

    def settled(self) -> None:
        """Take it that the old kernel has no request left; from any thread."""
        self._shell_loop.add_callback(self._change_over)

    def _expect(self, successor: Successor) -> None:
        """Hold the requests that come, and put a last one behind those at the old kernel."""
        self._next = self._line(successor)
        last = self._session.serialize(self._session.msg(LAST), ident=b"uvmagic")
        if self._current is None:
            self._kernel.shell_stream.on_recv(self._request)
            as_received = [zmq.Frame(frame) for frame in last]
            self._shell_loop.add_callback(self._kernel.shell_channel_thread_main, as_received)
        else:
            self._current.shell.send_multipart(last)

    def _change_over(self) -> None:
        """The successor is the kernel; what was held is its own."""
        before, self._current, self._next = self._current, self._next, None
        waiting = [*self._captured, *self._held]
        self._captured, self._held = [], []
        for frames in waiting:
            self._request(frames)
        if self._current is not None and self._current.status is not None:
            self._end(self._current.status)  # it has ended meanwhile
        if before is None:
            self._control_loop.add_callback(self._take_control)
            self._kernel.io_loop.add_callback(self._take_main)
            self._iopub.io_loop.add_callback(self._take_iopub)
        else:
            before.retire(self._session)

    def _take_control(self) -> None:
        self._kernel.control_stream.on_recv(self._control)

    def _take_iopub(self) -> None:
        # outputs that waited come at once, and a front end that reads slower loses none of them
        self._iopub.socket.sndhwm = _OUTPUTS_WAITING

    def _take_main(self) -> None:
        """In the main thread: questions to the user, the stop button, and no variables kept."""
        signal.signal(signal.SIGINT, self._interrupt)
        self._stdin = ZMQStream(self._kernel.stdin_socket, self._kernel.io_loop)
        self._stdin.on_recv(self._answer)
        self._kernel.shell.reset(new_session=False)

    # --- messages, each in its channel's own thread -----------------------------------------------

    def _request(self, frames: Frames) -> None:
        if self._next is not None or self._current is None:
            self._held.append(frames)
            return
        self._last = frames
        self._current.shell.send_multipart(frames)

    def _control(self, frames: Frames) -> None:
        if message_type(frames) == "shutdown_request":
            self._is_shut_down = True
        if self._current is not None:
            self._current.control.send_multipart(frames)

    def _answer(self, frames: Frames) -> None:
        if self._current is not None:
            self._current.stdin.send_multipart(frames)

    def _interrupt(self, _number: int, _frame: object) -> None:
        if self._current is not None:
            self._current.successor.interrupt()

    def _line(self, successor: Successor) -> _Line:
        """Connect a successor's sockets with the front end's, each in its thread."""
        line = _Line(successor)
        kernel = self._kernel
        line.shell = ZMQStream(successor.shell, self._shell_loop)
        line.shell.on_recv(kernel.shell_stream.send_multipart)
        line.moves = ZMQStream(successor.moves, self._shell_loop)
        line.moves.on_recv(_Moves(self, line.moves, self._shell_loop.add_callback).take)

        def connect_control() -> None:
            line.control = ZMQStream(successor.control, self._control_loop)
            line.control.on_recv(line.if_current(kernel.control_stream.send_multipart))

        def connect_iopub() -> None:
            line.iopub = ZMQStream(successor.iopub, self._iopub.io_loop)
            line.iopub.on_recv(line.to_others(self._iopub.send_multipart, self._session.session))

        def connect_stdin() -> None:
            line.stdin = ZMQStream(successor.stdin, kernel.io_loop)
            line.stdin.on_recv(lambda frames: self._stdin.send_multipart(frames))

        self._control_loop.add_callback(connect_control)
        self._iopub.io_loop.add_callback(connect_iopub)
        kernel.io_loop.add_callback(connect_stdin)
        threading.Thread(target=self._watch, args=(line,), daemon=True).start()
        return line

    # --- the end ---------------------------------------------------------------------------------

    def _watch(self, line: _Line) -> None:
        """Wait for a kernel's end; the one that runs now takes this process along."""
        status = line.successor.process.wait()
        line.successor.clean_up()
        self._shell_loop.add_callback(self._ended, line, status)

    def _ended(self, line: _Line, status: int) -> None:
        line.status = status
        if line is self._current:
            self._end(status)
        elif line.is_retired:
            self._shell_loop.call_later(_TO_END, line.close)

    def _end(self, status: int) -> None:
        loop = self._kernel.io_loop
        loop.add_callback(loop.call_later, _TO_END, self._end_process, status)

    def _end_process(self, status: int) -> None:
        """End as the kernel has ended: then Jupyter does what it always does."""
        if not self._is_shut_down:
            _, parent = self._session.feed_identities(self._last) if self._last else ([], [])
            self._session.send(
                self._kernel.iopub_socket,
                "stream",
                {"name": "stderr", "text": _obituary(status)},
                parent=self._session.deserialize(parent) if parent else None,
                ident=b"stream.stderr",
            )
        self._kernel.io_loop.stop()


class _Line:
    """A successor and its streams, each of which belongs to its channel's thread."""

    shell: ZMQStream
    control: ZMQStream
    iopub: ZMQStream
    stdin: ZMQStream
    moves: ZMQStream

    def __init__(self, successor: Successor) -> None:
        self.successor = successor
        self.status: int | None = None  # the process's, once it has ended
        self.is_retired = False

    def if_current(self, send: Callable[[Frames], Any]) -> Callable[[Frames], None]:
        """`send`, while the kernel is not retired."""

        def pass_on(frames: Frames) -> None:
            if not self.is_retired:
                send(frames)

        return pass_on

    def to_others(self, send: Callable[[Frames], Any], session: str) -> Callable[[Frames], None]:
        """`send`, but once the kernel is retired not for what answers a session: the relay's own.

        Its last outputs still come, and nobody is told that it shuts down.
        """

        def pass_on(frames: Frames) -> None:
            if not self.is_retired or parent_session(frames) != session:
                send(frames)

        return pass_on

    def retire(self, session: Any) -> None:
        """Ask the kernel to end, and see that it does."""
        self.is_retired = True
        request = session.serialize(session.msg("shutdown_request", {"restart": False}))
        self.control.io_loop.add_callback(self.control.send_multipart, request)
        timer = threading.Timer(_TO_RETIRE, self._end)
        timer.daemon = True
        timer.start()

    def _end(self) -> None:
        if self.successor.process.poll() is None:
            self.successor.kill()

    def close(self) -> None:
        """Close the streams of one that has ended; else each tries to connect again for ever."""
        for stream in (self.shell, self.control, self.iopub, self.stdin, self.moves):
            stream.io_loop.add_callback(stream.close)


class _Moves:
    """A successor's own wish to move: it asks, is answered, and hands over what it has not begun.

    The messages are `start` with a launch, answered by `ready` or by `failed` with the reason; then
    `go` or `cancel`; after `go` each `request`, and `settled` at last. `cancel` may come before the
    answer: then there is none, and the successor goes as soon as it has started.
    """

    def __init__(self, relay: Relay, stream: ZMQStream, in_shell_thread: Callable[..., None]):
        self._relay, self._stream, self._in_shell_thread = relay, stream, in_shell_thread
        self._ready: Successor | None = None
        self._asked = 0  # counts: what was started for an earlier wish is not wanted any more

    def take(self, frames: Frames) -> None:
        """Take one message."""
        match frames[0], self._ready:
            case b"start", _:
                self._asked += 1
                wish = self._asked, Launch.of(json.loads(frames[1]))
                threading.Thread(target=self._start, args=wish, daemon=True).start()
            case b"go", Successor() as successor:
                self._ready = None
                self._relay.hand_over(successor)
            case b"cancel", unwanted:
                self._asked += 1
                self._ready = None
                self._remove(unwanted)
            case b"request", _:
                self._relay.captured(frames[1:])
            case b"settled", _:
                self._relay.settled()

    def _start(self, asked: int, launch: Launch) -> None:
        successor, answer = None, [b"ready"]
        try:
            successor = self._relay.start(launch)
        except UvmagicError as error:
            answer = [b"failed", error.message.encode()]
        self._in_shell_thread(self._started, asked, successor, answer)

    def _started(self, asked: int, successor: Successor | None, answer: Frames) -> None:
        if asked != self._asked:
            self._remove(successor)
            return
        self._ready = successor
        self._stream.send_multipart(answer)

    def _remove(self, successor: Successor | None) -> None:
        if successor is not None:
            threading.Thread(target=successor.remove, daemon=True).start()


def _own_output() -> tuple[int, int]:
    """Where this process's stdout and stderr went before ipykernel took them over."""
    import sys

    return tuple(  # type: ignore[return-value]
        getattr(stream, "_original_stdstream_copy", None) or number
        for number, stream in ((1, sys.stdout), (2, sys.stderr))
    )


def _obituary(status: int) -> str:
    if status == -signal.SIGKILL:
        how = "was killed (SIGKILL): often because memory ran out"
    elif status < 0:
        how = f"crashed ({signal.Signals(-status).name})"
    else:
        how = f"ended by itself (status {status})"
    return f"The kernel {how}. Its variables are lost.\n"
