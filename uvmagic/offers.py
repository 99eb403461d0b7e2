"""What a place has to offer to completion: names, kernels, Pythons, paths. From files; no uv."""

from __future__ import annotations

import os
import re
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmagic import project
from uvmagic.accelerator import present
from uvmagic.errors import UvmagicError
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uvmagic.project import Project

_PYTHON = re.compile(r"(?:cpython|python)-?(?P<version>3\.\d+(?:\.\d+)?)(?:-.*)?(?:\.exe)?")
"""A folder of uv's own Pythons, or a program on PATH."""


class Offers:
    """The facts of a folder; each is read when it is asked for (`grammar.completion.Facts`).

    Args:
        folder: the current one.
        environ: the environment variables.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, environ

    @cached_property
    def _project(self) -> Project | None:
        try:
            return project.find(self._folder)
        except UvmagicError:
            return None

    @cached_property
    def _pyproject(self) -> dict[str, Any]:
        return self._project.pyproject if self._project else {}

    def listed(self) -> list[str]:
        """The distributions that pyproject.toml asks for."""
        return sorted(filter(None, present.listed(self._pyproject)))

    def locked(self) -> list[str]:
        """Those that uv.lock has, less the project itself."""
        if self._project is None or not self._project.lock.is_file():
            return []
        from uvmagic.lockfile import Lockfile

        text = self._project.lock.read_text(encoding="utf-8", errors="replace")
        return sorted(Lockfile(text).versions().keys() - {normalise(self._project.name)})

    def groups(self) -> list[str]:
        """The dependency groups; `dev` is always one."""
        return list(dict.fromkeys([*self._pyproject.get("dependency-groups", {}), "dev"]))

    def extras(self) -> list[str]:
        """The extras."""
        return list(self._pyproject.get("project", {}).get("optional-dependencies", {}))

    def indexes(self) -> list[str]:
        """The names of the project's own indexes."""
        entries = self._pyproject.get("tool", {}).get("uv", {}).get("index", [])
        return [str(entry["name"]) for entry in entries if "name" in entry]

    def kernels(self, action: str) -> list[str]:
        """The kernels that an action of `kernel` may name: those that uvmagic made."""
        from uvmagic.kernel import registry, spec

        if action == "install":
            return [spec.LAUNCHER]
        if action not in ("use", "remove"):
            return []
        for_all = [spec.LAUNCHER] if action == "remove" and registry.launcher() else []
        return [*for_all, *(kernel.name for kernel in registry.installed())]

    def pythons(self) -> list[str]:
        """The versions that uv has installed, those on PATH, and this one's; the newest first."""
        from uvmagic.system.settings import settings

        own = settings(self._folder, self._environ)["python-install-dir"].winner.value
        folders = [own, *self._environ.get("PATH", os.defpath).split(os.pathsep)]
        names = (name for folder in folders if folder for name in _names_in(Path(folder)))
        found = {match["version"] for name in names if (match := _PYTHON.fullmatch(name))}
        found.add(".".join(map(str, sys.version_info[:3])))
        return sorted(found, key=lambda text: [int(part) for part in text.split(".")], reverse=True)

    def paths(self, start: str) -> Iterator[str]:
        """The paths that begin with a text, sorted; hidden ones where the text begins so."""
        above, slash, begun = start.rpartition("/")
        folder = self._folder / (above or ("/" if slash else ""))
        for name in sorted(_names_in(folder)):
            if name.startswith(begun) and (begun.startswith(".") or not name.startswith(".")):
                yield f"{above}{slash}{name}" + ("/" if (folder / name).is_dir() else "")


def _names_in(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except OSError:
        return []
