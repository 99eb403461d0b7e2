"""Writing files so that each is at every moment the old or the new."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic.errors import FilesUnwritable
from uvmagic.system.agreed import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator


def own_folder(root: Path) -> Path:
    """The folder in a project's root where uvmagic keeps its own, made if it is not there.

    Raises:
        FilesUnwritable: no space, or no permission.
    """
    folder = root / FOLDER
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / ".gitignore").exists():
            write_atomically(folder / ".gitignore", b"*\n")
    return folder


def write_atomically(file: Path, content: bytes) -> None:
    """Replace a file's content: at every moment it is the old or the new.

    Raises:
        FilesUnwritable: no space, or no permission.
    """
    import tempfile  # by what writes: random and its hashes take 2 ms

    with writing(file):
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            mode = file.stat().st_mode if file.exists() else 0o666 & ~_umask()
            Path(temporary).chmod(mode & 0o7777)
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


@contextlib.contextmanager
def writing(path: Path, then: str = "Nothing was changed.") -> Iterator[None]:
    """Turn an operating system's refusal into an error that says what to do.

    Args:
        path: what is written.
        then: what becomes of the files if it fails.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message, hint = f"No space left to write {path}.", "Free some and try again."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message, hint = f"{path} cannot be written: {error.strerror}.", "Is it yours?"
        else:
            message, hint = f"{path} cannot be written: {error.strerror}.", None
        raise FilesUnwritable(f"{message} {then}", hint) from error


def forget(root: Path) -> None:
    """Remove `.uvmagic` from a folder that is no project; it keeps nothing of the user's."""
    shutil.rmtree(root / FOLDER, ignore_errors=True)
