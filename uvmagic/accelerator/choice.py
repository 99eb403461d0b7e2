"""Which backend of torch's a call means, what to say about it, and where its wheels lie.

Pure: what this machine has comes in as `Drivers`, and is asked for only where it decides.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from uvmagic.accelerator.drivers import LABELS, PLACES, numbers
from uvmagic.data import torch
from uvmagic.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from uvmagic.accelerator.drivers import Drivers, Found
    from uvmagic.data.torch import Backend

AUTO = "auto"
"""The value that means: what fits this machine."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend, and what to tell about the choice; None where the call said it all."""

    backend: Backend
    note: str | None = None


def chosen(
    kind: str, value: str | None, drivers: Callable[[], Drivers], platform: str = sys.platform
) -> Choice:
    """The backend that `--cuda 12.6`, `--rocm auto` or `--cpu` means.

    Args:
        kind: the option's name, a key of `torch.kinds()`.
        value: `126`, `12.6`, `cu126` (in any case), `auto`; None for `xpu` and `cpu`.
        drivers: what this machine has; called for `auto` only.
        platform: as `sys.platform` spells it.

    Raises:
        UsageError: there is no such backend, or `auto` finds nothing that one would run on.
    """
    rows = [backend for backend in torch.backends().values() if backend.kind == kind]
    if rows[0].version is None:
        if value is not None:
            raise UsageError(f"--{kind} takes no value: {value!r}.", f"Write --{kind} alone.")
        return Choice(rows[0])
    spelled = (value or "").strip().casefold()
    if spelled == AUTO:
        return _automatic(kind, rows, drivers(), platform)
    return Choice(_named(kind, rows, spelled))


# --- a version ------------------------------------------------------------------------------------


def _named(kind: str, rows: list[Backend], spelled: str) -> Backend:
    """The backend of a version, spelled as in its name or with dots."""
    prefix = rows[0].name.rstrip("0123456789.")
    bare = spelled.removeprefix(prefix)
    asked = numbers(bare)
    if not asked:
        told = f"--{kind}: {spelled!r} is no version." if spelled else f"--{kind} needs a value."
        raise UsageError(
            told, f"{_example(kind, rows)}; --{kind} auto takes what fits this machine."
        )
    if prefix == "cu" and len(asked) == 1 and len(bare) > 2:  # as in the names: 126 is 12.6
        asked = (int(bare[:-1]), int(bare[-1]))
    for backend in rows:
        if bare == backend.name.removeprefix(prefix) or asked == _version(backend):
            return backend
    if len(asked) == 1 and (minors := [b for b in rows if _version(b)[0] == asked[0]]):
        raise UsageError(
            f"--{kind} {spelled}: which minor version?", f"There are {_listed(reversed(minors))}."
        )
    older = max((b for b in rows if _version(b) < asked), key=_version, default=None)
    newer = min((b for b in rows if _version(b) > asked), key=_version, default=None)
    raise UsageError(
        f"--{kind} {spelled}: uv knows no such backend of torch.",
        f"The nearest: {_listed(b for b in (older, newer) if b)}.",
    )


def _example(kind: str, rows: list[Backend]) -> str:
    newest = max((b for b in rows if b.is_automatic), key=_version)
    return f"Name a version, as in --{kind} {newest.version}"


def _version(backend: Backend) -> tuple[int, ...]:
    return numbers(backend.version)


def _listed(backends: Iterable[Backend]) -> str:
    return ", ".join(f"{backend.version} ({backend.name})" for backend in backends)


# --- auto, and what a machine can run -------------------------------------------------------------


def _automatic(kind: str, rows: list[Backend], drivers: Drivers, platform: str) -> Choice:
    """The newest automatic backend that the machine runs; else the newest that it runs at all."""
    found = drivers.of(kind)
    by_hand = f"{_example(kind, rows)}, or use --cpu."
    if found is None:
        told = f"--{kind} auto: no {LABELS[kind]} was found; looked at {', '.join(PLACES[kind])}."
        others = "".join(f"\nFound was: {other}." for other in drivers.found)
        raise UsageError(told + others, by_hand)
    running = [backend for backend in rows if _runs(backend, found, platform)]
    best = max(running, key=lambda b: (b.is_automatic, _version(b)), default=None)
    missed = [b for b in reversed(rows) if b.is_automatic and b not in running]
    needs = ", ".join(f"{b.name} needs {b.driver(platform)}" for b in missed if b.driver(platform))
    if best is None:
        raise UsageError(
            f"--{kind} auto: no backend is known to run on {found}.",
            f"{needs}: update the driver, or use --cpu." if needs else by_hand,
        )
    told = "" if best.is_automatic else ", which gets no new torch"
    return Choice(best, f"auto: {found} → {best.name}{told}{needs and f'; {needs}'}")


def _runs(backend: Backend, found: Found, platform: str) -> bool:
    """Whether a machine runs a backend, by the tables that uv decides by."""
    if backend.kind == "rocm":
        return backend.name in torch.amd_backends().get(found.value, ())
    return numbers(found.value) >= numbers(backend.driver(platform))


def warning(backend: Backend, drivers: Drivers, platform: str = sys.platform) -> str | None:
    """A sentence when this machine cannot run a backend that was named, else None.

    No error: the lock may be meant for another machine.
    """
    found = drivers.of(backend.kind)
    if found is None or backend.version is None or _runs(backend, found, platform):
        return None
    needed = backend.driver(platform)
    if needed is not None:
        return f"{backend.name} needs NVIDIA driver {needed} or newer; this machine has {found}."
    return f"{backend.name} is not known to run on this machine's {found}."


def fitting(extras: Mapping[str, Backend], drivers: Drivers, platform: str = sys.platform) -> str:
    """The extra whose backend is for this machine: the newest that runs here, else the CPU's.

    Args:
        extras: of a project with several backends; not empty.
        drivers: what this machine has.
        platform: as `sys.platform` spells it.
    """

    def fitness(extra: str) -> tuple[int, tuple[int, ...]]:
        backend = extras[extra]
        found = drivers.of(backend.kind)
        if backend.kind == "cpu":
            return 1, ()
        runs = found is not None and (backend.version is None or _runs(backend, found, platform))
        return (2 if runs else 0), _version(backend)

    return max(extras, key=fitness)


# --- where the wheels lie -------------------------------------------------------------------------


def index_url(
    backend: Backend, mirror: str | None = None, *, by: str = "--mirror"
) -> tuple[str, str]:
    """The URL of a backend's index, and its format as in `[[tool.uv.index]]`.

    Args:
        backend: the backend.
        mirror: None for the official place, the name of a mirror in the table, or a URL: of all
            indexes with `{backend}` in it, or of the index itself.
        by: what names the mirror, for an error.

    Raises:
        UsageError: an unknown name, what is no URL, or one with a password in it.
    """
    known = torch.mirrors().get((mirror or "official").casefold())
    if known is not None:
        return known.url.replace("{backend}", backend.name), known.format
    url = str(mirror).replace("{backend}", backend.name)
    if "@" in url.rpartition("://")[2].partition("/")[0]:
        name = f"UV_INDEX_PYTORCH_{backend.name.replace('.', '_').upper()}"
        raise UsageError(
            f"{by}: pyproject.toml would show the user and password of that URL to everyone.",
            f"Leave them out; uv takes them from {name}_USERNAME and {name}_PASSWORD.",
        )
    if _parts(url) is None:
        raise UsageError(
            f"{by} {mirror}: no mirror that is known, and no URL.",
            f"Known are {', '.join(torch.mirrors())}; a URL may have {{backend}} in it.",
        )
    last = url.rstrip("/").rpartition("/")[2]
    if last in torch.backends() and last != backend.name:
        raise UsageError(
            f"{by} {mirror}: that is the index of {last}, not of {backend.name}.",
            "Write {backend} in its place.",
        )
    return url, "simple"


def index_url_beside(backend: Backend, other: Backend, url: str) -> str | None:
    """The URL of a backend's index where another backend's lies; None if that cannot be told."""
    head, slash, last = url.rstrip("/").rpartition("/")
    tail = "/" if url.endswith("/") else ""
    return f"{head}{slash}{backend.name}{tail}" if last == other.name else None


def backend_of_url(url: str) -> Backend | None:
    """The backend whose index lies at a URL, officially or at a mirror of the table; else None.

    The scheme, the case of the host and a slash at the end make no difference.
    """
    return _places().get(_place(url))


@cache
def _places() -> dict[tuple[str, str] | None, Backend]:
    return {
        _place(index_url(backend, mirror)[0]): backend
        for mirror in torch.mirrors()
        for backend in torch.backends().values()
    }


def _place(url: str) -> tuple[str, str] | None:
    """What tells an index's place: host and path."""
    parts = _parts(url)
    if parts is None:
        return None
    return parts.netloc.rpartition("@")[2].casefold(), parts.path.rstrip("/")


def _parts(url: str) -> SplitResult | None:
    """A URL's parts; None for what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None
