"""The two spellings of the simple repository API: HTML (PEP 503) and JSON (PEP 691)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from .distributions import Distribution

HTML = "text/html"
JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Page:
    """A page, in the one of the two spellings that was asked for."""

    content_type: str
    body: bytes


def projects(names: Iterable[str], accept: str) -> Page:
    """Give the page that lists every project, spelled as the Accept header wants it."""
    names = sorted(names)
    if JSON in accept:
        return _json({"projects": [{"name": name} for name in names]})
    return _html("Simple index", [f'<a href="/simple/{name}/">{name}</a>' for name in names])


def project(name: str, files: Iterable[Distribution], accept: str) -> Page:
    """Give the page that lists a project's files, spelled as the Accept header wants it.

    Both spellings say the same of a file, but that JSON says its size as well, and when it was
    uploaded (PEP 700).
    """
    files = sorted(files, key=lambda file: file.filename)
    if JSON in accept:
        versions = sorted({file.version for file in files})
        entries = [_entry(file) for file in files]
        return _json({"name": name, "versions": versions, "files": entries})
    return _html(f"Links for {name}", [_anchor(file) for file in files])


def _url(file: Distribution) -> str:
    return f"/files/{quote(file.filename)}"


def _anchor(file: Distribution) -> str:
    attributes = {"href": f"{_url(file)}#sha256={file.sha256}"}
    if file.requires_python is not None:
        attributes["data-requires-python"] = file.requires_python
    if file.metadata_sha256 is not None:
        attributes["data-core-metadata"] = f"sha256={file.metadata_sha256}"
    written = " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items())
    return f"<a {written}>{file.filename}</a>"


def _entry(file: Distribution) -> dict[str, object]:
    entry: dict[str, object] = {
        "filename": file.filename,
        "url": _url(file),
        "hashes": {"sha256": file.sha256},
        "size": len(file.data),
    }
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    if file.metadata_sha256 is not None:
        entry["core-metadata"] = {"sha256": file.metadata_sha256}
    if file.uploaded is not None:
        entry["upload-time"] = file.uploaded
    return entry


def _html(title: str, links: Sequence[str]) -> Page:
    lines = [
        "<!DOCTYPE html>",
        "<html>",
        f'<head><meta name="pypi:repository-version" content="1.0"><title>{title}</title></head>',
        "<body>",
        *(f"{link}<br>" for link in links),
        "</body>",
        "</html>",
    ]
    return Page(HTML, "\n".join(lines).encode())


def _json(content: dict[str, object]) -> Page:
    return Page(JSON, json.dumps({"meta": {"api-version": "1.1"}, **content}, indent=1).encode())
