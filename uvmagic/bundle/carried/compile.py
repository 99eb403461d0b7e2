"""Makes the bytecode of what the bundle's notebook imports, when its image is built.

A bundle carries this file. It imports the modules that `imports.txt` beside it lists, and Python
writes the bytecode where PYTHONPYCACHEPREFIX says: that of all that is installed would be three
times as much, most of it never read. What cannot be imported here, for want of a GPU say, is told
and left out; it will take longer to start, and nothing else.
"""

from __future__ import annotations

import contextlib
import importlib
import subprocess
import sys
from pathlib import Path

_PATIENCE = 600
"""Seconds for all imports together."""


def main() -> None:
    """Import in a process of its own, for an import may end its process, or never end."""
    if sys.argv[1:] == ["here"]:
        _import_all()
        return
    command = [sys.executable, "-Xfrozen_modules=off", __file__, "here"]  # debugpy asks for that
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(command, timeout=_PATIENCE, check=False)


def _import_all() -> None:
    listed = Path(__file__).with_name("imports.txt").read_text(encoding="utf-8").split()
    for name in listed:
        try:
            importlib.import_module(name)
        except BaseException as error:  # whatever a module does when it is imported
            if getattr(error, "name", None) != name:  # else it is no module: `from a import b`
                print(f"{name} is left out: {type(error).__name__}", flush=True)


if __name__ == "__main__":
    main()
