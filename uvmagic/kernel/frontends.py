"""Which front end a notebook is open in, by the marks that each leaves, and what to click there.

Sources of the marks: `VSCODE_PID`, `VSCODE_CWD` and `VSCODE_HANDLES_UNCAUGHT_ERRORS` are VS Code's
extension host's, whose environment its Jupyter extension hands to the kernel (a remote host has not
all of them; a terminal of VS Code's has none); `COLAB_RELEASE_TAG` is Colab's; `JPY_SESSION_NAME`
is jupyter_server's (JupyterLab, Notebook), which JupyterHub runs with `JUPYTERHUB_USER`, and with
`JUPYTERHUB_DISABLE_USER_CONFIG` where its menu is to have no kernels of a home folder.
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
        "VSCODE_HANDLES_UNCAUGHT_ERRORS": "VS Code",
        "JPY_SESSION_NAME": "Jupyter",
    }
    return next((name for mark, name in marks.items() if mark in environ), "")


def notebook_file(environ: Mapping[str, str]) -> str | None:
    """The notebook, where a server tells it; it may not be saved yet."""
    told = environ.get("JPY_SESSION_NAME", "")
    is_one = os.path.isabs(told) and os.path.isdir(os.path.dirname(told))  # noqa: PTH112,PTH117,PTH120
    return told if is_one else None


def keeps_its_kernel(environ: Mapping[str, str]) -> bool:
    """Whether a front end runs its own Python alone: it has no menu, and no kernel may move."""
    return front_end(environ) == "Colab"


def menu_without_own_kernels(environ: Mapping[str, str]) -> str | None:
    """What to say of a menu that lacks the kernels that a user has registered; None elsewhere."""
    if environ.get("JUPYTERHUB_DISABLE_USER_CONFIG", "") in ("", "0"):
        return None
    return "This JupyterHub's menu leaves it out;  %uv kernel use  moves a notebook there."


def clicks(display_name: str, environ: Mapping[str, str]) -> str:
    """How to choose a kernel by hand, in the front end that the environment tells of."""
    if keeps_its_kernel(environ):
        return "Colab runs its own Python alone: what is imported here takes  %pip install  too."
    if front_end(environ) == "VS Code":
        return (
            "Click the kernel's name at the top right, then Select Another Kernel… → Jupyter "
            f"Kernel… → “{display_name}”."
        )
    by_menu = f"Choose the kernel in the menu: Kernel → Change Kernel… → “{display_name}”."
    return menu_without_own_kernels(environ) or by_menu


def restart_clicks(environ: Mapping[str, str]) -> str:
    """How to restart the kernel by hand, likewise."""
    match front_end(environ):
        case "Colab":
            return "In the menu: Runtime → Restart session."
        case "VS Code":
            return "Click Restart above the notebook."
    return "In the menu: Kernel → Restart Kernel…"
