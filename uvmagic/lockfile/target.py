"""A machine that a lock is to run on, as uv takes it for one.

What uv assumes of each `--python-platform` was found by asking it (uv 0.13.9, 2026-11-24), and
`tests/lock` asks it again.
"""

from __future__ import annotations

import ast
import operator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms, parse_tag
from packaging.version import InvalidVersion, Version

from uvmagic.errors import ProjectInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set


@dataclass(frozen=True, slots=True)
class _Machine:
    """What a machine says of itself in markers, and how it is told."""

    told: str
    os_name: str
    sys_platform: str
    platform_system: str
    platform_machine: str


_MACHINES = {
    "x86_64-manylinux": _Machine("Linux x86-64", "posix", "linux", "Linux", "x86_64"),
    "aarch64-manylinux": _Machine("Linux ARM64", "posix", "linux", "Linux", "aarch64"),
    "x86_64-pc-windows-msvc": _Machine("Windows", "nt", "win32", "Windows", "AMD64"),
    "aarch64-apple-darwin": _Machine("macOS", "posix", "darwin", "Darwin", "arm64"),
    "x86_64-apple-darwin": _Machine("macOS (Intel)", "posix", "darwin", "Darwin", "x86_64"),
}

_MACOS = 13
"""The macOS that uv takes a Mac to have, where MACOSX_DEPLOYMENT_TARGET does not say."""


@dataclass(frozen=True, slots=True)
class Target:
    """A machine and a CPython that a lock is to run on.

    Attributes:
        platform: as uv's --python-platform names it: `x86_64-manylinux_2_28`, or another glibc;
            `aarch64-manylinux_2_28`; `x86_64-pc-windows-msvc`; `aarch64-apple-darwin`;
            `x86_64-apple-darwin`. ValueError for another one.
        python: `3.12.4`, or `3.12`, which is taken for 3.12.0 where a marker asks so closely.
        macos: the release of a Mac; uv's own unless another is asked about.
    """

    platform: str
    python: str
    macos: int = _MACOS

    def __post_init__(self) -> None:
        has_glibc = self.platform.partition("_2_")[2].isdecimal()
        if self._kind not in _MACHINES or has_glibc is not self._kind.endswith("manylinux"):
            raise ValueError(f"No platform of uv's, or none that uvmagic knows: {self.platform}")

    @property
    def _kind(self) -> str:
        return self.platform.partition("_2_")[0]

    @property
    def told(self) -> str:
        """The machine in words for the user."""
        told = _MACHINES[self._kind].told
        return told if self.macos == _MACOS else f"{told} {self.macos} or later"

    def markers(self) -> dict[str, str]:
        """The environment that markers ask about, every variable (PEP 508).

        Release and version of the operating system are empty, as in uv's own.
        """
        machine = asdict(_MACHINES[self._kind])
        del machine["told"]
        major, minor, *micro = Version(self.python).release
        version = self.python if micro else f"{self.python}.0"
        return {
            **machine,
            "platform_release": "",
            "platform_version": "",
            "implementation_name": "cpython",
            "implementation_version": version,
            "platform_python_implementation": "CPython",
            "python_full_version": version,
            "python_version": f"{major}.{minor}",
        }

    def accepts(self, filename: str) -> bool:
        """Whether a wheel installs here, by its file name, with or without `.whl`."""
        return _accepts(self, "-".join(filename.removesuffix(".whl").split("-")[-3:]))

    def fulfils(self, marker: str, active: Set[str] = frozenset()) -> bool:
        """Whether a marker of a lock is true here; an empty one is.

        Args:
            marker: as uv writes it.
            active: what `extra == '…'` is true for: the extras and groups that are in conflicts,
                as uv spells them there.

        Raises:
            ProjectInvalid: it is no such marker.
        """
        return not marker or _fulfils(self, marker, frozenset(active if "extra" in marker else ()))


# --- wheels -----------------------------------------------------------------------------------

_OURS = "*"
"""Stands for every platform that the target takes wheels for: hundreds of tags are a dozen then."""


@lru_cache(maxsize=4096)
def _accepts(target: Target, tags: str) -> bool:
    platforms, supported = _supported(target)
    try:
        return any(
            Tag(tag.interpreter, tag.abi, _OURS if tag.platform in platforms else tag.platform)
            in supported
            for tag in parse_tag(tags)
        )
    except ValueError:  # no tags, so no wheel
        return False


@lru_cache(maxsize=64)
def _supported(target: Target) -> tuple[Set[str], Set[Tag]]:
    python = Version(target.python).release[:2]
    cpython = "cp" + "".join(map(str, python))
    tags = {
        *cpython_tags(python, [cpython], [_OURS]),
        *compatible_tags(python, cpython, [_OURS]),
    }
    return frozenset(_wheel_platforms(target)), tags


def _wheel_platforms(target: Target) -> Iterator[str]:
    kind, _, glibc = target.platform.partition("_2_")
    machine = _MACHINES[kind].platform_machine
    match _MACHINES[kind].sys_platform:
        case "win32":
            yield f"win_{machine.lower()}"
        case "darwin":
            yield from mac_platforms((target.macos, 0), machine)
        case "linux":
            yield f"linux_{machine}"
            oldest = 5 if machine == "x86_64" else 17  # what the manylinux policies begin with
            for minor in range(oldest, int(glibc) + 1):
                yield f"manylinux_2_{minor}_{machine}"
                if minor in _MANYLINUX:
                    yield f"{_MANYLINUX[minor]}_{machine}"


_MANYLINUX = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
"""The older names of a glibc's policy (PEP 600)."""


# --- markers ----------------------------------------------------------------------------------
#
# A marker as uv writes it is an expression in Python's own grammar. `packaging` cannot be told
# that several extras are active at once, and takes three times as long.

_SIGNS: dict[str, tuple[str, Callable[[str, str], bool]]] = {
    "Eq": ("==", operator.eq),
    "NotEq": ("!=", operator.ne),
    "Lt": ("<", operator.lt),
    "LtE": ("<=", operator.le),
    "Gt": (">", operator.gt),
    "GtE": (">=", operator.ge),
    "In": ("in", lambda own, text: own in text),
    "NotIn": ("not in", lambda own, text: own not in text),
    "Contains": ("contains", operator.contains),
}
"""By their names in `ast`, but for the last: `'x' in variable` is told the other way round."""
_VERSIONS = {"python_full_version", "python_version", "implementation_version"}


@lru_cache(maxsize=4096)
def _fulfils(target: Target, marker: str, active: frozenset[str]) -> bool:
    try:
        expression = ast.parse(marker.replace("\\", "\\\\"), mode="eval").body
        return _is_true(target, expression, active)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _no_marker(marker) from error


def _is_true(target: Target, expression: ast.expr, active: Set[str]) -> bool:
    match expression:
        case ast.BoolOp(ast.And(), parts):
            return all(_is_true(target, part, active) for part in parts)
        case ast.BoolOp(ast.Or(), parts):
            return any(_is_true(target, part, active) for part in parts)
        case ast.Compare(ast.Name("extra"), [ast.Eq()], [ast.Constant(str(name))]):
            return name in active
        case ast.Compare(ast.Name("extra"), [ast.NotEq()], [ast.Constant(str(name))]):
            return name not in active
        case ast.Compare(ast.Name(variable), [sign], [ast.Constant(str(text))]):
            return _compares(target, variable, type(sign).__name__, text)
        case ast.Compare(ast.Constant(str(text)), [ast.In()], [ast.Name(variable)]):
            return _compares(target, variable, "Contains", text)
        case ast.Compare(ast.Constant(str(text)), [ast.NotIn()], [ast.Name(variable)]):
            return not _compares(target, variable, "Contains", text)
    raise _no_marker(ast.unparse(expression))


@lru_cache(maxsize=4096)
def _compares(target: Target, variable: str, sign: str, text: str) -> bool:
    try:
        own = _environment(target)[variable]
        spelling, compare = _SIGNS[sign]
        if variable in _VERSIONS:
            return SpecifierSet(f"{spelling}{text}").contains(own, prereleases=True)
    except (KeyError, InvalidSpecifier) as error:
        raise _no_marker(f"{variable} {sign} '{text}'") from error
    # uv takes a Mac's release for a version where it is compared to one; an unknown one is none
    is_mac_release = variable == "platform_release" and target.platform.endswith("darwin")
    return compare(own, text) and not (is_mac_release and _is_version(text))


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


@lru_cache(maxsize=64)
def _environment(target: Target) -> dict[str, str]:
    return target.markers()


def _no_marker(marker: str) -> ProjectInvalid:
    return ProjectInvalid(f"uv.lock has a marker that is none: {marker}", "Run  %uv lock")
