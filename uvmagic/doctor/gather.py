"""Gathering the facts, once: nothing is changed, fetched or asked of the network."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import project
from uvmagic.accelerator import choice, present
from uvmagic.accelerator.audit import LINUX, Build, audit_walked
from uvmagic.accelerator.drivers import Drivers
from uvmagic.change.machine import own_target
from uvmagic.change.state import lockfile
from uvmagic.change.steps import machines, options
from uvmagic.doctor.binaries import uv_facts
from uvmagic.doctor.facts import (
    Disk,
    Engine,
    EnvironmentFacts,
    Facts,
    KernelFacts,
    LockFacts,
    NotebookFacts,
    ProjectFacts,
    Unfinished,
)
from uvmagic.errors import ProjectInvalid, ProjectMissing, ProjectUnclear, UsageError
from uvmagic.kernel import live, registry, support
from uvmagic.kernel.whereabouts import Whereabouts
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk
from uvmagic.names import normalise
from uvmagic.outcome import Change, changes_between
from uvmagic.system import agreement, disks, links
from uvmagic.system.environment import Environment
from uvmagic.system.journal import unfinished
from uvmagic.system.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uvmagic.accelerator.audit import Verdict
    from uvmagic.change.steps import Extras
    from uvmagic.doctor.facts import LockState
    from uvmagic.lockfile import Lockfile
    from uvmagic.lockfile.walk import Closure
    from uvmagic.project import Project
    from uvmagic.system.host import Host
    from uvmagic.system.settings import Settings
    from uvmagic.system.uv import Result, Uv

_SEEDS = ("pip", "setuptools", "uv", "wheel")
"""What an environment may have from its beginning; uv leaves it."""
_LOCK_TIMEOUT = {"UV_LOCK_TIMEOUT": "0"}
"""Where another uv works in the environment, uv says so at once, and waits no minutes."""
_OLDEST = 9
"""The minor version of the oldest Python that a lock is asked about."""
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
"""The variables by which an environment that is activated is known."""


def gather(folder: Path, host: Host) -> Facts:
    """All that the checks look at, of a call that works in a folder.

    Raises:
        Interrupted: by the user.
    """
    uv, binaries = uv_facts(host)
    found, invalid = _project(folder)
    held = settings(found.root if found else folder, host.environ)
    locked = lockfile(found) if found else None
    drivers = _drivers(host) if locked is not None and "torch" in locked.versions() else None
    begun = _unfinished(folder)
    # uv would stop at its own settings, and wait for a change that is under way
    is_silent = held.unreadable or (begun is not None and begun.is_running)
    asked = None if is_silent else uv
    own = _of_project(found, asked, drivers, host) if found else None
    return Facts(
        call="uvmagic" if host.frontend is None else "%uv",
        uv=binaries,
        settings=held,
        project=own,
        invalid=invalid,
        unfinished=begun,
        active=tuple(
            (name, Path(host.environ[name])) for name in _ACTIVE if host.environ.get(name)
        ),
        notebook=_notebook(folder, own, host),
        kernels=_kernels(found),
        disks=_disks(folder, own, held),
        drivers=drivers,
        engine=_engine(host),
    )


# --- project --------------------------------------------------------------------------------------


def _project(folder: Path) -> tuple[Project | None, tuple[str, str] | None]:
    """The project of a folder, or why it cannot be read."""
    try:
        return project.find(folder), None
    except ProjectMissing:
        return None, None
    except ProjectInvalid as error:
        return None, (error.message, error.hint or "")


def _unfinished(folder: Path) -> Unfinished | None:
    for root in (folder, *folder.parents):
        found = unfinished(root)
        if found is not None:
            return Unfinished(root, *found)
    return None


def _of_project(found: Project, uv: Uv | None, drivers: Drivers | None, host: Host) -> ProjectFacts:
    environment = Environment(found.environment(host.environ))
    locked = lockfile(found)
    extras = _own_extras(found, drivers)
    installed = environment.installed()
    state: LockState = "none"
    reason, differences = "", tuple[Change, ...]()
    if locked is not None:
        state = "fresh"
        if uv is not None and not agreement.agrees(found, environment):
            asked = _Uv(uv, found, host)
            state, reason = asked.lock_state()
            if state != "unreadable":
                differences = asked.differences(extras)
    return ProjectFacts(
        name=found.name,
        root=found.root,
        pyproject=found.pyproject,
        environment=EnvironmentFacts(
            environment.folder,
            environment.python,
            environment.python_version(),
            exists=environment.exists,
            is_running=environment.is_running(),
            installed=installed,
            strangers=_strangers(installed, locked) if state != "unreadable" else (),
            can_be_kernel=support.is_in(installed),
            links=links.inspected(environment.site_packages()),
            differences=differences,
        ),
        lock=_lock(found, locked, environment, extras, LockFacts(state, reason)),
        secrets=tuple(_secrets(found)),
    )


def _strangers(installed: Mapping[str, str], locked: Lockfile | None) -> tuple[str, ...]:
    """What is installed and not locked, by hand then; seeds of an environment are none."""
    known = {*(locked.versions() if locked else installed), *_SEEDS}
    return tuple(sorted(installed.keys() - known))


@dataclass(frozen=True, slots=True)
class _Uv:
    """What uv is asked of a project, without the network."""

    uv: Uv
    project: Project
    host: Host

    def lock_state(self) -> tuple[LockState, str]:
        result = self._run("lock", "--check")
        if result.returncode == 0:
            return "fresh", ""
        if result.returncode == 1:
            return "behind", ""
        return "unreadable", result.transcript.error()

    def differences(self, extras: Extras) -> tuple[Change, ...]:
        """What a sync would change; nothing where it cannot tell, for a reason that is told."""
        call = ["sync", "--frozen", "--dry-run", "--output-format", "json", *options(extras)]
        result = self._run(*call)
        if result.returncode != 0:
            return ()
        try:
            planned = json.loads(result.stdout)["sync"]["changes"]
            before, after = (
                {one["name"]: one.get("version", "") for one in planned if one["action"] == action}
                for action in ("uninstalled", "installed")
            )
        except (ValueError, KeyError, TypeError):  # uv calls its JSON a preview
            return ()
        return tuple(change for change in changes_between(before, after) if change.after)

    def _run(self, *arguments: str) -> Result:
        from uvmagic.system.uv import environment_for_uv

        environ = {**environment_for_uv(self.host.environ), **_LOCK_TIMEOUT}
        return self.uv.run([*arguments, "--offline"], cwd=self.project.folder, environ=environ)


def _own_extras(found: Project, drivers: Drivers | None) -> Extras:
    """The extra of several backends that this machine gets; none for a project with one."""
    own = present.extras_of(found.pyproject)
    return (choice.fitting(own, drivers or Drivers(), sys.platform),) if own else ()


def _lock(
    found: Project,
    locked: Lockfile | None,
    environment: Environment,
    extras: Extras,
    facts: LockFacts,
) -> LockFacts:
    """What a lock gives to this machine, and which torch to Linux, by the walk alone.

    Args:
        found: the project.
        locked: its lock, None without one.
        environment: whose Python is taken; that of this process where there is none.
        extras: what this machine installs of the project's backends.
        facts: what uv says of the lock.
    """
    if locked is None or facts.state == "unreadable":
        return facts
    asked = locked.asked_for(found.name)
    names = present.listed(found.pyproject) - {"", normalise(found.name)}
    facts = replace(facts, unlocked=tuple(sorted(names - asked)) if asked is not None else ())
    with contextlib.suppress(ProjectInvalid, UsageError):  # none to walk: uv says so
        facts = replace(facts, torch=tuple(_torch_on_linux(found, locked, environment)))
        target = own_target(_python(environment))
        if target is not None:
            return _on_this_machine(found, locked, target, extras, environment.installed(), facts)
    return facts


def _torch_on_linux(
    found: Project, locked: Lockfile, environment: Environment
) -> Iterator[Verdict]:
    """What torch Linux gets, for each set of extras that somebody installs."""
    target = Target(LINUX, _python(environment))
    for extras in machines(found) if "torch" in locked.versions() else ():
        yield audit_walked(locked, _walked(found, locked, target, extras), target)


def _on_this_machine(
    found: Project,
    locked: Lockfile,
    target: Target,
    extras: Extras,
    installed: Mapping[str, str],
    facts: LockFacts,
) -> LockFacts:
    closure = _walked(found, locked, target, extras)
    torch = audit_walked(locked, closure, target)
    built = {
        package.name
        for package in closure.files
        if package.has_sdist
        and "registry" in package.source
        and installed.get(package.name) != package.version
        and not any(map(target.accepts, package.wheel_names()))
    }
    others = (replace(target, python=f"3.{minor}") for minor in range(_OLDEST, _OLDEST + 20))
    walks = (_walked(found, locked, other, extras) for other in others)
    pythons = (walk.target.python for walk in walks if not walk.excluded and not walk.lacking)
    return replace(
        facts,
        own=None if torch.build is Build.ABSENT else torch,
        lacking=tuple(sorted(closure.lacking)),
        built=tuple(sorted(built)),
        pythons=tuple(pythons) if closure.lacking else (),
    )


def _walked(found: Project, locked: Lockfile, target: Target, extras: Extras) -> Closure:
    groups = support.default_groups(found.pyproject)
    return walk(locked, target, root=normalise(found.name), extras=extras, groups=groups)


def _python(environment: Environment) -> str:
    return environment.python_version() or platform.python_version()


def _secrets(found: Project) -> Iterator[str]:
    from uvmagic.bundle import secrets  # 5 ms of patterns

    for file in dict.fromkeys((found.file, found.root / "pyproject.toml", found.root / "uv.toml")):
        with contextlib.suppress(OSError):
            content = file.read_bytes()
            yield from map(str, secrets.in_file(os.path.relpath(file, found.root), content))


# --- machine --------------------------------------------------------------------------------------


def _drivers(host: Host) -> Drivers:
    from uvmagic.system.drivers import detect

    with contextlib.suppress(UsageError):  # a malformed variable; a choice of torch tells it
        return detect(host.environ)
    return Drivers()


def _disks(folder: Path, own: ProjectFacts | None, held: Settings) -> tuple[Disk, ...]:
    places = {"cache": folder / held["cache-dir"].winner.value}
    if own is not None:
        places = {"environment": own.environment.folder, **places}
    return tuple(Disk(what, *disks.file_system(place)) for what, place in places.items())


def _engine(host: Host) -> Engine | None:
    from uvmagic.system.engine import docker

    found = docker(host.environ)
    return Engine("docker", *found) if found else None


# --- kernels --------------------------------------------------------------------------------------


def _kernels(found: Project | None) -> tuple[KernelFacts, ...]:
    users = registry.user_kernels()
    moved = registry.moved_here(found) if found else None
    return tuple(
        KernelFacts(
            kernel.name,
            kernel.display_name,
            "project moved" if kernel == moved else kernel.state,
            kernel.project,
            kernel.python,
            kernel.folder.parent == users,
        )
        for place in registry.places()
        for kernel in registry.installed(place)
    )


def _notebook(folder: Path, own: ProjectFacts | None, host: Host) -> NotebookFacts | None:
    if host.frontend is None:
        return None
    unclear: tuple[str, str] | None = None
    stale: list[str] = []
    where = None
    try:
        where = Whereabouts.of(folder, host)
        where.stop_if_unclear("add")
    except ProjectUnclear as error:
        unclear = error.message, error.hint or ""
    except ProjectInvalid:
        pass  # told for itself
    if own is not None and own.environment.is_running:
        site_packages = Environment(own.environment.folder).site_packages()
        stale = live.outdated(own.environment.installed, site_packages) if site_packages else []
    is_carried = where is not None and where.is_carried
    return NotebookFacts(Path(sys.prefix), is_carried, unclear, tuple(sorted(stale)))
