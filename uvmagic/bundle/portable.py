"""The bundle's own pyproject.toml and what must hold of its uv.lock.

They are the project's, without development groups and local paths, with the group `rerun` that
runs the notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomlkit

from uvmagic.errors import BundleRefused
from uvmagic.project import Table, normalise, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uvmagic.lockfile import Lockfile

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
    for name, source in pyproject.get("tool", {}).get("uv", {}).get("sources", {}).items():
        if not isinstance(source, dict) or normalise(name) not in kept:
            continue
        if source.get("workspace"):
            raise BundleRefused(
                f"{name} is a member of the project's workspace; bundles carry none yet.",
                "Build it and depend on its wheel.",
            )
        if "path" in source:
            path = (root / source["path"]).resolve()
            if not path.is_relative_to(root):
                raise BundleRefused(
                    f"The dependency {name} lies outside the project: {source['path']}.",
                    "Move it into the project, or depend on a released version.",
                )
            found.append(LocalDistribution(normalise(name), path))
    return found


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
    document = tomlkit.parse(text)
    plain = document.unwrap()
    project = document["project"]
    name = normalise(plain["project"]["name"])
    kept = _runtime_names(plain)
    if is_package(plain):
        project["name"] = f"{name}-bundle"
        dependencies = project.setdefault("dependencies", tomlkit.array())
        dependencies.append(name)
        document.pop("build-system")
        kept |= {name}
    for key in ("readme", "license-files", "scripts", "gui-scripts", "entry-points"):
        project.pop(key, None)
    if "version" in plain["project"].get("dynamic", []):
        project.pop("dynamic")
        project["version"] = "0"
    document.pop("dependency-groups", None)
    document["dependency-groups"] = {"rerun": rerun}

    tool = document.setdefault("tool", tomlkit.table(is_super_table=True))
    uv = tool.setdefault("uv", tomlkit.table())
    for key in ("dev-dependencies", "package", "workspace"):
        uv.pop(key, None)
    uv["default-groups"] = ["rerun"]
    sources = uv.get("sources", {})
    for source in list(sources):
        if normalise(source) not in kept:
            sources.pop(source)
    if wheels:
        sources = uv.setdefault("sources", tomlkit.table())
        for wheel_name, path in wheels.items():
            entry = tomlkit.inline_table()
            entry["path"] = path
            sources[wheel_name] = entry
    return tomlkit.dumps(document)


def differing_versions(before: Lockfile, after: Lockfile) -> dict[str, tuple[str, str]]:
    """Distributions of the bundle's lock that the project locks at other versions."""
    old, new = before.versions(), after.versions()
    return {
        name: (", ".join(old[name]), ", ".join(new[name]))
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name]
    }


def _runtime_names(pyproject: Mapping[str, Any]) -> set[str]:
    """The normalised names that dependencies and extras list; groups are development's."""
    extras = pyproject.get("project", {}).get("optional-dependencies", {})
    tables = [Table("project"), *(Table("extra", name) for name in extras)]
    listed = (entry for table in tables for entry in table.requirements(pyproject))
    return {normalise(r.name) for r in map(parse_requirement, listed) if r is not None}
