"""The hosts of the net that a test needs, at their own https addresses, on the loopback."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from http import HTTPStatus
from socket import MSG_PEEK
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import TYPE_CHECKING, Self

from index.server import Answer, Handler, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trustme import CA


class Network:
    """An https proxy that is itself every host it knows, up as long as the `with` block lasts.

    Who takes `environ` into its environment asks for `https://HOST/…` as ever, trusts the
    certificate that it is shown, and gets the imitation's answer. Other hosts are not reached:
    the proxy says 502 to them.
    """

    requests: list[str]
    """The URL of every request so far; of one for a host that is not served, only the host."""

    _server: _Proxy
    _authority_file: str

    def __init__(self) -> None:
        self.requests = []
        self._answerers: dict[str, Callable[[Request], Answer]] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._authority_file = self._open.enter_context(_authority().cert_pem.tempfile())
        self._server = _Proxy(self)
        self._server.start()
        self._open.callback(self._server.stop)
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables by which uv and Python come here, and nowhere else."""
        proxy = f"http://127.0.0.1:{self._server.server_port}"
        ways = {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": "127.0.0.1,localhost"}
        upper = {name.upper(): value for name, value in ways.items()}
        return {**ways, **upper, "SSL_CERT_FILE": self._authority_file}

    def serve(self, host: str, answerer: Callable[[Request], Answer]) -> None:
        """Let this host's requests be answered so."""
        self._answerers[host] = answerer

    def serves(self, host: str) -> bool:
        """Tell whether there is an answer to requests for this host; if not, note that one came."""
        known = host in self._answerers
        if not known:
            self.requests.append(f"https://{host}")
        return known

    def answer(self, request: Request) -> Answer:
        """Note the request, and give the answer of the host that it is for."""
        self.requests.append(request.url)
        answerer = self._answerers.get(request.host)
        return answerer(request) if answerer else Answer(HTTPStatus.BAD_GATEWAY)


class _Proxy(Server):
    """The server of a network."""

    def __init__(self, network: Network) -> None:
        super().__init__(network.answer, _Tunnel)
        self.network = network


class _Tunnel(Handler):
    """One connection through the proxy, to the one host that it names."""

    server: _Proxy

    def do_CONNECT(self) -> None:  # noqa: N802 - as http.server looks for it
        """Become that host: from here on the client speaks TLS."""
        host = self.path.rpartition(":")[0]
        if not self.server.network.serves(host):
            self.send_error(HTTPStatus.BAD_GATEWAY)
            return
        self.send_response_only(HTTPStatus.OK)
        self.end_headers()
        # wrap_socket leaves a socket open whose client has hung up: so hear it speak first
        self.close_connection = not self.request.recv(1, MSG_PEEK)
        if self.close_connection:
            return
        super().finish()
        # a duplicate, since the server hangs up by the socket that it has accepted
        self.request = _certified(host).wrap_socket(self.request.dup(), server_side=True)
        self.origin = f"https://{host}"
        self.setup()

    def finish(self) -> None:
        """Close what `do_CONNECT` has opened."""
        super().finish()
        if self.origin:
            self.request.close()


@cache
def _authority() -> CA:
    """The authority that vouches for every host, made on first need: it takes a while."""
    from trustme import CA

    return CA()


@cache
def _certified(host: str) -> SSLContext:
    """What a server needs to be taken for this host."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    _authority().issue_cert(host).configure_cert(context)
    return context
