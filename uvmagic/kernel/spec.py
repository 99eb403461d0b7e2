"""Project → kernel.json, as values. Nothing is written here.

The launcher imports it before it is a kernel: hence no module at its top but the lightest.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys

TYPE_CHECKING = False  # typing itself takes 5 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

_SCHEMA = 1

LAUNCHED = "UVMAGIC_LAUNCHER"
"""The environment variable by which a kernel knows that the launcher has become it: its pid."""
REASON = "UVMAGIC_REASON"
"""The one that tells the fallback kernel why it is there, as JSON: message and hint."""
RELAY = "UVMAGIC_RELAY"
"""The one that tells a kernel that its parent keeps the notebook's sockets: `PID:ADDRESS`."""
CHOSEN = "UVMAGIC_PROJECT"
"""The one that tells a kernel whose it is, where the user has chosen a project's: its root."""
CARRIED = "UVMAGIC_CARRIED"
"""The one that tells it that it runs what the notebook itself carries: its environment."""

LAUNCHER = "uv"
"""The name of the kernel for all projects."""


def kernel_argv(python: Path | str, module: str = "ipykernel_launcher") -> list[str]:
    """How a kernel of an interpreter is started, up to the connection file."""
    # the debugger needs modules that are not frozen, as ipykernel itself writes it
    return [str(python), "-Xfrozen_modules=off", "-m", module]


_PROXY = os.path.join(os.path.dirname(__file__), "proxy")  # noqa: PTH118, PTH120


def extension(has_uvmagic: bool) -> list[str]:
    """What loads `%uv` from a kernel's start.

    Args:
        has_uvmagic: whether the kernel's environment has uvmagic; else its calls are handed to that
            of the running interpreter (`kernel/proxy`).
    """
    if has_uvmagic:
        return ["--ext", "uvmagic"]
    code = (
        f"__import__('sys').path.append({_PROXY!r}); "
        f"__import__('uvmagic').PYTHON = {sys.executable!r}; "
        "get_ipython().extension_manager.load_extension('uvmagic')"
    )
    return [f"--IPKernelApp.code_to_run={code}"]


def launcher_json(python: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The content of kernel.json for the kernel of all projects.

    Args:
        python: an interpreter that has uvmagic.
        environ: environment variables that the kernel gets.
    """
    return {
        "argv": [str(python), "-m", "uvmagic.kernel.launcher", "-f", "{connection_file}"],
        "display_name": "uv (project of this notebook)",
        "language": "python",
        "interrupt_mode": "signal",
        "env": dict(environ),
        "metadata": {"debugger": True, "uvmagic": {"schema": _SCHEMA, "launcher": True}},
    }


def is_of_uvmagic(spec: object) -> bool:
    """Whether uvmagic made a kernel.json, for one project or for all."""
    metadata = spec.get("metadata") if isinstance(spec, dict) else None
    return isinstance(metadata, dict) and isinstance(metadata.get("uvmagic"), dict)


def kernel_name(root: Path, project_name: str) -> str:
    """A kernel's name: legal for Jupyter, and another for every folder.

    ASCII letters, digits, `.`, `_` and `-` are legal (jupyter_client), upper case collides with
    lower on some file systems, and two projects of one name must not overwrite each other: hence
    a slug and the first 8 hex digits of the path's sha256.
    """
    import unicodedata

    ascii_name = unicodedata.normalize("NFKD", project_name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9._-]+", "-", ascii_name.lower()).strip("-._") or "project"
    return f"uvmagic-{slug[:40]}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}"


def kernel_json(
    python: Path,
    root: Path,
    display_name: str,
    environ: Mapping[str, str],
    *,
    has_uvmagic: bool,
) -> dict[str, Any]:
    """The content of kernel.json: the environment's Python, with `%uv` loaded from the start.

    Args:
        python: the environment's interpreter.
        root: the project's root folder, which marks the kernel as its own.
        display_name: what the kernel menu shows.
        environ: environment variables that the kernel gets.
        has_uvmagic: whether the environment has uvmagic.
    """
    return {
        "argv": [*kernel_argv(python), "-f", "{connection_file}", *extension(has_uvmagic)],
        "display_name": display_name,
        "language": "python",
        "interrupt_mode": "signal",
        "env": {CHOSEN: str(root), **environ},
        "metadata": {"debugger": True, "uvmagic": {"schema": _SCHEMA, "project": str(root)}},
    }


def project_of(spec: object) -> Path | None:
    """The project that uvmagic made a kernel.json for; None for one that it did not make."""
    from pathlib import Path

    project: object = spec
    for key in ("metadata", "uvmagic", "project"):
        project = project.get(key) if isinstance(project, dict) else None
    return Path(project) if isinstance(project, str) else None
