"""A Dockerfile as values, and their one renderer: quoting lives here alone.

Only what BuildKit, buildah 1.28 and Docker 20.10 all take: no `# syntax=` line, heredoc, `--link`
or bind mount.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Comment:
    """A line for the reader."""

    text: str


@dataclass(frozen=True, slots=True)
class From:
    """The base image, `name:tag` or `name@digest`, and the stage's name for others to copy from."""

    image: str
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Env:
    """Environment variables, taken literally; `first_on_path` is put before PATH."""

    values: tuple[tuple[str, str], ...]
    first_on_path: str | None = None


@dataclass(frozen=True, slots=True)
class Workdir:
    """The working folder."""

    path: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Files of the context, or of another stage or image, owned by `owner` (`uid:gid`)."""

    sources: tuple[str, ...]
    target: str
    owner: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A command as an argument list, with a cache mounted at `cache`.

    `secret` is (name, path): a file that the builder is given under that name, there for this
    command alone, and only if it was given.
    """

    arguments: tuple[str, ...]
    cache: str | None = None
    secret: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Numeric user and group."""

    ids: str


@dataclass(frozen=True, slots=True)
class Entrypoint:
    """What the container runs, as an argument list."""

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cmd:
    """The arguments that the entry point gets unless the caller gives others."""

    arguments: tuple[str, ...]


Instruction = Comment | From | Env | Workdir | Copy | Run | User | Entrypoint | Cmd

_IMAGE = re.compile(r"[\w][\w.:/@-]*", re.ASCII)


def render(instructions: Sequence[Instruction]) -> str:
    """The text of a Dockerfile. Raises BundleRefused for what no quoting can carry."""
    text = "".join(f"{_line(instruction)}\n" for instruction in instructions)
    return re.sub(r"(?<=\n)(FROM .*\n)", r"\n\1", text)  # a stage begins after an empty line


def _line(instruction: Instruction) -> str:
    match instruction:
        case Comment(text):
            return f"# {' '.join(text.split())}"
        case From(image, stage):
            return f"FROM {reference(image)}" + (f" AS {stage}" if stage else "")
        case Env(values, first_on_path):
            pairs = [f"{name}={_quoted(value)}" for name, value in values]
            if first_on_path:
                pairs.append(f'PATH={_quoted(first_on_path)[:-1]}:$PATH"')
            return "ENV " + " \\\n    ".join(pairs)
        case Workdir(path):
            return f"WORKDIR {path}"
        case Copy(sources, target, owner, stage):
            chown = f"--chown={owner} " if owner else ""
            origin = f"--from={reference(stage)} " if stage else ""
            return f"COPY {origin}{chown}{_json([*sources, target])}"
        case Run(arguments, cache, secret):
            mounts = [f"--mount=type=cache,target={cache}"] if cache else []
            if secret:
                name, path = secret
                mounts.append(f"--mount=type=secret,id={name},target={path}")
            return "RUN " + "".join(f"{m} \\\n    " for m in mounts) + _json(arguments)
        case User(ids):
            return f"USER {ids}"
        case Entrypoint(arguments):
            return f"ENTRYPOINT {_json(arguments)}"
        case Cmd(arguments):
            return f"CMD {_json(arguments)}"


def reference(image: str) -> str:
    """An image's reference. Raises BundleRefused for what is none."""
    if not _IMAGE.fullmatch(image):
        raise BundleRefused(f"{image!r} is no image reference.")
    return image


def _json(arguments: Sequence[str]) -> str:
    return json.dumps(list(arguments), ensure_ascii=False)


def _quoted(value: str) -> str:
    if "\n" in value or "\r" in value:
        raise BundleRefused(f"{value!r} has a line break; a Dockerfile cannot carry it.")
    return '"' + re.sub(r'(["\\$])', r"\\\1", value) + '"'
