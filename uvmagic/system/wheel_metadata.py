"""The metadata of a wheel on an index, without the wheel: a few kB of some GB."""

from __future__ import annotations

import contextlib
import http.client
import io
import urllib.request
import zipfile
from urllib.error import URLError

_TIMEOUT = 20.0
"""Seconds that an answer may take."""
_CHUNK = 2**16
"""Bytes to ask for at once: a wheel's central directory and METADATA in two or three requests."""


def wheel_metadata(url: str) -> bytes | None:
    """The METADATA of a wheel, from beside it (PEP 658), else from within it by range requests.

    The settings of the environment hold (HTTPS_PROXY, SSL_CERT_FILE).

    Args:
        url: the wheel's http or https address.

    Returns:
        None where it cannot be had: no network, or an index that has neither.
    """
    if not url.startswith(("http://", "https://")):
        return None
    wheel = url.partition("#")[0]
    with contextlib.suppress(OSError, URLError, http.client.HTTPException):
        return _get(f"{wheel}.metadata").read()
    with (
        contextlib.suppress(
            OSError, URLError, http.client.HTTPException, zipfile.BadZipFile, StopIteration
        ),
        zipfile.ZipFile(io.BufferedReader(_Remote(wheel), _CHUNK)) as archive,
    ):
        names = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return archive.read(next(names))
    return None


def _get(url: str, **headers: str) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  checked: http(s)
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310
    return answer


class _Remote(io.RawIOBase):
    """A file behind HTTP range requests."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._position = 0
        with _get(url, Range="bytes=0-0") as answer:
            if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                raise URLError("the server gives no parts of files")
            self._size = int(answer.headers["Content-Range"].rpartition("/")[2])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer will do
        if self._position >= self._size or not len(buffer):
            return 0
        last = min(self._position + len(buffer), self._size) - 1
        with _get(self._url, Range=f"bytes={self._position}-{last}") as answer:
            data = answer.read()
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
