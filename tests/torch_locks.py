"""Projects with torch as one writes them by hand, and the real uv that locks them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from uvmagic.data import torch
from uvmagic.lockfile import Lockfile
from uvmagic.system.plan import Plan, planned
from uvmagic.system.uv import environment_for_uv, find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch_hosts.fixtures import TorchHosts

CUDA_SYSTEMS = "sys_platform == 'linux' or sys_platform == 'win32'"
"""Where PyTorch's own index has wheels for CUDA; elsewhere torch comes from PyPI."""
X86_LINUX = "sys_platform == 'linux' and platform_machine == 'x86_64'"

PYPI = "address-of-pypi"
"""Stands in a pyproject.toml for the imitation of PyPI, whose port is known only in a test."""


@dataclass(frozen=True)
class Source:
    """Where a project takes some distributions from: an entry in `tool.uv.sources`.

    Attributes:
        entry: TOML of it.
        names: what is taken from there.
        index: TOML of the index that it names; empty where it names none.
    """

    entry: str
    names: Sequence[str] = ("torch",)
    index: str = ""

    @classmethod
    def at(
        cls,
        place: str,
        backend: str,
        *names: str,
        marker: str = CUDA_SYSTEMS,
        extra: str = "",
        group: str = "",
    ) -> Self:
        """A backend's index at PyTorch's own place or at a mirror of it, as uv's guide has it."""
        mirror, name = torch.mirrors()[place], f"{place}-{backend}"
        entry = f'index = "{name}"'
        for key, value in (("marker", marker), ("extra", extra), ("group", group)):
            entry += f', {key} = "{value}"' if value else ""
        index = f"""
[[tool.uv.index]]
name = "{name}"
url = "{mirror.url.format(backend=backend)}"
format = "{mirror.format}"
explicit = true
"""
        return cls(f"{{ {entry} }}", names or ("torch",), index)


def pyproject(
    *requirements: str,
    sources: Sequence[Source] = (),
    python: str = ">=3.11",
    settings: str = "",
    tables: str = "",
    name: str = "project",
) -> str:
    """A pyproject.toml.

    Args:
        requirements: of the project.
        sources: where it takes them from; the rest is PyPI's.
        python: the versions that it is for.
        settings: lines of `[tool.uv]`.
        tables: further tables, such as those of extras and groups.
        name: of the project.
    """
    entries: dict[str, list[str]] = {}
    for source in sources:
        for each in source.names:
            entries.setdefault(each, []).append(source.entry)
    listed = "\n".join(f"{each} = [{', '.join(found)}]" for each, found in entries.items())
    indexes = "".join(dict.fromkeys(source.index for source in sources))
    return f"""\
[project]
name = "{name}"
version = "0.1.0"
requires-python = "{python}"
dependencies = {json.dumps(requirements)}
{tables}
[tool.uv]
{settings}

[tool.uv.sources]
{listed}
{indexes}
[[tool.uv.index]]
url = "{PYPI}"
default = true
"""


def python_of(folder: Path, version: str) -> str:
    """A Python of a version: this one, else a script that says so of it.

    Good for locking and planning: nothing is installed for it.
    """
    own = sys.version_info.minor
    minor = int(version.removeprefix("3."))
    if minor == own:
        return sys.executable
    python = folder / f"python{version}"
    python.write_text(f"#!/bin/sh\n'{sys.executable}' \"$@\" | sed 's/3[.]{own}/3.{minor}/g'\n")
    python.chmod(0o755)
    return str(python)


@dataclass(frozen=True)
class Locker:
    """The real uv in the project of `torch_hosts`, with a Python.

    Attributes:
        hosts: the world that uv sees.
        python: the path of the Python.
        version: what that says it is, `3.12.4`.
    """

    hosts: TorchHosts
    python: str
    version: str

    @classmethod
    def of(cls, hosts: TorchHosts, version: str) -> Self:
        """One with a Python of this version; it lies beside the project."""
        python = python_of(hosts.folder.path.parent, version)
        return cls(hosts, python, f"{version}.{sys.version_info.micro}")

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the project, by their paths in it."""
        for path, text in files.items():
            file = self.hosts.folder.path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace(PYPI, self.hosts.pypi.url))

    def lock(self, *options: str) -> None:
        """Have uv lock the project; it must succeed."""
        done = self._uv("lock", *options)
        assert done.returncode == 0, done.stderr

    def lockfile(self) -> Lockfile:
        """What is locked."""
        return Lockfile(self.hosts.folder.lock.read_text())

    def plan(
        self, platform: str, *, at: str = ".", extras: Sequence[str], groups: Sequence[str]
    ) -> Plan:
        """Uv's own plan for a platform, of some extras and groups of the project in a folder."""
        options = ["--no-default-groups", "--python", self.python]
        options += [token for extra in extras for token in ("--extra", extra)]
        options += [token for group in groups for token in ("--group", group)]
        environ = environment_for_uv(os.environ)
        environ.pop("MACOSX_DEPLOYMENT_TARGET", None)  # uv would take it for every Mac's
        folder = self.hosts.folder.path / at
        return planned(
            find_uv(os.environ), cwd=folder, environ=environ, platform=platform, options=options
        )

    def _uv(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [find_uv(os.environ).path, *arguments, "--python", self.python],
            cwd=self.hosts.folder.path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
