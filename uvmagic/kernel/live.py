"""The running kernel after a change of its own environment: what imports now, what is stale."""

from __future__ import annotations

import contextlib
import csv
import importlib
import os
import site
import sys
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from uvmagic.outcome import Change


@dataclass(frozen=True, slots=True)
class Before:
    """What the kernel's environment was before a change.

    Attributes:
        path_files: the names of the `.pth` files, by which editable installs reach their source.
        records: normalised name → the RECORD of a distribution, which tells its files and hashes.
    """

    path_files: frozenset[str] = frozenset()
    records: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, site_packages: Path | None) -> Before:
        """As the environment is now; nothing for one that is not made yet."""
        if site_packages is None:
            return cls()
        files = _record_files(site_packages)
        return cls(_path_files(site_packages), {name: _text(file) for name, file in files.items()})


def refresh(site_packages: Path, before: Before) -> None:
    """Let the next cell import what was just installed.

    Of the `.pth` files only new ones are processed: others may have effects at start that must not
    come twice.
    """
    importlib.invalidate_caches()
    for name in sorted(_path_files(site_packages) - before.path_files):
        site.addpackage(str(site_packages), name, set(sys.path))


def stale(changes: Sequence[Change], site_packages: Path, before: Before) -> list[Change]:
    """The changed or removed distributions that need a restart.

    They are those of which a file that a loaded module came from is another one now, or is gone.
    """
    candidates = [c for c in changes if c.before is not None and c.name in before.records]
    if not candidates:
        return []
    loaded, files = _loaded_files(site_packages), _record_files(site_packages)
    found = []
    for change in candidates:
        old = _hashes(before.records[change.name])
        old = {path: digest for path, digest in old.items() if path in loaded}
        new = _hashes(_text(files.get(change.name))) if old else {}
        if any(new.get(path) != digest for path, digest in old.items()):
            found.append(change)
    return found


def with_loaded_extensions(names: Iterable[str], site_packages: Path) -> set[str]:
    """Those of some distributions of which this process has loaded an extension module.

    Args:
        names: normalised names.
        site_packages: where the distributions lie.
    """
    loaded = {f for f in _loaded_files(site_packages) if f.endswith(tuple(EXTENSION_SUFFIXES))}
    files = _record_files(site_packages)
    return {name for name in names if loaded & _hashes(_text(files.get(name))).keys()}


def outdated(installed: Mapping[str, str], site_packages: Path) -> list[str]:
    """The distributions of which this process has loaded another version than is installed.

    They are those that came after its start, under the name of a module that tells its version.

    Args:
        installed: normalised name → version.
        site_packages: where they lie.
    """
    import psutil  # 9 ms, for `doctor` alone

    began = psutil.Process().create_time()
    found = []
    for name, version in installed.items():
        module = sys.modules.get(name.replace("-", "_"))
        told = getattr(module, "__dict__", {}).get("__version__")
        if not isinstance(told, str) or told == version:
            continue
        folder = next(site_packages.glob(f"{name.replace('-', '_')}-{version}.dist-info"), None)
        if folder is not None and folder.stat().st_mtime > began:
            found.append(name)
    return found


def _path_files(site_packages: Path) -> frozenset[str]:
    return frozenset(path.name for path in site_packages.glob("*.pth"))


def _record_files(site_packages: Path) -> dict[str, Path]:
    """Normalised name → where the RECORD of a distribution is."""
    folders = [path for path in site_packages.iterdir() if path.name.endswith(".dist-info")]
    names = [path.name.removesuffix(".dist-info").rpartition("-")[0] for path in folders]
    return {normalise(name): folder / "RECORD" for name, folder in zip(names, folders, strict=True)}


def _text(record: Path | None) -> str:
    """What a RECORD says; nothing where there is none."""
    with contextlib.suppress(OSError):
        return record.read_text(encoding="utf-8", errors="replace") if record else ""
    return ""


def _hashes(record: str) -> dict[str, str]:
    """Path from site-packages → hash of each file of a RECORD (PEP 376: path, hash, size)."""
    return {row[0]: row[1] for row in csv.reader(record.splitlines()) if len(row) > 1 and row[1]}


def _loaded_files(site_packages: Path) -> set[str]:
    """The files of loaded modules, from site-packages on, with slashes."""
    roots = {str(site_packages), os.path.realpath(site_packages)}
    found = set()
    for module in list(sys.modules.values()):
        # as it stands in the module, for what answers itself to getattr may import or fail
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str):
            for root in roots:
                if file.startswith(root + os.sep):
                    found.add(file[len(root) + 1 :].replace(os.sep, "/"))
    return found
