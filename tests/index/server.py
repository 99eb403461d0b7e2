"""An HTTP server on the loopback, what it can imitate, and how that can be told to misbehave."""

import base64
import binascii
import contextlib
import re
import socket
import ssl
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from . import pages
from .distributions import Distribution, normalized


@dataclass(frozen=True)
class Request:
    """One request, as far as any imitation cares.

    `url` is what was asked: a path, or all of it where the server stands for other hosts.
    """

    url: str
    accept: str = ""
    authorization: str = ""

    @property
    def host(self) -> str:
        """The host that was asked by https, or nothing where that is not known."""
        parts = urlsplit(self.url)
        return parts.netloc if parts.scheme == "https" else ""

    @property
    def path(self) -> str:
        """The path, as one reads it."""
        return unquote(urlsplit(self.url).path)


@dataclass(frozen=True)
class Answer:
    """An answer to one request, and the manner of giving it.

    `ranges` says whether a part of the body may be asked for, and `part` which part this is.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/octet-stream"
    ranges: bool = False
    part: str | None = None
    delay: float = 0
    bytes_per_second: int | None = None
    truncated: bool = False

    def only(self, asked: str) -> Self:
        """Give the part that a Range header asks for, or all of it where that is not possible."""
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
        if not self.ranges or self.status != HTTPStatus.OK or not found:
            return self
        whole = range(len(self.body))
        first, last = found.groups()
        if first:
            part = whole[int(first) : int(last) + 1 if last else None]
        else:
            part = whole[max(0, len(whole) - int(last or 0)) :]
        if not part:
            return replace(self, status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, body=b"")
        return replace(
            self,
            status=HTTPStatus.PARTIAL_CONTENT,
            body=self.body[part.start : part.stop],
            part=f"bytes {part.start}-{part.stop - 1}/{len(whole)}",
        )


@dataclass(frozen=True)
class _Fault:
    """What becomes of the answers for the paths that a glob matches."""

    pattern: str
    distort: Callable[[Answer], Answer]


class Imitation(ABC):
    """Something that answers requests, and can be told to misbehave.

    A fault is ordered for the paths that a glob matches. Faults of different kinds add up; of one
    kind, the last holds.
    """

    requests: list[str]
    """The path of every request so far, in order of arrival, however it was answered."""

    def __init__(self) -> None:
        self.requests = []
        self._faults: list[_Fault] = []

    @abstractmethod
    def find(self, request: Request) -> Answer:
        """Give the answer to a request when all is well."""

    def answer(self, request: Request) -> Answer:
        """Note the request, and give the answer to it, faults and all."""
        self.requests.append(request.path)
        answer = self.find(request)
        for fault in self._faults.copy():
            if fnmatchcase(request.path, fault.pattern):
                answer = fault.distort(answer)
        return answer

    def delay(self, pattern: str, seconds: float) -> None:
        """Let requests for matching paths wait this long for their answers."""
        self._fault(pattern, lambda answer: replace(answer, delay=seconds))

    def fail(self, pattern: str, status: int) -> None:
        """Answer requests for matching paths with this HTTP status."""
        self._fault(pattern, lambda answer: replace(answer, status=status, body=b""))

    def drip(self, pattern: str, bytes_per_second: int) -> None:
        """Send matching bodies in small pieces, at this rate."""
        self._fault(pattern, lambda answer: replace(answer, bytes_per_second=bytes_per_second))

    def truncate(self, pattern: str) -> None:
        """Promise the whole of matching bodies, send half, and hang up."""
        self._fault(pattern, lambda answer: replace(answer, truncated=True))

    def lie(self, pattern: str, body: bytes) -> None:
        """Answer requests for matching paths with this body, as if all were well."""
        self._fault(pattern, lambda answer: replace(answer, status=HTTPStatus.OK, body=body))

    def heal(self) -> None:
        """Forget all faults; a request under way still suffers its own."""
        self._faults.clear()

    def _fault(self, pattern: str, distort: Callable[[Answer], Answer]) -> None:
        self._faults.append(_Fault(pattern, distort))


class PackageIndex(Imitation):
    """A package index of one's own, up for as long as the `with` block lasts.

    `password`, if given, is asked for by HTTP basic authentication; any user will do.

    To order a fault: `/simple/NAME/` is a project's page, `/files/FILENAME` is a file and
    `/files/FILENAME.metadata` its metadata, so `*.whl` is every wheel and `/simple/*` every page.

    Nothing is said of caching, so uv asks anew for what it resolves, and sees changes at once.
    """

    _server: "Server"

    def __init__(self, *, password: str | None = None) -> None:
        super().__init__()
        self._password = password
        self._files: dict[str, Distribution] = {}

    def __enter__(self) -> Self:
        self._server = Server(self.answer)
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """The address to give an installer, known once the `with` block is entered."""
        return f"http://127.0.0.1:{self._server.server_port}/simple"

    def add(self, *distributions: Distribution) -> None:
        """Offer these files, in the place of any that have the same filenames."""
        self._files.update({each.filename: each for each in distributions})

    def find(self, request: Request) -> Answer:
        """Give a page, a file or its metadata, if the password is right."""
        if not self._admits(request.authorization):
            return Answer(HTTPStatus.UNAUTHORIZED)
        files = self._files.copy()
        match request.path.strip("/").split("/"):
            case ["simple"]:
                projects = {file.project for file in files.values()}
                return _page(pages.projects(projects, request.accept))
            case ["simple", name]:
                project = normalized(name)
                if found := [file for file in files.values() if file.project == project]:
                    return _page(pages.project(project, found, request.accept))
            case ["files", filename]:
                if file := files.get(filename):
                    return Answer(HTTPStatus.OK, file.data)
                described = files.get(filename.removesuffix(".metadata"))
                if described and described.metadata is not None:
                    return Answer(HTTPStatus.OK, described.metadata)
        return Answer(HTTPStatus.NOT_FOUND)

    def _admits(self, authorization: str) -> bool:
        if self._password is None:
            return True
        scheme, _, credentials = authorization.partition(" ")
        try:
            _, _, password = base64.b64decode(credentials).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and password == self._password


def _page(page: pages.Page) -> Answer:
    return Answer(HTTPStatus.OK, page.body, page.content_type)


class Server(ThreadingHTTPServer):
    """Answers on a port of its own; when it stops, not a thread or a socket of it is left."""

    request_queue_size = 128

    def __init__(
        self, answer: Callable[[Request], Answer], handler: "type[Handler] | None" = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.answer = answer
        self.stopping = threading.Event()
        self._connections: list[tuple[socket.socket, threading.Thread]] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, wake the handlers that wait, hang up on the rest, and see them end."""
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection, thread in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve the connection in a thread that `stop` will wait for."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._connections.append((request, thread))
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Take a client that hangs up for what it is, and print any other error."""
        if not isinstance(sys.exception(), (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive from request to request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    origin = ""
    """The scheme and host of all that is asked here, if the server stands for other hosts."""

    def do_GET(self) -> None:
        """Answer as fast and as fully as the answer says, unless the server stops first."""
        request = Request(
            self.origin + self.path,
            self.headers.get("Accept", ""),
            self.headers.get("Authorization", ""),
        )
        answer = self.server.answer(request).only(self.headers.get("Range", ""))
        if self.server.stopping.wait(answer.delay):
            self.close_connection = True
            return
        self._send_head(answer)
        if self.command == "GET":
            self._send_body(answer)

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        self.do_GET()

    def _send_head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if answer.part is not None:
            self.send_header("Content-Range", answer.part)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.end_headers()

    def _send_body(self, answer: Answer) -> None:
        body, rate = answer.body, answer.bytes_per_second
        if answer.truncated:
            self.close_connection = True
            body = body[: len(body) // 2]
        if rate is None:
            self.wfile.write(body)
            return
        for piece in _pieces(body, max(1, rate // 20)):
            self.wfile.write(piece)
            if self.server.stopping.wait(len(piece) / rate):
                self.close_connection = True
                return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]
