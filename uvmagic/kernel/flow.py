"""`kernel install | list | remove | prune`, and the way to `use | restart`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import grammar, project
from uvmagic.errors import KernelRefused, ProjectInvalid, ProjectMissing
from uvmagic.kernel import registry, spec
from uvmagic.kernel.capable import made_capable
from uvmagic.kernel.warm import warm_if_cold
from uvmagic.outcome import Outcome
from uvmagic.system.host import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvmagic.grammar import Command
    from uvmagic.kernel.registry import Kernel
    from uvmagic.system.host import Host


def kernel(command: Command, host: Host) -> Outcome:
    """Do what the action says.

    Raises:
        KernelRefused: no such kernel of uvmagic's, or a foreign one in its place.
        UvmagicError: as a change of the project does, for `install`.
    """
    match command.positionals[0]:
        case "install":
            return _install(command, host)
        case "remove":
            return _remove(command, host)
        case "prune":
            return _prune(command)
        case "use":
            from uvmagic.kernel.use import use

            return use(command, host)
        case "restart":
            from uvmagic.kernel.use import restart

            return restart(host)
    return _list(command, host)


def _place(command: Command) -> Path | None:
    """The folder of kernels that the call means; None for this user's."""
    if command.has("--prefix", "--sys-prefix"):
        return registry.kernels_under(Path(command.value("--prefix") or sys.prefix).absolute())
    return None


def _install(command: Command, host: Host) -> Outcome:
    """Give the project what a kernel needs, where it lacks it, and register it."""
    if command.positionals[1:] == (spec.LAUNCHER,):
        folder = registry.install_launcher(Path(sys.executable), _place(command))
        return Outcome(
            "kernel",
            "The kernel “uv (project of this notebook)” runs the project that a notebook lies in.",
            facts=(("name", spec.LAUNCHER), ("folder", shorten(folder))),
        )
    before = project.find(host.cwd)
    place, had_one = _place(command), registry.of_project(before) is not None
    made = made_capable(host)
    found, notes = made.project, made.notes
    warm_if_cold(made.environment, host)
    moved = registry.moved_here(found)
    if moved is not None:
        notes = (*notes, f"The project was moved here from {shorten(moved.project)}.")
    registered, _ = registry.install(
        found, made.environment, command.value("--display-name"), place
    )
    users = registry.of_project(found)
    if place is not None and users is not None and not had_one:
        registry.remove(users)  # the sync has registered it there, as it does from a notebook
    return Outcome(
        "kernel",
        f"The kernel “{registered.display_name}” runs {found.name}.",
        made.changes,
        (
            ("name", registered.name),
            ("project", shorten(registered.project)),
            ("folder", shorten(registered.folder)),
        ),
        notes,
        data={"kernels": [_row(registered)]},
    )


def _list(command: Command, host: Host) -> Outcome:
    """Every kernel that Jupyter would find, or those in one place; ours with their states."""
    place = _place(command)
    places = [place] if place is not None else registry.places()
    kernels = [kernel for each in places for kernel in registry.installed(each)]
    for_all = [found for found in map(registry.launcher, places) if found is not None]
    others = [row for each in places for row in registry.foreign(each)]
    moved = _moved_here(host)
    states = {k.name: "project moved" if k == moved else k.state for k in kernels}
    count = len(kernels) + len(for_all)
    title = f"{count} kernel{'' if count == 1 else 's'} made by uvmagic"
    rows = [("", spec.LAUNCHER, "of the notebook's project", state, "") for _, state in for_all]
    for each in kernels:
        state = states[each.name]
        sign = "" if state == "ready" else "!"
        rows.append((sign, each.name, each.display_name, state, shorten(each.project)))
    rows += [("", name, display_name, "foreign", "") for name, display_name in others]
    return Outcome(
        "kernel",
        title,
        rows=tuple(rows),
        next_steps=tuple(_next_steps(states)),
        data={"kernels": [_row(k) | {"state": states[k.name]} for k in kernels]},
    )


def _next_steps(states: Mapping[str, str]) -> list[str]:
    if not states:
        return ["uvmagic kernel install   makes the project one."]
    steps = {
        "project moved": "uvmagic kernel install   here mends it.",
        "project gone": "uvmagic kernel prune   removes those whose project is gone.",
        "no .venv": "uvmagic sync   in its project makes the environment.",
        "Python gone": "uvmagic sync   in its project makes the environment anew.",
        "no ipykernel": "uvmagic kernel install   in its project adds it.",
    }
    return [step for state, step in steps.items() if state in states.values()]


def _moved_here(host: Host) -> Kernel | None:
    """The kernel of the current folder's project from before it was moved."""
    try:
        return registry.moved_here(project.find(host.cwd))
    except (ProjectMissing, ProjectInvalid):
        return None


def _prune(command: Command) -> Outcome:
    """Remove the kernels whose projects are gone."""
    dead = [kernel for kernel in registry.installed(_place(command)) if kernel.is_dead]
    is_dry = command.has("--dry-run")
    for kernel in dead if not is_dry else ():
        registry.remove(kernel)
    count = f"{len(dead)} kernel{'' if len(dead) == 1 else 's'} whose project is gone"
    title = f"Would remove {count}" if is_dry else f"Removed {count}"
    return Outcome(
        "kernel",
        title if dead else "No kernel of uvmagic's whose project is gone.",
        rows=tuple(("−", k.name, k.display_name, shorten(k.project)) for k in dead),
        data={"kernels": [_row(kernel) | {"state": "project gone"} for kernel in dead]},
    )


def _remove(command: Command, host: Host) -> Outcome:
    kernels = registry.installed(_place(command))
    if len(command.positionals) > 1:
        wanted = command.positionals[1]
        for_all = registry.launcher(_place(command))
        if wanted == spec.LAUNCHER and for_all is not None:
            shutil.rmtree(for_all[0])
            return Outcome("kernel", "Removed the kernel “uv (project of this notebook)”.")
        chosen = next((k for k in kernels if wanted in (k.name, k.display_name)), None)
        if chosen is None:
            names = [k.name for k in kernels]
            raise KernelRefused(
                f"uvmagic made no kernel {wanted}; it removes only its own.",
                grammar.hint_near(wanted, names, "kernel"),
            )
    else:
        found = project.find(host.cwd)
        chosen = next((k for k in kernels if k.project == found.root), None)
        if chosen is None:
            raise KernelRefused(f"{found.name} is not registered as a kernel.")
    registry.remove(chosen)
    return Outcome("kernel", f"Removed the kernel “{chosen.display_name}”.")


def _row(kernel: Kernel) -> dict[str, str]:
    return {
        "name": kernel.name,
        "display_name": kernel.display_name,
        "project": str(kernel.project),
        "state": kernel.state,
    }
