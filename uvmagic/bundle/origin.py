"""A bundle's lock comes from where packages are published, not from the mirrors near this machine.

Mirrors are transport: the same files under another address. Pure.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uvmagic.accelerator import present
from uvmagic.accelerator.choice import index_url
from uvmagic.errors import BundleRefused
from uvmagic.sections import Sections

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from uvmagic.lockfile import Lockfile

_INDEXES = ("tool", "uv", "index")
_OPTIONS = {
    "exclude-newer": "exclude-newer",
    "fork-strategy": "fork-strategy",
    "prerelease-mode": "prerelease",
    "resolution-mode": "resolution",
}
"""What uv.lock remembers of the settings it was made with, and their names in `[tool.uv]`."""
_CREDENTIALS = re.compile(
    r"\b(?:(?:[a-z0-9.-]+\+)?https?://[^/\s\"'@]+"
    r"|[a-z][a-z0-9+.-]*://[^/\s\"'@]*:[^/\s\"'@]+)@[^/\s\"']*"
)
"""A URL with a password in it, or with a user, which may be a token; ssh's `git@` is neither."""


@dataclass(frozen=True, slots=True)
class AtOrigin:
    """A pyproject.toml without mirrors.

    Attributes:
        text: the pyproject.toml.
        places: the addresses of indexes that have changed, old → new.
        notes: what was changed and what was kept, a sentence each.
        has_own_index: whether an index of the user's own stays, which may ask for a password.
    """

    text: str
    places: Mapping[str, str]
    notes: tuple[str, ...]
    has_own_index: bool = False

    def moved(self, lock: str) -> str:
        """A uv.lock as if it had been made there, so that uv keeps its versions.

        Those of what a source names it keeps only from the same index, and none where the lock was
        made with other options: the project's own are kept, the user's are not.
        """
        for old, new in self.places.items():
            lock = lock.replace(f'registry = "{old}"', f'registry = "{new}"')
        own = tomllib.loads(self.text).get("tool", {}).get("uv", {})
        for key, setting in _OPTIONS.items():
            if setting not in own:
                lock = re.sub(rf'^{key} = "[^"]*"\n', "", lock, flags=re.MULTILINE)
        return lock


def at_origin(text: str, kept: Collection[str] = ()) -> AtOrigin:
    """The pyproject.toml that takes everything from where it is published.

    A backend's index is PyTorch's own again. One that sources name stays. Any other is asked for
    whatever there is, as a mirror is, and goes.

    Args:
        text: of a pyproject.toml; bare newlines at the line ends.
        kept: names of indexes that stay as they are.

    Raises:
        BundleRefused: an index that is to stay is not there.
    """
    pyproject = tomllib.loads(text)
    document, backends = Sections(text), present.indexes(pyproject)
    entries = document.entries(*_INDEXES)
    unknown = set(kept) - {str(entry.get("name")) for entry in entries}
    if unknown:
        named = ", ".join(str(e["name"]) for e in entries if e.get("name"))
        raise BundleRefused(
            f"--keep-index {', '.join(sorted(unknown))}: the project has no index of that name.",
            f"It has {named}." if named else "Give the index a name in pyproject.toml.",
        )
    in_sources = {
        source.get("index")
        for sources in present.sources_of(pyproject).values()
        for source in sources
    }
    notes, places, has_own_index = [], {}, False
    for position in reversed(range(len(entries))):
        entry = entries[position]
        name, url = str(entry.get("name", "")), str(entry.get("url"))
        if name in kept:
            has_own_index = True
            notes.append(f"The index {name} was kept: whoever builds must reach {url}.")
        elif name in backends:
            official, _ = index_url(backends[name])
            if official.rstrip("/") != url.rstrip("/"):
                entry["url"] = places[url] = official
                entry.pop("format", None)
                notes.append(f"{name}: locked from {official}, not from {url}.")
        elif name in in_sources:
            has_own_index = True
            notes.append(f"The index {name} stays, as sources name it: whoever builds needs {url}.")
        else:
            document.remove(_INDEXES, position)
            if entry.get("explicit") is not True:
                notes.append(f"Locked from PyPI, not from {url} (--keep-index NAME keeps it).")
    document.tidy("tool", "uv")
    return AtOrigin(document.text(), places, tuple(reversed(notes)), has_own_index)


def refuse_credentials(file: str, text: str) -> None:
    """Raise BundleRefused where a URL in a text has a user and a password in it; by line."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _CREDENTIALS.search(line):
            place = re.sub(r"//.*@", "//…@", found[0])
            raise BundleRefused(
                f"{file}, line {number}: a URL with a user and a password, {place}. Whoever gets "
                "the bundle would have them.",
                "Take them out of the URL. uv finds those of an index in the environment "
                "(UV_INDEX_NAME_USERNAME and UV_INDEX_NAME_PASSWORD), in a keyring or in .netrc; a "
                "container's build takes that file as a secret:  docker build --secret "
                "id=netrc,src=$HOME/.netrc",
            )


def differing_files(before: Lockfile, after: Lockfile) -> list[str]:
    """What shows that two locks have different files under one name and version; a sentence each.

    A mirror may have fewer files, and tell no hashes, but those that it has are those published.
    """
    told = []
    for name in sorted(before.versions().keys() & after.versions().keys()):
        old_files, new_files = _files(before, name), _files(after, name)
        for version in sorted(old_files.keys() & new_files.keys()):
            old, new = old_files[version], new_files[version]
            common = sorted(old.keys() & new.keys())
            if old and new and not common:
                told.append(f"{name} {version}: not one of the mirror's files is published")
            told += [
                f"{filename}: {old[filename][:19]}… → {new[filename][:19]}…"
                for filename in common
                if old[filename] and new[filename] and old[filename] != new[filename]
            ]
    return told


def unpublished(before: Lockfile, after: Lockfile) -> set[str]:
    """Names whose version has changed because another index has been asked."""
    found = set()
    for name in before.versions().keys() & after.versions().keys():
        old, new = _registries(before, name), _registries(after, name)
        changed = new.keys() - old.keys()
        if any(new[version] not in old.values() for version in changed):
            found.add(name)
    return found


def _files(lockfile: Lockfile, name: str) -> dict[str, dict[str, str]]:
    """Version → filename → hash of a distribution's files; empty where the lock tells none."""
    found: dict[str, dict[str, str]] = {}
    for entry in lockfile.package(name):
        files = [*entry.get("wheels", []), *([entry["sdist"]] if "sdist" in entry else [])]
        for file in files:
            address = str(file.get("url") or file.get("path") or file.get("filename", ""))
            filename = unquote(address.rpartition("/")[2])
            found.setdefault(entry.get("version", ""), {})[filename] = str(file.get("hash", ""))
    return found


def _registries(lockfile: Lockfile, name: str) -> dict[str, Any]:
    """Version → where it is from."""
    return {entry.get("version", ""): entry.get("source") for entry in lockfile.package(name)}
