"""A change that concerns torch: its index arranged, the lock judged, and only then installed.

pyproject.toml is arranged, uv locks, what of torch's family came by other packages is pulled up,
the gate judges the lock, and then uv syncs: a torch is gigabytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from uvmagic.accelerator import arrangement, present, repair, strays
from uvmagic.accelerator.audit import LINUX
from uvmagic.change.chosen import chosen, placed
from uvmagic.change.indexes import unpinned
from uvmagic.change.place import working_folder
from uvmagic.change.session import AS_THEY_WERE
from uvmagic.change.steps import Steps
from uvmagic.data import torch
from uvmagic.errors import ChangeRejected, UsageError, UvFailed
from uvmagic.lockfile.target import Target
from uvmagic.names import normalise
from uvmagic.project import Table, requirement_name
from uvmagic.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from uvmagic.change.calls import Calls
    from uvmagic.change.steps import Extras
    from uvmagic.data.torch import Backend


class TorchSteps(Steps):
    """The same where torch is concerned: arranged first, and what came with it pulled up.

    Attributes:
        family: what the call names of torch's family.
        gets: those that it adds, normalised name → requirement.
        placed: the backends that it chooses, each with its index.
    """

    def __init__(self, calls: Calls, add_support: Callable[[], list[str]]) -> None:
        super().__init__(calls, add_support)
        cwd = working_folder(self.command, calls.host)
        named = {w: requirement_name(calls.project, w, cwd) for w in self.command.positionals}
        in_files = [
            present.name_of(line)
            for file in self.command.options.get("--requirements", ())
            for line in _lines(cwd / file)
        ]
        self.family = present.family(name for name in [*named.values(), *in_files] if name)
        self.tokens = [token for token, name in named.items() if name in self.family]
        is_own_list = Table.of(self.command.options).kind == "project"
        spelled = {name: token for token, name in named.items()} if is_own_list else {}
        is_add = self.command.word == "add"
        self.gets = {name: spelled.get(name, name) for name in self.family} if is_add else {}
        self.placed, notes = placed(self.command, calls.host, calls.project)
        self.notes += notes

    def prepare(self) -> None:
        """Arrange pyproject.toml for the backends that are chosen, or that it has."""
        self._arrange(
            loses=self._lost() if self.command.word == "remove" else (),
            chosen=self.family if self.placed else (),
        )
        settings = self.calls.project.pyproject.get("tool", {}).get("uv", {})
        if "torch-backend" in settings and not present.placed_in(self.found().pyproject):
            named = str(settings["torch-backend"])
            meant = _as_options([torch.backends().get(named, torch.backends()["cu126"])])
            self.notes.append(
                f'uv heeds torch-backend = "{named}" in uv pip alone, not when it locks or syncs a '
                f"project:  %uv add torch {meant}  does what it promises."
            )

    def argv(self) -> list[str]:
        """What uv is given of the user's own call: what extras list is listed there already."""
        states = (self.calls.project.pyproject, self.found().pyproject)
        is_own_list = Table.of(self.command.options).kind == "project"
        if not is_own_list or not any(map(present.extras_of, states)):
            return super().argv()
        return [token for token in self.command.argv if token not in self.tokens]

    def call(self, *arguments: str) -> None:
        """Have uv lock. Where that fails, try what may be the matter with a backend's index."""
        failure = self._attempt(arguments)
        if failure is None:
            return
        if self.placed and failure.hint is None:
            places = " and ".join(one.url for one in self.placed)
            failure.hint = (
                f"torch was looked for at {places}: another version may be there, or --mirror may "
                "reach one that is nearer."
            )
        with self._undone_by_failure():
            if not self._loosen() or self._attempt(arguments) is not None:
                raise failure

    def complete(self) -> None:
        """What of torch's family came by other packages is asked for by the project itself.

        uv heeds a source only for what a project lists (astral-sh/uv#11388).
        """
        if self._arrange():  # a file of requirements has brought what is arranged only now
            self._lock_again()
        for _ in range(3):  # each round may bring one that the round before did not need
            found = self._strays()
            if not found:
                break
            self._pull_up(found)
        if self.placed and not present.placed_in(self.found().pyproject):
            raise UsageError(
                f"There is no torch to choose a build of; {AS_THEY_WERE}.",
                "For instance  %uv add torch --cuda 126",
            )
        self._drop_old_repairs()

    def extras(self) -> Extras:
        """The extra that `sync` names by its backend, else the one that is for this machine."""
        told = chosen(self.command, self.calls.host) if self.command.word == "sync" else []
        if not told:
            return super().extras()
        if len(told) > 1:
            raise UsageError("An environment is for one backend; several were chosen.", "Name one.")
        backend = told[0].backend
        found = self.found().pyproject
        known = [one.backend for one in present.placed_in(found)]
        if backend not in known:
            names = ", ".join(one.name for one in known)
            raise UsageError(
                f"The project has no torch for {backend.name}"
                + (f"; it has one for {names}." if names else "."),
                f"Add it:  %uv add torch {_as_options([*known, backend])}",
            )
        extra = normalise(backend.name)
        return (extra,) if extra in present.extras_of(found) else ()

    def is_exact(self) -> bool:
        """Another backend's libraries are gigabytes: they go with the choice of another backend."""
        before = present.placed_in(self.calls.project.pyproject)
        has_switched = before and before != present.placed_in(self.found().pyproject)
        return bool(has_switched) or super().is_exact()

    # --- pyproject.toml ---

    def _arrange(
        self,
        *,
        companions: Collection[str] = (),
        loses: Collection[str] = (),
        chosen: Collection[str] = (),
        from_pypi: Collection[str] = (),
    ) -> bool:
        """Write the arrangement of the chosen backends, else of those that the project has.

        Gives whether that has changed a file.
        """
        found = self.calls.project
        root = found.root / "pyproject.toml"
        text = _text(found.file)
        made = arrangement.arranged(
            text,
            None if root == found.file else _text(root),
            parsed=self.found().pyproject,
            placed=self.placed or None,
            gets={**self.gets, **dict.fromkeys(companions, "")},
            loses=loses,
            chosen=chosen,
            from_pypi=from_pypi,
        )
        self.notes += [note for note in made.notes if note not in self.notes]
        if has_changed := made.text != text:
            write_atomically(found.file, made.text.encode())
        if root != found.file and made.root_text != _text(root):
            write_atomically(root, made.root_text.encode())
            has_changed = True
        return has_changed

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
        is_own_list = table.kind == "project"
        if own:  # the extras for backends stand in the place of the dependencies
            return self.family if is_own_list else []
        return [name for name in self.family if name not in kept]

    # --- uv.lock ---

    def _attempt(self, arguments: Sequence[str]) -> UvFailed | None:
        """Have uv lock, with what a backend needs beside torch. Gives why that failed, if it did.

        Some of torch's family are not on every index: those come from PyPI then. The torch of ROCm
        and of XPU needs a triton of its own from the same index, under one of two names.
        """
        try:
            self._run(*arguments)
        except UvFailed as error:
            failure = error
        else:
            return None
        for remedy in self._remedies():
            try:
                with self._undone_by_failure():
                    self._arrange(**remedy)
                    self._run(*arguments)
            except UvFailed:
                continue
            return None
        return failure

    @contextlib.contextmanager
    def _undone_by_failure(self) -> Iterator[None]:
        """Files and notes are as they were before the block where uv fails in it."""
        files = {file: file.read_bytes() for file in self.calls.project.files() if file.exists()}
        notes = list(self.notes)
        try:
            yield
        except UvFailed:
            self.notes = notes
            for file, content in files.items():
                write_atomically(file, content)
            raise

    def _loosen(self) -> bool:
        """Take away the bounds that uv wrote when it added the newest torch of another build.

        They are `>=` the version that is locked; the backend that is chosen may have no such. Gives
        whether there were any.
        """
        file = self.calls.project.file
        text = before = _text(file)
        versions = self._before.versions() if self._before and self.placed else {}
        for name in [n for n in present.family(versions) if self.gets.get(n, n) == n]:
            for version in sorted({one.partition("+")[0] for one in versions[name]}):
                bound = f"{name}>={version}"
                if f'"{bound}"' in text:
                    text = text.replace(f'"{bound}"', f'"{name}"')
                    self.notes.append(
                        f"{bound} was the bound that uv wrote for the build before, and is beyond "
                        f"what the chosen one has: the project asks for {name} of any version now."
                    )
        write_atomically(file, text.encode())
        return text != before

    def _run(self, *arguments: str) -> None:
        """Run uv; an `add` writes no source for torch over the one that is arranged."""
        calls = self.calls
        if arguments[0] == "add":
            host = dataclasses.replace(calls.host, environ=unpinned(calls.host.environ))
            calls = dataclasses.replace(calls, host=host)
        self.warn(calls.run(*arguments))

    def _remedies(self) -> list[Mapping[str, Collection[str]]]:
        found = self.found().pyproject
        kinds = {one.backend.kind for one in present.placed_in(found)}
        listed = present.listed(found) | set(self.family)
        companions = [
            package.name
            for package in torch.family()
            if package.is_companion and package.kinds & kinds and package.name not in listed
        ]
        spared = [p.name for p in torch.family() if p.name in listed and not p.follows_torch]
        remedies: list[Mapping[str, Collection[str]]] = [
            {"companions": [name]} for name in companions
        ]
        return [*remedies, {"from_pypi": spared}] if spared and kinds else remedies

    def _pull_up(self, tables: Mapping[str, Table]) -> None:
        self._refuse_to_remove(set(tables) & set(self.family))
        self.gets |= {name: name for name in tables}
        self._arrange()
        if present.extras_of(self.found().pyproject):
            self._lock_again()
        else:
            for table in dict.fromkeys(tables.values()):
                names = [name for name, wanted_in in tables.items() if wanted_in == table]
                own = self.calls.options_for("add")
                self.call("add", "--no-sync", *names, *_options_of(table), *own)
        it = "it" if len(tables) == 1 else "them"
        self.notes.append(
            f"{' and '.join(tables)} came by another package; now the project asks for {it} "
            f"itself, so that the choice holds for {it} too."
        )

    def _lock_again(self) -> None:
        self.call("lock", *self.calls.options_for("lock"))

    def _drop_old_repairs(self) -> None:
        """What uv was told of a torch that is locked no more."""
        root = self.calls.project.root / "pyproject.toml"
        locked = self.locked()
        versions = locked.versions().get("torch", ()) if locked else ()
        text = _text(root)
        kept = repair.without(text, lambda version: version in versions)
        if kept != text:
            write_atomically(root, kept.encode())
            self._lock_again()

    def _refuse_to_remove(self, needed: set[str]) -> None:
        """What is to go is needed by what stays: without it the choice would not hold."""
        if self.command.word != "remove" or not needed:
            return
        locked = self.locked()
        listed = present.listed(self.found().pyproject)
        needing = sorted(
            package.name
            for name in (locked.versions() if locked else {})
            for package in (locked.packages(name) if locked else [])
            if package.name in listed and {d.name for d in package.dependencies} & needed
        )
        told, names = " and ".join(sorted(needed)), ", ".join(dict.fromkeys(needing))
        raise ChangeRejected(
            f"{told} stay{'s' if len(needed) == 1 else ''} needed"
            f"{f', by {names}' if names else ''}: {'its' if len(needed) == 1 else 'their'} build "
            f"could not be chosen any more; {AS_THEY_WERE}.",
            f"Remove {names or 'what needs it'} too.",
        )

    def _strays(self) -> dict[str, Table]:
        """What Linux gets of torch's family by other packages alone, with the list it is for."""
        has_choice = self.placed or present.placed_in(self.calls.project.pyproject)
        locked = self.locked()
        if locked is None or not has_choice:
            return {}
        found = self.found()
        target = Target(LINUX, self.calls.python_for(locked))
        return strays.strays(found.pyproject, found.name, locked, target)


def _options_of(table: Table) -> list[str]:
    """The options of `uv add` that mean a list."""
    option = {"extra": "--optional", "group": "--group"}.get(table.kind)
    return [option, table.name] if option else []


def _lines(file: Path) -> list[str]:
    """The lines of a file of requirements; uv will say so if it is none."""
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _as_options(backends: Sequence[Backend]) -> str:
    return " ".join(f"--{b.kind}" + (f" {b.version}" if b.version else "") for b in backends)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")
