"""One change of one project: lock, journal, the real uv, postconditions, commit."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic import grammar, project
from uvmagic.accelerator import present
from uvmagic.change import postconditions, report
from uvmagic.change.already import already
from uvmagic.change.calls import INDEX_SETTINGS, Calls
from uvmagic.change.place import settled_project, working_folder
from uvmagic.change.session import AS_THEY_WERE, waiting
from uvmagic.change.state import State, dry_outcome, lockfile
from uvmagic.change.steps import Steps
from uvmagic.errors import Interrupted, UvFailed
from uvmagic.kernel import follow, registry, support
from uvmagic.outcome import Outcome, changes_between
from uvmagic.system import agreement
from uvmagic.system.interrupts import held_back, noted
from uvmagic.system.journal import heal, transaction
from uvmagic.system.project_lock import project_lock
from uvmagic.system.uv import find_uv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from uvmagic.grammar import Command
    from uvmagic.project import Project
    from uvmagic.system.environment import Environment
    from uvmagic.system.host import Host

_OWN_ENVIRONMENT = (
    "--active",
    "--check",
    "--dry-run",
    "--frozen",
    "--isolated",
    "--locked",
    "--no-default-groups",
    "--no-dev",
    "--no-sync",
    "--only-dev",
    "--only-group",
    "--package",
)
"""Options by which the call decides itself what is installed: no kernel is made then."""


@dataclass(frozen=True, slots=True)
class First:
    """What a change does before uv locks, in the same transaction.

    Attributes:
        told: the command, for who heals it should it be killed.
        run: does it, and gives notes; what it raises undoes all.
    """

    told: str
    run: Callable[[Calls], list[str]]


def changed(command: Command, host: Host, folder: Path, first: First | None = None) -> Outcome:
    """Change the project of a folder, one change at a time.

    Args:
        command: what uv is to do.
        host: where it runs.
        folder: of the project, or below it.
        first: what is done before; then the files alone cannot answer.

    Raises:
        UvUnavailable, UsageError: nothing was tried.
        UvFailed, ChangeRejected, FilesUnwritable, Interrupted: the files are as they were,
            byte for byte.
    """
    uv = find_uv(host.environ)
    command = _with_options_of(host.environ, command)
    root = settled_project(folder, host).root
    with project_lock(root, waiting(host)) as descriptor:
        healed = heal(root)
        with report.told_also(healed):
            found = project.find(folder)  # it may have changed while we waited
            outcome = None if first else already(command, host, found)
            if outcome is None:
                with noted():
                    outcome = _Session(Calls(command, host, uv, found, descriptor), first).run()
    return report.with_note(outcome, healed)


_AS_OPTIONS = {"UV_FROZEN": "--frozen", "UV_LOCKED": "--locked", "UV_NO_SYNC": "--no-sync"}
"""Environment variables by which uv changes what a call does, and the options they stand for."""


def _with_options_of(environ: Mapping[str, str], command: Command) -> Command:
    """The command with the options that the environment adds to it; uv reads them itself."""
    given: dict[str, tuple[str, ...]] = {
        option: ()
        for name, option in _AS_OPTIONS.items()
        if environ.get(name, "").lower() not in ("", "0", "false", "no", "off")
    }
    return dataclasses.replace(command, options={**given, **command.options})


@dataclass(frozen=True, slots=True)
class _Session:
    """One change of one project, with its lock held."""

    calls: Calls
    first: First | None = None

    @property
    def command(self) -> Command:
        return self.calls.command

    @property
    def host(self) -> Host:
        return self.calls.host

    @property
    def project(self) -> Project:
        return self.calls.project

    @property
    def environment(self) -> Environment:
        return self.calls.environment

    @property
    def is_dry(self) -> bool:
        return self.command.has("--dry-run")

    def run(self) -> Outcome:
        before = State.of(self.project, self.environment)
        told = grammar.quote([self.command.word, *self.command.argv])
        told = self.first.told if self.first else told
        try:
            with transaction(self.project.root, self.project.files(), told, discard=self.is_dry):
                notes = self._call_uv()
                found = project.find(self.project.folder)
                postconditions.verify(
                    self.command,
                    found,
                    lockfile(found),
                    self.environment.installed(),
                    self.environment.python_version(),
                    working_folder(self.command, self.host),
                )
                after = State.of(found, self.environment)
        except (Interrupted, KeyboardInterrupt) as stopped:
            stop = Interrupted(f"Stopped; {AS_THEY_WERE}.")
            with contextlib.suppress(KeyboardInterrupt), held_back():  # pressed again
                stop.hint = self._mend(before)
            raise stop from stopped
        except UvFailed as failure:
            failure.hint = failure.hint or self._mend(before)
            raise
        if self.is_dry:
            return dry_outcome(self.command, before, after, notes, self._named(found))
        if not self.command.has(*_OWN_ENVIRONMENT) and self.command.word != "lock":
            agreement.remember(found, self.environment)
        return self._report(found, before, after, notes)

    def _call_uv(self) -> list[str]:
        """The user's own call, and around it what makes the project a kernel. Gives notes."""
        made_by = Steps
        if self._concerns_torch():
            from uvmagic.change.torch import TorchSteps  # tomlkit and packaging: 40 ms

            made_by = TorchSteps
        steps = made_by(self.calls, self._add_support)
        notes = self.first.run(self.calls) if self.first else []
        return [*notes, *steps.run()]

    def _concerns_torch(self) -> bool:
        """Whether the call may change which torch is installed, or what torch needs."""
        if self.command.has(*grammar.CHOICES):
            return True
        if present.family(present.name_of(token) for token in self.command.positionals):
            return True
        locked = lockfile(self.project)
        return locked is not None and "torch" in locked.versions()

    def _missing_support(self) -> list[str]:
        """What the project lacks to be a kernel, where this call is one that makes it one."""
        wanted = (
            self.host.frontend is not None
            and self.host.auto_register
            and self.command.word in ("add", "remove", "sync")
            and not self.command.has(*_OWN_ENVIRONMENT)
            and not set(self.command.positionals).intersection(support.NAMES)
            and "project" in self.project.pyproject
        )
        now = project.find(self.project.folder)
        missing = support.missing(now.pyproject) if wanted else []
        if missing == ["uvmagic"] and registry.of_project(self.project) is not None:
            return []  # a kernel that does without it
        return missing

    def _add_support(self) -> list[str]:
        """Ask for what a kernel needs; the user's own change does not fail when that fails.

        uvmagic itself may be newer than anything that the project allows.
        """
        missing = self._missing_support()
        had, reason = missing, self._refused(missing)
        if reason and "uvmagic" in missing:
            had = [name for name in missing if name != "uvmagic"]
            reason = self._refused(had)
        if reason:
            return [f"Not made a kernel: {' and '.join(missing)} could not be added ({reason})."]
        if not had:
            return []
        told = f" (uvmagic {support.origin_of_uvmagic().told})" if "uvmagic" in had else ""
        return [f"To be a kernel the project now has {' and '.join(had)}{told}."]

    def _refused(self, names: list[str]) -> str:
        """Ask for some of what a kernel needs; gives why it cannot be had, empty where it can."""
        if not names:
            return ""
        now = project.find(self.project.folder)
        asking = support.requirements(names, now.pyproject, support.origin_of_uvmagic())
        try:
            for call in asking:
                self.calls.run("add", "--no-sync", *call, *self.calls.options_for("add"))
        except UvFailed as failure:
            lines = [line.strip() for line in failure.message.splitlines()]
            return next((line for line in reversed(lines) if "cause:" in line), lines[-1])
        return ""

    def _mend(self, before: State) -> str | None:
        """What to do when uv had begun to install."""
        if self.environment.installed() == before.installed:
            return None
        return "The environment was changed in part;  %uv sync  makes it what the lock says."

    def _report(self, found: Project, before: State, after: State, notes: list[str]) -> Outcome:
        changes = changes_between(before.installed, after.installed)
        if not changes or self.command.word == "lock":
            changes = changes_between(before.locked, after.locked)
            is_as_before = not self.command.has("--reinstall", "--reinstall-package")
            if changes and self.command.word != "lock" and is_as_before:
                notes = [*notes, "Locked only: the environment has not changed."]
        changes = after.told_apart(changes, before, self.command, self._named(found))
        settings = [name for name in INDEX_SETTINGS if self.host.environ.get(name)]
        if self.command.word == "add" and settings and changes:
            told = " and ".join(settings) + (" were" if settings[1:] else " was")
            notes = [*notes, f"{told} used, from the environment; pyproject.toml names none."]
        next_steps: list[str] = []
        if self.host.frontend is not None and not self.command.has(*_OWN_ENVIRONMENT):
            notes = [*notes, *follow.register(found, self.environment, self.host, next_steps)]
            # a lock installs nothing that a notebook would have to move to
            host = self.host if self.command.word != "lock" else self.host.staying()
            next_steps += follow.in_this_kernel(
                found, self.environment, host, changes, before.kernel
            )
        elif self.host.frontend is None and registry.of_project(found) is None:
            next_steps.append("uvmagic kernel install   makes it a kernel of your Jupyter.")
        return Outcome(
            self.command.word,
            report.title(self.command, before.pyproject != after.pyproject, changes),
            changes,
            report.facts(found, self.host),
            tuple(notes),
            tuple(next_steps),
        )

    def _named(self, found: Project) -> set[str]:
        """The distributions that the call names."""
        folder = working_folder(self.command, self.host)
        names = (project.requirement_name(found, w, folder) for w in self.command.positionals)
        return {name for name in names if name}
