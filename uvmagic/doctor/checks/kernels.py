"""The kernels that uvmagic made, and the one that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.names import listed
from uvmagic.outcome import Finding

if TYPE_CHECKING:
    from uvmagic.doctor.facts import Facts

_MENDS = {
    "project moved": "kernel install   here",
    "no .venv": "sync   in its project",
    "Python gone": "sync   in its project",
    "no ipykernel": "kernel install   in its project",
}
"""What mends each state of a kernel."""


def notebook_elsewhere(facts: Facts) -> Finding | None:
    """A notebook whose kernel is not its project's."""
    notebook, found = facts.notebook, facts.project
    if notebook is None or notebook.is_carried or found is None:
        return None
    if notebook.unclear:
        seen, remedy = notebook.unclear
    elif found.environment.is_running:
        return None
    else:
        seen = f"The kernel runs from {notebook.prefix}, not from {found.environment.folder}."
        remedy = "%uv kernel use   moves the notebook there."
    return Finding("warning", seen, "What  %uv add  installs cannot be imported here.", remedy)


def kernel_elsewhere(facts: Facts) -> Finding | None:
    """The project's registered kernel, where it starts another Python than the project's."""
    found = facts.project
    if found is None:
        return None
    own = found.environment.interpreter
    others = [k for k in facts.kernels if k.project == found.root and k.python != own]
    if not others:
        return None
    return Finding(
        "warning",
        f"The kernel {others[0].display_name} starts {others[0].python}, not {own}.",
        "A notebook that has it does not see what is added to the project.",
        f"{facts.call} kernel install",
    )


def modules_outdated(facts: Facts) -> Finding | None:
    """Modules that the kernel has loaded in another version than is installed now."""
    stale = facts.notebook.stale if facts.notebook else ()
    if not stale:
        return None
    return Finding(
        "warning",
        f"The kernel has loaded another version than is installed now: {listed(stale)}.",
        "Old and new parts of a package meet, and fail in odd ways.",
        "%uv kernel restart",
    )


def kernels_dead(facts: Facts) -> Finding | None:
    """Kernels of this user's whose project is gone."""
    dead = [k for k in facts.kernels if k.state == "project gone" and k.is_users]
    if not dead:
        return None
    told = [f"{kernel.display_name} ({kernel.project})" for kernel in dead]
    return Finding(
        "warning",
        f"The menu has kernels whose project is gone: {listed(told)}.",
        "They do not start.",
        f"{facts.call} kernel prune",
        ("prune", *(kernel.name for kernel in dead)),
    )


def kernels_broken(facts: Facts) -> Finding | None:
    """Kernels that do not start, and can be mended."""
    project = facts.project.root if facts.project else None
    broken = [
        kernel
        for kernel in facts.kernels
        # that this project's lacks ipykernel is told of its environment
        if kernel.state in _MENDS and (kernel.project, kernel.state) != (project, "no ipykernel")
    ]
    if not broken:
        return None
    told = [f"{kernel.display_name}: {kernel.state} ({kernel.project})" for kernel in broken]
    states = dict.fromkeys(kernel.state for kernel in broken)
    mends = dict.fromkeys(f"{facts.call} {_MENDS[state]}" for state in states)
    return Finding(
        "warning", "\n".join(told), "A notebook that has it does not start.", "\n".join(mends)
    )
