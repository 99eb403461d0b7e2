"""A virtual environment, read from its files: no Python of it is started."""

from __future__ import annotations

import contextlib
import csv
import glob
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from uvmagic.names import normalise
from uvmagic.system import agreed


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment's folder, made or not."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        if sys.platform == "win32":
            return self.folder / "Scripts" / "python.exe"
        return self.folder / "bin" / "python"

    @property
    def exists(self) -> bool:
        """Whether it has an interpreter that is there (not a dangling link)."""
        return self.python.exists()

    def python_version(self) -> str | None:
        """Its Python's version, `3.12.4`, or None without an environment."""
        return agreed.python_version(str(self.folder))

    def site_packages(self) -> Path | None:
        """Where its distributions lie, None without an environment."""
        found = agreed.site_packages(str(self.folder))
        return Path(found) if found else None

    def installed(self) -> dict[str, str]:
        """Its distributions: normalised name → version. Empty without an environment."""
        return agreed.installed(str(self.folder))

    def has_module(self, name: str) -> bool:
        """Whether a top-level module of a name lies among its distributions.

        Those that are installed to be edited in place lie elsewhere.
        """
        place = self.site_packages()
        if place is None:
            return False
        files = place.glob(f"{glob.escape(name)}.*")
        return (place / name).is_dir() or any(f.suffix in (".py", ".pyd", ".so") for f in files)

    def sizes(self) -> dict[tuple[str, str], int]:
        """(normalised name, version) → bytes of its files, as the distribution's RECORD lists them.

        Compiled bytecode is in none of them.
        """
        found: dict[tuple[str, str], int] = {}
        site_packages = self.site_packages()
        for folder in site_packages.glob("*.dist-info") if site_packages else ():
            stem = folder.name.removesuffix(".dist-info")
            name, _, version = stem.rpartition("-")
            with contextlib.suppress(OSError):
                text = (folder / "RECORD").read_text(encoding="utf-8", errors="replace")
                rows = csv.reader(text.splitlines())
                found[(normalise(name), version)] = sum(
                    int(row[2]) for row in rows if len(row) > 2 and row[2].isdecimal()
                )
        return found

    def is_running(self) -> bool:
        """Whether this very process runs from it."""
        return os.path.realpath(sys.prefix) == os.path.realpath(self.folder)
