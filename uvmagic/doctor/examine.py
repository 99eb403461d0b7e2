"""All checks, and what they find in some facts. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from uvmagic.doctor.checks import environment, kernels, lock, machine, project, uv
from uvmagic.outcome import LEVELS, Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvmagic.doctor.facts import Facts

_ALL: tuple[Callable[[Facts], Finding | None], ...] = (
    uv.uv_missing,
    uv.settings_unreadable,
    project.project_missing,
    project.project_unreadable,
    project.change_unfinished,
    project.credentials,
    lock.lock_unreadable,
    lock.lock_missing,
    lock.lock_behind,
    lock.torch_incomplete,
    lock.wheels_missing,
    environment.environment_missing,
    environment.environment_behind,
    environment.files_missing,
    environment.files_edited,
    environment.files_linked,
    environment.cache_elsewhere,
    environment.environment_extra,
    lock.driver_old,
    lock.driver_missing,
    lock.wheels_built,
    kernels.notebook_elsewhere,
    kernels.kernel_elsewhere,
    kernels.modules_outdated,
    environment.ipykernel_missing,
    kernels.kernels_dead,
    kernels.kernels_broken,
    uv.settings_ignored,
    uv.settings_outside,
    uv.environment_active,
    uv.uv_several,
    uv.uv_in_conda,
    uv.uv_old,
    machine.disk_full,
    machine.docker_unreachable,
)

CHECKS = {check.__name__.replace("_", "-"): check for check in _ALL}
"""Each check by the id of what it finds."""


def examine(facts: Facts) -> tuple[Finding, ...]:
    """What the checks find, the worst first, with the id of its check."""
    found = (
        replace(finding, id=name)
        for name, check in CHECKS.items()
        if (finding := check(facts)) is not None
    )
    return tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level)))
