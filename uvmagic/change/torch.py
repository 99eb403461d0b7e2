"""A change that concerns torch: its index arranged, the lock judged, and only then installed.

pyproject.toml is arranged, uv locks, what of torch's family came by other packages is pulled up,
the gate judges the lock, and then uv syncs: a torch is gigabytes.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from uvmagic import data, project
from uvmagic.accelerator import arrangement, choice, present
from uvmagic.accelerator.audit import LINUX
from uvmagic.change.chosen import chosen, detected
from uvmagic.change.gate import Gate, machines, options
from uvmagic.change.indexes import unpinned
from uvmagic.change.place import working_folder
from uvmagic.change.session import AS_THEY_WERE
from uvmagic.change.state import lockfile
from uvmagic.errors import ChangeRejected, UsageError, UvFailed
from uvmagic.progress import Progress
from uvmagic.project import Table, normalise, requirement_name
from uvmagic.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from uvmagic.accelerator.drivers import Drivers
    from uvmagic.accelerator.present import Placed
    from uvmagic.change.calls import Calls
    from uvmagic.change.gate import Extras
    from uvmagic.data import Backend
    from uvmagic.project import Project

_CHOOSES_EXTRAS = ("--all-extras", "--extra", "--no-extra", "--only-dev", "--only-group")
_DOES_NOT_LOCK = ("--check", "--frozen", "--locked")
_INSTALLS_NOTHING = ("--dry-run", "--no-sync")


class TorchChange:
    """One such change, with the project's lock held and its journal open.

    Args:
        calls: runs uv.
        add_support: adds what a kernel needs, before installing; gives notes.
    """

    def __init__(self, calls: Calls, add_support: Callable[[], list[str]]) -> None:
        self.calls = calls
        self.command = calls.command
        self.add_support = add_support
        self.gate = Gate(calls)
        self.notes: list[str] = []
        cwd = working_folder(self.command, calls.host)
        named = {w: requirement_name(calls.project, w, cwd) for w in self.command.positionals}
        self.family = present.family(name for name in named.values() if name)
        self.tokens = [token for token, name in named.items() if name in self.family]
        is_add = self.command.word == "add"
        self.gets = {str(named[token]): token for token in self.tokens} if is_add else {}
        self.placed = self._placed()

    def run(self) -> list[str]:
        """Make the change, all but the last checks. Gives notes.

        Raises:
            UsageError, ProjectInvalid: the choice cannot be made.
            UvFailed: uv says no.
            ChangeRejected: the lock lacks what torch needs, and cannot be repaired.
        """
        is_sync = self.command.word == "sync"
        if self.command.has(*_DOES_NOT_LOCK) or (is_sync and self.command.has("--dry-run")):
            return self._as_locked()
        self._arrange_for_the_call()
        self._lock()
        self._pull_up()
        self.notes += self.add_support()
        plan = self.gate.pass_through(machines(self._found()), self._extras())
        self.notes += self.gate.notes
        if self.command.word == "lock":
            return self.notes
        forecast = self.gate.forecast(plan) if plan else ""
        if self.command.has(*_INSTALLS_NOTHING):
            return [*self.notes, f"To be fetched: {forecast}."] if forecast else self.notes
        if forecast:
            self.calls.host.reporter.progress(Progress(f"Fetching {forecast}"))
            self.notes.append(f"Fetched: {forecast}.")
        self._sync()
        return self.notes

    def _as_locked(self) -> list[str]:
        """The call does not lock: there is nothing to arrange or to judge."""
        extras = options(self._extras()) if self.command.word == "sync" else []
        return self.calls.run(self.command.word, *self.command.argv, *extras)

    # --- the choice ---

    def _placed(self) -> list[Placed]:
        """The backends that an `add` chooses, each with its index; empty where it chooses none."""
        if self.command.word != "add":
            return []
        mirror = self.command.value("--mirror")
        choices = chosen(self.command, self.calls.host)
        for one in choices:
            note = one.note or choice.warning(one.backend, self._drivers(), sys.platform)
            self.notes += [note] if note else []
        backends = [one.backend for one in choices]
        if not backends and mirror is not None:
            placed = present.placed_in(self.calls.project.pyproject)
            backends = [one.backend for one in placed]
            if not backends:
                raise UsageError(
                    "--mirror says where a backend's wheels come from, and no backend was chosen.",
                    "Choose one:  %uv add torch --cuda 126 --mirror nju",
                )
        if len(set(backends)) < len(backends):
            raise UsageError("One backend was chosen twice.", "Name each once.")
        if len(backends) > 1 and Table.of(self.command.options).kind != "project":
            raise UsageError(
                "Several backends make extras of their own: --dev, --group and --optional do not "
                "go with them.",
                "Leave that option out.",
            )
        return [self._placed_at(backend, mirror) for backend in backends]

    def _placed_at(self, backend: Backend, mirror: str | None) -> Placed:
        """A backend at a mirror; where none is named, beside the backends that the project has."""
        if mirror is None:
            for one in present.placed_in(self.calls.project.pyproject):
                url = choice.index_url_beside(backend, one.backend, one.url)
                if url is not None:
                    return present.Placed(backend, url, one.format)
        return present.Placed(backend, *choice.index_url(backend, mirror))

    def _drivers(self) -> Drivers:
        return detected(self.calls.host)

    def _extras(self) -> Extras:
        """The extra of the backend that is for this machine; none where the call chooses itself."""
        own = present.extras_of(self._found().pyproject)
        if not own or self.command.has(*_CHOOSES_EXTRAS):
            return ()
        told = chosen(self.command, self.calls.host) if self.command.word == "sync" else []
        if not told:
            return (choice.fitting(own, self._drivers(), sys.platform),)
        extra = normalise(told[0].backend.name)
        if extra not in own:
            raise UsageError(
                f"The project has no build for {told[0].backend.name}; it has {', '.join(own)}.",
                f"Add it:  %uv add torch {_as_options([*own.values(), told[0].backend])}",
            )
        return (extra,)

    # --- pyproject.toml ---

    def _arrange_for_the_call(self) -> None:
        self._arrange(
            loses=self._lost() if self.command.word == "remove" else (),
            chosen=self.family if self.placed else (),
        )
        settings = self.calls.project.pyproject.get("tool", {}).get("uv", {})
        if "torch-backend" in settings and not present.placed_in(self._found().pyproject):
            self.notes.append(
                f'uv heeds torch-backend = "{settings["torch-backend"]}" in uv pip alone, not when '
                "it locks or syncs a project:  %uv add torch --cuda 126  does what it promises."
            )

    def _arrange(
        self,
        *,
        companions: Collection[str] = (),
        loses: Collection[str] = (),
        chosen: Collection[str] = (),
        from_pypi: Collection[str] = (),
    ) -> None:
        """Write the arrangement of the chosen backends, else of those that the project has."""
        found = self.calls.project
        root = found.root / "pyproject.toml"
        text = _text(found.file)
        made = arrangement.arranged(
            text,
            None if root == found.file else _text(root),
            parsed=self._found().pyproject,
            placed=self.placed or None,
            gets={**self.gets, **dict.fromkeys(companions, "")},
            loses=loses,
            chosen=chosen,
            from_pypi=from_pypi,
        )
        self.notes += [note for note in made.notes if note not in self.notes]
        if made.text != text:
            write_atomically(found.file, made.text.encode())
        if root != found.file and made.root_text != _text(root):
            write_atomically(root, made.root_text.encode())

    def _lost(self) -> list[str]:
        """What the project lists nowhere any more once the call has removed it."""
        found = self.calls.project.pyproject
        table, own = Table.of(self.command.options), present.extras_of(found)
        kept = {
            present.name_of(entry)
            for other in present.tables(found)
            if other != table and other.name not in own
            for entry in other.requirements(found)
        }
        return [name for name in self.family if name not in kept]

    # --- uv.lock ---

    def _lock(self) -> None:
        """The user's own call, without installing."""
        word, argv = self.command.word, list(self.command.argv)
        has_extras = {
            *present.extras_of(self.calls.project.pyproject),
            *present.extras_of(self._found().pyproject),
        }
        if has_extras:  # the arrangement has listed them there, or struck them out
            argv = [token for token in argv if token not in self.tokens]
        names_something = self.command.has("--requirements") or any(
            token in argv for token in self.command.positionals
        )
        if word in ("add", "remove") and names_something:
            self._try(word, *argv, *([] if "--no-sync" in argv else ["--no-sync"]))
        elif word == "lock":
            self._try("lock", *argv)
        else:
            self._try("lock", *self.calls.options_for("lock"))

    def _try(self, *arguments: str) -> None:
        """Lock. Where that fails, try what may be the matter with a backend's index.

        Some of torch's family are not on every index: those come from PyPI then. The torch of ROCm
        and of XPU needs a triton of its own from the same index, under one of two names.
        """
        try:
            self._warn(self._run(*arguments))
            return
        except UvFailed as error:
            failure = error
        for changes in self._remedies():
            files = {
                file: file.read_bytes() for file in self.calls.project.files() if file.exists()
            }
            notes = list(self.notes)
            try:
                self._arrange(**changes)
                self._warn(self._run(*arguments))
                return
            except UvFailed:
                self.notes = notes
                for file, content in files.items():
                    write_atomically(file, content)
        raise failure

    def _run(self, *arguments: str) -> list[str]:
        """Run uv; an `add` writes no source for torch over the one that is arranged."""
        calls = self.calls
        if arguments[0] == "add":
            host = dataclasses.replace(calls.host, environ=unpinned(calls.host.environ))
            calls = dataclasses.replace(calls, host=host)
        return calls.run(*arguments)

    def _remedies(self) -> list[Mapping[str, Collection[str]]]:
        found = self._found().pyproject
        kinds = {one.backend.kind for one in present.placed_in(found)}
        listed = present.listed(found) | set(self.family)
        companions = [
            package.name
            for package in data.torch_family()
            if package.is_companion and package.kinds & kinds and package.name not in listed
        ]
        spared = [p.name for p in data.torch_family() if p.name in listed and not p.follows_torch]
        remedies: list[Mapping[str, Collection[str]]] = [
            {"companions": [name]} for name in companions
        ]
        return [*remedies, {"from_pypi": spared}] if spared and kinds else remedies

    def _pull_up(self) -> None:
        """What of torch's family came by other packages is asked for by the project itself.

        uv heeds a source only for what a project lists (astral-sh/uv#11388).
        """
        for _ in range(3):  # each round may bring one that the round before did not need
            strays = self._strays()
            if not strays:
                break
            self._refuse_to_remove(set(strays) & set(self.family))
            self.gets |= {name: name for name in strays}
            self._arrange()
            if present.extras_of(self._found().pyproject):
                self._try("lock", *self.calls.options_for("lock"))
            else:
                self._try("add", "--no-sync", *strays, *self.calls.options_for("add"))
            is_one = len(strays) == 1
            self.notes.append(
                f"{' and '.join(strays)} came by another package; now the project asks for "
                f"{'it' if is_one else 'them'} itself, so that the choice holds for "
                f"{'it' if is_one else 'them'} too."
            )
        if self.placed and not present.placed_in(self._found().pyproject):
            raise UsageError(
                f"There is no torch to choose a build of; {AS_THEY_WERE}.",
                "For instance  %uv add torch --cuda 126",
            )

    def _refuse_to_remove(self, needed: set[str]) -> None:
        """What is to go is needed by what stays: without it the choice would not hold."""
        if self.command.word != "remove" or not needed:
            return
        locked = lockfile(self._found())
        listed = present.listed(self._found().pyproject)
        needing = sorted(
            package.name
            for name in (locked.versions() if locked else {})
            for package in (locked.packages(name) if locked else [])
            if package.name in listed and {d.name for d in package.dependencies} & needed
        )
        told, names = " and ".join(sorted(needed)), ", ".join(dict.fromkeys(needing))
        raise ChangeRejected(
            f"{told} stays needed{f', by {names}' if names else ''}: its build could not be chosen "
            f"any more; {AS_THEY_WERE}.",
            f"Remove {names or 'what needs it'} too.",
        )

    def _strays(self) -> list[str]:
        found = self._found()
        if not (self.placed or present.placed_in(found.pyproject)):
            return []
        following = {package.name for package in data.torch_family() if package.follows_torch}
        candidates = following - present.listed(found.pyproject)
        locked = lockfile(found)
        if locked is None or not candidates & locked.versions().keys():
            return []
        plan = self.calls.plan(LINUX, options(self._extras()))
        return sorted(candidates & plan.versions.keys())

    # --- the environment ---

    def _sync(self) -> None:
        extras = options(self._extras())
        if self.command.word == "sync":
            self._warn(self.calls.run("sync", *self.command.argv, *extras))
            return
        # Another backend's libraries are gigabytes: they go with the choice of another backend.
        before = present.placed_in(self.calls.project.pyproject)
        has_switched = before and before != present.placed_in(self._found().pyproject)
        mode = ["--inexact"] if self.command.word == "add" and not has_switched else []
        own = [*self.calls.group_options(), *self.calls.options_for("sync")]
        self._warn(self.calls.run("sync", *mode, *extras, *own))

    # --- facts ---

    def _found(self) -> Project:
        return project.find(self.calls.project.folder)

    def _warn(self, said: Sequence[str]) -> None:
        self.notes += [line for line in said if line.startswith("warning:")]


def _as_options(backends: Sequence[Backend]) -> str:
    return " ".join(f"--{b.kind}" + (f" {b.version}" if b.version else "") for b in backends)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")
