"""Facts of a bundle → its texts: Dockerfile, .dockerignore, kernel.json, README.md. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from uvmagic import data
from uvmagic.bundle.dockerfile import (
    Cmd,
    Comment,
    Copy,
    Entrypoint,
    Env,
    From,
    Instruction,
    Run,
    User,
    Workdir,
    render,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

KERNEL = "bundle"
"""The name of the kernel that a bundle carries in `kernels/`."""
_UID = "1000:1000"
_HOME = "/app"
_OUT = "/out"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a bundle's texts are made from.

    Attributes:
        notebook: its path in the bundle.
        uv: uv's version.
        python: Python's minor version, `3.12`.
        loads_uvmagic: whether the kernel loads uvmagic from the start.
        wheels: paths in the bundle of the wheels that it carries.
        top: the names at the bundle's root that go into the image.
    """

    notebook: str
    uv: str
    python: str
    loads_uvmagic: bool
    wheels: tuple[str, ...]
    top: tuple[str, ...]

    @property
    def image(self) -> str:
        """The base image's reference."""
        return data.base_image("uv").reference.format(uv=self.uv, python=self.python)

    @property
    def title(self) -> str:
        """The notebook's name without its ending."""
        return PurePosixPath(self.notebook).stem


def run_arguments(notebook: str, root: str, output: str) -> list[str]:
    """What follows `python -m` to run a bundle's notebook; parameters may follow (`-p a 1`).

    Args:
        notebook: its path in the bundle.
        root: the bundle's folder.
        output: the executed copy to write.
    """
    folder = str(PurePosixPath(root) / PurePosixPath(notebook).parent)
    files = [_literal(str(PurePosixPath(root) / notebook)), _literal(output)]
    return ["papermill", "--kernel", KERNEL, "--cwd", folder, *files]


def _literal(path: str) -> str:
    """A path that papermill does not take for a template of parameters."""
    return path.replace("{", "{{").replace("}", "}}")


def environment(root: str) -> dict[str, str]:
    """The environment variables that a notebook of a bundle runs with, beside PATH and HOME."""
    return {"JUPYTER_PATH": root, "PYTHONUNBUFFERED": "1"}


def dockerfile(recipe: Recipe) -> str:
    """The Dockerfile: the dependency layer before the layer of notebook and sources."""
    locked = ("pyproject.toml", "uv.lock")
    image = data.base_image("uv")
    output = f"{_OUT}/{PurePosixPath(recipe.notebook).name}"
    instructions: list[Instruction] = [
        Comment(f"Runs {recipe.notebook}; made by uvmagic, README.md beside it tells how."),
        Comment(f"Base: {image.why}."),
        From(recipe.image),
        Workdir(_HOME),
        Run(("install", "-d", "-o", "1000", "-g", "1000", _HOME, _OUT)),
        Comment("Dependencies: a layer that an edit of the notebook leaves alone."),
        Env((("UV_LINK_MODE", "copy"), ("UV_PYTHON_DOWNLOADS", "never"))),
        Copy(locked, "./"),
        *([Copy(("wheels",), "./wheels/")] if recipe.wheels else []),
        Run(
            ("uv", "sync", "--locked", "--no-install-project", "--compile-bytecode"),
            cache="/root/.cache/uv",
        ),
        Comment("The notebook and what it brings along."),
        Copy((".",), "./", owner=_UID),
        Env(
            (("HOME", "/tmp"), *environment(_HOME).items()),  # noqa: S108 - any uid can write there
            first_on_path=f"{_HOME}/.venv/bin",
        ),
        User(_UID),
        Entrypoint(("python", "-m", *run_arguments(recipe.notebook, _HOME, output))),
        Cmd(()),
    ]
    return render(instructions)


def dockerignore(top: Sequence[str]) -> str:
    """An allow-list: only what the bundle holds reaches the build, whatever comes beside it."""
    escaped = (re.sub(r"([\\*?\[\]])", r"\\\1", name) for name in sorted(top))
    return "\n".join(["*", *(f"!{name}" for name in escaped), "**/__pycache__", ""])


def kernel_json(recipe: Recipe) -> str:
    """The kernel that the notebook runs on: the bundle's own Python.

    jupyter_client puts the runner's interpreter for `python`.
    """
    extension = ["--ext", "uvmagic"] if recipe.loads_uvmagic else []
    spec = {
        "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}", *extension],
        "display_name": "Python of the bundle",
        "language": "python",
    }
    return json.dumps(spec, indent=1) + "\n"


def image_tag(title: str) -> str:
    """A name for the image that every builder takes."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "notebook"


def readme(recipe: Recipe) -> str:
    """How to run the bundle, for whoever gets it."""
    tag = image_tag(recipe.title)
    title = recipe.title.translate(str.maketrans("<>&`[]", "‹›+'()"))
    return f"""# {title}

A notebook with everything that it needs to run again: its lock, its files, its container.

With nothing but uv (no container):

    {_uvx(recipe)} rerun .
    {_uvx(recipe)} rerun . -p alpha 0.1

In a container (`podman` does as well):

    docker build -t {tag} .
    mkdir -p out
    docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/out:/out" {tag}
    docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/out:/out" {tag} -p alpha 0.1

`-p` sets a parameter of the notebook (of its cell tagged `parameters`). The executed copy is
written, by the container to `out/`; the exit status is not 0 when a cell raised.

In the bundle `%uv` cells check the environment and change nothing. `bundle.json` lists every file
with its sha256. Python {recipe.python}, uv {recipe.uv}, image {recipe.image}.
"""


def _uvx(recipe: Recipe) -> str:
    """How uvmagic is called where only uv is: from the wheel in the bundle, else the index."""
    wheel = next((path for path in recipe.wheels if path.startswith("wheels/uvmagic-")), None)
    return f"uvx --from ./{wheel} uvmagic" if wheel else "uvx uvmagic"
