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
        carried = os.path.realpath(host.environ.get(CARRIED, os.devnull))
        here = _project(folder)
        lies = here  # most notebooks are in the current folder
        if notebook is None or notebook.parent.resolve() != folder.resolve():
            lies = _project(notebook.parent) if notebook else None
        return cls(
            here,
            lies,
            Path(told) if told and _runs_in(Path(told), here, host) else None,
            carried == os.path.realpath(sys.prefix),
        )

    def stop_if_unclear(self, word: str | None) -> None:
        """Stop a call where it cannot be told which project it means.

        Args:
            word: of a change, which may name the project; None for a move, which leaves the kernel.

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
                f"Go to the notebook's:  %cd {lies.root}"
                + (f"   or name the one that is meant:  {_named(word, here.root)}" if word else ""),
            )
        if chosen is not None and word:
            raise ProjectUnclear(
                f"The notebook lies in {_told(here)}, and its kernel is that of {shorten(chosen)}.",
                f"%uv kernel use  moves it to {here.name};  {_named(word, chosen)}  changes the "
                "other.",
            )


def _project(folder: Path) -> Project | None:
    try:
        return project.find(folder)
    except ProjectMissing:
        return None


def _named(word: str, root: Path) -> str:
    """How a change names its project."""
    return f"%uv {word} --project {root} …"


def _runs_in(root: Path, here: Project | None, host: Host) -> bool:
    """Whether this process runs from a project's environment; `here` is one that is known."""
    found = here if here is not None and here.root == root else _project(root)
    return found is not None and Environment(found.environment(host.environ)).is_running()


def _told(found: Project) -> str:
    return f"{found.name} ({shorten(found.root)})"
