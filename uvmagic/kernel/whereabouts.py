"""Where a notebook is: its file, its project, the kernel's; and whether they belong together."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import project
from uvmagic.errors import ProjectMissing, ProjectUnclear
from uvmagic.kernel.spec import CARRIED, CHOSEN
from uvmagic.system.environment import Environment
from uvmagic.system.host import shorten

if TYPE_CHECKING:
    from uvmagic.project import Project
    from uvmagic.system.host import Host


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of a notebook's place.

    Attributes:
        here: the project of the current folder, None without one.
        notebooks: that of the notebook's folder; None without one, or where nobody tells the file.
        chosen: the root of the project whose kernel the user chose; None for a kernel of no
            project, such as the one that comes with Jupyter.
        is_carried: whether the kernel was made from what the notebook itself carries (PEP 723).
    """

    here: Project | None
    notebooks: Project | None
    chosen: Path | None
    is_carried: bool = False

    @classmethod
    def of(cls, folder: Path, host: Host) -> Whereabouts:
        """Of a call that works in a folder."""
        notebook = host.frontend.notebook if host.frontend else None
        told = host.environ.get(CHOSEN)
        chosen = Path(told) if told and _runs_in(Path(told), host) else None
        carried = os.path.realpath(host.environ.get(CARRIED, os.devnull))
        return cls(
            _project(folder),
            _project(notebook.parent) if notebook else None,
            chosen,
            carried == os.path.realpath(sys.prefix),
        )

    def stop_if_unclear(self, word: str) -> None:
        """Stop a change where it cannot be told which project it means.

        Raises:
            ProjectUnclear: with the projects, and how to name one.
        """
        if self.is_carried:
            raise ProjectUnclear(
                "This notebook carries its own requirements, in the cell that begins with"
                "  # /// script",
                "Change that cell, then restart the kernel.",
            )
        here, lies, chosen = self.here, self.notebooks, self.chosen
        if here is None and lies is not None:
            raise ProjectUnclear(
                f"The current folder is in no project; the notebook lies in {_told(lies)}.",
                f"%cd {lies.root}",
            )
        if here is None or here.root == chosen:
            return  # what the user chose, or none at all
        if lies is not None and lies.root != here.root:
            raise ProjectUnclear(
                f"The current folder is in {_told(here)}, the notebook lies in {_told(lies)}.",
                f"Go to the notebook's:  %cd {lies.root}   or name the one that is meant:  "
                f"%uv {word} --project {here.root} …",
            )
        if chosen is not None and word != "kernel use":
            raise ProjectUnclear(
                f"The notebook lies in {_told(here)}, and its kernel is that of {shorten(chosen)}.",
                f"%uv kernel use  moves it to {here.name};  %uv {word} --project {chosen} …  "
                "changes the other.",
            )


def _project(folder: Path) -> Project | None:
    try:
        return project.find(folder)
    except ProjectMissing:
        return None


def _runs_in(root: Path, host: Host) -> bool:
    """Whether this process runs from a project's environment."""
    found = _project(root)
    return found is not None and Environment(found.environment(host.environ)).is_running()


def _told(found: Project) -> str:
    return f"{found.name} ({shorten(found.root)})"
