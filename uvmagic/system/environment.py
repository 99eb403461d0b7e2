"""A virtual environment, read from its files: no Python of it is started."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.project import normalise

if TYPE_CHECKING:
    from pathlib import Path

_DIST_INFO = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)\.dist-info")


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
        try:
            config = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        match = re.search(r"^version(?:_info)? = (\d+\.\d+\.\d+)", config, re.MULTILINE)
        return match[1] if match else None

    def site_packages(self) -> Path | None:
        """Where its distributions lie, None without an environment."""
        if sys.platform == "win32":
            found = [self.folder / "Lib" / "site-packages"]
        else:
            found = list(self.folder.glob("lib/python3.*/site-packages"))
        return next((path for path in found if path.is_dir()), None)

    def installed(self) -> dict[str, str]:
        """Its distributions: normalised name → version. Empty without an environment."""
        site_packages = self.site_packages()
        if site_packages is None:
            return {}
        matches = (_DIST_INFO.fullmatch(entry.name) for entry in site_packages.iterdir())
        return {normalise(m["name"]): m["version"] for m in matches if m}

    def fingerprint(self) -> str:
        """Changes when a distribution comes, goes or changes its version, or Python does."""
        facts = [str(self.python_version()), *(f"{n}=={v}" for n, v in self.installed().items())]
        return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()

    def is_running(self) -> bool:
        """Whether this very process runs from it."""
        return os.path.realpath(sys.prefix) == os.path.realpath(self.folder)
