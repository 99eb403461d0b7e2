"""The bundle's pyproject.toml and uv.lock: the project's, as they are anywhere else.

Locked anew where packages are published, at the project's versions and with the same files, without
anything that the user has set for this machine; and judged for Linux, where images run.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uvmagic import project as projects
from uvmagic.accelerator import arrangement, audit, choice, present
from uvmagic.accelerator.audit import LINUX, Build, Verdict
from uvmagic.accelerator.repair import requirements, why_not, with_metadata
from uvmagic.bundle import origin, portable
from uvmagic.bundle.recipe import PYLOCK
from uvmagic.bundle.standalone import standing_alone
from uvmagic.bundle.wheels import told
from uvmagic.errors import BundleRefused, UvFailed
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.reach import preferring, reached
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk
from uvmagic.names import listed, normalise
from uvmagic.system.isolation import is_offline, isolated
from uvmagic.system.plan import planned
from uvmagic.system.uv import environment_for_uv
from uvmagic.system.wheel_metadata import wheel_metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from uvmagic.bundle.local import Local
    from uvmagic.data.torch import Backend
    from uvmagic.lockfile.walk import Closure
    from uvmagic.project import Project
    from uvmagic.system.host import Host
    from uvmagic.system.uv import Uv

_NEWEST_LINUX = "x86_64-manylinux_2_40"
"""The newest glibc that uv knows; what has no wheel even for that has none for any image."""


@dataclass(frozen=True, slots=True)
class Locked:
    """What was locked.

    Attributes:
        lockfile: the lock.
        closure: what Linux installs from it.
        verdict: on the torch in it.
        notes: what is worth knowing, a sentence each.
        has_own_index: whether it is locked from an index of the user's own.
    """

    lockfile: Lockfile
    closure: Closure
    verdict: Verdict
    notes: tuple[str, ...]
    has_own_index: bool

    @property
    def accelerator(self) -> str:
        """What torch computes on, `cuda 12.6`; `cpu` also without torch."""
        is_cpu = self.verdict.build in (Build.CPU, Build.ABSENT)
        return "cpu" if is_cpu else self.verdict.told.lower()

    @property
    def platform(self) -> str:
        """Where the bundle runs, `linux/amd64`; `any` where no accelerator binds it."""
        return "any" if self.accelerator == "cpu" else "linux/amd64"


def the_backend(pyproject: Mapping[str, Any], asked: Backend | None) -> present.Placed | None:
    """Of several backends the one that a bundle is for: what is asked, else the first accelerator.

    Args:
        pyproject: what the bundle is of.
        asked: the backend that the call chooses, if it does.

    Returns:
        Where that comes from; None where the project has no several to choose from.

    Raises:
        BundleRefused: the project has none of that kind.
    """
    placed = present.placed_in(pyproject)
    known = {one.backend.name: one for one in placed}
    if asked is not None and asked.name not in known:
        raise BundleRefused(
            f"The project has no torch for {asked.name}"
            + (f"; it has one for {', '.join(known)}." if known else "."),
            f"Add it:  %uv add torch --{asked.kind} {asked.version or ''}",
        )
    if not present.extras_of(pyproject):
        return None
    accelerated = [one for one in placed if one.backend.kind != "cpu"]
    return known[asked.name] if asked else (accelerated or placed)[0]


@dataclass(frozen=True, slots=True)
class Locking:
    """What a bundle is locked from.

    Attributes:
        project: the project.
        needs: what it needs of local distributions.
        python: the bundle's Python, `3.12`.
        rerun: the requirements of what runs the notebook.
        wheels: normalised name → path in the bundle, for what it carries.
        kept: names of indexes that stay though they may be mirrors.
        backend: of torch, where the call chooses one.
    """

    project: Project
    needs: Local
    python: str
    rerun: Sequence[str]
    wheels: Mapping[str, str]
    kept: Collection[str]
    backend: Backend | None

    def write(self, stage: Path, uv: Uv, host: Host) -> Locked:
        """Write pyproject.toml and uv.lock into the bundle.

        Raises:
            BundleRefused: a version or a file would be another one, a password would go along, or
                torch would not start in an image.
            UvFailed: uv cannot lock.
        """
        before = Lockfile(self.project.lock.read_text(encoding="utf-8"))
        text, notes = self._with_one_backend(self._standing_alone(before))
        at_origin = origin.at_origin(text, self.kept)
        sourced = [listing.requirement for listing in self.needs.listings if not listing.extra]
        made = portable.portable_pyproject(at_origin.text, list(self.rerun), self.wheels, sourced)
        # of two versions that two members have, only this project's is kept
        itself = reached(before, normalise(self.project.name), with_groups=True)
        lock = preferring(before, itself)
        for file, content in (("pyproject.toml", made), ("uv.lock", lock)):
            origin.refuse_credentials(file, content)
        (stage / "pyproject.toml").write_text(made, encoding="utf-8")
        (stage / "uv.lock").write_text(at_origin.moved(lock), encoding="utf-8")
        _run(uv, ["lock", "--python", self.python], stage, host)
        verdict, mended = self._judged(stage, uv, host)
        lockfile = _lockfile(stage)
        self._require_the_same(Lockfile(lock), lockfile)
        built = [f"Built to wheels: {told(self.wheels.values())}."] if self.wheels else []
        said = (*built, *notes, *at_origin.notes, *mended)
        closure = self._closure(lockfile, stage)
        return Locked(lockfile, closure, verdict, said, at_origin.has_own_index)

    def _closure(self, lockfile: Lockfile, stage: Path) -> Closure:
        """What Linux installs from the bundle's lock; refused where it cannot."""
        root = projects.find(stage).name
        groups = (portable.RERUN_GROUP,)
        newest = walk(lockfile, Target(_NEWEST_LINUX, self.python), root=root, groups=groups)
        if newest.excluded:
            raise BundleRefused(
                "The lock leaves Linux out, which images run.",
                "Add it to  environments  in [tool.uv] of pyproject.toml, then  %uv lock",
            )
        if newest.lacking:
            raise BundleRefused(
                f"An image could not install {', '.join(sorted(newest.lacking))}: neither a wheel "
                f"for Linux and Python {self.python} is locked nor a source.",
                "Have it on other systems only, by a marker:  "
                f"%uv add \"{min(newest.lacking)}; sys_platform != 'linux'\"",
            )
        return walk(lockfile, Target(LINUX, self.python), root=root, groups=groups)

    def _standing_alone(self, lockfile: Lockfile) -> str:
        """The project's pyproject.toml with what its workspace and its locals say for it."""
        others = {file: None for file in self.project.files() if file.name == "pyproject.toml"}
        others |= {each.place / "pyproject.toml": None for each in self.needs.distributions}
        return standing_alone(
            _text(self.project.file),
            None if self.project.is_root else _text(self.project.root / "pyproject.toml"),
            [_text(file) for file in others if file.is_file()],
            self.needs,
            lockfile,
        )

    def _with_one_backend(self, text: str) -> tuple[str, list[str]]:
        """The text with the backend that the bundle is for alone, and what to say of that."""
        pyproject = tomllib.loads(text)
        one = the_backend(pyproject, self.backend)
        if one is None:
            return text, []
        known = [each.backend.name for each in present.placed_in(pyproject)]
        official = present.Placed(one.backend, *choice.index_url(one.backend))
        others = ", ".join(sorted({*known} - {one.backend.name}))
        told = f"Of {', '.join(known)} the bundle has {one.backend.name} (or choose {others})."
        return arrangement.arranged(text, placed=[official]).text, [told]

    def _require_the_same(self, before: Lockfile, after: Lockfile) -> None:
        """Versions stay, and files of one name are the same files."""
        own = {normalise(self.project.name), "uvmagic", *self.wheels}
        moved = portable.differing_versions(before, after)
        told = [f"{n}: {old} → {new}" for n, (old, new) in moved.items() if n not in own]
        if origin.unpublished(before, after) - own:
            raise BundleRefused(
                "Where they are published there are no such versions as the project has locked "
                "from a mirror; these would change:\n  " + "\n  ".join(told),
                "Lock versions that are published, or keep the index:  --keep-index NAME",
            )
        if told:
            raise BundleRefused(
                "What runs the notebook (ipykernel, papermill) does not go with the versions "
                "locked in the project; these would change:\n  " + "\n  ".join(told),
                "Loosen them:  %uv lock --upgrade-package NAME",
            )
        elsewhere = origin.from_elsewhere(before, after, but=own)
        if elsewhere:
            raise BundleRefused(
                f"The bundle would get {', '.join(sorted(elsewhere))} from an index, not from "
                "where uv.lock has it from.",
                "List it in the project's own dependencies, with its source.",
            )
        differing = origin.differing_files(before, after, but=own)
        if differing:
            raise BundleRefused(
                "The mirror's files are not those that are published:\n  " + "\n  ".join(differing),
                "Do not trust that mirror: lock from another one, or from the origin itself.",
            )

    def _judged(self, stage: Path, uv: Uv, host: Host) -> tuple[Verdict, list[str]]:
        """Which torch an image gets, and what was mended for it; refused where it would not start.

        The origin's metadata may be at fault where a mirror's, or an older lock, were right.
        """
        verdict, metadata = self._verdict(stage, uv, host)
        if verdict.build is not Build.BARE:
            return verdict, []
        told = f"torch {verdict.version} would be without its CUDA libraries in an image"
        lacks = listed(verdict.lacks)
        if metadata is not None:
            file = stage / "pyproject.toml"
            file.write_text(
                with_metadata(file.read_text(encoding="utf-8"), verdict, metadata), encoding="utf-8"
            )
            _run(uv, ["lock", "--python", self.python], stage, host)
            again, _ = self._verdict(stage, uv, host)
            if again.build is not Build.BARE:
                return again, [
                    f"{told} ({lacks}): the bundle's pyproject.toml tells uv what "
                    f"{verdict.wheel} says of itself."
                ]
        raise BundleRefused(
            f"{told} ({lacks}). {why_not(verdict, metadata)}.",
            "Choose another version of torch, or another backend.",
        )

    def _verdict(self, stage: Path, uv: Uv, host: Host) -> tuple[Verdict, bytes | None]:
        """Which torch an image gets, and the metadata of its wheel if that is for CUDA."""
        lockfile = _lockfile(stage)
        if "torch" not in lockfile.versions():
            return Verdict(Target(LINUX, self.python), Build.ABSENT), None
        with isolated(environment_for_uv(host.environ)) as environ:
            plan = planned(
                uv,
                cwd=stage,
                environ=environ,
                platform=LINUX,
                options=["--python", self.python],
            )
        if plan.refusal:
            raise BundleRefused(f"An image could not install this lock:\n{plan.refusal}")
        target = Target(LINUX, plan.python)
        verdict = audit.audit(lockfile, plan.versions, target)
        if verdict.build not in (Build.CUDA, Build.BARE):
            return verdict, None
        metadata = None if is_offline(host.environ) else wheel_metadata(verdict.url)
        requires = requirements(metadata) if metadata is not None else None
        return audit.audit(lockfile, plan.versions, target, requires), metadata


def export_beside_torch(stage: Path, uv: Uv, host: Host) -> None:
    """Write what a bundle's lock installs but for torch and what only torch needs: pylock.toml.

    Raises UvFailed.
    """
    pruned = ["--prune", "torch", "--no-emit-project", "--no-header"]
    options = ["--locked", *pruned, "--format", "pylock.toml", "--output-file", PYLOCK]
    _run(uv, ["export", "--quiet", *options], stage, host)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")


def _lockfile(stage: Path) -> Lockfile:
    return Lockfile((stage / "uv.lock").read_text(encoding="utf-8"))


def _run(uv: Uv, arguments: list[str], cwd: Path, host: Host) -> None:
    with isolated(environment_for_uv(host.environ)) as environ:
        result = uv.run(arguments, cwd=cwd, environ=environ, on_progress=host.reporter.progress)
    if result.returncode != 0:
        raise UvFailed(
            "The bundle could not be locked where its packages are published; no bundle was made.\n"
            + result.transcript.error(),
            "An index that only you can reach, or that has what no other has:  --keep-index NAME",
        )
