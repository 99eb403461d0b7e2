"""`kernel use`: the notebook moves to a project. `kernel restart`: it begins anew where it is."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmagic import grammar
from uvmagic.errors import KernelRefused, UsageError
from uvmagic.kernel import registry
from uvmagic.kernel.capable import made_capable
from uvmagic.kernel.frontends import clicks, keeps_its_kernel, restart_clicks
from uvmagic.kernel.move import hindrance, is_moving, keeps_gpu, looks_again, move
from uvmagic.kernel.successor import Launch
from uvmagic.kernel.whereabouts import Whereabouts
from uvmagic.outcome import Outcome
from uvmagic.progress import Progress
from uvmagic.system.environment import Environment
from uvmagic.system.host import Host, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uvmagic.grammar import Command
    from uvmagic.outcome import Change


def use(command: Command, host: Host) -> Outcome:
    """Move the open notebook to its folder's project, or to that of a kernel that is named.

    Raises:
        UsageError: there is no notebook.
        ProjectUnclear: the notebook and the current folder are of two projects.
        KernelRefused: variables would be lost, this kernel cannot give its place away, no such
            kernel, or it does not start. The notebook stays where it is.
        UvmagicError: as a sync of the project does.
    """
    kernel = _running(host, "kernel use")
    if keeps_its_kernel(host.environ):  # then no project need be made a kernel
        raise KernelRefused("The notebook cannot move.", clicks("", host.environ))
    changes: Sequence[Change] = ()
    notes: tuple[str, ...] = ()
    if command.positionals[1:]:
        chosen = _named(command.positionals[1])
        environment = Environment(chosen.python.parent.parent)
    else:
        Whereabouts.of(host.cwd, host).stop_if_unclear(None)
        made = made_capable(host)
        environment, changes, notes = made.environment, made.changes, made.notes
        chosen, _ = registry.install(made.project, environment)
    facts = (
        ("project", shorten(chosen.project)),
        ("environment", f"{shorten(environment.folder)} (Python {environment.python_version()})"),
    )
    if environment.is_running():
        return Outcome("kernel", "This notebook runs there already.", tuple(changes), facts, notes)
    obstacle = hindrance(kernel)
    if obstacle:
        raise KernelRefused(
            f"The notebook cannot move by itself: {obstacle}.",
            clicks(chosen.display_name, host.environ),
        )
    lost = host.frontend.variables if host.frontend else ()
    if lost and not command.has("--force"):
        raise KernelRefused(
            f"A move loses what is defined here: {listed(lost)}.", "%uv kernel use --force"
        )
    host.reporter.progress(Progress(f"Starting {chosen.display_name}"))
    move(kernel, Launch.into(environment, chosen.project, host))
    if lost:
        notes = (*notes, f"Lost with the old kernel: {listed(lost)}.")
    if keeps_gpu():
        notes = (*notes, "The old process keeps the GPU's memory until the kernel is shut down.")
    # no front end lets a running kernel be renamed: another name is always another process
    stay = f"A restart goes back to the old kernel. {clicks(chosen.display_name, host.environ)}"
    return Outcome(
        "kernel",
        "From the next cell on this notebook runs there.",
        tuple(changes),
        facts,
        notes,
        next_steps=() if looks_again() else (stay,),
        data={"lost": list(lost)},
    )


def restart(host: Host) -> Outcome:
    """Begin anew in the same environment; cells that wait run in the new kernel.

    Raises:
        UsageError: there is no notebook.
        KernelRefused: this kernel cannot do it by itself, or the new one does not start.
    """
    kernel = _running(host, "kernel restart")
    obstacle = hindrance(kernel)
    if keeps_gpu():
        obstacle = obstacle or "its process would stay, and keep the GPU's memory"
    if obstacle:
        raise KernelRefused(
            f"The kernel cannot restart by itself: {obstacle}.", restart_clicks(host.environ)
        )
    here = Path(sys.executable)
    has_uvmagic = find_spec("uvmagic") is not None
    host.reporter.progress(Progress("Starting a new kernel"))
    move(kernel, Launch(here, has_uvmagic, host.cwd, host.environ))
    lost = host.frontend.variables if host.frontend else ()
    return Outcome(
        "kernel",
        "From the next cell on a new kernel runs.",
        facts=(("environment", shorten(Path(sys.prefix))),),
        notes=(f"Lost with the old one: {listed(lost)}.",) if lost else (),
        data={"lost": list(lost)},
    )


def listed(names: Sequence[str], at_most: int = 8) -> str:
    """Names for people: the first few, and how many more."""
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")


def _running(host: Host, told: str) -> Any:
    """The running kernel; it can be asked for a move once in a cell."""
    if host.frontend is None or host.frontend.kernel is None:
        raise UsageError(
            f"{told} is for a cell of a notebook.",
            "uvmagic kernel install   here; then choose the kernel in the menu.",
        )
    if is_moving(host.frontend.kernel):
        raise KernelRefused("The notebook moves at the end of this cell already.")
    return host.frontend.kernel


def _named(wanted: str) -> registry.Kernel:
    """The kernel of uvmagic's that a call names."""
    kernels = [kernel for place in registry.places() for kernel in registry.installed(place)]
    chosen = next((k for k in kernels if wanted in (k.name, k.display_name)), None)
    if chosen is None:
        near = grammar.near(wanted, [name for k in kernels for name in (k.name, k.display_name)])
        hint = f"Did you mean {near}?" if near else "%uv kernel list  tells which there are."
        raise KernelRefused(f"uvmagic made no kernel {wanted}.", hint)
    if chosen.state != "ready":
        raise KernelRefused(
            f"“{chosen.display_name}” cannot start: {chosen.state} ({shorten(chosen.project)}).",
            "%uv kernel list  tells what mends it.",
        )
    return chosen
