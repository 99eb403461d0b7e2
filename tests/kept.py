"""Folders that take long to make: made once for all tests and workers, and copied for each test."""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Kept:
    """Makes each folder when the first test asks for it, whichever worker that is in.

    Args:
        root: where they are kept: one folder for all workers of a run, new for each run.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(exist_ok=True)

    def copy(self, name: str, to: Path, make: Callable[[Path], None]) -> None:
        """Make a folder a copy of a kept one, that is the test's own.

        Only what lies in a `site-packages` are links and no copies, as uv's own are into its
        cache: whoever changes such a file replaces it.

        Args:
            name: the kept folder's name.
            to: the folder to fill; it may be there if it is empty.
            make: fills the kept folder, if no test has done so yet. It is called in a test's own
                world, of which it must leave nothing in the folder. The folder has the name of
                `to`.
        """
        made = self._root / name / to.name
        with (self._root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                being_made = self._root / f"{name}.making" / to.name
                shutil.rmtree(being_made.parent, ignore_errors=True)
                being_made.mkdir(parents=True)
                make(being_made)
                being_made.parent.rename(made.parent)
        shutil.copytree(made, to, symlinks=True, dirs_exist_ok=True, copy_function=_taken_over)


def _taken_over(source: str, to: str) -> None:
    if f"{os.sep}site-packages{os.sep}" in source:
        os.link(source, to)
    else:
        shutil.copy2(source, to, follow_symlinks=False)
