"""`status`: one card of where this is, what it has, and whether it belongs together.

From files alone, but for `uv --version`: what only uv could tell is `doctor`'s.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import notebook as notebooks
from uvmagic.bundle.freshness import bundles_in, changed_since
from uvmagic.change.place import start_folder
from uvmagic.errors import ProjectUnclear, UvUnavailable
from uvmagic.kernel import registry
from uvmagic.kernel.whereabouts import Whereabouts
from uvmagic.names import listed
from uvmagic.outcome import Outcome
from uvmagic.system import agreement
from uvmagic.system.environment import Environment
from uvmagic.system.host import Host, shorten
from uvmagic.system.settings import settings
from uvmagic.system.space import space
from uvmagic.system.uv import find_uv
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uvmagic.grammar import Command
    from uvmagic.project import Project

Fact = tuple[str, str]


def status(command: Command, host: Host) -> Outcome:
    """Tell notebook, project, environment, lock, kernel, uv and bundle; changes nothing.

    Raises:
        ProjectInvalid: pyproject.toml cannot be read.
    """
    where = Whereabouts.of(start_folder(command, host), host)
    facts = list(_of_notebook(host))
    if where.here is None:
        title, steps = "No project here.", ["%uv init  makes this folder one."]
        if where.is_carried:
            title, steps = "This notebook runs what it carries itself.", []
        facts += [("project", "none here"), *_of_uv(host.cwd, host)]
        return Outcome("status", title, facts=tuple(facts), next_steps=tuple(steps))
    found = where.here
    environment = Environment(found.environment(host.environ))
    facts += _of_project(found, environment, host)
    facts += _of_uv(found.root, host)
    bundles = _bundles(found, host)
    for name, changed in bundles.items():
        label = "bundle" if name == next(iter(bundles)) else ""
        facts.append((label, f"{name}, {_told(changed)}"))
    title, steps = _judged(where, found, environment, host)
    is_ours = environment.is_running()
    return Outcome(
        "status",
        title,
        facts=tuple(facts),
        next_steps=tuple(steps),
        data={
            "bundles": [{"name": name, "older_than": old} for name, old in bundles.items()],
            **({"belongs": is_ours} if host.frontend is not None else {}),
        },
    )


def _of_notebook(host: Host) -> Iterator[Fact]:
    if host.frontend is not None:
        notebook = host.frontend.notebook or notebooks.only_one(host.cwd)
        yield "notebook", shorten(notebook) if notebook else "the front end does not tell"
        yield "interpreter", f"{shorten(Path(sys.prefix))} (Python {_running()})"


def _running() -> str:
    """The version of this Python, as `platform` would tell it, in no time."""
    return sys.version.partition(" ")[0]


def _of_project(found: Project, environment: Environment, host: Host) -> Iterator[Fact]:
    yield "project", f"{found.name} in {shorten(found.root)}"
    version = environment.python_version()
    if version is None:
        yield "environment", "none"
    else:
        taken = space(environment.site_packages())
        yield (
            "environment",
            f"{shorten(environment.folder)} (Python {version}, {in_bytes(taken.bytes)},"
            f" {in_bytes(taken.shared)} of it linked from uv's cache)",
        )
    if not found.lock.exists():
        yield "lock", "none yet"
    elif agreement.agrees(found, environment):
        yield "lock", "agrees with pyproject.toml and the environment"
    else:
        yield "lock", "something has changed since uv last looked"
    yield from _of_torch(found, environment)
    kernel = registry.of_project(found)
    this = ", this one" if host.frontend is not None and environment.is_running() else ""
    yield "kernel", f"{kernel.display_name}, {kernel.state}{this}" if kernel else "none yet"


def _of_torch(found: Project, environment: Environment) -> Iterator[Fact]:
    """Which torch each platform gets, for each set of extras that somebody installs."""
    if not found.lock.exists() or b'"torch"' not in found.lock.read_bytes():
        return  # most have none, and what reads a lock takes 6 ms to import
    from uvmagic.change.state import lockfile

    locked = lockfile(found)
    if locked is None or "torch" not in locked.versions():
        return
    from uvmagic.accelerator import audit  # packaging, and a walk for each platform
    from uvmagic.change.steps import machines
    from uvmagic.errors import ProjectInvalid, UsageError
    from uvmagic.kernel.support import default_groups
    from uvmagic.names import normalise

    python, root = environment.python_version(), normalise(found.name)
    groups = default_groups(found.pyproject)
    label = "accelerator"
    for extras in machines(found):
        try:
            verdicts = audit.builds(
                locked,
                python or _running(),
                root=root,
                extras=extras,
                groups=groups,
            )
        except (ProjectInvalid, UsageError) as error:  # what is wrong with a lock, doctor tells
            yield label, error.message
            return
        told = audit.summary(verdicts)
        if told:
            yield label, f"{', '.join(extras)}: {told}" if extras else told
            label = ""


def _of_uv(folder: Path, host: Host) -> Iterator[Fact]:
    """The uv that is used, and the settings that somebody has set."""
    try:
        uv = find_uv(host.environ)
        yield "uv", f"{uv.version} ({shorten(Path(uv.path))})"
    except UvUnavailable as error:
        yield "uv", error.message
    for setting in settings(folder, host.environ).all:
        if setting.winner.scope not in ("project", "uv"):
            yield setting.row.label, setting.told(shorten)


def _bundles(found: Project, host: Host) -> dict[str, list[str]]:
    """The bundles beside the notebook, and what has changed since each was made."""
    notebook = host.frontend.notebook if host.frontend else None
    beside = bundles_in(notebook.parent if notebook else host.cwd)
    changes = ((bundle.name, changed_since(bundle, found.root)) for bundle in beside)
    return {name: changed for name, changed in changes if changed is not None}


def _told(changed: Sequence[str]) -> str:
    return f"older than {listed(changed)}" if changed else "up to date"


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
