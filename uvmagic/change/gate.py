"""The gate between lock and environment: a lock without CUDA's libraries is repaired or refused.

What is judged is uv's own plan for Linux, whatever machine this is: a CUDA build is to run there.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from uvmagic import project
from uvmagic.accelerator import audit, choice, present, repair
from uvmagic.accelerator.audit import LINUX, Build, Verdict
from uvmagic.change.machine import own_platform, own_target
from uvmagic.change.session import AS_THEY_WERE
from uvmagic.change.state import lockfile
from uvmagic.change.steps import INSTALLS_NOTHING, options
from uvmagic.data import torch
from uvmagic.errors import ChangeRejected, UvFailed
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk
from uvmagic.names import listed, normalise
from uvmagic.progress import Progress
from uvmagic.project import Table
from uvmagic.system.files import write_atomically
from uvmagic.system.interrupts import interruptible
from uvmagic.system.isolation import is_offline
from uvmagic.system.wheel_metadata import wheel_metadata
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from uvmagic.change.calls import Calls
    from uvmagic.change.steps import Extras, Groups
    from uvmagic.lockfile import Lockfile
    from uvmagic.lockfile.walk import Closure
    from uvmagic.project import Project
    from uvmagic.system.plan import Plan

_BY_HAND = "The [[tool.uv.dependency-metadata]] that pyproject.toml has for it says so"


class Gate:
    """Judges the torch of a lock that has changed.

    Args:
        calls: runs uv.
        before: the lock before it changed; None without one.

    Attributes:
        notes: what was found and done, a sentence each.
    """

    def __init__(self, calls: Calls, before: Lockfile | None) -> None:
        self.calls = calls
        self.notes: list[str] = []
        self._before = _torch_of(before)
        self._metadata: dict[str, bytes | None] = {}

    def pass_through(self, machines: Sequence[Extras], own: Extras) -> Plan | None:
        """Judge what Linux gets for each set of extras, repair it or refuse.

        Args:
            machines: the sets of extras that somebody will install.
            own: the one that this machine installs.

        Returns:
            What this machine would install; None without torch.

        Raises:
            ChangeRejected: torch would not start, and this change is why.
        """
        if not self._torch():
            return None
        self.calls.host.reporter.progress(Progress("Judging what the lock installs on Linux"))
        plans: dict[Extras, Plan] = {}
        for extras in machines:
            plans[extras], verdict = self._judge(extras)
            if verdict.build is Build.BARE:
                plans[extras] = self._repaired(verdict, plans[extras], extras)
        if own_platform() == LINUX and own in plans:
            plan = plans[own]
        else:  # not as uv takes that platform to be, but as this machine is
            plan = self.calls.plan(None, self._options(own))
        if plan.refusal and self._is_to_install:
            self._require_a_wheel_here(own)
        self._say_builds(machines)
        return plan

    @property
    def _is_to_install(self) -> bool:
        command = self.calls.command
        return command.word != "lock" and not command.has(*INSTALLS_NOTHING)

    def forecast(self, plan: Plan) -> str:
        """How much installing fetches, in a few words; empty where it fetches nothing."""
        installed = self.calls.environment.installed()
        coming = {n: v for n, v in plan.versions.items() if v and installed.get(n) != v}
        fetched = {n: v for n, v in coming.items() if n in plan.uncached}
        target = own_target(plan.python)
        if not fetched or target is None:
            return ""
        locked = self._lockfile()
        sizes = [audit.download_size(locked, n, v, target) for n, v in fetched.items()]
        known = [size for size in sizes if size is not None]
        told = f"{len(fetched)} distribution" + ("s" if len(fetched) > 1 else "")
        if known:
            unknown = len(sizes) - len(known)
            told += f", {in_bytes(sum(known))}"
            told += f" and {unknown} whose size the index does not tell" if unknown else ""
        else:
            told += " whose size the index does not tell"
        cached = len(coming) - len(fetched)
        return told + (f"; {cached} more from the cache" if cached else "")

    # --- judging ---

    def _judge(self, extras: Extras) -> tuple[Plan, Verdict]:
        """Uv's plan for Linux, and what it makes of torch there."""
        plan = self.calls.plan(LINUX, self._options(extras))
        target = Target(LINUX, plan.python or self._python)
        lockfile, versions = self._lockfile(), self._with_torch(plan, target, extras)
        verdict = audit.audit(lockfile, versions, target)
        if verdict.build in (Build.CUDA, Build.BARE) and self._torch() != self._before:
            metadata = self._metadata_of(verdict.url)
            if metadata is not None:
                requires = repair.requirements(metadata)
                verdict = audit.audit(lockfile, versions, target, requires)
        return plan, verdict

    def _with_torch(self, plan: Plan, target: Target, extras: Extras) -> Mapping[str, str]:
        """What a target installs with torch: by default, else by a list that asks for it.

        Where uv refuses, for instance because the environment is to be of another Python, the walk
        tells.
        """
        if plan.refusal:
            packages = self._walked(target, extras).packages
            return {name: one.version or "" for name, one in packages.items()}
        found = self._found().pyproject
        lists = [
            table.chosen
            for table in present.tables(found)
            if "torch" in map(present.name_of, table.requirements(found))
        ]
        ways = [options((*extras, *more), groups) for more, groups in lists]
        ways.append(["--all-packages"])  # another project of the workspace may ask for it
        versions = plan.versions
        while "torch" not in versions and ways:
            versions = self.calls.plan(LINUX, ways.pop(0)).versions
        return versions

    def _metadata_of(self, url: str) -> bytes | None:
        if self.calls.command.has("--offline") or is_offline(self.calls.host.environ):
            return None
        if url not in self._metadata:
            self.calls.host.reporter.progress(Progress("Reading the metadata of torch's wheel"))
            with interruptible():
                self._metadata[url] = wheel_metadata(url)
        return self._metadata[url]

    # --- repairing ---

    def _repaired(self, verdict: Verdict, plan: Plan, extras: Extras) -> Plan:
        """Lock torch anew; else tell uv what torch's wheel for Linux says of itself."""
        found = self._found()
        root = found.root / "pyproject.toml"
        lock, text = found.lock.read_bytes(), root.read_bytes()
        told = f"torch {verdict.version} for Linux lacked {listed(verdict.lacks)}"
        mended = self._lock_again(verdict, extras, "-P", "torch")
        if mended is not None:
            self.notes.append(f"{told}: torch was locked anew.")
            return mended
        write_atomically(found.lock, lock)
        if repair.is_told_by_hand(_text(root), verdict.version):
            self._refuse(verdict, _BY_HAND)
            return plan
        metadata = self._metadata_of(verdict.url)
        if metadata is not None:
            told_uv = repair.with_metadata(_text(root), verdict, metadata)
            write_atomically(root, told_uv.encode())
            mended = self._lock_again(verdict, extras)
            if mended is not None:
                self.notes.append(
                    f"{told}: pyproject.toml tells uv now what {verdict.wheel} says of itself."
                )
                return mended
            write_atomically(root, text)
            write_atomically(found.lock, lock)
        self._refuse(verdict, repair.why_not(verdict, metadata))
        return plan

    def _lock_again(self, verdict: Verdict, extras: Extras, *arguments: str) -> Plan | None:
        """Lock and judge again; the plan if it is whole now, with the same torch."""
        try:
            self.calls.run("lock", *arguments, *self.calls.options_for("lock"))
        except UvFailed:
            return None
        plan, again = self._judge(extras)
        is_whole = again.build is Build.CUDA and again.version == verdict.version
        return plan if is_whole else None

    def _refuse(self, verdict: Verdict, why: str) -> None:
        """Refuse a lock that this change would spoil; only tell of one that was so before."""
        told = (
            f"torch {verdict.version} would be installed on Linux without its CUDA libraries "
            f"({listed(verdict.lacks)}) and die there:  libcudart.so: cannot open shared "
            "object file."
        )
        version, _, build = verdict.version.partition("+")
        chosen = f" --cuda {build.removeprefix('cu')}" if build else ""
        hint = f"Ask for another version of torch,  %uv add 'torch!={version}'{chosen}"
        backend = torch.backends().get(build)
        if backend and verdict.registry.rstrip("/") != choice.index_url(backend)[0]:
            hint += " , or for the official index,  --mirror official"
        if self._torch() == self._before:
            self.notes.append(f"{told} It was so before. {hint}")
            return
        raise ChangeRejected(f"{told}\n{why}; {AS_THEY_WERE}.", hint)

    # --- what else a user wants to know of torch before it is fetched ---

    def _require_a_wheel_here(self, extras: Extras) -> None:
        """A torch that has no wheel for this machine's Python: which Pythons have one?"""
        target = own_target(self._python)
        if target is None:
            return
        verdict = audit.audit_walked(self._lockfile(), self._walked(target, extras), target)
        if verdict.build is not Build.NO_WHEEL:
            return
        pythons = ", ".join(verdict.pythons)
        raise ChangeRejected(
            f"torch {verdict.version} has no wheel for Python {verdict.target.python} on "
            f"{verdict.target.told}; "
            + (f"it has some for Python {pythons}; " if pythons else "it has none there at all; ")
            + f"{AS_THEY_WERE}.",
            f"Choose such a Python:  %uv python pin {verdict.pythons[-1]}"
            if pythons
            else "Choose another version of torch, or another backend.",
        )

    def _walked(self, target: Target, extras: Extras) -> Closure:
        """What a target installs by the walk."""
        root = normalise(self._found().name)
        more, groups = self._asked()
        return walk(self._lockfile(), target, root=root, extras=(*extras, *more), groups=groups)

    def _say_builds(self, machines: Sequence[Extras]) -> None:
        """Which build each platform gets, in one line for each choice."""
        if self._torch() == self._before:
            return
        root, python = normalise(self._found().name), self._python
        more, groups = self._asked()
        for extras in machines:
            verdicts = audit.builds(
                self._lockfile(), python, root=root, extras=(*extras, *more), groups=groups
            )
            told = audit.summary(verdicts)
            if told:
                self.notes.append(f"{', '.join(extras)}: {told}" if extras else told)

    # --- facts ---

    def _found(self) -> Project:
        return project.find(self.calls.project.folder)

    def _lockfile(self) -> Lockfile:
        found = lockfile(self._found())
        assert found is not None
        return found

    def _torch(self) -> str:
        """What the lock says of torch, as text; empty for nothing."""
        return _torch_of(lockfile(self._found()))

    def _options(self, extras: Extras) -> list[str]:
        """The options of `uv sync` for a machine that installs what this call is about, too."""
        more, groups = self._asked()
        return options((*extras, *more), groups)

    def _asked(self) -> tuple[Extras, Groups]:
        """The extras and groups that the call names, or whose list it changes.

        The extras for backends are not among them: each is judged by itself.
        """
        given = self.calls.command.options
        if self.calls.command.word == "sync":
            extras, groups = tuple(given.get("--extra", ())), tuple(given.get("--group", ()))
        else:
            extras, groups = Table.of(given).chosen
        backends = present.extras_of(self._found().pyproject)
        return tuple(extra for extra in extras if normalise(extra) not in backends), groups

    @cached_property
    def _python(self) -> str:
        return self.calls.python_for(self._lockfile())


def _torch_of(locked: Lockfile | None) -> str:
    entries = locked.package("torch") if locked else []
    return repr(entries) if entries else ""


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")
