"""A virtual environment, read from its files: no Python of it is started."""

from __future__ import annotations

import contextlib
import os
import re
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
        import glob

        files = place.glob(f"{glob.escape(name)}.*")
        return (place / name).is_dir() or any(f.suffix in (".py", ".pyd", ".so") for f in files)

    def sizes(self) -> dict[tuple[str, str], int]:
        """(normalised name, version) → bytes of its files, as the distribution's RECORD lists them.

        Compiled bytecode is in none of them.
        """
        import csv

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

    def modules(self) -> dict[str, set[str]]:
        """Module → the distributions, normalised, that have it, as each RECORD lists its files.

        A module is dotted as far as a package is shared: `google.cloud.storage`. One that is
        installed to be edited in place lists no file of its own.
        """
        found: dict[str, set[str]] = {}
        site_packages = self.site_packages()
        for folder in site_packages.glob("*.dist-info") if site_packages else ():
            name = normalise(folder.name.removesuffix(".dist-info").rpartition("-")[0])
            with contextlib.suppress(OSError):
                text = (folder / "RECORD").read_text(encoding="utf-8", errors="replace")
                for module in _modules(text):
                    found.setdefault(module, set()).add(name)
        return found

    def is_running(self) -> bool:
        """Whether this very process runs from it."""
        return os.path.realpath(sys.prefix) == os.path.realpath(self.folder)


_MODULE = re.compile(
    r"(?P<folders>(?:[^\W\d]\w*/)*)(?P<name>[^\W\d]\w*)(?:\.py|(?:\.[\w-]+)?\.(?:so|pyd))"
)
"""A module's path from site-packages on; an extension's name may say which Python it is for."""


def _modules(record: str) -> set[str]:
    """The modules and packages that the files of a RECORD are, none that is inside another."""
    paths = (line.partition(",")[0] for line in record.splitlines())
    files = [match for path in paths if (match := _MODULE.fullmatch(path))]
    packages = {match["folders"] for match in files if match["name"] == "__init__"}
    found = set()
    for match in files:
        folders = match["folders"].split("/")[:-1]
        above = ["/".join(folders[:end]) + "/" for end in range(1, len(folders) + 1)]
        package = next((path for path in above if path in packages), None)
        whole = package[:-1].split("/") if package else [*folders, match["name"]]
        found.add(".".join(whole))
    return found
