"""Which torch a lock gives to a machine, and whether its CUDA libraries come along.

A CUDA wheel for Linux brings no libraries: distributions named `nvidia-…` do. uv reads the
metadata of one wheel for all of a version's (the first by name), so that a lock may lack them,
install without an error, and die with `libcudart.so.12: cannot open shared object file`
(astral-sh/uv#14237, pytorch/pytorch#146679). Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk
from uvmagic.names import normalise
from uvmagic.project import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from uvmagic.lockfile import Lockfile
    from uvmagic.lockfile.walk import Closure

TARGETS = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "x86_64-pc-windows-msvc",
    "aarch64-apple-darwin",
)
"""The platforms that PyTorch publishes wheels for, as uv names them."""

LINUX = TARGETS[0]
"""The platform of GPU servers and containers: where a CUDA build must be whole."""

_LIBRARY = re.compile(r"nvidia-.+|cuda-(toolkit|bindings|core|python)")
_CORE = ("cuda-runtime", "cudnn", "cublas")
"""The libraries that `import torch` loads at once; their names may end in `-cu12`."""

_NEWEST_MACOS = 40
"""No wheel asks for a later one for years to come."""

_FIRST_BARE = (2, 2)
"""The first release whose wheels for Linux bring no libraries, on PyTorch's own index too."""


class Build(Enum):
    """What a torch is built for, as far as a lock tells."""

    ABSENT = "no torch"
    CUDA = "CUDA"
    BARE = "CUDA without its libraries"
    ROCM = "ROCm"
    XPU = "XPU"
    CPU = "CPU"
    NO_WHEEL = "no wheel"
    OWN = "a build of its own"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What torch a target gets.

    Attributes:
        target: the machine.
        build: what kind.
        version: torch's, with its local part; empty where there is none.
        toolkit: CUDA's or ROCm's version, `12.6`, where it can be told.
        lacks: names of libraries that the build needs and the target does not get.
        wheel: the wheel's filename.
        url: where the wheel is.
        registry: the index that it is from, PyPI or another.
        pythons: the versions of Python that have a wheel, where this one has none.
    """

    target: Target
    build: Build
    version: str = ""
    toolkit: str = ""
    lacks: tuple[str, ...] = ()
    wheel: str = ""
    url: str = ""
    registry: str = ""
    pythons: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether torch would start."""
        return self.build not in (Build.BARE, Build.NO_WHEEL)

    @property
    def told(self) -> str:
        """The build in a few words, `CUDA 12.6`."""
        name, _, rest = self.build.value.partition(" without")
        return f"{name} {self.toolkit}".strip() + (f" without{rest}" if rest else "")


def audit(
    lockfile: Lockfile,
    plan: Mapping[str, str],
    target: Target,
    requires: Sequence[str] | None = None,
    source: Mapping[str, str] | None = None,
) -> Verdict:
    """Judge the torch that a target gets.

    Args:
        lockfile: the lock.
        plan: what the target installs, name → version: uv's plan, or the walk's. The version is
            empty where only a build of it tells.
        target: the machine.
        requires: the Requires-Dist of the target's own torch wheel, where they are known: those
            libraries are looked for beside the ones that torch loads at once.
        source: of the target's torch, where it is known: two indexes may have one version.
    """
    entries = [e for e in lockfile.package("torch") if _is_planned(e, plan, source)]
    if not entries:
        return Verdict(target, Build.ABSENT)
    # Two indexes may have one version, each with wheels for its own platforms.
    fits = (e for e in entries if any(target.accepts(_filename(url)) for url in _urls(e)))
    entry = next(fits, entries[0])
    version = str(entry.get("version", ""))
    found = [url for url in _urls(entry) if target.accepts(_filename(url))]
    if "registry" not in entry["source"] or (not found and "sdist" in entry):
        return Verdict(target, Build.OWN, version)
    registry = str(entry["source"]["registry"])
    if not found:
        pythons = _pythons(entry, target)
        return Verdict(target, Build.NO_WHEEL, version, registry=registry, pythons=pythons)
    url = found[0]
    libraries = _libraries(lockfile, entry, plan)
    build, toolkit = _kind(version, libraries, target)
    lacks = _lacking(libraries, plan, target, version, requires) if build is Build.CUDA else ()
    build = Build.BARE if lacks else build
    return Verdict(target, build, version, toolkit, lacks, _filename(url), url, registry)


def audit_walked(
    lockfile: Lockfile, closure: Closure, target: Target, requires: Sequence[str] | None = None
) -> Verdict:
    """Judge the torch that a target gets by the walk, which knows its source too."""
    plan = {name: one.version or "" for name, one in closure.packages.items()}
    torch = closure.packages.get("torch")
    return audit(lockfile, plan, target, requires, torch.source if torch else None)


def _is_planned(
    entry: Mapping[str, Any], plan: Mapping[str, str], source: Mapping[str, str] | None
) -> bool:
    """Whether a lock's torch is the one that is planned."""
    if "torch" not in plan or source not in (None, entry["source"]):
        return False
    return not plan["torch"] or entry.get("version") == plan["torch"]


def builds(
    lockfile: Lockfile,
    python: str,
    *,
    root: str,
    extras: Collection[str] = (),
    groups: Collection[str] = (),
) -> list[Verdict]:
    """What torch each platform gets, by the walk.

    Args:
        lockfile: the lock.
        python: the version of Python.
        root: the project's name.
        extras: of the project.
        groups: of the project.
    """
    verdicts = []
    for platform in TARGETS:
        target = Target(platform, python)
        closure = walk(lockfile, target, root=root, extras=extras, groups=groups)
        if not closure.excluded:
            verdict = audit_walked(lockfile, closure, target)
            verdicts.append(_on_a_newer_mac(lockfile, closure, verdict) or verdict)
    return verdicts


def _on_a_newer_mac(lockfile: Lockfile, closure: Closure, verdict: Verdict) -> Verdict | None:
    """What the first macOS gets that has a wheel, where the one that uv assumes has none."""
    target = verdict.target
    if verdict.build is not Build.NO_WHEEL or not target.platform.endswith("darwin"):
        return None
    for macos in range(target.macos + 1, _NEWEST_MACOS + 1):
        newer = audit_walked(lockfile, closure, replace(target, macos=macos))
        if newer.build is not Build.NO_WHEEL:
            return newer
    return None


def summary(verdicts: Sequence[Verdict]) -> str:
    """Which build of which version each platform gets, in one line; empty without torch."""
    versions: dict[str, dict[str, list[str]]] = {}
    for verdict in verdicts:
        if verdict.build is not Build.ABSENT:
            builds = versions.setdefault(verdict.version, {})
            builds.setdefault(verdict.told, []).append(verdict.target.told)
    told = [
        f"torch {version}".strip()
        + ": "
        + "; ".join(f"{build} on {', '.join(where)}" for build, where in builds.items())
        for version, builds in versions.items()
    ]
    return f"{'; '.join(told)}." if told else ""


def download_size(lockfile: Lockfile, name: str, version: str, target: Target) -> int | None:
    """The bytes of the wheel that a target would fetch; None where the index does not tell."""
    for entry in lockfile.package(name):
        if entry.get("version") == version:
            for wheel, url in zip(entry.get("wheels", []), _urls(entry), strict=True):
                if target.accepts(_filename(url)):
                    size = wheel.get("size")
                    return int(size) if size is not None else None
    return None


def _libraries(
    lockfile: Lockfile, torch: Mapping[str, Any], plan: Mapping[str, str]
) -> dict[str, str]:
    """The libraries that a plan has for torch's sake, name → version; others may have their own."""
    found: dict[str, str] = {}
    waiting = [torch]
    while waiting:
        entry = waiting.pop()
        edges = [*entry.get("dependencies", [])]
        for more in entry.get("optional-dependencies", {}).values():
            edges += more
        for name in {edge["name"] for edge in edges} & plan.keys() - found.keys():
            if _LIBRARY.fullmatch(name):
                found[name] = plan[name]
                waiting += [e for e in lockfile.package(name) if e.get("version") == plan[name]]
    return found


def _kind(version: str, libraries: Mapping[str, str], target: Target) -> tuple[Build, str]:
    local = version.partition("+")[2]
    if match := re.fullmatch(r"cu(\d+)(\d)", local):
        return Build.CUDA, f"{match[1]}.{match[2]}"
    if match := re.fullmatch(r"rocm([\d.]+)", local):
        return Build.ROCM, match[1]
    if local in ("cpu", "xpu"):
        return Build(local.upper()), ""
    if local:
        return Build.OWN, local
    toolkit = _toolkit(libraries)
    if target.platform == LINUX or (target.told.startswith("Linux") and toolkit):
        return Build.CUDA, toolkit
    return Build.CPU, ""


def _toolkit(libraries: Mapping[str, str]) -> str:
    """CUDA's version, by the runtime that comes along: PyPI's torch does not say it itself."""
    for name, version in libraries.items():
        if re.fullmatch(r"cuda-toolkit|nvidia-cuda-runtime(-cu\d+)?", name):
            return ".".join(version.split(".")[:2])
    return ""


def _lacking(
    libraries: Mapping[str, str],
    plan: Mapping[str, str],
    target: Target,
    version: str,
    requires: Sequence[str] | None,
) -> tuple[str, ...]:
    missing = required_libraries(requires or (), target) - plan.keys()
    if missing:
        return tuple(sorted(missing))
    numbers = [int(n) for n in re.findall(r"\d+", version)[:2]]
    if target.platform != LINUX or tuple(numbers) < _FIRST_BARE:
        return ()
    present = {re.sub(r"^nvidia-|-cu\d+$", "", name) for name in libraries}
    return tuple(f"nvidia-{name}" for name in _CORE if name not in present)


def required_libraries(requires: Sequence[str], target: Target) -> set[str]:
    """The names of the libraries among some Requires-Dist that hold for a target."""
    found = set()
    environment = dict[str, Any]({**target.markers(), "extra": ""})
    for text in requires:
        requirement = parse_requirement(text)
        if requirement is None:
            continue
        name = normalise(requirement.name)
        holds = requirement.marker is None or requirement.marker.evaluate(environment)
        if holds and _LIBRARY.fullmatch(name):
            found.add(name)
    return found


def _urls(entry: Mapping[str, Any]) -> list[str]:
    wheels = entry.get("wheels", [])
    return [wheel.get("url") or wheel.get("path") or wheel.get("filename", "") for wheel in wheels]


def _filename(url: str) -> str:
    return unquote(url.partition("#")[0].rpartition("/")[2])


def _pythons(entry: Mapping[str, Any], target: Target) -> tuple[str, ...]:
    """The versions of Python that a locked torch has a wheel for, on the target's platform."""
    tags = {tag for url in _urls(entry) for tag in re.findall(r"-cp3(\d+)-", _filename(url))}
    minors = sorted(int(tag) for tag in tags)
    fitting = [
        f"3.{minor}"
        for minor in minors
        if any(Target(target.platform, f"3.{minor}").accepts(_filename(u)) for u in _urls(entry))
    ]
    return tuple(fitting)
