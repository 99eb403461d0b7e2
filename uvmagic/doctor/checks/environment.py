"""The project's environment: what is in it, and how its files lie on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.names import listed
from uvmagic.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uvmagic.doctor.facts import EnvironmentFacts, Facts
    from uvmagic.system.links import Links


def environment_missing(facts: Facts) -> Finding | None:
    """No environment, or one whose Python is gone."""
    own = _environment(facts)
    if own is None or own.exists:
        return None
    seen = f"The project has no environment: {own.folder} is not there."
    if own.python:
        seen = f"The Python {own.python} of {own.folder} is gone."
    return Finding(
        "warning", seen, "Nothing of the project can run.", f"{facts.call} sync", ("sync",)
    )


def environment_behind(facts: Facts) -> Finding | None:
    """An environment that lacks what the lock says, or has other versions."""
    own = _environment(facts)
    if own is None or not own.exists or not own.differences:
        return None
    told = [f"{c.name} {c.before or 'none'} (locked: {c.after})" for c in own.differences]
    return Finding(
        "warning",
        f"The environment is not what uv.lock says: {listed(told)}.",
        "What runs here is not what runs elsewhere from the same lock.",
        f"{facts.call} sync",
        ("sync",),
    )


def environment_extra(facts: Facts) -> Finding | None:
    """Distributions that the lock does not know."""
    own = _environment(facts)
    if own is None or not own.strangers:
        return None
    names = own.strangers
    return Finding(
        "note",
        f"The environment has what uv.lock does not: {listed(names)}.",
        "A notebook that imports it runs here alone, and the next  uv sync  removes it.",
        f"{facts.call} add {names[0]}   keeps it,  {facts.call} sync   removes it.",
    )


def files_missing(facts: Facts) -> Finding | None:
    """Files of distributions that are not there: a symlink whose cache was cleaned, or deleted."""
    links = _links(facts)
    if links is None or not links.broken:
        return None
    names = [name for name, _ in links.broken]
    if set(names) <= set(links.linked):
        seen = f"{_count(names)} of links into a cache that was cleaned: {listed(names)}."
        more = "\nLinks of another kind do without the cache:  UV_LINK_MODE=hardlink   or   copy"
    else:
        seen = f"{_count(names)} of files that are gone, such as {links.broken[0][1]}: "
        seen, more = f"{seen}{listed(names)}.", ""
    reinstalled = " ".join(f"--reinstall-package {name}" for name in names)
    return Finding(
        "error",
        seen,
        "To import it fails, or gives an empty module; and  uv sync  says that all is well.",
        f"{facts.call} sync --inexact {reinstalled}{more}",
        ("reinstall", *names),
    )


def files_linked(facts: Facts) -> Finding | None:
    """Symlinks into the cache, which is there still."""
    links = _links(facts)
    whole = set(links.linked) - {name for name, _ in links.broken} if links else set()
    if not whole:
        return None
    return Finding(
        "warning",
        f"{_count(whole)} of links into uv's cache (link mode symlink).",
        "uv cache clean  empties them, and uv does not notice.",
        f"UV_LINK_MODE=hardlink   or   copy,  then  {facts.call} sync --reinstall",
    )


def files_edited(facts: Facts) -> Finding | None:
    """Files that were changed after they were installed."""
    links = _links(facts)
    if links is None or not links.edited:
        return None
    shared = [one for one in links.edited if one.is_shared]
    names = sorted({one.distribution for one in links.edited})
    why = "No lock tells of it, and the next reinstall undoes it."
    clean = ""
    if shared:
        why = (
            "The same file is in uv's cache and in every environment that is made from it"
            f" ({listed([one.path for one in shared])}): all of them have the edit."
        )
        clean = f"{facts.call} cache clean {' '.join(names)}   and "
    reinstalled = " ".join(f"--reinstall-package {name}" for name in names)
    return Finding(
        "warning",
        f"Edited since it was installed: {listed([one.path for one in links.edited])}.",
        why,
        f"{clean}{facts.call} sync --inexact {reinstalled}   undoes it."
        f"\nTo keep it, fork the package:  {facts.call} add --editable ./{names[0]}",
    )


def cache_elsewhere(facts: Facts) -> Finding | None:
    """A cache on another file system than the environment, which hard links cannot reach."""
    disks = {disk.what: disk for disk in facts.disks}
    mode = facts.settings["link-mode"].winner
    own = _environment(facts)
    if own is None or len({disk.device for disk in disks.values()}) < 2:
        return None
    if mode.value in ("copy", "symlink"):
        return None
    return Finding(
        "warning",
        f"The environment is on another file system than uv's cache ({disks['cache'].place}).",
        "Neither a clone nor a hard link leads there: uv copies every file, so that each"
        " environment takes all of its size, and is made slowly.",
        f"UV_CACHE_DIR=…   on the file system of {disks['environment'].place}"
        "\nUV_LINK_MODE=copy   where it is meant so",
    )


def ipykernel_missing(facts: Facts) -> Finding | None:
    """A project that is to be a kernel, without what a kernel needs."""
    own = _environment(facts)
    if own is None or not own.exists or facts.project is None:
        return None
    is_kernel = any(kernel.project == facts.project.root for kernel in facts.kernels)
    if own.can_be_kernel or not (is_kernel or facts.notebook):
        return None
    return Finding(
        "warning",
        "The project's environment has no ipykernel.",
        f"No notebook can run in {facts.project.name}.",
        f"{facts.call} kernel install",
    )


def _environment(facts: Facts) -> EnvironmentFacts | None:
    return facts.project.environment if facts.project else None


def _links(facts: Facts) -> Links | None:
    own = _environment(facts)
    return own.links if own else None


def _count(names: Iterable[str]) -> str:
    count = len(list(names))
    return f"{count} distributions consist" if count > 1 else "1 distribution consists"
