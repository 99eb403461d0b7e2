"""What `doctor` and `status` know of a machine, a project and its environment. Values alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uvmagic.accelerator.audit import Verdict
    from uvmagic.accelerator.drivers import Drivers
    from uvmagic.doctor.binaries import UvFacts
    from uvmagic.outcome import Change
    from uvmagic.system.links import Links
    from uvmagic.system.settings import Settings

LockState = Literal["none", "fresh", "behind", "unreadable"]
"""Of uv.lock against pyproject.toml, as uv tells it without the network."""


@dataclass(frozen=True, slots=True)
class LockFacts:
    """What uv.lock says, and whether it holds.

    Attributes:
        state: against pyproject.toml.
        reason: what uv says of a lock that cannot be read.
        unlocked: the names that pyproject.toml asks for and uv.lock does not have.
        torch: for each set of extras that somebody installs, what torch Linux gets.
        own: what torch this machine gets, None without torch.
        lacking: the distributions that have neither a wheel for this machine nor a source.
        built: those that have only a source here, and are not installed yet.
        pythons: the versions of Python that have a wheel of all that is lacking.
    """

    state: LockState = "none"
    reason: str = ""
    unlocked: tuple[str, ...] = ()
    torch: tuple[Verdict, ...] = ()
    own: Verdict | None = None
    lacking: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """A project's environment.

    Attributes:
        folder: where it is or would be.
        interpreter: likewise.
        python: its Python's version, None without one.
        exists: whether its interpreter is there.
        is_running: whether this process runs from it.
        installed: normalised name → version.
        strangers: what is installed and not locked.
        can_be_kernel: whether a kernel can run from it.
        links: how its files lie on disk.
        differences: what a sync would install, as uv plans it; empty where uv was not asked.
    """

    folder: Path
    interpreter: Path
    python: str | None = None
    exists: bool = False
    is_running: bool = False
    installed: Mapping[str, str] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()
    can_be_kernel: bool = True
    links: Links | None = None
    differences: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """A project.

    Attributes:
        name: its name.
        root: where its lock and environment are.
        pyproject: what its pyproject.toml says.
        environment: its environment.
        lock: its lock.
        secrets: what looks like a password or key in pyproject.toml and uv.toml: where and what.
    """

    name: str
    root: Path
    pyproject: Mapping[str, Any]
    environment: EnvironmentFacts
    lock: LockFacts = LockFacts()
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A change of the project that has not ended.

    Attributes:
        root: the project's root.
        command: what it was; empty where its journal cannot be read.
        is_running: whether somebody holds the project still.
    """

    root: Path
    command: str
    is_running: bool


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """A registered kernel of uvmagic's.

    Attributes:
        name: its legal name.
        display_name: what the kernel menu shows.
        state: `ready`, or why it does not start.
        project: the root of its project.
        python: the interpreter that it starts.
        is_users: whether it lies in this user's own folder.
    """

    name: str
    display_name: str
    state: str
    project: Path
    python: Path
    is_users: bool = True


@dataclass(frozen=True, slots=True)
class NotebookFacts:
    """The notebook that asks.

    Attributes:
        prefix: the environment that its kernel runs from.
        is_carried: whether that is what the notebook carries itself (PEP 723).
        unclear: why it cannot be told which project is meant, and what to do; None where it can.
        stale: the distributions of which the kernel has loaded a version that is not installed.
    """

    prefix: Path
    is_carried: bool = False
    unclear: tuple[str, str] | None = None
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system that something lies on.

    Attributes:
        what: that.
        place: its folder, or the nearest above that exists.
        device: what tells one file system from another.
        free: bytes that may be written.
    """

    what: str
    place: Path
    device: int
    free: int


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine on PATH: its version, or what it says where it does not work."""

    name: str
    version: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the checks look at.

    Attributes:
        call: how the caller's face calls uvmagic, `%uv` or `uvmagic`.
        uv: the binaries.
        settings: what holds for a call of uv here.
        project: the one here; None where there is none, or it cannot be read.
        invalid: why pyproject.toml cannot be read, and what to do.
        unfinished: a change that has not ended.
        active: an environment that is activated: the variable, and its folder.
        notebook: the one that asks; None in a shell.
        kernels: those registered that uvmagic made.
        disks: the file systems of environment and cache.
        drivers: what this machine computes on; looked for only where torch is locked.
        engine: Docker.
    """

    call: str
    uv: UvFacts
    settings: Settings
    project: ProjectFacts | None = None
    invalid: tuple[str, str] | None = None
    unfinished: Unfinished | None = None
    active: tuple[tuple[str, Path], ...] = ()
    notebook: NotebookFacts | None = None
    kernels: tuple[KernelFacts, ...] = ()
    disks: tuple[Disk, ...] = ()
    drivers: Drivers | None = None
    engine: Engine | None = None
