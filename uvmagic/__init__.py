"""uvmagic: IPython magics and a kernel helper over the uv package manager.

`%load_ext uvmagic` gives `%uv` and `%%uv`; `uvmagic` is the same grammar in a shell.
ARCHITECTURE.md has the map of the rooms. This module imports nothing heavy: it is what a kernel
pays for at start.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself takes 5 ms
if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"
__all__ = ["__version__", "load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Let `%uv`, `%%uv` and `%uvmagic` be uvmagic's in this shell (IPython calls this)."""
    from uvmagic import magics

    magics.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Give `%uv` back to IPython's built-in magic (IPython calls this)."""
    from uvmagic import magics

    magics.unload(shell)
