"""The fixtures `network`, `torch_hosts` and `python312`; conftest.py loads them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from index import PackageIndex

from . import releases
from .mirrors import TorchIndex, aliyun, nju, official, sjtu
from .network import Network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder


@dataclass(frozen=True)
class TorchHosts:
    """The world as a project with torch sees it.

    Attributes:
        network: who stands for the hosts; says what was asked of them.
        pypi: an imitation of PyPI, at a plain address that no proxy is asked for.
        official: PyTorch's index.
        nju: a mirror of it.
        sjtu: another.
        aliyun: a mirror that is one flat list of files for each backend.
        folder: a project without requirements that knows only `pypi`; also the current folder.
    """

    network: Network
    pypi: PackageIndex
    official: TorchIndex
    nju: TorchIndex
    sjtu: TorchIndex
    aliyun: TorchIndex
    folder: Folder


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A net of one's own: what is not served in it cannot be reached."""
    with Network() as made:
        for name, value in made.environ.items():
            monkeypatch.setenv(name, value)
        # urllib keeps the proxies that it has found for its first request
        monkeypatch.setattr("urllib.request._opener", None)
        yield made


@pytest.fixture
def torch_hosts(
    network: Network, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TorchHosts]:
    """PyTorch's index and its mirrors at their real addresses, a PyPI, and a project.

    Its uv cache is its own, and uv does not retry, so that faults show at once.
    """
    from conftest import Folder

    hosts = (official(), nju(), sjtu(), aliyun())
    for each in hosts:
        network.serve(each.host, each.answer)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with PackageIndex() as pypi:
        pypi.add(*releases.pypi())
        path = tmp_path / "project"
        path.mkdir()
        (path / "pyproject.toml").write_text(
            f"""\
[project]
name = "project"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []

[[tool.uv.index]]
url = "{pypi.url}"
default = true
"""
        )
        monkeypatch.chdir(path)
        yield TorchHosts(network, pypi, *hosts, Folder(path))


@pytest.fixture
def python312(tmp_path: Path) -> str:
    """A Python of 3.12 or later to lock with: if this one is older, one that says it is 3.12.

    It is good for `uv lock`, and for no more: nothing is installed for it.
    """
    if sys.version_info >= (3, 12):
        return sys.executable
    python = tmp_path / "python3.12"
    python.write_text(f"#!/bin/sh\n'{sys.executable}' \"$@\" | sed 's/3[.]11/3.12/g'\n")
    python.chmod(0o755)
    return str(python)
