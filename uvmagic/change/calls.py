"""The calls of uv that one change makes, each with the options that the user's own call had."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic import grammar
from uvmagic.change.loaded import spare_loaded
from uvmagic.change.session import run_uv
from uvmagic.project import Table
from uvmagic.system.environment import Environment
from uvmagic.system.files import write_atomically
from uvmagic.system.uv import environment_for_uv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uvmagic.grammar import Command
    from uvmagic.lockfile import Lockfile
    from uvmagic.project import Project
    from uvmagic.system.host import Host
    from uvmagic.system.plan import Plan
    from uvmagic.system.uv import Uv


_NOT_PASSED_ON = frozenset(
    {
        "--dev",
        "--dry-run",
        "--extra",
        "--group",
        "--locked",
        "--no-sync",
        "--optional",
        "--quiet",
        "--upgrade",
    }
)
"""Options that mean the user's own call alone, or something else for another word."""


INDEX_SETTINGS = ("UV_DEFAULT_INDEX", "UV_INDEX")
"""Where this machine fetches from; `uv add` would write it to pyproject.toml (uv 0.13.9)."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Runs uv for a command, in its project, whose lock is held.

    Attributes:
        command: the user's call.
        host: where it runs.
        uv: the binary.
        project: as it was when the change began.
        descriptor: the project lock's, which uv inherits.
    """

    command: Command
    host: Host
    uv: Uv
    project: Project
    descriptor: int

    @property
    def environment(self) -> Environment:
        """The project's environment."""
        return Environment(self.project.environment(self.host.environ))

    def run(self, *arguments: str) -> list[str]:
        """Run uv to its end; gives the lines that it left. Raises UvFailed, UsageError.

        `uv add` leaves the indexes of pyproject.toml as they were, unless the call names some.
        A sync replaces nothing that cannot be replaced (ChangeRejected).
        """
        if arguments[0] == "sync":
            spare_loaded(self, arguments)
        before = _text(self.project.file) if self._writes_indexes(arguments[0]) else None
        said = run_uv(self.uv, list(arguments), self.command, self.host, self.descriptor)
        if before is not None:
            from uvmagic.change.indexes import restored

            write_atomically(self.project.file, restored(before, _text(self.project.file)).encode())
        return said

    def _writes_indexes(self, word: str) -> bool:
        """Whether uv would write indexes to pyproject.toml that only the environment names."""
        is_set = any(self.host.environ.get(name) for name in INDEX_SETTINGS)
        return word == "add" and is_set and not self.command.has("--default-index", "--index")

    def plan(self, on: str | None, options: Sequence[str] = ()) -> Plan:
        """Uv's own plan for a platform, with the environment's Python if there is one."""
        from uvmagic.system.plan import planned

        python = self.environment.python
        own = ["--python", str(python)] if python.exists() else []
        return planned(
            self.uv,
            cwd=self.host.cwd,
            environ=environment_for_uv(self.host.environ),
            platform=on,
            options=[
                *([] if self.command.has("--python") else own),
                *self.options_for("sync"),
                *options,
            ],
        )

    def python_for(self, locked: Lockfile) -> str:
        """The version of the Python that uv takes: the one asked for, the environment's, its own.

        Where a lock is not for that one, it is the oldest that it is for.
        """
        from packaging.specifiers import SpecifierSet

        wanted = SpecifierSet(locked.preamble.requires_python)
        found = self._python_version()
        older = (f"3.{minor}" for minor in range(9, 30))
        return next((python for python in (found, *older) if wanted.contains(python)), found)

    def _python_version(self) -> str:
        asked = self.command.value("--python") or self.host.environ.get("UV_PYTHON")
        known = None if asked else self.environment.python_version()
        if known is not None:
            return known
        found = self.uv.run(
            ["python", "find", "--show-version", *([asked] if asked else [])],
            cwd=self.host.cwd,
            environ=environment_for_uv(self.host.environ),
        )
        return found.stdout.strip() or platform.python_version()

    def options_for(self, word: str) -> list[str]:
        """The options of the user's call that another word of uv's takes too."""
        words = (word, self.command.word)
        names = [{option.names[-1] for option in grammar.uv_options(each)} for each in words]
        common = set.intersection(*names) - _NOT_PASSED_ON
        return [
            token
            for name, values in self.command.options.items()
            if name in common
            for token in ([t for v in values for t in (name, v)] or [name])
        ]

    def group_options(self) -> list[str]:
        """The options of `uv sync` that install the list that the call has changed."""
        table = Table.of(self.command.options)
        if table.kind == "project":
            return []
        return ["--extra" if table.kind == "extra" else "--group", table.name]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")
