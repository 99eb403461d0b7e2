"""The kernel follows a change of its project: registered, and told what the running one must do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.errors import FilesUnwritable, KernelRefused
from uvmagic.kernel import live, registry, support
from uvmagic.kernel.spec import LAUNCHED
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
    installed = environment.installed()
    if not host.auto_register or not all(name in installed for name in support.NAMES):
        return []
    try:
        kernel, is_new = registry.install(found, environment)
    except (KernelRefused, FilesUnwritable) as refusal:
        next_steps += [refusal.hint] if refusal.hint else []
        return [f"Not registered as a kernel: {refusal.message}"]
    return [f"Registered as the kernel “{kernel.display_name}”."] if is_new else []


def in_this_kernel(
    found: Project,
    environment: Environment,
    changes: Sequence[Change],
    before: live.Before,
) -> list[str]:
    """What the running kernel must do now; new distributions are made importable on the way."""
    kernel = registry.of_project(found)
    if not environment.is_running():
        if os.environ.get(LAUNCHED) == str(os.getpid()):  # the launcher looks again at each start
            return ["Restart the kernel: then it runs in the project, and what was added imports."]
        if kernel is None:
            return [f"This notebook runs in {shorten(Path(sys.prefix))}, not in the project."]
        return [
            f"This notebook runs in {shorten(Path(sys.prefix))}, not in the project: choose the "
            f"kernel “{kernel.display_name}” in the kernel menu, and what was added imports."
        ]
    site_packages = environment.site_packages()
    if site_packages is None or not changes:
        return []
    live.refresh(site_packages, before)
    stale = live.stale(changes, site_packages, before)
    if stale:
        told = ", ".join(f"{change.name} {change.versions}" for change in stale)
        return [f"Restart the kernel: it has loaded the old version of {told}."]
    return ["Import it in the next cell."] if any(c.after for c in changes) else []
