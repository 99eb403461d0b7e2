"""What the container tools of this machine know of an image, without asking a registry."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.system.process import run_captured

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOOLS = ("docker", "podman")
_PATIENCE = 5.0
"""Seconds for a tool to answer; one whose service is out of reach may take minutes."""
_HUB = ("docker.io/library/", "docker.io/")
"""What both may leave out of a reference."""


def digest(reference: str, environ: Mapping[str, str]) -> str | None:
    """The digest under which an image that is here was pulled: `sha256:…`; None for none here.

    Args:
        reference: its name and tag.
        environ: the environment variables.
    """
    for tool in _TOOLS:
        program = shutil.which(tool, path=environ.get("PATH"))
        if program is None:
            continue
        command = [program, "image", "inspect", "--format", "{{json .RepoDigests}}", reference]
        try:
            returncode, said = run_captured(
                command, cwd=Path.cwd(), environ=environ, limit=_PATIENCE
            )
        except OSError:
            continue
        found = of_repository(said, reference) if returncode == 0 else None
        if found is not None:
            return found
    return None


def of_repository(said: str, reference: str) -> str | None:
    """The digest of an image in the repository of a reference, from a tool's list of all it has.

    Args:
        said: what the tool says; in it a line of JSON, `["python@sha256:…"]`, warnings apart.
        reference: `python:3.12-slim`; an image may be in more repositories than this one.
    """
    listed = [text for line in said.splitlines() if line.startswith("[") for text in _list(line)]
    wanted = _repository(reference)
    found = [text.partition("@") for text in listed]
    return min((end for name, _, end in found if end and _repository(name) == wanted), default=None)


def _list(line: str) -> list[str]:
    try:
        return [text for text in json.loads(line) if isinstance(text, str)]
    except ValueError:
        return []


def _repository(reference: str) -> str:
    """A reference without tag and digest, as short as it goes."""
    name = reference.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = head + slash + last.partition(":")[0]
    for hub in _HUB:
        name = name.removeprefix(hub)
    return name
