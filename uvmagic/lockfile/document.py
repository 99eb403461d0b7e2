"""uv.lock → what is locked.

uv writes the lock with one `[[package]]` block a distribution; only the blocks that are asked
for are read, so that a lock of 500 packages costs what two cost. A block that is laid out as uv
lays it out is taken apart by patterns, at fifty times the speed of tomllib, which reads any other.
"""

from __future__ import annotations

import re
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from uvmagic.errors import ProjectInvalid
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_AGAIN = "Run  %uv lock"


class Dependency(NamedTuple):
    """An edge of the lock.

    Attributes:
        name: the distribution that is asked for.
        version: which of those with that name; None where there is but one.
        source: likewise.
        extras: those of its extras that are asked for.
        marker: where the edge holds; empty for everywhere.
    """

    name: str
    version: str | None
    source: Mapping[str, str] | None
    extras: tuple[str, ...]
    marker: str


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """A `[[package]]` block: a distribution in one version from one source. Equal to itself only.

    Attributes:
        name: normalised.
        version: None where only a build of it tells.
        source: one of `registry`, `url`, `path`, `git`, `directory`, `editable` and `virtual`, and
            where that is.
        markers: the forks of the resolution that it is of; empty for all.
        dependencies: its edges.
        extras: the edges that each of its extras adds.
        groups: likewise its dependency groups; only a project has any.
        has_sdist: whether a source distribution is locked.
        wheels: text that has every wheel's address or file name in double quotes.
    """

    name: str
    version: str | None
    source: Mapping[str, str]
    markers: tuple[str, ...]
    dependencies: tuple[Dependency, ...]
    extras: Mapping[str, tuple[Dependency, ...]]
    groups: Mapping[str, tuple[Dependency, ...]]
    has_sdist: bool
    wheels: str

    def wheel_names(self) -> Iterator[str]:
        """The file names of its wheels, up to `.whl`."""
        for head in self.wheels.split(".whl")[:-1]:
            yield head[max(head.rfind("/"), head.rfind('"')) + 1 :]


@dataclass(frozen=True, slots=True)
class Preamble:
    """What a lock says of itself and of all its packages.

    Attributes:
        requires_python: the versions of Python that it is for.
        supported: markers of the machines that it is for; empty for all.
        conflicts: sets of extras, groups and projects no two of which go together, in the spelling
            of `spelled`.
        members: the names of a workspace's projects.
        groups: the dependency groups of a workspace's root that is no project itself.
    """

    requires_python: str
    supported: tuple[str, ...]
    conflicts: tuple[frozenset[str], ...]
    members: tuple[str, ...]
    groups: Mapping[str, tuple[Dependency, ...]]


def spelled(package: str, *, extra: str = "", group: str = "") -> str:
    """A package, or an extra or a group of it, as `extra == '…'` in a lock's markers names it."""
    kind, name = ("extra", extra) if extra else ("group", group) if group else ("project", "")
    return f"{kind}-{len(package)}-{package}" + (f"-{name}" if name else "")


def unspelled(name: str) -> tuple[str, str, str]:
    """What `spelled` has spelled: `extra`, `group` or `project`, the package, and its name."""
    kind, length, rest = name.split("-", 2)
    return kind, rest[: int(length)], rest[int(length) + 1 :]


@dataclass(frozen=True)
class Lockfile:
    """The text of a uv.lock. Raises ProjectInvalid when a part that is asked for is no TOML."""

    text: str

    @cached_property
    def _parts(self) -> list[str]:
        """What stands before the packages, then the TOML of each block."""
        text = self.text.replace("\r\n", "\n") if "\r" in self.text else self.text
        return (f"\n{text}" if text.startswith("[") else text).split("\n[[package]]\n")

    @cached_property
    def _blocks(self) -> dict[str, list[tuple[str | None, str]]]:
        """By name, in order: (version or None, TOML of the block) for each package."""
        blocks: dict[str, list[tuple[str | None, str]]] = {}
        for block in self._parts[1:]:
            match = _NAME.match(block)
            if match is not None:  # else it is no lock that uv wrote; uv will say so
                blocks.setdefault(match[1], []).append((match[2], block))
        return blocks

    @cached_property
    def preamble(self) -> Preamble:
        """What stands before the packages. ProjectInvalid also where that is not uv's."""
        table = _toml(self._parts[0])
        if table.get("version") != 1:
            raise ProjectInvalid("uv.lock is not as uv writes it, or a later uv wrote it.", _AGAIN)
        with _shaped():
            return _preamble_of(table)

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Every locked name with its versions, sorted; several where markers tell them apart.

        A distribution with a version known only to its build has none.
        """
        return {
            name: tuple(sorted(version for version, _ in self._blocks[name] if version))
            for name in sorted(self._blocks)
        }

    def asked_for(self, project: str) -> set[str] | None:
        """The names that a project of the lock asks for itself; None where it is not in it."""
        for entry in self.package(project):
            asked = entry.get("metadata", {})
            lists = [asked.get("requires-dist", []), *asked.get("requires-dev", {}).values()]
            if not asked:  # a preview of uv's leaves it out; the edges tell nearly as much
                lists = [entry.get("dependencies", [])]
                lists += entry.get("optional-dependencies", {}).values()
                lists += entry.get("dev-dependencies", {}).values()
            return {requirement["name"] for listed in lists for requirement in listed}
        return None

    def package(self, name: str) -> list[dict[str, Any]]:
        """The parsed entries of a distribution, one a locked version; empty if not locked."""
        return [_table(block) for _, block in self._blocks.get(normalise(name), ())]

    def packages(self, name: str) -> list[Package]:
        """The same as far as an installation needs them, much faster; the name is normalised."""
        if name not in self._packages:
            self._packages[name] = [_package(block) for _, block in self._blocks.get(name, ())]
        return self._packages[name]

    def without(self, packages: Iterable[Package]) -> str:
        """The text without some of the packages that `packages` gives."""
        gone = set(packages)
        position = dict.fromkeys(self._blocks, 0)
        kept = [self._parts[0]]
        for block in self._parts[1:]:
            match = _NAME.match(block)
            if match is not None:
                number, position[match[1]] = position[match[1]], position[match[1]] + 1
                if self.packages(match[1])[number] in gone:
                    continue
            kept.append(block)
        return "\n[[package]]\n".join(kept)

    @cached_property
    def _packages(self) -> dict[str, list[Package]]:
        """What `packages` has read already: a lock is walked for several machines."""
        return {}


# --- one block --------------------------------------------------------------------------------

_NAME = re.compile(r'name = "([^"]+)"(?:\nversion = "([^"]+)")?')
_TEXT = r'"[^"\\\n]*"'
_LINES = r"(?:    \{.*\},\n)+"
_LISTS = rf"(?:[a-z0-9-]+ = \[\n{_LINES}\]\n)+"
_LIST = re.compile(rf"([a-z0-9-]+) = \[\n({_LINES})\]\n")
_BLOCK = re.compile(
    rf"name = (?P<name>{_TEXT})\n"
    rf"(?:version = (?P<version>{_TEXT})\n)?"
    r"source = (?P<source>\{.*\})\n"
    rf"(?:resolution-markers = \[\n(?P<markers>(?:    {_TEXT},\n)+)\]\n)?"
    rf"(?:dependencies = \[\n(?P<dependencies>{_LINES})\]\n)?"
    r"(?P<sdist>sdist = \{.*\}\n)?"
    rf"(?:wheels = \[\n(?P<wheels>{_LINES})\]\n)?"
    rf"(?:\n\[package\.optional-dependencies\]\n(?P<extras>{_LISTS}))?"
    rf"(?:\n\[package\.dev-dependencies\]\n(?P<groups>{_LISTS}))?"
    r"(?:\n\[package\.metadata[a-z.-]*\]\n(?:[^\[\n].*\n)*)*"
)
"""A block as uv lays it out."""
_DEPENDENCY = re.compile(
    r'    \{ name = "([^"\\\n]*)"(?:, version = "([^"\\\n]*)")?(?:, source = (\{[^}\n]*\}))?'
    r'(?:, extra = \["([a-z0-9", -]*)"\])?(?:, marker = "([^"\\\n]*)")? \},\n'
)
"""A line of a list of dependencies as uv lays it out."""


def _package(block: str) -> Package:
    match = _BLOCK.fullmatch(block)
    if match is None:
        with _shaped():
            return _package_of(_table(block))
    return Package(
        name=match["name"][1:-1],
        version=match["version"] and match["version"][1:-1],
        source=_source(match["source"]),
        markers=tuple(line[5:-2] for line in (match["markers"] or "").splitlines()),
        dependencies=_dependencies(match["dependencies"]),
        extras={name: _dependencies(lines) for name, lines in _LIST.findall(match["extras"] or "")},
        groups={name: _dependencies(lines) for name, lines in _LIST.findall(match["groups"] or "")},
        has_sdist=match["sdist"] is not None,
        wheels=match["wheels"] or "",
    )


def _dependencies(lines: str | None) -> tuple[Dependency, ...]:
    if lines is None:
        return ()
    found = _DEPENDENCY.findall(lines)
    if len(found) != lines.count("\n"):
        with _shaped():
            return _dependencies_of(_toml(f"it = [\n{lines}]")["it"])
    return tuple(
        Dependency(
            name,
            version or None,
            _source(source) if source else None,
            tuple(extras.split('", "')) if extras else (),
            marker,
        )
        for name, version, source, extras, marker in found
    )


@lru_cache(maxsize=1024)
def _source(text: str) -> dict[str, str]:
    source: dict[str, str] = _toml(f"source = {text}")["source"]
    return source


# --- what is laid out otherwise ---------------------------------------------------------------


@contextmanager
def _shaped() -> Iterator[None]:
    """Call a table that has not the shape of uv's what it is."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProjectInvalid("uv.lock is not as uv writes it.", _AGAIN) from error


def _preamble_of(table: Mapping[str, Any]) -> Preamble:
    manifest = table.get("manifest", {})
    return Preamble(
        requires_python=str(table["requires-python"]),
        supported=tuple(map(str, table.get("supported-markers", ()))),
        conflicts=tuple(
            frozenset(
                spelled(item["package"], extra=item.get("extra", ""), group=item.get("group", ""))
                for item in items
            )
            for items in table.get("conflicts", ())
        ),
        members=tuple(map(str, manifest.get("members", ()))),
        groups={
            name: tuple(
                _dependency_of({**each, "extra": each.get("extras", ())}) for each in listed
            )
            for name, listed in manifest.get("dependency-groups", {}).items()
        },
    )


def _package_of(table: Mapping[str, Any]) -> Package:
    addresses = (value for wheel in table.get("wheels", ()) for value in wheel.values())
    return Package(
        name=str(table["name"]),
        version=_text(table, "version"),
        source=dict(table["source"]),
        markers=tuple(map(str, table.get("resolution-markers", ()))),
        dependencies=_dependencies_of(table.get("dependencies", ())),
        extras=_lists_of(table.get("optional-dependencies", {})),
        groups=_lists_of(table.get("dev-dependencies", {})),
        has_sdist="sdist" in table,
        wheels="".join(f'"{address}"' for address in addresses),
    )


def _lists_of(table: Mapping[str, Any]) -> dict[str, tuple[Dependency, ...]]:
    return {name: _dependencies_of(listed) for name, listed in table.items()}


def _dependencies_of(tables: Iterable[Mapping[str, Any]]) -> tuple[Dependency, ...]:
    return tuple(map(_dependency_of, tables))


def _dependency_of(table: Mapping[str, Any]) -> Dependency:
    return Dependency(
        name=str(table["name"]),
        version=_text(table, "version"),
        source=dict(table["source"]) if "source" in table else None,
        extras=tuple(map(str, table.get("extra", ()))),
        marker=_text(table, "marker") or "",
    )


def _text(table: Mapping[str, Any], key: str) -> str | None:
    return str(table[key]) if key in table else None


def _table(block: str) -> dict[str, Any]:
    table: dict[str, Any] = _toml(f"[[package]]\n{block}")["package"][0]
    return table


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectInvalid(f"uv.lock cannot be read: {error}.", _AGAIN) from error
