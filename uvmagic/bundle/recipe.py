"""Facts of a bundle → its texts: Dockerfile and what goes with it, kernel.json, README.md. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

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

    from uvmagic.bundle.bases import Base

KERNEL = "bundle"
"""The name of the kernel that a bundle carries in `kernels/`."""
_UID = "1000:1000"
_HOME = "/app"
_OUT = "/out"
_PYTHON = "/opt/python"
"""Where a base of the user's own has the Python that uv brought."""
COMPILER = "kernels/compile.py"
"""The path in a bundle of what makes the bytecode of its image."""
IMPORTS = "kernels/imports.txt"
"""Of the list of the modules that this is for."""
NETRC = "netrc"
"""The name under which a build is lent the passwords of indexes."""
_BYTECODE = "/app/.bytecode"
PYLOCK = "pylock.toml"
"""What is installed beside a base's own torch: a lock as PEP 751 has it, made from uv.lock."""
RUNNER = "kernels/run.py"
"""The path in a bundle of what runs its notebook."""
STAND_IN = f"kernels/{KERNEL}/uvmagic.py"
"""That of what answers `%uv` where the environment cannot have uvmagic."""
_DRIVER = (("NVIDIA_VISIBLE_DEVICES", "all"), ("NVIDIA_DRIVER_CAPABILITIES", "compute,utility"))
"""What NVIDIA's container toolkit is to bring into the container: the driver, CUDA's libraries are
in the environment."""
_PLAIN = re.compile(r"[\w./ @+=,-]+")
"""A path that every builder takes for itself in COPY."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a bundle's texts are made from.

    Attributes:
        notebook: its path in the bundle.
        base: the images that its image is made of.
        uv: uv's version.
        python: Python's minor version, `3.12`.
        loads_uvmagic: whether the kernel loads `%uv` from the start.
        has_uvmagic: whether the environment has uvmagic; else the bundle carries what stands in.
        wheels: paths in the bundle of the wheels that it carries.
        files: the paths in the bundle of what runs: notebook, sources, included files.
        is_cuda: whether what is locked computes by CUDA.
        has_own_index: whether it is locked from an index of the user's own, which may be private.
        compiles: whether the bytecode of what it imports is made when the image is built.
    """

    notebook: str
    base: Base
    uv: str
    python: str
    loads_uvmagic: bool
    wheels: tuple[str, ...]
    files: tuple[str, ...]
    is_cuda: bool = False
    has_own_index: bool = False
    compiles: bool = True
    has_uvmagic: bool = True

    @property
    def title(self) -> str:
        """The notebook's name without its ending."""
        return PurePosixPath(self.notebook).stem


def run_arguments(notebook: str, root: str, output: str) -> list[str]:
    """What follows `python` to run a bundle's notebook; parameters may follow (`-p a 1`).

    Args:
        notebook: its path in the bundle.
        root: the bundle's folder.
        output: the executed copy to write.
    """
    folder = str(PurePosixPath(root) / PurePosixPath(notebook).parent)
    files = [_literal(str(PurePosixPath(root) / notebook)), _literal(output)]
    return [str(PurePosixPath(root) / RUNNER), "--kernel", KERNEL, "--cwd", folder, *files]


def run_in_image(notebook: str) -> list[str]:
    """What follows `python` in a bundle's image to run its notebook."""
    return run_arguments(notebook, _HOME, f"{_OUT}/{PurePosixPath(notebook).name}")


def _literal(path: str) -> str:
    """A path that papermill does not take for a template of parameters."""
    return path.replace("{", "{{").replace("}", "}}")


def environment(root: str) -> dict[str, str]:
    """The environment variables that a notebook of a bundle runs with, beside PATH and HOME."""
    return {"JUPYTER_PATH": root, "PYTHONUNBUFFERED": "1"}


def dockerfile(recipe: Recipe) -> str:
    """The Dockerfile: the environment in a stage of its own, then sources, then the notebook."""
    return render(
        [
            Comment(f"Runs {recipe.notebook}; made by uvmagic, README.md beside it tells how."),
            Comment(f"Base: {recipe.base.why}."),
            *_environment_stage(recipe),
            *_final_stage(recipe),
        ]
    )


def _environment_stage(recipe: Recipe) -> list[Instruction]:
    """Dependencies: what an edit of notebook or sources leaves alone. uv stays here."""
    base = recipe.base
    uv = Copy(("/usr/local/bin/uv",), "/usr/local/bin/uv", stage=base.uv)
    wheels = [Copy(("wheels",), "./wheels/")] if recipe.wheels else []
    match base.kind:
        case "own":  # it may have no Python that fits: uv brings one, to a place that goes on
            own = Env((("UV_PYTHON_INSTALL_DIR", _PYTHON), ("UV_PYTHON", recipe.python)))
            before = [uv, own, Run(("mkdir", "-p", _PYTHON))]
            downloads, described = "automatic", "uv.lock"
        case "pytorch":
            before, downloads, described = [uv], "never", PYLOCK
        case _:
            before, downloads, described = [], "never", "uv.lock"
    return [
        From(base.builder, "environment"),
        *before,
        Workdir(_HOME),
        Env((("UV_LINK_MODE", "copy"), ("UV_PYTHON_DOWNLOADS", downloads))),
        Copy(("pyproject.toml", described), "./"),
        *wheels,
        *(_beside_torch(recipe) if base.kind == "pytorch" else [_sync(recipe)]),
        *(_compiling() if recipe.compiles else ()),
    ]


def _sync(recipe: Recipe) -> Run:
    return _fetching(recipe, "uv", "sync", "--locked", "--no-install-project")


def _beside_torch(recipe: Recipe) -> list[Instruction]:
    """An environment on top of the image's own Python: what the image has is not fetched again."""
    told = "import importlib.metadata as m; assert m.version('torch').split('+')[0] == "
    pip = ("uv", "pip", "install", "--preview-features", "pylock", "--python", ".venv")
    return [
        Run(("uv", "venv", "--python", "python", "--system-site-packages", ".venv")),
        _fetching(recipe, *pip, "-r", PYLOCK),
        Comment("The image's torch is the one that is locked, else the build stops."),
        Run((f"{_HOME}/.venv/bin/python", "-c", f"{told}{recipe.base.torch!r}")),
    ]


def _compiling() -> list[Instruction]:
    """Bytecode in a place of its own: what is installed stays as it is, a layer apart."""
    return [
        Comment("The bytecode of what the notebook imports."),
        Copy((COMPILER, IMPORTS), "./kernels/"),
        Env((("PYTHONPYCACHEPREFIX", _BYTECODE),)),
        Run((f"{_HOME}/.venv/bin/python", COMPILER)),
    ]


def _fetching(recipe: Recipe, *arguments: str) -> Run:
    """A call of uv's that may fetch."""
    secret = (NETRC, "/root/.netrc") if recipe.has_own_index else None
    return Run(arguments, cache="/root/.cache/uv", secret=secret)


def _final_stage(recipe: Recipe) -> list[Instruction]:
    made = [*([_PYTHON] if recipe.base.kind == "own" else []), f"{_HOME}/.venv"]
    made += [_BYTECODE] if recipe.compiles else []
    return [
        From(recipe.base.final),
        Workdir(_HOME),
        Run(("install", "-d", "-o", "1000", "-g", "1000", _HOME, _OUT)),
        *(Copy((folder,), folder, stage="environment") for folder in made),
        *_copies(recipe),
        Env(
            (
                ("HOME", "/tmp"),  # noqa: S108 - any uid can write there
                *environment(_HOME).items(),
                *([("PYTHONPYCACHEPREFIX", _BYTECODE)] if recipe.compiles else ()),
                *(_DRIVER if recipe.is_cuda else ()),
            ),
            first_on_path=f"{_HOME}/.venv/bin",
        ),
        User(_UID),
        Entrypoint(("python", *run_in_image(recipe.notebook))),
        Cmd(()),
    ]


def _copies(recipe: Recipe) -> list[Instruction]:
    """The notebook's layer last, for it is edited most; before it what it brings along."""
    last: list[Instruction] = [
        Comment("The notebook, and what tells of it."),
        Copy(("bundle.json", "pyproject.toml", "uv.lock"), "./", owner=_UID),
        Copy(("kernels",), "./kernels/", owner=_UID),
    ]
    if not all(_PLAIN.fullmatch(path) for path in recipe.files):
        # a builder would take some of their characters for a pattern or a variable
        return [Comment("The notebook and what it brings along."), Copy((".",), "./", owner=_UID)]
    sources = _source_copies(recipe.files, recipe.notebook, PurePosixPath())
    if sources:
        sources = [Comment("What the notebook brings along."), *sources]
    folder = PurePosixPath(recipe.notebook).parent
    return [*sources, *last, Copy((recipe.notebook,), _folder(folder), owner=_UID)]


def _source_copies(files: Sequence[str], notebook: str, below: PurePosixPath) -> list[Instruction]:
    """Copies of all files below a folder but the notebook: folder by folder beside its path."""
    paths = [PurePosixPath(path) for path in files if path != notebook]
    here = [path for path in paths if path.is_relative_to(below)]
    depth = len(below.parts)
    beside = tuple(str(path) for path in here if len(path.parts) == depth + 1)
    copies: list[Instruction] = []
    if beside:
        copies.append(Copy(beside, _folder(below), owner=_UID))
    for name in sorted({path.parts[depth] for path in here if len(path.parts) > depth + 1}):
        folder = below / name
        if PurePosixPath(notebook).is_relative_to(folder):
            copies += _source_copies(files, notebook, folder)
        else:
            copies.append(Copy((str(folder),), _folder(folder), owner=_UID))
    return copies


def _folder(path: PurePosixPath) -> str:
    """A folder of the image as COPY takes it."""
    return "./" if path == PurePosixPath() else f"./{path}/"


def compose(recipe: Recipe) -> str:
    """compose.yaml: `docker compose run --rm notebook -p alpha 0.1`, with a GPU where it needs one.

    JSON's strings are YAML's too.
    """
    gpu = """
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: all
              capabilities: [gpu]"""
    return f"""services:
  notebook:
    build: .
    image: {json.dumps(image_tag(recipe.title))}
    read_only: true
    tmpfs: [/tmp]
    volumes: ["./out:{_OUT}"]{gpu if recipe.is_cuda else ""}
"""


def devcontainer(recipe: Recipe) -> str:
    """devcontainer.json: the bundle opened in VS Code, in the environment of its image."""
    spec: dict[str, Any] = {
        "name": recipe.title,
        "build": {"dockerfile": "../Dockerfile", "context": ".."},
        "overrideCommand": True,
        "remoteUser": "root",
        "customizations": {
            "vscode": {
                "extensions": ["ms-python.python", "ms-toolsai.jupyter"],
                "settings": {"python.defaultInterpreterPath": f"{_HOME}/.venv/bin/python"},
            }
        },
    }
    if recipe.is_cuda:
        spec["hostRequirements"] = {"gpu": "optional"}
    return json.dumps(spec, indent=1, ensure_ascii=False) + "\n"


def dockerignore(top: Sequence[str]) -> str:
    """An allow-list: only what the bundle holds reaches the build, whatever comes beside it."""
    return "\n".join(["*", *(f"!{_pattern(name)}" for name in sorted(top)), "**/__pycache__", ""])


def _pattern(name: str) -> str:
    """A name as a pattern of .dockerignore that means it alone.

    Docker 20.10 and buildah make a regular expression of it and escape next to nothing, so that
    `a (1).csv` would be another file, and they trim the line.
    """
    escaped = re.sub(r"([\\*?\[\](){}+|^$])", r"\\\1", name)
    return re.sub(r"\A\s|\s\Z", r"[\g<0>]", escaped)


def kernel_json(recipe: Recipe) -> str:
    """The kernel that the notebook runs on: the bundle's own Python.

    jupyter_client puts the runner's interpreter for `python`.
    """
    extension = ["--ext", "uvmagic"] if recipe.loads_uvmagic else []
    if recipe.loads_uvmagic and not recipe.has_uvmagic:
        code = (
            "__import__('sys').path.append('{resource_dir}'); "
            "get_ipython().extension_manager.load_extension('uvmagic')"
        )
        extension = [f"--IPKernelApp.code_to_run={code}"]
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
    gpu = "--gpus all " if recipe.is_cuda else ""
    run = f'--rm {gpu}--user "$(id -u):$(id -g)" -v "$PWD/out:/out"'
    private = ""
    if recipe.has_own_index:
        lent = f"docker build --secret id={NETRC},src=$HOME/.netrc -t {tag} ."
        private = f"\nWhere an index asks for a password, the build is lent it:\n\n    {lent}\n"
    notes = []
    if recipe.is_cuda:
        notes.append(
            "CUDA's libraries are in it; NVIDIA's driver and container toolkit are the host's."
        )
    if recipe.base.kind == "pytorch":
        notes.append(
            "Torch and Python are the base image's; the build stops where they do not fit."
        )
    note = "".join(f"\n{line}" for line in notes)
    title = recipe.title.translate(str.maketrans("<>&`[]", "‹›+'()"))
    return f"""# {title}

A notebook with everything that it needs to run again: its lock, its files, its container.

With nothing but uv (no container):

    {_uvx(recipe)} rerun .
    {_uvx(recipe)} rerun . -p alpha 0.1

In a container (`podman` does as well, Docker before 23 with `DOCKER_BUILDKIT=1`):

    docker build -t {tag} .
    mkdir -p out
    docker run {run} {tag}
    docker run {run} {tag} -p alpha 0.1
{private}
It needs no network and no file system of its own to write to (`--network none --read-only
--tmpfs /tmp`). `compose.yaml` says the same, and `.devcontainer` opens the bundle in VS Code.{note}

`-p` sets a parameter of the notebook (of its cell tagged `parameters`). The executed copy is
written, by the container to `out/`; the exit status is not 0 when a cell raised. A command in place
of parameters runs in the container instead: `docker run -it {tag} python`.

In the bundle `%uv` cells check the environment and change nothing. `bundle.json` lists every file
with its sha256. Python {recipe.python}, uv {recipe.uv}, image {recipe.base.final}.
"""


def _uvx(recipe: Recipe) -> str:
    """How uvmagic is called where only uv is: from the wheel in the bundle, else the index."""
    wheel = next((path for path in recipe.wheels if path.startswith("wheels/uvmagic-")), None)
    return f"uvx --from ./{wheel} uvmagic" if wheel else "uvx uvmagic"
