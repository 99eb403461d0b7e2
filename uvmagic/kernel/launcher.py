"""`python -m uvmagic.kernel.launcher -f FILE`: becomes the kernel of the notebook's project.

One kernelspec serves all projects so, and nothing need be installed beside the Jupyter server. What
stands in the way is told by the kernel of `uvmagic.kernel.fallback`, never by a kernel that dies.
While the project's files and environment agree, all that is done is to look: each module here is
one that a user waits for, so the rest is imported where there is something to do.
"""

from __future__ import annotations

import os
import sys

from uvmagic.kernel.frontends import notebook_file
from uvmagic.kernel.spec import CARRIED, LAUNCHED, REASON, extension, kernel_argv
from uvmagic.system import agreed

TYPE_CHECKING = False  # typing itself takes 5 ms
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Become the project's kernel, or the one that explains why not."""
    environ = {**os.environ, LAUNCHED: str(os.getpid())}
    for told_before in (REASON, CARRIED):
        environ.pop(told_before, None)
    python = _at_hand(environ)
    if python is not None:
        _become([*kernel_argv(python), *sys.argv[1:], *extension(has_uvmagic=True)], environ)
    from uvmagic.kernel.prepare import prepared

    argv, environ = prepared(environ)
    environment = os.path.dirname(os.path.dirname(argv[0]))  # noqa: PTH120
    loaded = extension("uvmagic" in agreed.installed(environment)) if REASON not in environ else []
    _become([*argv, *sys.argv[1:], *loaded], environ)


def _at_hand(environ: dict[str, str]) -> str | None:
    """The Python of the notebook's project, where nothing is to be done but to start it."""
    if environ.get("UV_PROJECT_ENVIRONMENT") or sys.platform == "win32":
        return None
    notebook = notebook_file(environ)
    if notebook is not None and _may_carry(notebook):
        return None
    folder = os.path.dirname(notebook) if notebook else os.getcwd()  # noqa: PTH109, PTH120
    environment = agreed.environment_of(folder)
    if environment is None or not {"ipykernel", "uvmagic"} <= agreed.installed(environment).keys():
        return None
    python = os.path.join(environment, "bin", "python")  # noqa: PTH118
    return python if os.path.exists(python) else None  # noqa: PTH110


def _may_carry(notebook: str) -> bool:
    """Whether a notebook may carry requirements of its own (PEP 723)."""
    try:
        with open(notebook, "rb") as stream:  # noqa: PTH123
            return b"# /// script" in stream.read()
    except OSError:  # it is not saved yet
        return False


def _become(argv: list[str], environ: dict[str, str]) -> NoReturn:
    """Go on as another program, with the same process id where the system can do that."""
    if sys.platform == "win32":  # there execve ends this process, which Jupyter watches
        sys.exit(os.spawnve(os.P_WAIT, argv[0], argv, environ))  # noqa: S606  likewise
    os.execve(argv[0], argv, environ)  # noqa: S606  an argument list, no shell


if __name__ == "__main__":
    main()
