"""A healthy project, and `doctor` asked of it in this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uvmagic import app, grammar
from uvmagic.system.host import Frontend, Host

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest
    from conftest import Folder
    from index import PackageIndex

    from uvmagic.outcome import Finding, Outcome
    from uvmagic.progress import Progress


class Silent:
    """A reporter that nobody reads."""

    def progress(self, progress: Progress) -> None:
        """Nothing."""

    def write(self, stream: str, text: str) -> None:
        """Nothing."""


@dataclass
class World:
    """A project that asks for alpha and beta, synced; no other uv, engine or setting takes part.

    Attributes:
        folder: the project.
        index: that it knows.
        path: the test's own folder.
        patch: what the test changes of this process.
        frontend: of the notebook that asks; None for a shell.
        undo: what else is undone in the end.
    """

    folder: Folder
    index: PackageIndex
    path: Path
    patch: pytest.MonkeyPatch
    frontend: Frontend | None = None
    undo: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def made(
        cls, folder: Folder, index: PackageIndex, path: Path, patch: pytest.MonkeyPatch
    ) -> World:
        """The healthy one."""
        (path / "bin").mkdir()
        for name in ("mount", "umount"):
            if found := shutil.which(name):
                (path / "bin" / name).symlink_to(found)
        patch.setenv("PATH", str(path / "bin"))
        patch.setenv("UV_PYTHON", sys.executable)  # spares uv the search
        patch.setenv("XDG_CONFIG_HOME", str(path / "config"))
        patch.setenv("XDG_CONFIG_DIRS", str(path / "system"))
        world = cls(folder, index, path, patch)
        world.ask_for("alpha", "beta")
        world.uv("sync")
        return world

    def set(self, **environ: str) -> None:
        """Set environment variables."""
        for name, value in environ.items():
            self.patch.setenv(name, value)

    def ask_for(self, *requirements: str) -> None:
        """Have pyproject.toml ask for these, and nothing else."""
        lines = self.folder.pyproject.read_text().splitlines(keepends=True)
        place = next(n for n, line in enumerate(lines) if line.startswith("dependencies ="))
        lines[place] = f"dependencies = {list(requirements)}\n".replace("'", '"')
        self.folder.pyproject.write_text("".join(lines))

    def uv(self, *arguments: str, **environ: str) -> None:
        """Run the real uv in the project; it must succeed."""
        subprocess.run(
            [os.environ["UV"], *arguments],
            cwd=self.folder.path,
            env={**os.environ, **environ},
            check=True,
            capture_output=True,
            timeout=60,
        )

    def pip_install(self, *requirements: str) -> None:
        """Install past the lock, as one does by hand."""
        self.uv("pip", "install", "--python", str(self.folder.path / ".venv"), *requirements)

    def program(self, name: str, body: str, folder: str = "bin") -> Path:
        """A shell script on PATH, or in another folder of the test's."""
        file = self.path / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return file

    @property
    def site_packages(self) -> Path:
        """Of the environment."""
        return next(self.folder.path.glob(".venv/lib/python3*/site-packages"))

    def run(self, *tokens: str) -> Outcome:
        """Run a word of uvmagic's, as its shell does."""
        command = grammar.parse(tokens)
        outcome = app.run(command, Host(self.folder.path, os.environ, Silent(), self.frontend))
        assert outcome is not None
        return outcome

    def found(self, *tokens: str) -> Mapping[str, Finding]:
        """What `doctor` finds, by id."""
        return {finding.id: finding for finding in self.run("doctor", *tokens).findings}
