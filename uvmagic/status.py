"""`status`: one card of where this is, what it has, and whether it belongs together.

From files alone, but for `uv --version`: what only uv could tell is `doctor`'s.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.bundle.freshness import bundles_in, changed_since
from uvmagic.change.place import start_folder
from uvmagic.errors import ProjectUnclear
from uvmagic.kernel import registry
from uvmagic.kernel.whereabouts import Whereabouts
from uvmagic.names import listed
from uvmagic.outcome import Outcome
from uvmagic.progress import in_bytes
from uvmagic.system import agreement, links
from uvmagic.system.environment import Environment
from uvmagic.system.host import Host, shorten
from uvmagic.system.settings import settings

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
        notebook = host.frontend.notebook
        yield "notebook", shorten(notebook) if notebook else "the front end does not tell"
        yield "interpreter", f"{shorten(Path(sys.prefix))} (Python {platform.python_version()})"


def _of_project(found: Project, environment: Environment, host: Host) -> Iterator[Fact]:
    yield "project", f"{found.name} in {shorten(found.root)}"
    version = environment.python_version()
    if version is None:
        yield "environment", "none"
    else:
        space = links.space(environment.site_packages())
        yield (
            "environment",
            f"{shorten(environment.folder)} (Python {version}, {in_bytes(space.bytes)},"
            f" {in_bytes(space.shared)} of it linked from uv's cache)",
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
                python or platform.python_version(),
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
    from uvmagic.doctor.binaries import uv_facts

    _, uv = uv_facts(host)
    yield "uv", f"{uv.version} ({shorten(Path(uv.path))})" if uv.path else (uv.refusal or ("",))[0]
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
