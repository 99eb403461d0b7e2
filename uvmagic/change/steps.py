"""What every change comes to: uv locks, what it has locked is judged, and only then uv installs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from uvmagic import project
from uvmagic.accelerator import present
from uvmagic.change.state import lockfile
from uvmagic.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uvmagic.change.calls import Calls
    from uvmagic.lockfile import Lockfile
    from uvmagic.project import Project

Extras = tuple[str, ...]
"""The extras of the project that a machine installs."""
Groups = tuple[str, ...]
"""Its dependency groups, likewise."""

_CHOOSES_EXTRAS = ("--all-extras", "--extra", "--no-extra", "--only-dev", "--only-group")
_DOES_NOT_LOCK = ("--check", "--frozen", "--locked")
INSTALLS_NOTHING = ("--dry-run", "--no-sync")
_FOR_INSTALLING = (
    "--no-install-local",
    "--no-install-package",
    "--no-install-project",
    "--no-install-workspace",
)
"""Options that `uv add` does not take beside --no-sync (uv 0.13.9); `uv sync` gets them then."""


class Steps:
    """The steps of one change, with the project's lock held and its journal open.

    Args:
        calls: runs uv.
        add_support: adds what a kernel needs, before installing; gives notes.

    Attributes:
        notes: what the user should know, a sentence each.
    """

    def __init__(self, calls: Calls, add_support: Callable[[], list[str]]) -> None:
        self.calls = calls
        self.command = calls.command
        self.add_support = add_support
        self.notes: list[str] = []
        self._before = lockfile(calls.project)

    def run(self) -> list[str]:
        """Make the change, all but the last checks. Gives notes.

        Raises:
            UsageError, ProjectInvalid: the call cannot be meant so.
            UvFailed: uv says no.
            ChangeRejected: the lock lacks what torch needs, and cannot be repaired.
        """
        if self._is_one_call():
            return self._called()
        self.prepare()
        self._lock()
        self.complete()
        self.notes += self.add_support()
        forecast = self._judge()
        if self.command.word == "lock" or self.command.has(*INSTALLS_NOTHING):
            return [*self.notes, f"To be fetched: {forecast}."] if forecast else self.notes
        if forecast:
            self.calls.host.reporter.progress(Progress(f"Fetching {forecast}"))
            self.notes.append(f"Fetched: {forecast}.")
        self._install()
        return self.notes

    def prepare(self) -> None:
        """Write to pyproject.toml what uv is to lock."""

    def argv(self) -> list[str]:
        """What uv is given of the user's own call."""
        return list(self.command.argv)

    def call(self, *arguments: str) -> None:
        """Have uv lock. Raises UvFailed, UsageError."""
        self.warn(self.calls.run(*arguments))

    def complete(self) -> None:
        """Lock again what the first lock has shown to be needed."""

    def extras(self) -> Extras:
        """The extra of the backend that is for this machine; none where the call chooses itself."""
        own = present.extras_of(self.found().pyproject)
        if not own or self.command.has(*_CHOOSES_EXTRAS):
            return ()
        from uvmagic.accelerator import choice
        from uvmagic.change.chosen import detected

        drivers = detected(self.calls.host)
        extra = choice.fitting(own, drivers, sys.platform)
        why = ", ".join(map(str, drivers.found)) or "no accelerator was found"
        told = f"Of {', '.join(own)} this machine gets {extra}: {why}."
        self.notes += [told] if told not in self.notes else []
        return (extra,)

    def is_exact(self) -> bool:
        """Whether what the project does not need is uninstalled; `uv add` leaves it."""
        return self.command.word != "add"

    # --- what all share ---

    def _is_one_call(self) -> bool:
        """Whether uv does it all at once: it locks nothing, or another project than this one."""
        is_dry_sync = self.command.word == "sync" and self.command.has("--dry-run")
        return is_dry_sync or self.command.has(*_DOES_NOT_LOCK, "--package")

    def _called(self) -> list[str]:
        self.prepare()
        word, argv = self.command.word, self.argv()
        extras = options(self.extras()) if word == "sync" else []
        no_sync = self._no_sync() if self.command.has("--dry-run") else []
        said = self.calls.run(word, *argv, *extras, *no_sync)
        if self.command.has("--dry-run"):
            return said
        self.warn(said)
        if not self.command.has(*_DOES_NOT_LOCK):
            self._judge()
        return self.notes

    def _lock(self) -> None:
        """The user's own call, without installing."""
        word, argv = self.command.word, self.argv()
        names_something = self.command.has("--requirements") or any(
            token in argv for token in self.command.positionals
        )
        if word == "lock" or (word != "sync" and names_something):
            self.call(word, *_for_locking(argv), *self._no_sync())
        else:
            upgrade = ["--upgrade"] if self.command.has("--upgrade") else []
            self.call("lock", *upgrade, *self.calls.options_for("lock"))

    def _no_sync(self) -> list[str]:
        """The option that keeps `uv add` and `uv remove` from installing, unless it is there."""
        can_install = self.command.word in ("add", "remove")
        return ["--no-sync"] if can_install and not self.command.has("--no-sync") else []

    def _judge(self) -> str:
        """Let the lock through the gate if it has torch. Gives what is to be fetched then."""
        locked = lockfile(self.found())
        if locked is None or "torch" not in locked.versions():
            return ""
        from uvmagic.change.gate import Gate  # packaging, tomlkit: 40 ms

        gate = Gate(self.calls, self._before)
        plan = gate.pass_through(machines(self.found()), self.extras())
        self.notes += gate.notes
        return "" if plan is None or self.command.word == "lock" else gate.forecast(plan)

    def _install(self) -> None:
        extras = options(self.extras())
        if self.command.word == "sync":
            self.warn(self.calls.run("sync", *self.argv(), *extras))
            return
        mode = [] if self.is_exact() else ["--inexact"]
        own = [*self.calls.group_options(), *self.calls.options_for("sync")]
        self.warn(self.calls.run("sync", *mode, *extras, *own))

    def locked(self) -> Lockfile | None:
        """The lock as it is now."""
        return lockfile(self.found())

    def found(self) -> Project:
        """The project as it is now."""
        return project.find(self.calls.project.folder)

    def warn(self, said: Sequence[str]) -> None:
        """Note what uv warns of although all went well, the lists below it included."""
        is_warning = False
        for line in said:
            is_warning = line.startswith("warning:") or (is_warning and line.startswith(("-", " ")))
            self.notes += [line] if is_warning else []


def machines(found: Project) -> list[Extras]:
    """The sets of extras that somebody will install: one for each backend."""
    return [(extra,) for extra in present.extras_of(found.pyproject)] or [()]


def options(extras: Extras, groups: Groups = ()) -> list[str]:
    """The options of `uv sync` that choose some extras and groups."""
    chosen = [*(("--extra", extra) for extra in extras), *(("--group", group) for group in groups)]
    return [token for pair in chosen for token in pair]


def _for_locking(argv: Sequence[str]) -> list[str]:
    """The arguments of `uv add` without those that are about installing."""
    kept, skips = [], False
    for token in argv:
        flag, equals, _ = token.partition("=")
        is_for_installing = flag in _FOR_INSTALLING
        if not (skips or is_for_installing):
            kept.append(token)
        skips = flag == "--no-install-package" and not equals
    return kept
