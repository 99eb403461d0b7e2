"""Whether pyproject.toml, uv.lock and the environment still are as uv last left them.

uv is the one who can tell whether the three agree. After it said so, their state is remembered in
`.uvmagic/agreed.json`; while nothing of it has changed, the answer needs no uv (4 ms, not 40).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from uvmagic.errors import FilesUnwritable
from uvmagic.system import agreed
from uvmagic.system.files import write_atomically

if TYPE_CHECKING:
    from uvmagic.project import Project
    from uvmagic.system.environment import Environment


def agrees(project: Project, environment: Environment) -> bool:
    """Whether nothing has changed since uv brought the three into agreement."""
    try:
        remembered = (project.root / agreed.FILE).read_bytes()
    except OSError:
        return False
    return remembered == _state(project, environment)


def remember(project: Project, environment: Environment) -> None:
    """Remember that the three agree now: uv has just locked and synced."""
    with contextlib.suppress(FilesUnwritable):  # a lost shortcut, no lost work
        write_atomically(project.root / agreed.FILE, _state(project, environment))


def _state(project: Project, environment: Environment) -> bytes:
    return agreed.state(map(str, project.files()), str(environment.folder))
