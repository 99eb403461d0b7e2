"""What `uv add` writes of the environment's index settings is taken back. Pure.

They say where this machine fetches from, most often a mirror near it, and are nobody else's.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from uvmagic.sections import Sections

if TYPE_CHECKING:
    from collections.abc import Mapping

_INDEXES = ("tool", "uv", "index")
_SOURCES = ("tool", "uv", "sources")


def unpinned(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with which `uv add` takes nothing from one index alone.

    Where the variables name a single index, uv writes a source for all that it adds, over one
    that is there (uv 0.13.9). It does not where that index is there twice, or has no name.
    """
    default, more = (environ.get(name, "").split() for name in ("UV_DEFAULT_INDEX", "UV_INDEX"))
    if len(default + more) != 1:
        return dict(environ)
    if more:
        return {**environ, "UV_INDEX": " ".join(more * 2)}
    return {**environ, "UV_DEFAULT_INDEX": re.sub(r"^[\w.-]+=", "", default[0])}


def restored(before: str, after: str) -> str:
    """A pyproject.toml with the indexes that it had before, and no source from the environment.

    uv puts the environment's first, in the place of what has their name or address, and drops
    the rest of what it replaces.

    Args:
        before: its text before a `uv add` that named no index.
        after: its text now.
    """
    old, document = Sections(before), Sections(after)
    if "index" in _uv(before):
        document.adopt(_INDEXES, old)
    else:
        document.drop(*_INDEXES)
    sources = _uv(before).get("sources", {})
    for name, source in _uv(after).get("sources", {}).items():
        if source == sources.get(name) or not isinstance(source, dict) or "index" not in source:
            continue
        if name in sources:
            document.set((*_SOURCES, name), old.table(*_SOURCES)[name])
        else:
            document.drop(*_SOURCES, name)
    for path in (_SOURCES, ("tool", "uv")):
        if not old.has(*path):
            document.tidy(*path)
    return document.text()


def _uv(text: str) -> dict[str, Any]:
    uv: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("uv", {})
    return uv
