"""What must hold after a change: uv's exit status is not taken for proof. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.markers import default_environment

from uvmagic.accelerator import present
from uvmagic.errors import ChangeRejected
from uvmagic.project import Table, parse_requirement, requirement_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uvmagic.grammar import Command
    from uvmagic.lockfile import Lockfile
    from uvmagic.project import Project

_NO_ENVIRONMENT = (
    "--active",
    "--dry-run",
    "--frozen",
    "--no-install-local",
    "--no-install-package",
    "--no-install-workspace",
    "--no-sync",
)
"""Options with which what was added need not be in the environment."""


def verify(
    command: Command,
    project: Project,
    lockfile: Lockfile | None,
    installed: Mapping[str, str],
    python_version: str | None,
    cwd: Path,
) -> None:
    """Check that a change did what it promised.

    Args:
        command: the change.
        project: as it is now.
        lockfile: as it is now, None without one.
        installed: the environment as it is now, name → version.
        python_version: the environment's Python, None without an environment.
        cwd: what relative paths in the call are relative to.

    Raises:
        ChangeRejected: naming what does not hold.
    """
    # Which tokens are requirements cannot be told, or the change is another project's: uv's word
    # must do.
    if command.unknown or command.has("--package"):
        return
    locks = not command.has("--frozen")
    if locks and lockfile is None:
        raise _rejected("there is no uv.lock")
    table = Table.of(command.options)
    names = [requirement_name(project, wanted, cwd) for wanted in command.positionals]
    if command.word == "add":
        locked = _locked(lockfile, project) if lockfile and locks else set()
        installs = not command.has(*_NO_ENVIRONMENT) and table.kind == "project"
        for wanted, name in zip(command.positionals, names, strict=True):
            listed = {
                requirement_name(project, e, cwd) for e in table.requirements(project.pyproject)
            }
            if name is None or name not in listed | _listed_for_backends(project):
                raise _rejected(f"{wanted} is not in pyproject.toml")
            if locks and name not in locked:
                raise _rejected(f"{wanted} is not in uv.lock")
            if installs and _applies(wanted, python_version) and name not in installed:
                raise _rejected(f"{wanted} is not in the environment")
    elif command.word == "remove":
        listed = {requirement_name(project, e, cwd) for e in table.requirements(project.pyproject)}
        still = listed.intersection(names)
        if still:
            raise _rejected(f"{', '.join(map(str, still))} still is in pyproject.toml")


def _locked(lockfile: Lockfile, project: Project) -> set[str]:
    """What the lock has for the sake of the project itself, not of something that it needs."""
    asked_for = lockfile.asked_for(project.name)
    return set(lockfile.versions()) if asked_for is None else asked_for


def _listed_for_backends(project: Project) -> set[str]:
    """What the extras list that stand for backends of torch, where the project has several."""
    tables = [Table("extra", extra) for extra in present.extras_of(project.pyproject)]
    return {present.name_of(e) for t in tables for e in t.requirements(project.pyproject)}


def _applies(wanted: str, python_version: str | None) -> bool:
    """Whether a requirement's marker holds in the environment (this machine, that Python)."""
    requirement = parse_requirement(wanted)
    if requirement is None or requirement.marker is None:
        return True
    environment = dict[str, Any]({**default_environment(), "extra": ""})
    if python_version:
        environment["python_full_version"] = python_version
        environment["python_version"] = ".".join(python_version.split(".")[:2])
    return requirement.marker.evaluate(environment)


def _rejected(what: str) -> ChangeRejected:
    return ChangeRejected(
        f"uv reports success, but {what}; pyproject.toml and uv.lock are as they were.",
        "Please report this with the output of  uv --version.",
    )
