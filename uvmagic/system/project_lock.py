"""The project lock: one change of a project at a time, across processes and notebooks.

uv itself reads pyproject.toml before it locks anything, and so loses one of two adds silently.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from typing import TYPE_CHECKING

from uvmagic.system.agreed import FOLDER
from uvmagic.system.files import own_folder, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def project_lock(root: Path, on_wait: Callable[[str], None] = lambda _: None) -> Iterator[int]:
    """Hold the project: one change at a time, across processes and notebooks.

    The lock belongs to the open file: a uv that inherits the descriptor holds it too, so that
    a uv whose parent was killed still keeps others out until it ends.

    Args:
        root: the project's root folder.
        on_wait: called with a sentence when somebody else holds it, before waiting.

    Yields:
        The descriptor to inherit.
    """
    folder = own_folder(root)
    with writing(folder):
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not try_lock(descriptor):
            on_wait(f"Waiting for {_holder(descriptor)}, which is changing this project")
            while not try_lock(descriptor):
                time.sleep(0.02)
        with contextlib.suppress(OSError):  # who holds it is only told to those who wait
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"process {os.getpid()}".encode())
        yield descriptor
    finally:
        # Said, and not only closed: what uv has left running may hold the descriptor still.
        unlock(descriptor)
        os.close(descriptor)


def has_lock(root: Path) -> bool:
    """Whether a folder is a project that has been changed before, or is just being changed."""
    return (root / FOLDER / "lock").is_file()


def is_held(root: Path) -> bool:
    """Whether somebody changes the project now. Waits for nobody, and makes nothing."""
    try:
        descriptor = os.open(root / FOLDER / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        is_free = try_lock(descriptor)
        if is_free:
            unlock(descriptor)
        return not is_free
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 100).decode(errors="replace") or "another process"


def unlock(descriptor: int) -> None:
    """Let others have what `try_lock` holds."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)


def try_lock(descriptor: int) -> bool:
    """Hold an open file, if nobody else does: whether it is held now. Does not wait."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 1 << 20, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True
