"""`uvmagic …` in a project with torch, and what its files say afterwards."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from uvmagic.accelerator.audit import LINUX
from uvmagic.system.plan import planned
from uvmagic.system.uv import environment_for_uv, find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Folder
    from torch_hosts import TorchIndex
    from torch_hosts.fixtures import TorchHosts

MACOS = "aarch64-apple-darwin"
LIBRARIES = {"nvidia-cublas-cu12", "nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12"}
"""What a torch of CUDA 12 does not start without on Linux."""


is_installed = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="what is installed is told for Linux on x86-64",
)
"""Marks a test that looks at what this machine installs or would fetch."""


# --- calls ----------------------------------------------------------------------------------------


def done(folder: Folder, *arguments: str, **environ: str) -> str:
    """Run `uvmagic …`, which must succeed; gives what it says."""
    ended = folder.uvmagic(*arguments, **environ)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.stdout


def locked_by_uv(folder: Folder, *arguments: str) -> None:
    """Have the bare uv lock the project, which must succeed."""
    ended = subprocess.run(
        [os.environ["UV"], "lock", *arguments],
        cwd=folder.path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


# --- pyproject.toml -------------------------------------------------------------------------------


def parsed(folder: Folder) -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads(folder.pyproject.read_text())


def uv_of(folder: Folder) -> dict[str, Any]:
    """What pyproject.toml says to uv."""
    found: dict[str, Any] = parsed(folder).get("tool", {}).get("uv", {})
    return found


def indexes(folder: Folder) -> dict[str, str]:
    """Name → address of the indexes that have a name."""
    return {each["name"]: each["url"] for each in uv_of(folder)["index"] if "name" in each}


def masked(folder: Folder, hosts: TorchHosts) -> str:
    """The text of pyproject.toml without the port of this test's PyPI."""
    return folder.pyproject.read_text().replace(hosts.pypi.url, "http://127.0.0.1/simple")


def write(hosts: TorchHosts, *requirements: str, more: str = "", python: str = ">=3.11") -> None:
    """Write a pyproject.toml by hand: what the project needs, and further tables."""
    hosts.folder.pyproject.write_text(
        f"""\
[project]
name = "project"
version = "0.1.0"
requires-python = "{python}"
dependencies = {json.dumps(requirements)}
{more}
[[tool.uv.index]]
url = "{hosts.pypi.url}"
default = true
"""
    )


def taken_from(index: TorchIndex, backend: str, *, name: str = "", marker: str = "") -> str:
    """Tables that take torch from an index, as one writes them by hand."""
    name = name or f"pytorch-{backend}"
    only = f', marker = "{marker}"' if marker else ""
    return f"""
[tool.uv.sources]
torch = {{ index = "{name}"{only} }}

[[tool.uv.index]]
name = "{name}"
url = "{index.url(backend)}"
explicit = true
"""


# --- uv.lock --------------------------------------------------------------------------------------


def locked(folder: Folder, package: str = "torch") -> dict[str, str]:
    """The versions of a package in uv.lock, each with the index that it comes from."""
    return {
        entry["version"]: entry["source"]["registry"]
        for entry in tomllib.loads(folder.lock.read_text())["package"]
        if entry["name"] == package
    }


def plan(folder: Folder, target: str = LINUX, *options: str) -> Mapping[str, str]:
    """What the real uv would install on a platform: name → version."""
    found = planned(
        find_uv(os.environ),
        cwd=folder.path,
        environ=environment_for_uv(os.environ),
        platform=target,
        options=options,
    )
    assert not found.refusal, found.refusal
    return found.versions


def is_whole_on_linux(folder: Folder, *options: str) -> bool:
    """Whether uv gives Linux a torch of CUDA 12 with its libraries."""
    found = plan(folder, LINUX, *options)
    return "+cu12" in found.get("torch", "") and found.keys() >= LIBRARIES
