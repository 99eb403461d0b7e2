"""A change of a project, all or nothing: lock, journal, the real uv, postconditions, commit."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import re
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import grammar, postconditions, project
from uvmagic.errors import (
    FilesUnwritable,
    Interrupted,
    KernelRefused,
    ProjectMissing,
    UsageError,
    UvFailed,
)
from uvmagic.kernel import live, registry, support
from uvmagic.lockfile import Lockfile
from uvmagic.outcome import Change, Outcome, changes_between
from uvmagic.progress import Progress
from uvmagic.project import Project, Table
from uvmagic.system import agreement, files
from uvmagic.system.environment import Environment
from uvmagic.system.host import Host, shorten
from uvmagic.system.uv import Uv, environment_for_uv, find_uv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uvmagic.grammar import Command

_AS_THEY_WERE = "pyproject.toml and uv.lock are as they were"
_LEAVES_AS_IT_IS = frozenset(
    {"--dev", "--dry-run", "--group", "--json", "--offline", "--optional", "--quiet"}
)
"""Options with which an `add` that is already true changes nothing."""
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
_CHOOSES_KIND = ("--app", "--lib", "--package", "--bare", "--build-backend")
"""Options of `uv init` that choose what it makes; without one it makes only pyproject.toml."""


def change(command: Command, host: Host) -> Outcome:
    """Run `add`, `remove`, `sync` or `lock` on the project that the host's folder belongs to.

    Raises:
        ProjectMissing, ProjectInvalid, UvUnavailable, UsageError: nothing was tried.
        UvFailed, ChangeRejected, FilesUnwritable, Interrupted: the files are as they were,
            byte for byte.
    """
    if command.word in ("add", "remove") and not (
        command.positionals or command.has("--requirements")
    ):
        raise UsageError(f"{command.word} what?", f"For instance  %uv {command.word} pandas")
    folder = start_folder(command, host)
    healed = heal_if_needed(folder, host)
    found = project.find(folder)
    already = _already(command, host, found)
    if already is None:
        uv = find_uv(host.environ)
        with files.project_lock(found.root, _waiting(host)) as descriptor:
            healed = files.heal(found.root) or healed
            found = project.find(folder)  # it may have changed while we waited
            already = _already(command, host, found)
            if already is None:
                already = _Session(command, host, uv, found, descriptor).run()
    return _with_note(already, healed)


def init(command: Command, host: Host) -> Outcome:
    """Run `init`: make a folder a project; content when it is one already.

    In a notebook the project asks for the Python that the notebook runs on, or a newer one.

    Raises:
        UvUnavailable, UvFailed, FilesUnwritable, Interrupted: no pyproject.toml was left behind.
    """
    folder = start_folder(command, host) / (command.positionals or (".",))[0]
    healed = heal_if_needed(folder, host)
    file = folder / "pyproject.toml"
    if file.is_file() and "project" in project.parse_file(file):
        found = project.find(folder)
        title = f"{found.name} is a project already."
        return _with_note(Outcome("init", title, facts=_facts(found, host)), healed)
    uv = find_uv(host.environ)
    try:
        watched = [*project.find(folder).files(), file]  # uv may make it a member of a workspace
    except ProjectMissing:
        watched = [file]
    folder_was_there = folder.exists()
    try:
        with files.project_lock(folder, _waiting(host)) as descriptor:
            arguments = ["init", *_init_options(command, host, folder), *command.argv]
            with files.transaction(folder, watched, grammar.quote(arguments)):
                _run_uv(uv, arguments, command, host, descriptor)
                found = project.find(folder)
    except BaseException:
        _leave_no_trace(folder, folder_was_there)
        raise
    title = f"{found.name} is a project now."
    next_steps = ("%uv add pandas   adds a first requirement.",)
    return Outcome("init", title, facts=_facts(found, host), next_steps=next_steps)


def start_folder(command: Command, host: Host) -> Path:
    """Where the project is looked for: the current folder, or what uv's options name."""
    folder = host.cwd
    for option in ("--directory", "--project"):
        folder = folder / (command.value(option) or "")
    return folder


def heal_if_needed(folder: Path, host: Host) -> str | None:
    """Undo what a killed process left half done in a project; says what was done.

    Looks at the journal alone: a pyproject.toml that was cut in the middle is what it heals.
    A command that is still running holds the lock, and is waited for.
    """
    for root in (folder, *folder.parents):
        if files.Journal(root).is_open:
            with files.project_lock(root, _waiting(host)):
                return files.heal(root)
    return None


# --- one change -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _State:
    """What a change may change, at one moment."""

    pyproject: str
    locked: dict[str, str]
    installed: dict[str, str]
    path_files: frozenset[str]

    @classmethod
    def of(cls, found: Project, environment: Environment) -> _State:
        lockfile = _lockfile(found)
        versions = lockfile.versions() if lockfile else {}
        return cls(
            pyproject=found.file.read_text(encoding="utf-8-sig"),
            locked={name: ", ".join(known) for name, known in versions.items() if known},
            installed=environment.installed(),
            path_files=live.path_files(environment.site_packages()),
        )


@dataclass(frozen=True, slots=True)
class _Session:
    """One change of one project, with its lock held."""

    command: Command
    host: Host
    uv: Uv
    project: Project
    descriptor: int

    @property
    def environment(self) -> Environment:
        return Environment(self.project.environment(self.host.environ))

    @property
    def is_dry(self) -> bool:
        return self.command.has("--dry-run")

    def run(self) -> Outcome:
        before = _State.of(self.project, self.environment)
        told = grammar.quote([self.command.word, *self.command.argv])
        try:
            with files.transaction(
                self.project.root, self.project.files(), told, discard=self.is_dry
            ):
                notes = self._call_uv()
                found = project.find(self.project.folder)
                postconditions.verify(
                    self.command,
                    found.pyproject,
                    _lockfile(found),
                    self.environment.installed(),
                    self.environment.python_version(),
                    self.host.cwd,
                )
                after = _State.of(found, self.environment)
        except (Interrupted, KeyboardInterrupt) as stopped:
            raise Interrupted(f"Stopped; {_AS_THEY_WERE}.", self._mend(before)) from stopped
        except UvFailed as failure:
            failure.hint = failure.hint or self._mend(before)
            raise
        if self.is_dry:
            return _dry_outcome(self.command, before, after)
        if not self.command.has(*_OWN_ENVIRONMENT) and self.command.word != "lock":
            agreement.remember(found, self.environment)
        return self._report(found, before, after, notes)

    def _call_uv(self) -> list[str]:
        """The user's own call, and around it what makes the project a kernel. Gives notes."""
        word, argv = self.command.word, list(self.command.argv)
        missing = self._missing_support()
        if not missing:
            if self.is_dry and word != "lock":
                argv.append("--no-sync")
            self._uv([word, *argv])
            return []
        if word == "sync":
            notes = self._add_support(missing)
            self._uv([word, *argv])
            return notes
        self._uv([word, *argv, "--no-sync"])
        notes = self._add_support(missing)
        mode = ["--inexact"] if word == "add" else []
        self._uv(["sync", *mode, *self._group_options(), *self._common_options()])
        return notes

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
        return support.missing(self.project.pyproject) if wanted else []

    def _add_support(self, missing: list[str]) -> list[str]:
        """Ask for what a kernel needs; the user's own change does not fail when that fails."""
        origin = support.origin_of_uvmagic()
        try:
            for call in support.requirements(missing, self.project.pyproject, origin):
                self._uv(["add", "--no-sync", *call, *self._common_options()])
        except UvFailed as failure:
            reason = failure.message.splitlines()[-1].strip()
            return [f"Not made a kernel: {' and '.join(missing)} could not be added ({reason})."]
        told = f" (uvmagic {origin.told})" if "uvmagic" in missing else ""
        return [f"To be a kernel the project now has {' and '.join(missing)}{told}."]

    def _common_options(self) -> list[str]:
        """The call's options that any call of uv takes, to give them to the others too."""
        names = [{o.names[-1] for o in grammar.uv_options(word)} for word in ("add", "sync")]
        common = set.intersection(*names) - {"--group", "--dev", "--upgrade", "--extra"}
        return [
            token
            for name, values in self.command.options.items()
            if name in common
            for token in ([t for v in values for t in (name, v)] or [name])
        ]

    def _group_options(self) -> list[str]:
        table = Table.of(self.command.options)
        if table.kind == "project":
            return []
        return ["--extra" if table.kind == "extra" else "--group", table.name]

    def _uv(self, arguments: list[str]) -> None:
        _run_uv(self.uv, arguments, self.command, self.host, self.descriptor)

    def _mend(self, before: _State) -> str | None:
        """What to do when uv had begun to install."""
        if self.environment.installed() == before.installed:
            return None
        return "The environment was changed in part;  %uv sync  makes it what the lock says."

    def _report(self, found: Project, before: _State, after: _State, notes: list[str]) -> Outcome:
        changes = changes_between(before.installed, after.installed)
        if not changes or self.command.word == "lock":
            changes = changes_between(before.locked, after.locked)
        next_steps: list[str] = []
        if self.host.frontend is not None and not self.command.has(*_OWN_ENVIRONMENT):
            notes = [*notes, *_register(found, self.environment, self.host, next_steps)]
            next_steps += _in_this_kernel(found, self.environment, changes, before.path_files)
        return Outcome(
            self.command.word,
            _title(self.command, changes),
            changes,
            _facts(found, self.host),
            tuple(notes),
            tuple(next_steps),
        )


def _run_uv(uv: Uv, arguments: list[str], command: Command, host: Host, descriptor: int) -> None:
    """Run uv to its end. Raises UvFailed, or UsageError when uv refuses the call itself."""
    result = uv.run(
        arguments,
        cwd=host.cwd,
        environ=environment_for_uv(host.environ),
        on_progress=host.reporter.progress,
        inherit=(descriptor,),
    )
    if result.returncode == 0:
        return
    told = f"uv {arguments[0]} failed; {_AS_THEY_WERE}."
    said = result.transcript.error() or f"uv ended with status {result.returncode} in silence."
    if result.returncode == 2 and command.unknown:
        raise UsageError(f"{told}\n{said}", grammar.hint_for_refusal(command))
    raise UvFailed(f"{told}\n{said}")


# --- already true ----------------------------------------------------------------------------


def _already(command: Command, host: Host, found: Project) -> Outcome | None:
    """The answer to an `add` that is true already, from the files alone; else None."""
    if command.word != "add" or not command.positionals or command.unknown:
        return None
    if not command.options.keys() <= _LEAVES_AS_IT_IS:
        return None
    table = Table.of(command.options)
    if not all(project.lists(found.pyproject, table, w, host.cwd) for w in command.positionals):
        return None
    environment = Environment(found.environment(host.environ))
    if not agreement.agrees(found, environment):
        return None
    makes_kernel = host.frontend is not None and host.auto_register
    if makes_kernel and not support.missing(found.pyproject) and not registry.of_project(found):
        return None
    installed = environment.installed()
    names = [project.requirement_name(found.pyproject, w, host.cwd) for w in command.positionals]
    told = ", ".join(f"{name} {installed.get(str(name), '')}".strip() for name in names)
    next_steps = _in_this_kernel(found, environment, (), frozenset()) if host.frontend else []
    return Outcome(
        "add", f"Already there: {told}", facts=_facts(found, host), next_steps=tuple(next_steps)
    )


# --- the report ------------------------------------------------------------------------------


def _title(command: Command, changes: Sequence[Change]) -> str:
    named = ", ".join(command.positionals)
    if command.word == "add":
        return f"Added {named}"
    if command.word == "remove":
        return f"Removed {named}"
    subject = "The lock" if command.word == "lock" else "The environment"
    return f"{subject} is up to date{'.' if changes else '; nothing changed.'}"


def _dry_outcome(command: Command, before: _State, after: _State) -> Outcome:
    texts = (before.pyproject.splitlines(), after.pyproject.splitlines())
    diff = list(difflib.unified_diff(*texts, "pyproject.toml", "pyproject.toml", lineterm=""))
    return Outcome(
        command.word,
        f"Would change this; nothing was changed ({command.word} --dry-run).",
        changes_between(before.locked, after.locked),
        notes=tuple(diff),
        data={"diff": "\n".join(diff)},
    )


def _facts(found: Project, host: Host) -> tuple[tuple[str, str], ...]:
    environment = Environment(found.environment(host.environ))
    python = environment.python_version()
    where = f"{shorten(environment.folder)} (Python {python})" if python else "none yet"
    kernel = registry.of_project(found)
    return (
        ("project", f"{found.name} in {shorten(found.root)}"),
        ("environment", where),
        ("kernel", kernel.display_name if kernel else "none yet"),
    )


def _register(
    found: Project, environment: Environment, host: Host, next_steps: list[str]
) -> list[str]:
    """Register the project's kernel where that is wanted and not done. Gives notes."""
    installed = environment.installed()
    if not host.auto_register or not all(name in installed for name in support.NAMES):
        return []
    try:
        kernel, is_new = registry.install(found, environment)
    except (KernelRefused, FilesUnwritable) as refusal:
        next_steps += [refusal.hint] if refusal.hint else []
        return [f"Not registered as a kernel: {refusal.message}"]
    return [f"Registered as the kernel “{kernel.display_name}”."] if is_new else []


def _in_this_kernel(
    found: Project,
    environment: Environment,
    changes: Sequence[Change],
    path_files: frozenset[str],
) -> list[str]:
    """What the running kernel must do now; new distributions are made importable on the way."""
    kernel = registry.of_project(found)
    if not environment.is_running():
        if kernel is None:
            return [f"This notebook runs in {shorten(Path(sys.prefix))}, not in the project."]
        return [
            f"This notebook runs in {shorten(Path(sys.prefix))}, not in the project: choose the "
            f"kernel “{kernel.display_name}” in the kernel menu, and what was added imports."
        ]
    site_packages = environment.site_packages()
    if site_packages is None or not changes:
        return []
    live.refresh(site_packages, path_files)
    stale = live.loaded_and_changed(changes, site_packages)
    if stale:
        told = ", ".join(f"{change.name} {change.versions}" for change in stale)
        return [f"Restart the kernel: it has loaded the old version of {told}."]
    return ["Import it in the next cell."] if any(c.after for c in changes) else []


def _with_note(outcome: Outcome, note: str | None) -> Outcome:
    return dataclasses.replace(outcome, notes=(note, *outcome.notes)) if note else outcome


def _waiting(host: Host) -> Callable[[str], None]:
    return lambda sentence: host.reporter.progress(Progress(sentence))


def _lockfile(found: Project) -> Lockfile | None:
    return Lockfile(found.lock.read_text(encoding="utf-8")) if found.lock.exists() else None


# --- init ------------------------------------------------------------------------------------


def _init_options(command: Command, host: Host, folder: Path) -> list[str]:
    """What a notebook's project is made with, where the call does not say."""
    options: list[str] = []
    if not command.has(*_CHOOSES_KIND):
        options += ["--bare", "--no-workspace"]
    if not command.has("--python") and host.frontend is not None:
        options += ["--python", f"{sys.version_info.major}.{sys.version_info.minor}"]
    if not command.has("--name") and not re.fullmatch(r"[\w. -]*", folder.name, re.ASCII):
        ascii_name = unicodedata.normalize("NFKD", folder.name).encode("ascii", "ignore").decode()
        slug = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")
        options += ["--name", slug or "notebooks"]
    return options


def _leave_no_trace(folder: Path, folder_was_there: bool) -> None:
    """After a failed init: no `.uvmagic` in what is no project, no folder that was not there."""
    if not (folder / "pyproject.toml").exists():
        files.forget(folder)
    if not folder_was_there:
        with contextlib.suppress(OSError):  # not empty: uv made something there that may be wanted
            folder.rmdir()
