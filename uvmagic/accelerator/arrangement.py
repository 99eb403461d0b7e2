"""Where a project's torch comes from: how pyproject.toml says it now, and how it is to say it.

One backend is an index, explicit, and a source for each package of torch's family, with the marker
of the platforms that it is for. Several backends are optional extras that exclude each other, each
with sources of its own: one lock for the laptop and the GPU server. Pure: text to text.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from uvmagic.accelerator.present import (
    Placed,
    extras_of,
    family,
    indexes,
    listed,
    name_of,
    placed_in,
    sources_of,
)
from uvmagic.data import torch
from uvmagic.errors import ProjectInvalid
from uvmagic.names import normalise
from uvmagic.sections import Sections

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from uvmagic.data.torch import TorchPackage

LINUX = "sys_platform == 'linux' and platform_machine == 'x86_64'"
"""The environment that an accelerator needs (uv's guide to PyTorch); and what a mirror may lack."""

_INDEXES = ("tool", "uv", "index")
_SOURCES = ("tool", "uv", "sources")
_EXTRAS = ("project", "optional-dependencies")


@dataclass(slots=True)
class Arrangement:
    """The text of pyproject.toml that says a choice, and what to tell about it.

    Attributes:
        text: of the project's pyproject.toml.
        root_text: of its workspace's root, the same where it is the root itself.
        placed: the backends that the project has now.
        notes: a sentence each.
    """

    text: str
    root_text: str
    placed: tuple[Placed, ...] = ()
    notes: list[str] = field(default_factory=list)


def arranged(
    text: str,
    root_text: str | None = None,
    *,
    parsed: Mapping[str, Any] | None = None,
    placed: Sequence[Placed] | None = None,
    gets: Mapping[str, str] | None = None,
    loses: Collection[str] = (),
    chosen: Collection[str] = (),
    from_pypi: Collection[str] = (),
) -> Arrangement:
    """The pyproject.toml that takes torch's family from some backends.

    Args:
        text: of the project's pyproject.toml, which parses; bare newlines at the line ends.
        root_text: of its workspace's root, where that is another one.
        parsed: the project's pyproject.toml, parsed, where that has been done.
        placed: the backends; None for those that it has. An empty list undoes the choice.
        gets: what the project is about to list: normalised name → requirement.
        loses: normalised names that it is about to list no more.
        chosen: names that the user has asked for; a source of their own is then in the way.
        from_pypi: names of the family that the backends' indexes lack.

    Raises:
        ProjectInvalid: a package that was asked for has a source written by hand, or the text is
            of a rare form that tomlkit cannot edit.
    """
    pyproject = tomllib.loads(text) if parsed is None else parsed
    edit = _Edit(text, root_text, pyproject, placed, gets or {}, set(loses), set(from_pypi))
    try:
        return edit.done(set(chosen))
    except TOMLKitError as error:
        raise ProjectInvalid(
            f"pyproject.toml is written in a way that cannot be edited: {error}.",
            "Write [tool.uv] and [tool.uv.sources] as tables, not as dotted keys.",
        ) from error


class _Edit:
    """One arrangement in the making."""

    def __init__(
        self,
        text: str,
        root_text: str | None,
        pyproject: Mapping[str, Any],
        placed: Sequence[Placed] | None,
        gets: Mapping[str, str],
        loses: set[str],
        from_pypi: set[str],
    ) -> None:
        self.pyproject = pyproject
        self.document = Sections(text)
        self.root = self.document if root_text is None else Sections(root_text)
        self.known = indexes(self.pyproject)
        self.before = placed_in(self.pyproject)
        self.extras_before = extras_of(self.pyproject)
        self.keeps = placed is None
        self.gets, self.loses = gets, loses
        self.names = family((listed(self.pyproject) | gets.keys()) - loses)
        companions = {package.name for package in torch.family() if package.is_companion}
        if companions.issuperset(self.names):
            self.names = []
        self.foreign = {name for name in self.names if self._is_foreign(name)}
        wanted = self.before if placed is None else tuple(placed)
        self.placed = wanted if set(self.names) - self.foreign else ()
        kinds = {one.backend.kind for one in self.placed}
        self.kinds = {
            package.name: frozenset() if package.name in from_pypi else package.kinds & kinds
            for package in torch.family()
        }
        is_several = bool(self.extras_before) if self.keeps else len(self.placed) > 1
        self.extras = {one.extra: one for one in self.placed} if is_several else {}
        self.notes: list[str] = []
        self.respelled: dict[str, str] = {}
        if from_pypi:
            told = " and ".join(sorted(from_pypi))
            self.notes.append(f"The index has no {told} that fits: PyPI's was taken.")

    def done(self, chosen: set[str]) -> Arrangement:
        self._speak_of_foreign(chosen)
        names = {one.backend.name: self._place_index(one) for one in self.placed}
        self._place_requirements()
        self._place_sources(names)
        self._drop_unused_indexes(set(names.values()))
        self._place_required_environment()
        for path in (_SOURCES, _EXTRAS, ("tool", "uv")):
            self.document.tidy(*path)
        self.root.tidy("tool", "uv")
        return Arrangement(self._text(), self.root.text(), self.placed, self.notes)

    def _text(self) -> str:
        """The text, with the spaces before a comment that has moved along as they were."""
        text = self.document.text()
        for made, before in self.respelled.items():
            text = text.replace(made, before)
        return text

    # --- sources that somebody has written by hand ---

    def _is_foreign(self, name: str) -> bool:
        """Whether a package has a source that is no backend's index."""
        sources = sources_of(self.pyproject).get(name, [])
        return any(source.get("index") not in self.known for source in sources)

    def _speak_of_foreign(self, chosen: set[str]) -> None:
        for name in sorted(self.foreign):
            told = f"{name} has a source of its own in [tool.uv.sources]"
            if name in chosen:
                raise ProjectInvalid(
                    f"{told}: {_told(sources_of(self.pyproject)[name])}. Nothing was changed.",
                    "Remove that line to let uvmagic choose the index, or leave the option out.",
                )
            if not self.keeps:
                self.notes.append(f"{told}, which was kept.")

    # --- indexes ---

    def _place_index(self, one: Placed) -> str:
        """Have one index for a backend; gives its name."""
        mine = [name for name, backend in self.known.items() if backend.name == one.backend.name]
        if self.keeps:
            return mine[0]
        names = [str(entry.get("name")) for entry in self.document.entries(*_INDEXES)]
        spare = [] if mine else [name for name in names if self._is_spare(name)]
        if not mine and not spare:
            entry = {"name": one.index, "url": one.url}
            entry |= {"format": one.format} if one.format != "simple" else {}
            self.document.append(_INDEXES, {**entry, "explicit": True})
            return one.index
        name = (mine or spare)[0]
        entry = self.document.entries(*_INDEXES)[names.index(name)]
        if not mine:
            del self.known[name]
            entry["name"] = name = one.index
        elif entry.get("explicit") is not True:
            self.notes.append(f"The index {name} is explicit now: for what names it alone.")
        if str(entry.get("url")).rstrip("/") != one.url.rstrip("/"):
            entry["url"] = one.url
        if one.format != "simple":
            entry["format"] = one.format
        else:
            entry.pop("format", None)
        if entry.get("explicit") is not True:
            entry["explicit"] = True
        self.known[name] = one.backend
        return name

    def _is_spare(self, name: str) -> bool:
        """Whether an index is of a backend that uvmagic placed and nobody wants any more."""
        backend = self.known.get(name)
        wanted = {one.backend.name for one in self.placed}
        return (
            backend is not None
            and name == f"pytorch-{backend.name}"
            and backend.name not in wanted
            and name in self._used_before()
        )

    def _used_before(self) -> set[str]:
        """The backends' indexes that sources of the family named, and nothing else did."""
        used, kept = set[str](), set[str]()
        for name, sources in sources_of(self.pyproject).items():
            is_ours = name in self.kinds and name not in self.foreign
            (used if is_ours else kept).update(str(source.get("index")) for source in sources)
        return used - kept

    def _drop_unused_indexes(self, used: set[str]) -> None:
        names = [str(entry.get("name")) for entry in self.document.entries(*_INDEXES)]
        unused = (self.known.keys() & self._used_before()) - used
        for position in reversed(range(len(names))):
            if names[position] in unused:
                self.document.remove(_INDEXES, position)

    # --- sources ---

    def _place_sources(self, names: Mapping[str, str]) -> None:
        """A source for each of the family; what was there stays where no choice is made."""
        of_torch = sources_of(self.pyproject).get("torch") if self.keeps else None
        for name in [p.name for p in torch.family() if p.name not in self.foreign]:
            spelled = self._spelled(name)
            fitting = [p for p in self.placed if p.backend.kind in self.kinds[name]]
            if name not in self.names or not fitting:
                if spelled is not None and (not self.keeps or name not in self.names):
                    self.document.drop(*_SOURCES, spelled)
                continue
            if self.keeps and spelled is not None:
                continue
            entries = of_torch or [
                {"index": names[one.backend.name]}
                | ({"extra": one.extra} if self.extras else {})
                | {"marker": torch.kinds()[one.backend.kind].marker}
                for one in fitting
            ]
            if spelled is None or sources_of(self.pyproject)[name] != entries:
                self.document.set((*_SOURCES, spelled or name), _array_of_tables(entries))

    def _spelled(self, name: str) -> str | None:
        """How a package is spelled among the sources; None where it has none."""
        sources = self.pyproject.get("tool", {}).get("uv", {}).get("sources", {})
        return next((spelled for spelled in sources if normalise(spelled) == name), None)

    # --- requirements: in the dependencies for one backend, in the extras for several ---

    def _place_requirements(self) -> None:
        """What the backends need beside torch, and torch's family in the extras for several."""
        self._drop_companions()
        if self.extras or self.extras_before:
            self._place_in_extras()
        elif "project" in self.pyproject:
            new = (self.gets.keys() & set(self.names)) - listed(self.pyproject)
            for package in torch.family():
                if package.is_companion and package.name in new:
                    _append(self._dependencies(), _Line(self._companion(package)))

    def _place_in_extras(self) -> None:
        taken: dict[str, _Line] = {}
        for extra in self.extras_before:
            taken |= self._taken(self._extra(extra), self.names)
            self._taken(self._extra(extra), self.loses)
        if self.extras:
            taken |= self._taken(self._dependencies(), self.names)
        for extra in self.extras:
            self._extra(extra)  # made in the order of the choice
        self._place_conflicts()
        for extra in self.extras_before.keys() - self.extras.keys():
            if not self._extra(extra):
                self.document.drop(*_EXTRAS, extra)
        for package in torch.family():
            if package.name not in self.names or package.name in self.foreign:
                continue
            new = self._companion(package) if package.is_companion else package.name
            asked = self.gets.get(package.name) or new
            line = taken.get(package.name, _Line(new))
            line = line if asked in (package.name, new) else _Line(asked)  # a bound says more
            for extra, one in self.extras.items():
                if one.backend.kind in self.kinds[package.name]:
                    _append(self._extra(extra), line)
            if not self.extras and (package.name in taken or package.is_companion):
                _append(self._dependencies(), line)

    def _companion(self, package: TorchPackage) -> str:
        (kind,) = package.kinds
        return f"{package.name} ; {torch.kinds()[kind].marker}"

    def _drop_companions(self) -> None:
        """What only a backend that is wanted no more needs, as ROCm's own triton."""
        alien = {p.name for p in torch.family() if p.is_companion and not self.kinds[p.name]}
        if not self.before or not alien & listed(self.pyproject):
            return
        for entries in [self._dependencies(), *map(self._extra, self.extras_before)]:
            self._taken(entries, alien)
        self.names = [name for name in self.names if name not in alien]

    def _taken(self, entries: Any, names: Collection[str]) -> dict[str, _Line]:
        """Take the requirements of some names out of a list; gives them by name."""
        taken = {}
        text = entries.as_string()
        for position in reversed(range(len(entries))):
            name = name_of(str(entries[position]))
            if name in names and name not in self.foreign:
                requirement = entries[position].as_string()
                comment = re.search(re.escape(requirement) + r"[ \t]*(,?)[ \t]*#[ \t]*(.*)", text)
                taken[name] = _Line(str(entries[position]), comment[2] if comment else None)
                if comment and comment[1]:
                    made = tomlkit.string(str(entries[position])).as_string()
                    self.respelled[f"{made}, # {comment[2]}"] = comment[0]
                del entries[position]
        return taken

    def _dependencies(self) -> Any:
        return self.document.table("project").setdefault("dependencies", tomlkit.array())

    def _extra(self, extra: str) -> Any:
        table = self.document.table(*_EXTRAS)
        spelled = next((key for key in table if normalise(key) == extra), extra)
        return table.setdefault(spelled, tomlkit.array())

    def _place_conflicts(self) -> None:
        """Extras for backends exclude each other: one lock then has each one's torch."""
        if self.extras.keys() == self.extras_before.keys():
            return
        table = self.document.table("tool", "uv")
        sets = table.setdefault("conflicts", tomlkit.array())
        for position in reversed(range(len(sets))):
            if {entry.get("extra") for entry in sets[position]} == set(self.extras_before):
                del sets[position]
        if self.extras:
            excluded = tomlkit.array()
            for extra in self.extras:
                excluded.append(_inline({"extra": extra}))
            sets.append(excluded)
        if not sets:
            del table["conflicts"]

    # --- the rest ---

    def _place_required_environment(self) -> None:
        needs = any(torch.kinds()[p.backend.kind].needs_linux for p in self.placed)
        has = self.root.has("tool", "uv", "required-environments")
        if (self.keeps and self.placed) or (not needs and not (has and self.before)):
            return
        table = self.root.table("tool", "uv")
        required = table.setdefault("required-environments", tomlkit.array())
        present = [n for n, e in enumerate(required) if _same_marker(str(e), LINUX)]
        if needs and not present:
            _append(required, _Line(LINUX))
        if not needs:
            for position in reversed(present):
                del required[position]
        if not required:
            del table["required-environments"]


def _told(sources: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(", ".join(f"{k} = {v!r}" for k, v in source.items()) for source in sources)


def _inline(entry: Mapping[str, Any]) -> Any:
    """An inline table with spaces inside its braces, as uv writes them."""
    made = tomlkit.inline_table()
    made.update(entry)
    text = made.as_string()
    return tomlkit.value("{ " + text[1:-1] + " }")


def _array_of_tables(entries: Sequence[Mapping[str, Any]]) -> Any:
    array = tomlkit.array()
    for entry in entries:
        array.append(_inline(entry))
    return array.multiline(multiline=True)


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry of a list, and the comment that stands beside it."""

    text: str
    comment: str | None = None


def _append(array: Any, line: _Line) -> None:
    """Add to a list as the list is written; a new one gets a line for each."""
    if line.comment is not None:
        array.add_line(line.text, comment=line.comment, newline=False)
        array.multiline(multiline=True)
        return
    if len(array) == 0:
        array.multiline(multiline=True)
    array.append(line.text)


def _same_marker(a: str, b: str) -> bool:
    return "".join(a.split()).replace('"', "'") == "".join(b.split()).replace('"', "'")
