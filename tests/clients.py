"""Clients of a kernel that see every message: JupyterLab's websocket, and jupyter_client's own."""

from __future__ import annotations

import contextlib
import json
import math
import queue
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import websocket
import zmq
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from servers import Server

Message = dict[str, Any]

PATIENCE = 30.0
"""Seconds until an answer that has not come counts as lost."""


@dataclass
class Answer:
    """All that came for one request.

    Attributes:
        replies: the content of each reply.
        replied_at: when the first came (`time.monotonic`).
        text: what was printed, stdout and stderr.
        displays: how many outputs were displayed.
        idles: how often the kernel told that it is idle again.
        questions: how often the user was asked for input.
    """

    replies: list[Message] = field(default_factory=list)
    replied_at: float = 0.0
    text: str = ""
    displays: int = 0
    idles: int = 0
    questions: int = 0

    @property
    def is_complete(self) -> bool:
        return bool(self.replies and self.idles)

    @property
    def status(self) -> str:
        """The one reply's status. Asserts that it is one."""
        assert len(self.replies) == 1, self.replies
        return str(self.replies[0]["status"])


class Client:
    """What the two clients have in common.

    Attributes:
        answers: what came for each request, by its identity.
        printed: the requests in the order in which their outputs came.
        states: the states that the kernel's keeper told itself, such as `restarting`.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = defaultdict(Answer)
        self.printed: list[str] = []
        self.states: list[str] = []

    def send(
        self, kind: str, content: Message, channel: str = "shell", subshell: str | None = None
    ) -> str:
        """Send a message, to a subshell if one is named; give its identity."""
        raise NotImplementedError

    def next_message(self, timeout: float) -> Message | None:
        """The next message, with the name of its channel."""
        raise NotImplementedError

    def execute(self, code: str, *, allow_stdin: bool = False) -> str:
        """Send a cell, as a front end does; give the request's identity."""
        content: Message = {"code": code, "silent": False, "store_history": True}
        content |= {"user_expressions": {}, "allow_stdin": allow_stdin, "stop_on_error": True}
        return self.send("execute_request", content)

    def run(self, code: str) -> Answer:
        """Run a cell that succeeds."""
        answer = self.answer(self.execute(code))
        assert answer.status == "ok", f"{answer.replies} {answer.text}"
        return answer

    def answer(self, request: str) -> Answer:
        """What comes for a request; all of it, if it comes in time."""
        self.wait_for([request])
        return self.answers[request]

    def wait_for(self, requests: Iterable[str]) -> None:
        """Until each request has its reply and its idle, or the patience is at an end."""
        missing = set(requests)
        self.listen_until(
            lambda: not {r for r in missing if not self.answers[r].is_complete}, PATIENCE
        )

    def listen_until(self, holds: Callable[[], bool], timeout: float) -> bool:
        """Take what comes until something holds. Gives whether it does."""
        deadline = time.monotonic() + timeout
        while not holds():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.listen(left)
        return True

    def listen(self, timeout: float) -> None:
        """Take one message, or none."""
        message = self.next_message(timeout)
        if message is None:
            return
        request = message["parent_header"].get("msg_id", "")
        kind, content, answer = message["header"]["msg_type"], message["content"], None
        if not request:
            if kind == "status":
                self.states.append(content["execution_state"])
            return
        answer = self.answers[request]
        if message["channel"] in ("shell", "control"):
            answer.replied_at = answer.replied_at or time.monotonic()
            answer.replies.append(content)
        elif message["channel"] == "stdin":
            answer.questions += 1
        elif kind == "stream":
            answer.text += content["text"]
            self.printed.append(request)
        elif kind == "display_data":
            answer.displays += 1
        elif kind == "status" and content["execution_state"] == "idle":
            answer.idles += 1


class OverWebsocket(Client):
    """A client of a server's kernel that talks as JupyterLab does."""

    def __init__(self, server: Server, kernel_id: str) -> None:
        super().__init__()
        self._session = uuid.uuid4().hex
        self._address = f"ws://{server.address}/api/kernels/{kernel_id}/channels"
        self._came: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._connect()

    def _connect(self) -> None:
        self._socket = websocket.create_connection(
            f"{self._address}?session_id={self._session}", timeout=60
        )
        self._socket.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self.answer(self.send("kernel_info_request", {})).is_complete

    def _read(self) -> None:
        with contextlib.suppress(websocket.WebSocketException, OSError):
            while text := self._socket.recv():
                self._came.put(json.loads(text))

    def send(
        self, kind: str, content: Message, channel: str = "shell", subshell: str | None = None
    ) -> str:
        identity = uuid.uuid4().hex
        header = {"msg_id": identity, "msg_type": kind, "session": self._session, "version": "5.2"}
        header |= {"username": "", "date": datetime.now(UTC).isoformat()}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps({**message, "buffers": [], "channel": channel}))
        return identity

    def next_message(self, timeout: float) -> Message | None:
        try:
            return self._came.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        self._socket.close()
        self._reader.join(10)

    def reconnect(self) -> None:
        """As JupyterLab does after a restart: the server's old socket may hear it too late."""
        self.close()
        self._connect()


class OverZmq(Client):
    """jupyter_client's own client, over TCP as `jupyter console` and nbclient have it."""

    def __init__(self, manager: KernelManager) -> None:
        super().__init__()
        self.manager = manager
        self._client = manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        self._get = {
            "iopub": self._client.get_iopub_msg,
            "shell": self._client.get_shell_msg,
            "stdin": self._client.get_stdin_msg,
        }
        self._poller = zmq.Poller()
        self._names = {}
        for name in self._get:
            socket = getattr(self._client, f"{name}_channel").socket
            self._names[socket] = name
            self._poller.register(socket, zmq.POLLIN)

    def send(
        self, kind: str, content: Message, channel: str = "shell", subshell: str | None = None
    ) -> str:
        message = self._client.session.msg(kind, content)
        message["header"] |= {"subshell_id": subshell} if subshell else {}
        getattr(self._client, f"{channel}_channel").send(message)
        return str(message["header"]["msg_id"])

    def next_message(self, timeout: float) -> Message | None:
        for socket, _ in self._poller.poll(math.ceil(timeout * 1000)):
            name = self._names[socket]
            return {**self._get[name](timeout=0), "channel": name}
        return None

    def close(self) -> None:
        self._client.stop_channels()


@contextlib.contextmanager
def lab_session(server: Server, notebook: str) -> Iterator[OverWebsocket]:
    """A session of a server's, and its client; deleted in the end."""
    session = server.new_session(notebook)
    client = OverWebsocket(server, session["kernel"]["id"])
    try:
        yield client
    finally:
        client.close()
        server.ask(f"sessions/{session['id']}", method="DELETE")


@contextlib.contextmanager
def own_kernel(folder: Path) -> Iterator[OverZmq]:
    """A kernel of one's own in a folder, and its client; shut down in the end."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), extra_arguments=["--IPKernelApp.log_level=ERROR"])
    try:
        client = OverZmq(manager)
        try:
            yield client
        finally:
            client.close()
    finally:
        manager.shutdown_kernel()
        manager.cleanup_resources()
