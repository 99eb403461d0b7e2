"""The lock: whether it holds, and whether what it gives to this machine and to Linux would run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.accelerator import choice
from uvmagic.accelerator.audit import Build
from uvmagic.accelerator.drivers import LABELS
from uvmagic.data import torch
from uvmagic.names import listed
from uvmagic.outcome import Finding

if TYPE_CHECKING:
    from uvmagic.accelerator.audit import Verdict
    from uvmagic.data.torch import Backend
    from uvmagic.doctor.facts import Facts, LockFacts

_KINDS = {Build.CUDA: "cuda", Build.BARE: "cuda", Build.ROCM: "rocm", Build.XPU: "xpu"}


def lock_missing(facts: Facts) -> Finding | None:
    """A project without a lock."""
    lock = _lock(facts)
    if lock is None or lock.state != "none":
        return None
    return Finding(
        "warning",
        "The project has no uv.lock.",
        "Every machine gets other versions, and no bundle can be made.",
        f"{facts.call} sync",
        ("sync",),
    )


def lock_behind(facts: Facts) -> Finding | None:
    """A lock that is not what pyproject.toml asks for."""
    lock = _lock(facts)
    if lock is None or lock.state != "behind":
        return None
    seen = "uv.lock is not what pyproject.toml asks for"
    more = f": it has no {listed(lock.unlocked)}" if lock.unlocked else ""
    return Finding(
        "warning",
        f"{seen}{more}.",
        "uv sync --locked  and a bundle refuse it.",
        f"{facts.call} sync",
        ("sync",),
    )


def lock_unreadable(facts: Facts) -> Finding | None:
    """A lock that uv cannot read, or a setting that keeps it from doing so."""
    lock = _lock(facts)
    if lock is None or lock.state != "unreadable":
        return None
    return Finding(
        "error",
        f"uv cannot check uv.lock:\n{lock.reason}",
        "Until it can, nothing is installed.",
        f"Mend what uv names. A uv.lock: from version control, or remove it and  {facts.call} lock",
    )


def torch_incomplete(facts: Facts) -> Finding | None:
    """A CUDA build of torch that Linux gets without its libraries."""
    bare = [verdict for verdict in _torch(facts) if verdict.build is Build.BARE]
    if not bare:
        return None
    told = [f"torch {v.version} without {listed(v.lacks)}" for v in bare]
    return Finding(
        "error",
        f"On {bare[0].target.told} uv.lock installs {'; '.join(dict.fromkeys(told))}.",
        "It installs without an error and dies at import:  libcudart.so: cannot open shared object"
        " file.",
        f"{facts.call} lock   locks torch anew, or tells uv what its wheel says of itself.",
    )


def wheels_missing(facts: Facts) -> Finding | None:
    """Distributions that have nothing which this machine's Python could install."""
    lock = _lock(facts)
    if facts.project is None or lock is None or not lock.lacking:
        return None
    python = facts.project.environment.python or "this Python"
    seen = f"No wheel and no source for Python {python} on this machine: {listed(lock.lacking)}."
    if not lock.pythons:
        remedy = f"{facts.call} add '{lock.lacking[0]}!=…'   takes another version."
        return Finding("error", seen, "It cannot be installed here.", remedy)
    return Finding(
        "error",
        seen,
        f"It cannot be installed here; with Python {listed(lock.pythons)} it can.",
        f"{facts.call} python pin {lock.pythons[-1]}   and  {facts.call} sync",
    )


def wheels_built(facts: Facts) -> Finding | None:
    """Distributions that would have to be built here."""
    lock = _lock(facts)
    if facts.project is None or lock is None or not lock.built:
        return None
    python = facts.project.environment.python or "this Python"
    return Finding(
        "note",
        f"No wheel for Python {python} on this machine: {listed(lock.built)}.",
        "It is built from source, which takes a while, and a compiler where it is not all Python.",
        f"{facts.call} python pin …   to a version that it has wheels for",
    )


def driver_old(facts: Facts) -> Finding | None:
    """A driver that is too old for the torch that this machine gets."""
    backend = _backend(facts)
    told = choice.warning(backend, facts.drivers) if backend and facts.drivers else None
    if told is None:
        return None
    return Finding(
        "warning",
        told,
        "torch.cuda.is_available() is False, or the first tensor on the GPU raises.",
        f"Update the driver, or take what fits:  {facts.call} add torch --cuda auto",
    )


def driver_missing(facts: Facts) -> Finding | None:
    """A torch for a GPU on a machine where no driver was found."""
    lock = _lock(facts)
    kind = _KINDS.get(lock.own.build) if lock and lock.own else None
    if kind is None or facts.drivers is None or facts.drivers.of(kind) is not None:
        return None
    return Finding(
        "note",
        f"torch is built for {_told(lock)}, and no {LABELS[kind]} was found here.",
        "It computes on the CPU here.",
        f"{facts.call} add torch --cpu   takes a smaller one, where it is not for another machine.",
    )


def _lock(facts: Facts) -> LockFacts | None:
    return facts.project.lock if facts.project else None


def _torch(facts: Facts) -> tuple[Verdict, ...]:
    lock = _lock(facts)
    return lock.torch if lock else ()


def _told(lock: LockFacts | None) -> str:
    return lock.own.told if lock and lock.own else ""


def _backend(facts: Facts) -> Backend | None:
    """The backend of the torch that this machine gets."""
    lock = _lock(facts)
    if lock is None or lock.own is None or lock.own.build not in _KINDS:
        return None
    kind, toolkit = _KINDS[lock.own.build], lock.own.toolkit
    rows = (row for row in torch.backends().values() if row.kind == kind)
    return next((row for row in rows if row.version == (toolkit or None)), None)
