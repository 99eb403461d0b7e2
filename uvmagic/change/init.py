"""`init`: a folder becomes a project."""

from __future__ import annotations

import contextlib
import re
import sys
import unicodedata
from typing import TYPE_CHECKING

from uvmagic import grammar, project
from uvmagic.change import report
from uvmagic.change.place import heal_if_needed, start_folder
from uvmagic.change.session import run_uv, waiting
from uvmagic.errors import ProjectMissing
from uvmagic.kernel import follow, live
from uvmagic.outcome import Outcome
from uvmagic.system import files
from uvmagic.system.environment import Environment
from uvmagic.system.journal import transaction
from uvmagic.system.project_lock import project_lock
from uvmagic.system.uv import find_uv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uvmagic.grammar import Command
    from uvmagic.project import Project
    from uvmagic.system.host import Host

_CHOOSES_KIND = ("--app", "--lib", "--package", "--bare", "--build-backend")
"""Options of `uv init` that choose what it makes; without one it makes only pyproject.toml."""


def init(command: Command, host: Host) -> Outcome:
    """Run `init`: make a folder a project; content when it is one already.

    In a notebook the project asks for the Python that the notebook runs on, or a newer one.

    Raises:
        UvUnavailable, UvFailed, FilesUnwritable, Interrupted: no pyproject.toml was left behind.
    """
    folder = start_folder(command, host) / (command.positionals or (".",))[0]
    healed = heal_if_needed(folder, host)
    file = folder / "pyproject.toml"
    if file.is_file() and "project" in project.parse_file(file):
        found = project.find(folder)
        title = f"{found.name} is a project already."
        facts, steps = report.facts(found, host), tuple(_moved_there(found, host))
        return report.with_note(Outcome("init", title, facts=facts, next_steps=steps), healed)
    uv = find_uv(host.environ)
    try:
        watched = [*project.find(folder).files(), file]  # uv may make it a member of a workspace
    except ProjectMissing:
        watched = [file]
    folder_was_there = folder.exists()
    try:
        with project_lock(folder, waiting(host)) as descriptor:
            arguments = ["init", *_init_options(command, host, folder), *command.argv]
            with transaction(folder, watched, grammar.quote(arguments)), _beside_tools(file):
                run_uv(uv, arguments, command, host, descriptor)
            found = project.find(folder)
    except BaseException:
        _leave_no_trace(folder, folder_was_there)
        raise
    title = f"{found.name} is a project now."
    next_steps = ("%uv add pandas   adds a first requirement.",)
    return Outcome("init", title, facts=report.facts(found, host), next_steps=next_steps)


def _moved_there(found: Project, host: Host) -> list[str]:
    """A notebook that runs elsewhere moves to a project that is made already, as by a change."""
    environment = Environment(found.environment(host.environ))
    if host.frontend is None or not environment.exists:
        return []
    return follow.in_this_kernel(found, environment, host, (), live.Before())


@contextlib.contextmanager
def _beside_tools(file: Path) -> Iterator[None]:
    """A pyproject.toml that only configures tools stands aside, and goes on after the project.

    uv makes no project where there is such a file.
    """
    tools = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
    file.unlink(missing_ok=True)
    yield
    if tools:
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{tools}", encoding="utf-8")
        project.parse_file(file)


def _init_options(command: Command, host: Host, folder: Path) -> list[str]:
    """What a notebook's project is made with, where the call does not say."""
    options: list[str] = []
    if not command.has(*_CHOOSES_KIND):
        options += ["--bare", "--no-workspace"]
    if not command.has("--python") and host.frontend is not None:
        options += ["--python", f"{sys.version_info.major}.{sys.version_info.minor}"]
    if not command.has("--name") and not re.fullmatch(r"[\w. -]*", folder.name, re.ASCII):
        ascii_name = unicodedata.normalize("NFKD", folder.name).encode("ascii", "ignore").decode()
        slug = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")
        options += ["--name", slug or "notebooks"]
    return options


def _leave_no_trace(folder: Path, folder_was_there: bool) -> None:
    """After a failed init: no `.uvmagic` in what is no project, no folder that was not there."""
    if not (folder / "pyproject.toml").exists():
        files.forget(folder)
    if not folder_was_there:
        with contextlib.suppress(OSError):  # not empty: uv made something there that may be wanted
            folder.rmdir()
