"""`status`: one card of where this is, and whether it belongs together."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.change.place import start_folder
from uvmagic.errors import ProjectUnclear
from uvmagic.kernel import registry
from uvmagic.kernel.whereabouts import Whereabouts
from uvmagic.outcome import Outcome
from uvmagic.system import agreement
from uvmagic.system.environment import Environment
from uvmagic.system.host import Host, shorten

if TYPE_CHECKING:
    from uvmagic.grammar import Command
    from uvmagic.project import Project


def status(command: Command, host: Host) -> Outcome:
    """Tell notebook, interpreter, project, environment, lock and kernel; changes nothing.

    Raises:
        ProjectInvalid: pyproject.toml cannot be read.
    """
    where = Whereabouts.of(start_folder(command, host), host)
    facts: list[tuple[str, str]] = []
    if host.frontend is not None:
        notebook = host.frontend.notebook
        facts = [
            ("notebook", shorten(notebook) if notebook else "the front end does not tell"),
            ("interpreter", f"{shorten(Path(sys.prefix))} (Python {platform.python_version()})"),
        ]
    if where.here is None:
        title, steps = "No project here.", ["%uv init  makes this folder one."]
        if where.is_carried:
            title, steps = "This notebook runs what it carries itself.", []
        facts.append(("project", "none here"))
        return Outcome("status", title, facts=tuple(facts), next_steps=tuple(steps))
    environment = Environment(where.here.environment(host.environ))
    facts += _of_project(where.here, environment)
    title, steps = _judged(where, where.here, environment, host)
    is_ours = environment.is_running()
    return Outcome(
        "status",
        title,
        facts=tuple(facts),
        next_steps=tuple(steps),
        data={"belongs": is_ours} if host.frontend is not None else {},
    )


def _of_project(found: Project, environment: Environment) -> list[tuple[str, str]]:
    version = environment.python_version()
    kernel = registry.of_project(found)
    if not found.lock.exists():
        lock = "none yet"
    elif agreement.agrees(found, environment):
        lock = "agrees with pyproject.toml and the environment"
    else:
        lock = "something has changed since uv last looked"
    return [
        ("project", f"{found.name} in {shorten(found.root)}"),
        ("environment", f"{shorten(environment.folder)} (Python {version})" if version else "none"),
        ("lock", lock),
        ("kernel", f"{kernel.display_name}, {kernel.state}" if kernel else "none yet"),
    ]


def _judged(
    where: Whereabouts, found: Project, environment: Environment, host: Host
) -> tuple[str, list[str]]:
    """Whether it belongs together, in a sentence, and what brings it together."""
    if host.frontend is None:
        return f"{found.name} is the project here.", []
    try:
        where.stop_if_unclear("add")
    except ProjectUnclear as unclear:
        return unclear.message, [unclear.hint] if unclear.hint else []
    if environment.is_running():
        return f"This notebook runs in its project, {found.name}.", []
    force = " --force" if host.frontend.variables else ""
    return (
        f"This notebook does not run in its project, {found.name}.",
        [f"%uv kernel use{force}  moves it there."],
    )
