"""Where a project's torch comes from, as its pyproject.toml says now. Pure, and quick to import."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uvmagic.accelerator.choice import backend_of_url
from uvmagic.data import torch
from uvmagic.names import normalise
from uvmagic.project import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from uvmagic.data.torch import Backend


@dataclass(frozen=True, slots=True)
class Placed:
    """A backend, and the index that its wheels come from.

    Attributes:
        backend: the row of the table.
        url: the index's address.
        format: "simple", or "flat": one page that lists all files.
    """

    backend: Backend
    url: str
    format: str = "simple"

    @property
    def index(self) -> str:
        """The name of its index where uvmagic makes one."""
        return f"pytorch-{self.backend.name}"

    @property
    def extra(self) -> str:
        """The extra that stands for it beside others; normalised, as uv wants it."""
        return normalise(self.backend.name)


def name_of(requirement: str) -> str:
    """The normalised name that a requirement of a list begins with; empty for none."""
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return normalise(match[1]) if match else ""


def family(names: Iterable[str]) -> list[str]:
    """Those of some normalised names that belong to torch's family, in its order."""
    wanted = set(names)
    return [package.name for package in torch.family() if package.name in wanted]


def listed(pyproject: Mapping[str, Any]) -> set[str]:
    """Every normalised name that a pyproject.toml lists anywhere."""
    return {name_of(e) for table in tables(pyproject) for e in table.requirements(pyproject)}


def tables(pyproject: Mapping[str, Any]) -> list[Table]:
    """Every list of requirements that a pyproject.toml has."""
    extras = pyproject.get("project", {}).get("optional-dependencies", {})
    groups = {**pyproject.get("dependency-groups", {}), "dev": []}
    return [
        Table("project"),
        *(Table("extra", name) for name in extras),
        *(Table("group", name) for name in groups),
    ]


def indexes(pyproject: Mapping[str, Any]) -> dict[str, Backend]:
    """The indexes of a pyproject.toml that are a backend's, by name."""
    backends = torch.backends()
    found = {}
    for entry in _entries(pyproject, "index"):
        name, url = str(entry.get("name", "")), str(entry.get("url", ""))
        named = backends.get(name.removeprefix("pytorch-")) if "pytorch-" in name else None
        backend = backend_of_url(url) or named
        if name and backend is not None:
            found[name] = backend
    return found


def placed_in(pyproject: Mapping[str, Any]) -> tuple[Placed, ...]:
    """The backends that the sources of a pyproject.toml are taken from."""
    known = indexes(pyproject)
    used = {
        source.get("index")
        for sources in sources_of(pyproject).values()
        for source in sources
        if isinstance(source, dict)
    }
    return tuple(
        Placed(known[entry["name"]], entry["url"], entry.get("format", "simple"))
        for entry in _entries(pyproject, "index")
        if entry.get("name") in known and entry["name"] in used
    )


def place_of(pyproject: Mapping[str, Any], backend: Backend) -> Placed | None:
    """The index that a pyproject.toml has for a backend, whether sources name it or not."""
    known = indexes(pyproject)
    for entry in _entries(pyproject, "index"):
        if known.get(str(entry.get("name"))) == backend:
            return Placed(backend, str(entry["url"]), str(entry.get("format", "simple")))
    return None


def extras_of(pyproject: Mapping[str, Any]) -> dict[str, Backend]:
    """The extras that stand for backends, in the order of the indexes; empty for one backend."""
    known = indexes(pyproject)
    chosen = {
        source["extra"]: known[source["index"]]
        for sources in sources_of(pyproject).values()
        for source in sources
        if isinstance(source, dict) and "extra" in source and source.get("index") in known
    }
    return {extra: backend for extra, backend in chosen.items() if extra == normalise(backend.name)}


def _entries(pyproject: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = pyproject.get("tool", {}).get("uv", {}).get(key, [])
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def sources_of(pyproject: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Normalised name → its sources in `[tool.uv.sources]`."""
    found = pyproject.get("tool", {}).get("uv", {}).get("sources", {})
    return {
        normalise(name): [s for s in (entry if isinstance(entry, list) else [entry]) if s]
        for name, entry in found.items()
    }
