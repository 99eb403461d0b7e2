"""What a project's environment needs to be a kernel: ipykernel, and this same uvmagic.

An environment whose Python or packages are too old for uvmagic does without: `kernel/proxy`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from uvmagic.project import Table, parse_requirement
from uvmagic.system.host import shorten

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from packaging.specifiers import SpecifierSet

NAMES = ("ipykernel", "uvmagic")
"""The distributions that a project asks for to be a kernel."""


def is_in(installed: Container[str]) -> bool:
    """Whether a kernel can run from an environment with these distributions."""
    return "ipykernel" in installed


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an installed distribution came from (its direct_url.json, PEP 610).

    Attributes:
        requirement: what to ask uv for to get the same.
        is_editable: whether it was installed to be edited in place.
        folder: the source folder, or the wheel, of one installed by path.
        told: the same for people: "from the folder …".
    """

    requirement: str
    is_editable: bool
    folder: Path | None
    told: str


def origin_of_uvmagic() -> Origin:
    """How the running uvmagic was installed: by version, by reference from git, or by path."""
    from importlib import metadata  # 20 ms that most calls need not take

    distribution = metadata.distribution("uvmagic")
    return origin(distribution.version, distribution.read_text("direct_url.json"))


def origin(version: str, direct_url: str | None) -> Origin:
    """The origin that the text of a direct_url.json tells; None for it means an index."""
    if direct_url is None:
        return Origin(f"uvmagic=={version}", False, None, f"version {version} from the index")
    found = json.loads(direct_url)
    url = found["url"]
    inside = f"#subdirectory={found['subdirectory']}" if found.get("subdirectory") else ""
    if "vcs_info" in found:
        vcs = found["vcs_info"]
        reference = f"{vcs['vcs']}+{url}@{vcs['commit_id']}{inside}"
        return Origin(f"uvmagic @ {reference}", False, None, f"from {reference}")
    if "dir_info" in found:
        folder = Path(unquote(urlsplit(url).path))
        is_editable = bool(found["dir_info"].get("editable", False))
        return Origin(str(folder), is_editable, folder, f"from the folder {shorten(folder)}")
    file = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
    return Origin(f"uvmagic @ {url}{inside}", False, file, f"from {url}{inside}")


def default_groups(pyproject: Mapping[str, Any]) -> list[str]:
    """The dependency groups that uv installs without being asked."""
    groups = pyproject.get("tool", {}).get("uv", {}).get("default-groups", ["dev"])
    if groups == "all":
        return ["dev", *pyproject.get("dependency-groups", {})]
    return list(groups)


def missing(pyproject: Mapping[str, Any]) -> list[str]:
    """Which of `NAMES` neither the project's dependencies nor its default groups list.

    uvmagic is not among them where the project allows no Python that it runs on.
    """
    groups = _with_included(default_groups(pyproject), pyproject.get("dependency-groups", {}))
    tables = [Table("project"), *(Table("group", name) for name in groups)]
    listed = {pyproject.get("project", {}).get("name")}
    for entry in (entry for table in tables for entry in table.requirements(pyproject)):
        requirement = parse_requirement(entry)
        if requirement is not None:
            listed.add(requirement.name.lower())
    lacking = [name for name in NAMES if name not in listed]
    if "uvmagic" in lacking and not _allows_uvmagic(pyproject):
        lacking.remove("uvmagic")
    return lacking


def _with_included(groups: list[str], all_groups: Mapping[str, Any]) -> list[str]:
    """The groups and those that they include (PEP 735), each once."""
    found: list[str] = []
    waiting = list(groups)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            entries = all_groups.get(name, [])
            waiting += [e["include-group"] for e in entries if isinstance(e, dict) and e]
    return found


def requirements(
    names: list[str], pyproject: Mapping[str, Any], uvmagic: Origin
) -> list[list[str]]:
    """The arguments of `uv add` that give a project what it lacks, a list for each call.

    Where the project allows Pythons older than uvmagic's oldest, uvmagic gets a marker, so that
    the rest still resolves for them.
    """
    groups = default_groups(pyproject)
    table = ["--group", groups[0]] if groups else []  # no group is installed by default
    if "dev" in groups:
        table = ["--dev"]
    calls = []
    if "ipykernel" in names:
        calls.append([*table, "ipykernel"])
    if "uvmagic" in names:
        marker = _marker(pyproject)
        mode = ["--editable"] if uvmagic.is_editable else []
        source = ["--no-workspace"] if uvmagic.folder else []
        calls.append([*table, *mode, *source, *marker, uvmagic.requirement])
    if len(calls) == 2 and not uvmagic.is_editable and not _marker(pyproject):
        return [[*calls[1][:-1], "ipykernel", uvmagic.requirement]]  # one call does for both
    return calls


def _marker(pyproject: Mapping[str, Any]) -> list[str]:
    below = f"3.{_oldest_minor() - 1}.99"
    return ["--marker", python_marker()] if _pythons(pyproject).contains(below) else []


def _allows_uvmagic(pyproject: Mapping[str, Any]) -> bool:
    """Whether a project allows a Python that uvmagic runs on."""
    allowed, oldest = _pythons(pyproject), _oldest_minor()
    versions = (f"3.{minor}.{patch}" for minor in range(oldest, oldest + 10) for patch in range(40))
    return any(map(allowed.contains, versions))


def _pythons(pyproject: Mapping[str, Any]) -> SpecifierSet:
    """The Pythons that a project allows; all, where it says nothing that is understood."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(str(pyproject.get("project", {}).get("requires-python", "")))
    except InvalidSpecifier:  # uv will say so
        return SpecifierSet()


def _oldest_minor() -> int:
    return int(_oldest_python().split(".")[1])


def python_marker() -> str:
    """The marker of the Pythons that uvmagic runs on."""
    return f"python_version >= '{_oldest_python()}'"


def _oldest_python() -> str:
    from importlib import metadata

    return str(metadata.metadata("uvmagic")["Requires-Python"]).removeprefix(">=")
