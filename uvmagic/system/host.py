"""The host that a command runs on, as one value that the faces fill and the flows read."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from uvmagic.errors import UvmagicError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvmagic.progress import Progress


AutoMove = Literal["unless-variables", "always", "never"]
"""When a change of the project moves a notebook into it that runs elsewhere."""


class Reporter(Protocol):
    """Where a face shows what is going on while a command works."""

    def progress(self, progress: Progress) -> None:
        """Show what is being done now, in place of what was shown before."""

    def write(self, stream: str, text: str) -> None:
        """Show output of a passed-through command; `stream` is `stdout` or `stderr`."""


@dataclass(frozen=True, slots=True)
class Frontend:
    """What is known of the notebook that a cell belongs to.

    Attributes:
        notebook: the path that the front end tells, None where it tells none.
        kernel: the running kernel (ipykernel's own object), None in IPython on a terminal.
        variables: the names that the user has defined or imported.
    """

    notebook: Path | None
    kernel: Any = None
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Host:
    """What a command may know of where it runs.

    Attributes:
        cwd: the current folder.
        environ: the environment variables.
        reporter: where progress is shown.
        frontend: the notebook's front end; None in a shell.
        auto_register: whether a project's first change from a notebook makes it a kernel.
        auto_move: when a change of the project moves a notebook into it that runs elsewhere.
        default_mirror: where a backend's wheels come from if neither the call nor the project says;
            empty for the official place.
        stdin_text: the cell's body, for a passed-through command that reads it.
    """

    cwd: Path
    environ: Mapping[str, str]
    reporter: Reporter
    frontend: Frontend | None = None
    auto_register: bool = True
    auto_move: AutoMove = "never"
    default_mirror: str = ""
    stdin_text: str | None = field(default=None)

    def staying(self) -> Host:
        """The same, where the notebook stays in the kernel that it is in."""
        return replace(self, auto_move="never")

    def bundle(self) -> Path | None:
        """The bundle that this interpreter's environment was made for, else None.

        There `%uv` checks and changes nothing.
        """
        if sys.prefix == sys.base_prefix:
            return None
        root = Path(sys.prefix).parent
        try:
            told = json.loads((root / "bundle.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return root if isinstance(told, dict) and "uvmagic" in told else None


def current_folder() -> Path:
    """The current folder. Raises UvmagicError when it is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UvmagicError("The current folder is gone.", "Go to another one.") from error


def shorten(path: Path) -> str:
    """A path for people: the home folder as `~`."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
