"""The bundle's own pyproject.toml and what must hold of its uv.lock.

They are the project's, without development groups and local paths, with the group `rerun` that
runs the notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomlkit

from uvmagic.accelerator.present import name_of
from uvmagic.bundle.local import runtime_names
from uvmagic.bundle.standalone import editable, set_sources
from uvmagic.errors import BundleRefused
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from uvmagic.lockfile import Lockfile

RERUN_GROUP = "rerun"
"""The dependency group of what runs the notebook."""
SOURCES_GROUP = "sources"
"""That of what has a source and is asked for by others: uv heeds a source of what is listed."""
RERUN = ("ipykernel", "papermill")
"""What running a notebook needs."""


def portable_pyproject(
    text: str, rerun: list[str], wheels: Mapping[str, str], sourced: Sequence[str] = ()
) -> str:
    """The bundle's pyproject.toml.

    Args:
        text: the project's, standing alone.
        rerun: the requirements of the group `rerun`, which uv installs by default.
        wheels: normalised name → path in the bundle, for what it carries as a wheel. The
            project's own wheel makes the bundle an unpackaged project of another name.
        sourced: requirements of the group that makes uv heed their sources, and is not installed.
    """
    document = editable(text)
    plain = document.unwrap()
    if "project" not in plain:
        raise BundleRefused("The project has no [project] table.", "Run  %uv init  in its folder.")
    project: Any = document["project"]
    kept = runtime_names(plain) | _bounded_names(plain) | wheels.keys() | {*map(name_of, sourced)}
    name = normalise(plain["project"]["name"])
    if name in wheels:
        project["name"] = f"{name}-bundle"
        project.setdefault("dependencies", tomlkit.array()).append(name)
    # Nothing is built: what a build would have told is not asked for.
    document.pop("build-system", None)
    project.pop("dynamic", None)
    project.setdefault("version", "0")
    for key in ("readme", "license-files", "scripts", "gui-scripts", "entry-points"):
        project.pop(key, None)
    document.pop("dependency-groups", None)
    groups = {RERUN_GROUP: rerun, **({SOURCES_GROUP: [*sourced]} if sourced else {})}
    document["dependency-groups"] = groups

    tool = document.setdefault("tool", tomlkit.table(is_super_table=True))
    uv = tool.setdefault("uv", tomlkit.table())
    for key in ("dependency-groups", "dev-dependencies", "package", "workspace"):
        uv.pop(key, None)
    uv["default-groups"] = [RERUN_GROUP]
    sources = uv.get("sources", {})
    for name in [*sources]:
        entries = sources[name] if isinstance(sources[name], list) else [sources[name]]
        held = [*_held(entries, wheels.get(normalise(name)))] if normalise(name) in kept else []
        if held != entries:
            set_sources(uv, name, held)
    for name in wheels.keys() - {normalise(name) for name in uv.get("sources", {})}:
        set_sources(uv, name, [{"path": wheels[name]}])
    if not uv.get("sources"):
        uv.pop("sources", None)
    return tomlkit.dumps(document)


def _held(entries: Iterable[Mapping[str, Any]], wheel: str | None) -> Iterator[dict[str, Any]]:
    """Those of a name's sources that hold in the bundle: its wheel in the place of local ones."""
    for entry in entries:
        is_local = "path" in entry or "workspace" in entry
        if "group" in entry or (is_local and wheel is None):
            continue
        where = {key: entry[key] for key in ("extra", "marker") if key in entry}
        yield {"path": wheel, **where} if is_local else dict(entry)


def _bounded_names(pyproject: Mapping[str, Any]) -> set[str]:
    """The names that `[tool.uv]` bounds wherever they come in; uv heeds their sources too."""
    uv = pyproject.get("tool", {}).get("uv", {})
    lists = ("constraint-dependencies", "override-dependencies")
    return {name_of(each) for key in lists for each in uv.get(key, []) if isinstance(each, str)}


def differing_versions(before: Lockfile, after: Lockfile) -> dict[str, tuple[str, str]]:
    """Distributions of the bundle's lock at versions that the project has not locked."""
    old, new = before.versions(), after.versions()
    return {
        name: (", ".join(old[name]), ", ".join(new[name]))
        for name in sorted(old.keys() & new.keys())
        if not set(new[name]) <= set(old[name])
    }
