"""`scan --add --as-of`: the world in which notebooks ran, as pyproject.toml: a day, a Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomlkit

from uvmagic import as_of
from uvmagic.errors import UsageError, UvFailed
from uvmagic.sections import Sections
from uvmagic.system import git
from uvmagic.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from uvmagic.as_of import AsOf
    from uvmagic.change.calls import Calls
    from uvmagic.system.host import Host

_PIN = ".python-version"
"""The file by which a user tells uv which Python to take."""


def meant(value: str, files: Sequence[Path], marks: str, host: Host) -> AsOf:
    """The moment that the option's value means for some notebooks.

    Args:
        value: the option's.
        files: the notebooks.
        marks: when their cells ran, as text.
        host: where git is asked.

    Raises:
        UsageError: it is no moment, or none that several notebooks can share.
    """
    file = files[0]
    if len(files) > 1 and value in ("git", "auto"):
        raise UsageError(
            f"--as-of {value} is of one notebook, and this call means {len(files)}.",
            f"Name one, or give the day:  %uv scan {file.name} --add --as-of {value}",
        )
    return as_of.meant(value, file.name, marks, lambda: git.last_commit(file, host.environ))


def restored(calls: Calls, moment: AsOf, ran: Mapping[Path, str]) -> list[str]:
    """Have pyproject.toml resolve as of a moment, and for the Python of then. Gives notes.

    Args:
        calls: runs uv in the project, whose journal is open.
        moment: what was published later is left out.
        ran: notebook → the version of Python that it was last run with.
    """
    pyproject = calls.project.file
    text = as_of.put_into(pyproject.read_text(encoding="utf-8-sig"), moment)
    notes = [f"Resolved as of {moment.why}: exclude-newer in [tool.uv] says so."]
    own = calls.environment.python_version()
    others = {file.name: _series(v) for file, v in ran.items() if _series(v) != _series(own)}
    if others:
        obstacle = _obstacle(calls, own, others)
        named, python = next(iter(others.items()))
        if obstacle:
            notes.append(f"{named} was last run with Python {python}: {obstacle}")
        else:
            text = _for_python(text, python, named)
            notes.append(f"For Python {python}, as {named} was last run: requires-python says so.")
    write_atomically(pyproject, text.encode())
    return notes


def _series(version: str | None) -> str:
    """`3.8` of `3.8.18`; empty where there is none."""
    return ".".join((version or "").split(".")[:2])


def _obstacle(calls: Calls, own: str | None, others: Mapping[str, str]) -> str:
    """Why the project does not get the Python of its notebooks; empty where it can."""
    kept = f"the project keeps its {own}." if own else "the project keeps uv's choice."
    python = next(iter(others.values()))
    if len(set(others.values())) > 1:
        return f"others with others; {kept}"
    if calls.environment.is_running():
        return f"{kept} This notebook runs in it: scan in a shell, which can change it."
    if (calls.project.root / _PIN).exists():
        return f"{kept} {_PIN} says so;  %uv python pin {python}  changes that."
    try:  # uv's own answer, downloads and all settings of it included
        calls.run("run", "--no-project", "--python", python, "python", "-c", "pass")
    except UvFailed:
        return f"{kept} uv has no Python {python} here, and can have none."
    return ""


def _for_python(text: str, python: str, notebook: str) -> str:
    document = Sections(text)
    value = tomlkit.string(f"=={python}.*")
    value.comment(f"the Python that {notebook} was last run with")
    document.set(("project", "requires-python"), value)
    return document.text()
