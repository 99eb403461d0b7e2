"""Small and read-only file systems, where the tests may mount some."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = 4096
"""What a file of one byte takes on a tmpfs."""


@contextlib.contextmanager
def tmpfs(target: Path, size: int, **options: int) -> Iterator[None]:
    """An empty file system of so many bytes, in the place of a folder."""
    settings = ",".join([f"size={size}", *(f"{name}={value}" for name, value in options.items())])
    with _mounted(target, "-t", "tmpfs", "-o", settings, "tmpfs"):
        yield


@contextlib.contextmanager
def read_only(target: Path) -> Iterator[None]:
    """A folder that takes no writes, be they root's."""
    with _mounted(target, "--bind", str(target)):
        _run("mount", "-o", "remount,ro,bind", str(target))
        with pytest.raises(OSError, match="Read-only"):
            (target / "probe").touch()
        yield


@contextlib.contextmanager
def full(folder: Path, *, but: int = 0) -> Iterator[None]:
    """A folder's file system without space, but for so many bytes."""
    filler = folder / ".filler"
    with filler.open("wb", buffering=0) as stream:
        with contextlib.suppress(OSError):  # that nothing more goes in is what is wanted
            while stream.write(b"\0" * PAGE):
                pass
        os.ftruncate(stream.fileno(), max(0, stream.tell() - but))
    if not but:
        with pytest.raises(OSError, match="No space left"):
            (folder / ".probe").write_bytes(b"\0")
        (folder / ".probe").unlink()
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def _mounted(target: Path, *how: str) -> Iterator[None]:
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root can mount")
    done = _run("mount", *how, str(target))
    if done.returncode != 0:
        pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")
    try:
        yield
    finally:
        done = _run("umount", str(target))
        assert done.returncode == 0, done.stderr


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
