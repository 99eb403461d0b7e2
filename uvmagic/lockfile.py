"""uv.lock → what is locked.

uv writes the lock with one `[[package]]` block a distribution; only the blocks that are asked
for are parsed, so that a lock of 500 packages costs what two cost.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from uvmagic.errors import ProjectInvalid
from uvmagic.project import normalise

_BLOCK = re.compile(r"^\[\[package\]\]\n", re.MULTILINE)
_NAME = re.compile(r'name = "([^"]+)"\n(?:version = "([^"]+)"\n)?')


@dataclass(frozen=True)
class Lockfile:
    """The text of a uv.lock. Raises ProjectInvalid when a part that is asked for is no TOML."""

    text: str

    @cached_property
    def _blocks(self) -> list[tuple[str, str | None, str]]:
        """(name, version or None, TOML of the block) for each package, in order."""
        blocks = []
        for block in _BLOCK.split(self.text.replace("\r\n", "\n"))[1:]:
            match = _NAME.match(block)
            if match is not None:  # else it is no lock that uv wrote; uv will say so
                blocks.append((match[1], match[2], block))
        return blocks

    def versions(self) -> dict[str, tuple[str, ...]]:
        """Every locked name with its versions, sorted; several where markers tell them apart.

        A distribution with a version known only to its build has none.
        """
        found: dict[str, list[str]] = {}
        for name, version, _ in self._blocks:
            found.setdefault(name, []).extend([version] if version else [])
        return {name: tuple(sorted(found[name])) for name in sorted(found)}

    def asked_for(self, project: str) -> set[str] | None:
        """The names that a project of the lock asks for itself; None where it is not in it."""
        for entry in self.package(project):
            metadata = entry.get("metadata", {})
            groups = metadata.get("requires-dev", {}).values()
            listed = [metadata.get("requires-dist", []), *groups]
            return {requirement["name"] for requirements in listed for requirement in requirements}
        return None

    def package(self, name: str) -> list[dict[str, Any]]:
        """The parsed entries of a distribution, one a locked version; empty if not locked."""
        wanted = normalise(name)
        blocks = (toml for found, _, toml in self._blocks if found == wanted)
        try:
            return [tomllib.loads(f"[[package]]\n{toml}")["package"][0] for toml in blocks]
        except tomllib.TOMLDecodeError as error:
            raise ProjectInvalid(f"uv.lock cannot be read: {error}.", "Run  %uv lock") from error
