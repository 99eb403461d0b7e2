"""Which front end a notebook is open in, by the marks that each leaves, and what to click there.

Sources of the marks: `VSCODE_PID` is set by VS Code's extension host, `COLAB_RELEASE_TAG` by Colab,
`JPY_SESSION_NAME` by jupyter_server (JupyterLab, Notebook), which JupyterHub runs with
`JUPYTERHUB_USER`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # the launcher waits for this module, and typing takes 5 ms
if TYPE_CHECKING:
    from collections.abc import Mapping


def front_end(environ: Mapping[str, str]) -> str:
    """`Colab`, `VS Code`, `Jupyter`, or empty where nothing tells."""
    marks = {
        "COLAB_RELEASE_TAG": "Colab",
        "VSCODE_PID": "VS Code",
        "VSCODE_CWD": "VS Code",
        "JPY_SESSION_NAME": "Jupyter",
    }
    return next((name for mark, name in marks.items() if mark in environ), "")


def notebook_file(environ: Mapping[str, str]) -> str | None:
    """The notebook, where a server tells it; it may not be saved yet."""
    told = environ.get("JPY_SESSION_NAME", "")
    is_one = os.path.isabs(told) and os.path.isdir(os.path.dirname(told))  # noqa: PTH112,PTH117,PTH120
    return told if is_one else None


def clicks(display_name: str, environ: Mapping[str, str]) -> str:
    """How to choose a kernel by hand, in the front end that the environment tells of."""
    match front_end(environ):
        case "Colab":
            return "Colab has no kernel menu:  %uv pip install …  changes its own environment."
        case "VS Code":
            return (
                "Click the kernel's name at the top right, then Select Another Kernel… → Jupyter "
                f"Kernel… → “{display_name}”."
            )
    return f"Choose the kernel in the menu: Kernel → Change Kernel… → “{display_name}”."


def restart_clicks(environ: Mapping[str, str]) -> str:
    """How to restart the kernel by hand, likewise."""
    match front_end(environ):
        case "Colab":
            return "In the menu: Runtime → Restart session."
        case "VS Code":
            return "Click Restart above the notebook."
    return "In the menu: Kernel → Restart Kernel…"
