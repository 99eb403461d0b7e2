"""A project made able to be a kernel: it asks for what a kernel needs, and has it installed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from uvmagic import grammar, project
from uvmagic.change.flow import change
from uvmagic.errors import KernelRefused
from uvmagic.kernel import support
from uvmagic.system.environment import Environment
from uvmagic.system.host import Frontend, Host

if TYPE_CHECKING:
    from uvmagic.outcome import Change
    from uvmagic.project import Project


@dataclasses.dataclass(frozen=True, slots=True)
class Capable:
    """A project that can be a kernel.

    Attributes:
        project, environment: as they are now.
        changes: what had to be installed for it.
        notes: what that told.
    """

    project: Project
    environment: Environment
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


def made_capable(host: Host) -> Capable:
    """The current folder's project, given an environment, ipykernel or a lock where it lacks them.

    Raises:
        UvmagicError: as a sync does.
        KernelRefused: ipykernel cannot be had.
    """
    found = project.find(host.cwd)
    made = Capable(found, Environment(found.environment(host.environ)))
    is_made = made.environment.exists and found.lock.exists()
    if support.missing(found.pyproject) or not (
        is_made and support.is_in(made.environment.installed())
    ):
        # A sync as from a notebook: that is the change that makes a project a kernel.
        frontend = Frontend(host.frontend.notebook if host.frontend else None)
        as_in_notebook = dataclasses.replace(host, frontend=frontend, auto_register=True)
        here = ["--project", str(found.folder)]  # this one is meant, whosever the kernel is
        synced = change(grammar.parse(["sync", *here]), as_in_notebook)
        made = Capable(project.find(host.cwd), made.environment, synced.changes, synced.notes)
    if not support.is_in(made.environment.installed()):
        raise KernelRefused(
            "The project's environment has no ipykernel. " + " ".join(made.notes),
            "%uv add --dev ipykernel",
        )
    return made
