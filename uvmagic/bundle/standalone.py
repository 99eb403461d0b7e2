"""A project's pyproject.toml as if it stood alone: with what its workspace's root says for it.

And with what its local distributions need of it. A member of a workspace has requirements and
sources of its own; uv takes all other settings from the root
(docs.astral.sh/uv/concepts/projects/workspaces). Pure: text to text.
"""

from __future__ import annotations

import tomllib
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.container import OutOfOrderTableProxy

from uvmagic.accelerator.present import name_of
from uvmagic.lockfile.document import unspelled
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set

    from uvmagic.bundle.local import Local, Source
    from uvmagic.lockfile import Lockfile

_EACH_ITS_OWN = frozenset(
    {
        "build-backend",
        "conflicts",
        "default-groups",
        "dependency-groups",
        "dev-dependencies",
        "index",
        "managed",
        "package",
        "sources",
        "workspace",
    }
)
"""What of `[tool.uv]` a member does not take from the root, or not as it stands there."""


def standing_alone(
    text: str, root: str | None, of_others: Sequence[str], needs: Local, lockfile: Lockfile
) -> str:
    """A pyproject.toml from which uv locks for the project alone what it locked in its workspace.

    What `needs` lists for no extra is left to `portable`, which has the group for it.

    Args:
        text: of the project's pyproject.toml; bare newlines at the line ends.
        root: of the workspace's root, where that is another one.
        of_others: those of other projects, for the indexes that their sources name.
        needs: what the project needs of its workspace.
        lockfile: the workspace's lock.

    Returns:
        The same text where nothing of all that is there.
    """
    is_workspace = bool(lockfile.preamble.members)
    if not is_workspace and not needs.sources:
        return text
    document = editable(text)
    project: Any = document["project"]
    tool: Any = document.setdefault("tool", tomlkit.table(is_super_table=True))
    uv: Any = tool.setdefault("uv", tomlkit.table())
    if root is not None:
        _take_settings(project, uv, tomllib.loads(root))
    if is_workspace:
        # All members bound it, and another one would be locked for other versions.
        if project.get("requires-python") != lockfile.preamble.requires_python:
            project["requires-python"] = lockfile.preamble.requires_python
        _take_conflicts(normalise(project["name"]), uv, needs, lockfile)
    for listing in needs.listings:
        if listing.extra:
            _list(project, listing.extra, listing.requirement)
    indexes = _Indexes(uv, [e for other in of_others for e in _indexes_of(other)])
    for name, sources in needs.sources.items():
        set_sources(uv, name, [indexes.entry(source) for source in sources])
    return tomlkit.dumps(document)


def editable(text: str) -> tomlkit.TOMLDocument:
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


def set_sources(uv: Any, name: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Set a name's sources in `[tool.uv]`, in the place of any that are there for it.

    Args:
        uv: the table, to be edited.
        name: of a distribution, however it is spelled there.
        entries: one or more; none: the name has no source any more.
    """
    sources = uv.setdefault("sources", tomlkit.table())
    for spelled in [each for each in sources if normalise(each) == normalise(name)]:
        del sources[spelled]
    made = tomlkit.array()
    for entry in entries:
        table = tomlkit.inline_table()
        table.update(entry)
        made.append(table)
    if len(made) > 1:
        sources[name] = made.multiline(True)
    elif made:
        sources[name] = made[0]


def _take_settings(project: Mapping[str, Any], uv: Any, root: Mapping[str, Any]) -> None:
    """Give a member's `[tool.uv]` the root's settings in the place of its own."""
    of_root = root.get("tool", {}).get("uv", {})
    own = uv.unwrap()
    for key in own.keys() - _EACH_ITS_OWN:
        del uv[key]
    for key, value in of_root.items():
        if key not in _EACH_ITS_OWN:
            uv[key] = value
    sources = own.get("sources", {})
    uv.pop("index", None)
    indexes = _joined(own.get("index", []), of_root.get("index", []), _named_by(sources))
    if indexes:
        uv["index"] = indexes
    spelled = {normalise(name) for name in sources}
    for name, entry in of_root.get("sources", {}).items():
        if normalise(name) not in spelled:
            set_sources(uv, name, _holding_for(project, name, entry))


def _joined(
    own: Iterable[dict[str, Any]], of_root: Iterable[dict[str, Any]], named: Set[str]
) -> list[dict[str, Any]]:
    """The root's indexes, and a member's own, which uv asks for what its sources name alone."""
    root = [dict(entry) for entry in of_root]
    for entry in own:
        twin = next((e for e in root if e.get("name") == entry.get("name")), None)
        if entry.get("name") not in named or (twin and twin.get("url") == entry.get("url")):
            continue
        if twin:
            del twin["name"]  # the member's own goes before it; there must not be two
        root.append({**entry, "explicit": True})
    return [entry for entry in root if "name" in entry or not entry.get("explicit")]


def _named_by(sources: Mapping[str, Any]) -> set[str]:
    """The names of the indexes that sources name."""
    each = (source for entry in sources.values() for source in _all(entry))
    return {source["index"] for source in each if "index" in source}


def _holding_for(project: Mapping[str, Any], name: str, entry: Any) -> list[dict[str, Any]]:
    """The root's sources of a name, without those of extras and groups that a member has not."""
    extras = {
        extra
        for extra in project.get("optional-dependencies", {})
        if any(name_of(r) == normalise(name) for r in project["optional-dependencies"][extra])
    }
    return [
        dict(source)
        for source in _all(entry)
        if "group" not in source and ("extra" not in source or source["extra"] in extras)
    ]


def _take_conflicts(name: str, uv: Any, needs: Local, lockfile: Lockfile) -> None:
    """The conflicts of all the workspace, as far as the project and its locals have them."""
    uv.pop("conflicts", None)
    kept = []
    for together in lockfile.preamble.conflicts:
        items = []
        for kind, package, extra in sorted(map(unspelled, together)):
            if kind == "extra" and package == name:
                items.append({"extra": extra})
            elif kind == "extra" and (package, extra) in needs.extras:
                items.append({"package": package, "extra": extra})
        if len(items) > 1:  # uv takes no fewer
            kept.append(items)
    if kept:
        uv["conflicts"] = sorted(kept, key=str)


def _list(project: Any, extra: str, requirement: str) -> None:
    """Add a requirement to an extra, however that is spelled."""
    extras = project["optional-dependencies"]
    spelled = next(name for name in extras if normalise(name) == extra)
    extras[spelled].multiline(True).append(requirement)


class _Indexes:
    """The indexes of a pyproject.toml, found by address; one that is missing is taken along."""

    def __init__(self, uv: Any, elsewhere: Sequence[Mapping[str, Any]]) -> None:
        self._uv = uv
        self._elsewhere = elsewhere

    def entry(self, source: Source) -> dict[str, str]:
        """The entry of `[tool.uv.sources]` that says a source."""
        said = dict(source.target)
        if "index" in said:
            said["index"] = self._name_of(said["index"])
        if source.extra:
            said["extra"] = source.extra
        if source.marker:
            said["marker"] = source.marker
        return said

    def _name_of(self, url: str) -> str:
        known = self._uv.setdefault("index", tomlkit.aot())
        for entry in known:
            if "name" in entry and _same(entry["url"], url):
                return str(entry["name"])
        found = next((e for e in self._elsewhere if _same(str(e.get("url")), url)), {})
        names = {entry.get("name") for entry in known}
        wanted = str(found.get("name", "index"))
        tried = chain([wanted], (f"{wanted}-{number}" for number in count(2)))
        name = next(each for each in tried if each not in names)
        made = {**found, "name": name, "url": url, "explicit": True}
        made.pop("default", None)
        known.append(made)
        return name


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _indexes_of(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(text).get("tool", {}).get("uv", {}).get("index", [])
    return found


def _all(entry: Any) -> list[Any]:
    """The sources of a name: uv takes one table or a list."""
    return entry if isinstance(entry, list) else [entry]
