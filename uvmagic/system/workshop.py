"""A folder of this user's own where the same thing is made again and again, each time anew.

It has the same path each time, so that what Python has compiled there is good the next time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from uvmagic.system.project_lock import try_lock, unlock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BYTECODE = "bytecode"
"""The folder in a workshop that stays; all else in it goes."""
_KEPT = 30 * 86400
"""Seconds that a workshop is kept which nobody comes to."""


@contextlib.contextmanager
def workshop(name: str, beside: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """A folder with nothing in it but what was compiled in it before, emptied afterwards.

    Args:
        name: of what is made in it.
        beside: the folder is on the file system of this one where that can be had, so that files
            can be hard links.
        environ: the environment variables; UVMAGIC_CACHE_DIR names the place of all workshops.

    Yields:
        The folder. Where the user's own place is on another file system, cannot be written to, or
        somebody else is at this very work, it is a temporary one.
    """
    place = Path(environ.get("UVMAGIC_CACHE_DIR") or platformdirs.user_cache_path("uvmagic", False))
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(_held(place / "reruns", name, beside))
        yield kept or Path(stack.enter_context(_temporary(beside)))


@contextlib.contextmanager
def removed_meanwhile(folder: Path) -> Iterator[None]:
    """Remove a folder while the block does something else: ten thousand files take a while."""
    removing = threading.Thread(target=shutil.rmtree, args=(folder, True))
    removing.start()
    try:
        yield
    finally:
        removing.join()


@contextlib.contextmanager
def _held(place: Path, name: str, beside: Path) -> Iterator[Path | None]:
    """The workshop of that name, if it can be had and is free."""
    lock = place / f"{name}.lock"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield None
        return
    try:
        if _is_on_one_file_system(place, beside) and try_lock(descriptor):
            os.utime(lock)
            _clear_out(place)
            with _emptied(place / name) as folder:
                yield folder
        else:
            yield None
    finally:
        unlock(descriptor)
        os.close(descriptor)


@contextlib.contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """A folder without what a run that was killed has left, and afterwards without this one's."""
    folder.mkdir(exist_ok=True)
    _empty(folder)
    try:
        yield folder
    finally:
        _empty(folder)


def _empty(folder: Path) -> None:
    for path in folder.glob("*"):
        if path.name != BYTECODE:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _clear_out(place: Path) -> None:
    """Remove the workshops that nobody has come to for long."""
    for lock in place.glob("*.lock"):
        with contextlib.suppress(OSError):
            if time.time() - lock.stat().st_mtime > _KEPT:
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink()


@contextlib.contextmanager
def _temporary(beside: Path) -> Iterator[str]:
    system = Path(tempfile.gettempdir())
    near = beside.parent if os.access(beside.parent, os.W_OK) else system
    place = system if _is_on_one_file_system(system, beside) else near
    with tempfile.TemporaryDirectory(prefix="uvmagic-", dir=place) as folder:
        yield folder


def _is_on_one_file_system(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False
