"""The bundle's own pyproject.toml and what must hold of its uv.lock.

They are the project's, without development groups and local paths, with the group `rerun` that
runs the notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import tomlkit
from tomlkit.container import OutOfOrderTableProxy

from uvmagic.errors import BundleRefused
from uvmagic.names import normalise
from uvmagic.project import Table, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.requirements import Requirement

    from uvmagic.lockfile import Lockfile

RERUN_GROUP = "rerun"
"""The dependency group of what runs the notebook."""
RERUN = ("ipykernel", "papermill")
"""What running a notebook needs."""


@dataclass(frozen=True, slots=True)
class LocalDistribution:
    """A distribution that the bundle carries as a wheel.

    Attributes:
        name: normalised.
        folder: its source folder, to be built; or the wheel itself.
    """

    name: str
    folder: Path


def local_distributions(pyproject: Mapping[str, Any], root: Path) -> list[LocalDistribution]:
    """The project itself, if it is a package, and its dependencies from paths inside it.

    Raises:
        BundleRefused: a dependency's path is absolute or leads out of the project; by name.
    """
    found = []
    if is_package(pyproject):
        found.append(LocalDistribution(normalise(pyproject["project"]["name"]), root))
    kept = _runtime_names(pyproject)
    sources = pyproject.get("tool", {}).get("uv", {}).get("sources", {})
    for name, entry in sources.items():
        if normalise(name) not in kept:
            continue
        for source in entry if isinstance(entry, list) else [entry]:
            if source.get("workspace"):
                raise BundleRefused(
                    f"{name} is a member of the project's workspace; bundles carry none yet.",
                    "Build it and depend on its wheel.",
                )
            if "path" in source:
                folder = _inside(name, source["path"], root)
                found.append(LocalDistribution(normalise(name), folder))
    for requirement in _runtime_requirements(pyproject):
        if requirement.url and requirement.url.startswith("file:"):
            path = unquote(urlsplit(requirement.url).path)
            folder = _inside(requirement.name, path, root)
            found.append(LocalDistribution(normalise(requirement.name), folder))
    return found


def _inside(name: str, path: str, root: Path) -> Path:
    resolved = (root / path).resolve()
    if not resolved.is_relative_to(root):
        raise BundleRefused(
            f"The dependency {name} lies outside the project: {path}.",
            "Move it into the project, or depend on a released version.",
        )
    return resolved


def is_package(pyproject: Mapping[str, Any]) -> bool:
    """Whether uv installs the project itself (it has a build system, or says so)."""
    said = pyproject.get("tool", {}).get("uv", {}).get("package")
    return bool(said) if said is not None else "build-system" in pyproject


def portable_pyproject(text: str, rerun: list[str], wheels: Mapping[str, str]) -> str:
    """The bundle's pyproject.toml.

    Args:
        text: the project's.
        rerun: the requirements of the group `rerun`, which uv installs by default.
        wheels: normalised name → path in the bundle, for what it carries as a wheel. The
            project's own wheel makes the bundle an unpackaged project of another name.
    """
    document = _editable(text)
    plain = document.unwrap()
    if "project" not in plain:
        raise BundleRefused("The project has no [project] table.", "Run  %uv init  in its folder.")
    project: Any = document["project"]
    kept = _runtime_names(plain) | wheels.keys()
    if is_package(plain):
        name = normalise(plain["project"]["name"])
        project["name"] = f"{name}-bundle"
        project.setdefault("dependencies", tomlkit.array()).append(name)
    # Nothing is built: what a build would have told is not asked for.
    document.pop("build-system", None)
    project.pop("dynamic", None)
    project.setdefault("version", "0")
    for key in ("readme", "license-files", "scripts", "gui-scripts", "entry-points"):
        project.pop(key, None)
    document.pop("dependency-groups", None)
    document["dependency-groups"] = {RERUN_GROUP: rerun}

    tool = document.setdefault("tool", tomlkit.table(is_super_table=True))
    uv = tool.setdefault("uv", tomlkit.table())
    for key in ("dependency-groups", "dev-dependencies", "package", "workspace"):
        uv.pop(key, None)
    uv["default-groups"] = [RERUN_GROUP]
    sources = uv.setdefault("sources", tomlkit.table())
    for source in list(sources):
        if normalise(source) not in kept or normalise(source) in wheels:
            sources.pop(source)
    for wheel_name, path in wheels.items():
        entry = tomlkit.inline_table()
        entry["path"] = path
        sources[wheel_name] = entry
    if not sources:
        uv.pop("sources")
    return tomlkit.dumps(document)


def _editable(text: str) -> tomlkit.TOMLDocument:
    """The parsed document, its tables in one piece each.

    tomlkit cannot change a table whose parts stand apart, with others between them; such a text is
    written anew, without its comments.
    """
    document = tomlkit.parse(text)
    tool: Any = document.get("tool", {})
    parts = (document.get("project"), tool, tool.get("uv"))
    if any(isinstance(part, OutOfOrderTableProxy) for part in parts):
        return tomlkit.parse(tomlkit.dumps(document.unwrap()))
    return document


def differing_versions(before: Lockfile, after: Lockfile) -> dict[str, tuple[str, str]]:
    """Distributions of the bundle's lock at versions that the project has not locked."""
    old, new = before.versions(), after.versions()
    return {
        name: (", ".join(old[name]), ", ".join(new[name]))
        for name in sorted(old.keys() & new.keys())
        if not set(new[name]) <= set(old[name])
    }


def _runtime_names(pyproject: Mapping[str, Any]) -> set[str]:
    """The normalised names that dependencies and extras list; groups are development's."""
    return {normalise(requirement.name) for requirement in _runtime_requirements(pyproject)}


def _runtime_requirements(pyproject: Mapping[str, Any]) -> list[Requirement]:
    extras = pyproject.get("project", {}).get("optional-dependencies", {})
    tables = [Table("project"), *(Table("extra", name) for name in extras)]
    listed = (entry for table in tables for entry in table.requirements(pyproject))
    return [r for r in map(parse_requirement, listed) if r is not None]
