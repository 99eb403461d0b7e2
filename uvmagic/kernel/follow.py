"""The kernel follows a change of its project: registered, moved there, told what it must do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.errors import FilesUnwritable, KernelRefused
from uvmagic.kernel import live, registry, support
from uvmagic.kernel.frontends import clicks, keeps_its_kernel, menu_without_own_kernels
from uvmagic.progress import Progress
from uvmagic.system.host import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uvmagic.outcome import Change
    from uvmagic.project import Project
    from uvmagic.system.environment import Environment
    from uvmagic.system.host import Host


def register(
    found: Project, environment: Environment, host: Host, next_steps: list[str]
) -> list[str]:
    """Register the project's kernel where that is wanted and not done. Gives notes."""
    if not host.auto_register or not support.is_in(environment.installed()):
        return []
    try:
        kernel, is_new = registry.install(found, environment)
    except (KernelRefused, FilesUnwritable) as refusal:
        next_steps += [refusal.hint] if refusal.hint else []
        return [f"Not registered as a kernel: {refusal.message}"]
    from uvmagic.kernel.warm import warm_if_cold  # an add that is true already does without

    warm_if_cold(environment, host)
    if not is_new:
        return []
    notes = [f"Registered as the kernel “{kernel.display_name}”."]
    if "uvmagic" not in environment.installed():
        notes.append(
            "Its packages are too old for uvmagic: there the magic is answered by the uvmagic of "
            f"{shorten(Path(sys.prefix))}, as in a shell."
        )
    return [*notes, *filter(None, [menu_without_own_kernels(host.environ)])]


def in_this_kernel(
    found: Project,
    environment: Environment,
    host: Host,
    changes: Sequence[Change],
    before: live.Before,
) -> list[str]:
    """What the running kernel must do now; what it can do by itself is done on the way.

    In the project's environment new distributions are made importable; elsewhere the notebook moves
    there, where that loses nothing or is wished.
    """
    if not environment.is_running():
        return [_moved(found, environment, host)]
    site_packages = environment.site_packages()
    if site_packages is None or not changes:
        return []
    live.refresh(site_packages, before)
    stale = live.stale(changes, site_packages, before)
    if stale:
        told = ", ".join(f"{change.name} {change.versions}" for change in stale)
        return [f"Restart the kernel: it has loaded the old version of {told}.  %uv kernel restart"]
    return ["Import it in the next cell."] if any(c.after for c in changes) else []


def _moved(found: Project, environment: Environment, host: Host) -> str:
    """Move a notebook that runs elsewhere into the project, or tell how."""
    from uvmagic.kernel.move import hindrance, is_moving, looks_again, move

    frontend = host.frontend
    assert frontend is not None
    there = "From the next cell on this notebook runs in the project: import it there."
    if is_moving(frontend.kernel):
        return there
    if keeps_its_kernel(host.environ):
        return clicks("", host.environ)
    if frontend.kernel is None:  # a terminal
        has_ipython = "ipython" in environment.installed()
        command = "uv run ipython" if has_ipython else "uv run --with ipython ipython"
        return f"This IPython does not run in the project;  {command}  in a shell does."
    here = f"This notebook runs in {shorten(Path(sys.prefix))}, not in the project"
    if environment.exists and "ipykernel" in environment.installed():
        obstacle = hindrance(frontend.kernel)
        is_free = host.auto_move == "always" or not frontend.variables
        if not obstacle and host.auto_move != "never" and is_free:
            from uvmagic.kernel.successor import Launch

            host.reporter.progress(Progress("Starting the project's kernel"))
            try:
                move(frontend.kernel, Launch.into(environment, found.root, host))
            except KernelRefused as refusal:
                return f"{here}. {refusal}"
            return there
        if not obstacle:
            force = " --force" if frontend.variables else ""
            lost = ", and what is defined here is lost" if frontend.variables else ""
            return f"{here}:  %uv kernel use{force}  moves it there{lost}."
    if looks_again():
        return "Restart the kernel: then it runs in the project, and what was added imports."
    kernel = registry.of_project(found)
    return f"{here}. {clicks(kernel.display_name, host.environ)}" if kernel else f"{here}."
