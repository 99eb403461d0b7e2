"""`kernel install | list | remove`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from uvmagic import grammar, project
from uvmagic.change.flow import change
from uvmagic.errors import KernelRefused
from uvmagic.kernel import registry, support
from uvmagic.outcome import Outcome
from uvmagic.system.environment import Environment
from uvmagic.system.host import Frontend, Host, shorten

if TYPE_CHECKING:
    from uvmagic.grammar import Command
    from uvmagic.kernel.registry import Kernel
    from uvmagic.outcome import Change


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
    return _list()


def _install(command: Command, host: Host) -> Outcome:
    """Give the project what a kernel needs, where it lacks it, and register it."""
    found = project.find(host.cwd)
    environment = Environment(found.environment(host.environ))
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    installed = environment.installed()
    if support.missing(found.pyproject) or not set(support.NAMES) <= installed.keys():
        # A sync as from a notebook: that is the change that makes a project a kernel.
        as_in_notebook = dataclasses.replace(
            host, frontend=host.frontend or Frontend(None), auto_register=True
        )
        synced = change(grammar.parse(["sync"]), as_in_notebook)
        changes, notes = synced.changes, synced.notes
        found = project.find(host.cwd)
    if not set(support.NAMES) <= environment.installed().keys():
        raise KernelRefused(
            "The project's environment has no ipykernel or no uvmagic. " + " ".join(notes),
            "%uv add --dev ipykernel",
        )
    made, _ = registry.install(found, environment, command.value("--display-name"))
    return Outcome(
        "kernel",
        f"The kernel “{made.display_name}” runs {found.name}.",
        changes,
        (("name", made.name), ("project", shorten(made.project)), ("folder", shorten(made.folder))),
        notes,
        data={"kernels": [_row(made)]},
    )


def _list() -> Outcome:
    kernels = registry.installed()
    title = f"{len(kernels)} kernel{'' if len(kernels) == 1 else 's'} made by uvmagic"
    facts = tuple((k.name, f"{k.display_name}  {k.state}  {shorten(k.project)}") for k in kernels)
    next_steps = () if kernels else ("uvmagic kernel install   makes the project one.",)
    return Outcome(
        "kernel", title, (), facts, (), next_steps, data={"kernels": [_row(k) for k in kernels]}
    )


def _remove(command: Command, host: Host) -> Outcome:
    kernels = registry.installed()
    if len(command.positionals) > 1:
        wanted = command.positionals[1]
        chosen = next((k for k in kernels if wanted in (k.name, k.display_name)), None)
        if chosen is None:
            names = [k.name for k in kernels]
            raise KernelRefused(
                f"uvmagic made no kernel {wanted}; it removes only its own.",
                grammar.hint_near(wanted, names, "kernel"),
            )
    else:
        found = project.find(host.cwd)
        chosen = registry.of_project(found)
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
