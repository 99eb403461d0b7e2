"""bundle.json: what a bundle is made of, and whether it still is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from uvmagic.bundle.contents import MANIFEST
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from pathlib import Path

FILE = MANIFEST
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of bundle.json.

    Attributes:
        notebook: the notebook's path in the bundle.
        python: Python's minor version, `3.12`.
        uv: the version of uv that locked it.
        uvmagic: the version of uvmagic that made it.
        platform: the platforms that it runs on; a uv lock is for all of them.
        accelerator: what its distributions compute on.
        source_lock_sha256: of the project's uv.lock.
        files: path in the bundle → sha256, of every file but bundle.json.
    """

    notebook: str
    python: str
    uv: str
    uvmagic: str
    platform: str
    accelerator: str
    source_lock_sha256: str
    files: dict[str, str]

    def to_bytes(self) -> bytes:
        """The file's content: keys in order, so that the same bundle gives the same bytes."""
        content = {"schema": _SCHEMA, **asdict(self)}
        return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()

    def altered(self, folder: Path) -> list[str]:
        """Paths of files in a folder that are missing or not as listed."""
        return [path for path, digest in self.files.items() if sha256(folder / path) != digest]


def read(folder: Path) -> Manifest:
    """The manifest of a bundle. Raises BundleRefused when the folder is none."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if content.pop("schema") != _SCHEMA:
            raise BundleRefused(
                f"{folder} was made by a newer uvmagic.", "Update uvmagic and try again."
            )
        made = Manifest(**content)
        texts = [*made.files, *made.files.values(), made.notebook, made.python]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a text is expected")
        return made
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleRefused(
            f"{folder} is not a bundle: it has no {FILE} that can be read.",
            "Name the folder that  uvmagic bundle  made.",
        ) from error


def sha256(file: Path) -> str:
    """The hex digest of a file; empty where there is none."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
