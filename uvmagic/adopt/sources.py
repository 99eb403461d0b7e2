"""What a call names, told apart and read: a file of any form, a notebook, an environment.

Reads the files that are named, and writes none.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import notebook_code
from uvmagic.adopt import (
    conda_lists,
    environment_yml,
    live,
    notebook_lines,
    pipfile,
    poetry,
    requirements_txt,
    setup_files,
)
from uvmagic.adopt.lines import PROJECT, Line, Source
from uvmagic.adopt.texts import read_text
from uvmagic.errors import NotebookUnknown, SourceInvalid, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATTERNS = (
    "environment*.y*ml",
    "requirements*.txt",
    "requirements*.in",
    "Pipfile",
    "setup.cfg",
    "setup.py",
)
"""How the files are named that others list requirements in."""
_RESULTS = {
    "Pipfile.lock": "Pipfile",
    "poetry.lock": "pyproject.toml",
    "pdm.lock": "pyproject.toml",
    "pixi.lock": "pixi.toml",
    "conda-lock.yml": "environment.yml",
}
"""What another tool has resolved, and what it has resolved it from."""


def read(named: str, cwd: Path, environ: Mapping[str, str]) -> Source:
    """Every line of what a call names.

    Args:
        named: a file, a folder that is an environment, or the name of an environment of conda's.
        cwd: what it is relative to.
        environ: for conda's list of environments, which lies in the user's home.

    Raises:
        UsageError: it is nothing that can be adopted.
        SourceInvalid: it cannot be read.
    """
    path = cwd / Path(named).expanduser()
    if path.is_dir():
        return _environment(path, named)
    if not path.exists():
        if elsewhere := _of_conda(named, environ):
            return _environment(elsewhere, named)
        raise SourceInvalid(f"There is no file and no environment {named}.", _here(cwd))
    if path.name in _RESULTS:
        raise UsageError(
            f"{path.name} is what another tool has resolved; what it resolved is in "
            f"{_RESULTS[path.name]}.",
            f"Adopt that one:  %uv adopt {_RESULTS[path.name]}",
        )
    try:
        return _file(path, named)
    except RecursionError as error:
        raise SourceInvalid(f"{named} is nested too deep to be read.") from error


def _environment(folder: Path, named: str) -> Source:
    if not live.is_one(folder):
        raise UsageError(f"{named} is a folder, and no environment.", _here(folder))
    lines = live.read(folder, named)
    comments = "\n".join(_dates_of(folder))
    return Source(named, folder.parent, tuple(lines), comments)


def _dates_of(folder: Path) -> list[str]:
    """When conda changed an environment, by its history: `==> 2023-05-02 12:00:00 <==`."""
    history = folder / "conda-meta" / "history"
    text = history.read_text("utf-8", "replace") if history.is_file() else ""
    return [line for line in text.splitlines() if line.startswith("==>")]


def _of_conda(name: str, environ: Mapping[str, str]) -> Path | None:
    """The environment of a name, by the list that conda keeps in `~/.conda/environments.txt`."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "~").expanduser()
    file = home / ".conda" / "environments.txt"
    if not file.is_file() or Path(name).name != name:
        return None
    folders = [Path(line.strip()) for line in file.read_text("utf-8", "replace").splitlines()]
    return next((f for f in folders if f.name == name and f.is_dir()), None)


def _file(path: Path, named: str) -> Source:
    folder = path.parent
    if path.suffix == ".ipynb":
        return _notebook(path, named)
    text = read_text(path, named)
    name = ""
    lines: list[Line]
    if path.suffix in (".yml", ".yaml"):
        lines = environment_yml.read(text, named, folder)
    elif path.name == "Pipfile":
        lines = pipfile.read(text, named)
    elif path.suffix == ".cfg":
        lines = setup_files.read_cfg(text, named, folder)
    elif path.suffix == ".py":
        lines = setup_files.read_py(text, named)
    elif path.suffix == ".toml":
        _refuse_what_uv_knows(text, named)
        lines, name = poetry.read(text, named), poetry.name_of(text, named)
    elif conda_lists.is_one(text):
        lines = conda_lists.read(text, named)
    else:
        lines = requirements_txt.read_from(text, named, folder, PROJECT, (path.resolve(),))
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    return Source(named, folder, tuple(lines), "\n".join(comments), name)


def _refuse_what_uv_knows(text: str, named: str) -> None:
    try:
        tool = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise SourceInvalid(f"{named} cannot be read as TOML: {error}.", "Mend it.") from error
    if "poetry" in tool:
        return
    if "pixi" in tool or Path(named).name == "pixi.toml":
        raise UsageError(
            f"{named} is pixi's, which is not read yet.",
            "Export it:  pixi project export conda-environment environment.yml",
        )
    raise UsageError(
        f"{named} has no [tool.poetry]: uv reads the rest of a pyproject.toml itself.",
        "Run  %uv sync  in its folder.",
    )


def _notebook(path: Path, named: str) -> Source:
    try:
        notebook = notebook_code.read(path)
    except NotebookUnknown as error:
        raise SourceInvalid(error.message) from error
    cells = list(zip(notebook.numbers, notebook.sources, strict=True))
    lines = notebook_lines.read(cells, named, path.parent)
    if not lines:
        raise SourceInvalid(
            f"{named} has no line that installs something, as  !pip install numpy  does.",
            "Name what it imports:  %uv add …",
        )
    return Source(named, path.parent, tuple(lines), notebook.marks)


def _here(folder: Path) -> str:
    """What could be adopted in a folder."""
    found = sorted({p.name for pattern in _PATTERNS for p in folder.glob(pattern)})
    if (folder / ".venv").is_dir() and live.is_one(folder / ".venv"):
        found.append(".venv")
    return f"Here are: {', '.join(found)}." if found else "Name a file that lists requirements."
