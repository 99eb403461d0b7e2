"""A live environment: what was asked for in it, read from its files; no Python of it is started.

Sources: "Recording installed projects" (packaging.python.org: METADATA, INSTALLER, REQUESTED,
direct_url.json); conda's `conda-meta/history`, which `conda env export --from-history` reads too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement

from uvmagic.adopt import matchspec
from uvmagic.adopt.lines import Ask, Conda, Covered, Line, Python, Requires, without_credentials
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NEVER_ASKED_FOR = frozenset({"pip", "setuptools", "wheel", "uv", "distribute"})
"""What an environment is made with."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: as its METADATA spells it.
        version: its version.
        needs: normalised names of what it requires, extras' requirements left out.
        installer: pip, uv, conda.
        is_requested: it was named, not only needed; only some installers tell.
        address: where from, if not from an index (PEP 610).
    """

    name: str
    version: str
    needs: frozenset[str]
    installer: str = ""
    is_requested: bool = False
    address: str = ""


def is_one(folder: Path) -> bool:
    """Whether a folder is an environment, conda's or another."""
    return (folder / "conda-meta").is_dir() or _site_packages(folder) is not None


def read(folder: Path, told: str) -> list[Line]:
    """The top level of an environment, a line each: numbers count them."""
    found = distributions(folder)
    if (folder / "conda-meta").is_dir():
        of_conda = _of_conda(folder)
        by_pip = [one for one in found if one.installer != "conda"]
        asked = [*of_conda, *_asks(top_level(by_pip))]
    else:
        asked = [*_python_of_venv(folder), *_asks(top_level(found))]
    return [Line(told, n, n, text, (ask,)) for n, (text, ask) in enumerate(asked, 1)]


def top_level(found: Iterable[Distribution]) -> list[Distribution]:
    """Those that were asked for: marked so where the installer marks, else those no other needs.

    pip marks (REQUESTED) since 20.2; without a single mark nobody did. Where the needs of several
    go in a circle, all of the circle are taken.
    """
    known = [one for one in found if normalise(one.name) not in _NEVER_ASKED_FOR]
    marked = [one for one in known if one.is_requested]
    if marked:
        return marked
    by_name = {normalise(one.name): one for one in known}
    below = {name: _closure(one, by_name) for name, one in by_name.items()}
    return [
        one
        for name, one in by_name.items()
        if all(above in below[name] for above in by_name if name in below[above])
    ]


def _closure(begin: Distribution, by_name: dict[str, Distribution]) -> set[str]:
    found: set[str] = set()
    waiting = list(begin.needs)
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found.add(name)
            waiting += by_name[name].needs
    return found


def _asks(found: Iterable[Distribution]) -> list[tuple[str, Ask]]:
    asked: list[tuple[str, Ask]] = []
    for one in sorted(found, key=lambda one: one.name.lower()):
        if one.address:
            bare = without_credentials(one.address)
            told = "user and password are not written down" if bare != one.address else ""
            asked.append((f"{one.name} {one.version}", Requires(f"{one.name} @ {bare}", told=told)))
        else:
            asked.append((f"{one.name} {one.version}", Requires(f"{one.name}=={one.version}")))
    return asked


# --- the files ------------------------------------------------------------------------------------


def distributions(folder: Path) -> list[Distribution]:
    """What is installed in an environment; what cannot be read is left out."""
    site_packages = _site_packages(folder)
    found = []
    for place in sorted(site_packages.glob("*.dist-info")) if site_packages else ():
        try:
            found.append(_distribution(place))
        except (OSError, ValueError, KeyError):
            continue
    return found


def _site_packages(folder: Path) -> Path | None:
    places = [*sorted(folder.glob("lib/python3*/site-packages")), folder / "Lib" / "site-packages"]
    return next((place for place in places if place.is_dir()), None)


def _distribution(place: Path) -> Distribution:
    metadata = HeaderParser().parsestr((place / "METADATA").read_text("utf-8", "replace"))
    needs = set()
    for text in metadata.get_all("Requires-Dist") or []:
        try:
            requirement = Requirement(str(text))
        except InvalidRequirement:
            continue
        if "extra" not in str(requirement.marker or ""):
            needs.add(normalise(requirement.name))
    return Distribution(
        str(metadata["Name"]),
        str(metadata["Version"]),
        frozenset(needs),
        _content(place / "INSTALLER").strip(),
        (place / "REQUESTED").exists(),
        _address(_content(place / "direct_url.json")),
    )


def _address(direct_url: str) -> str:
    """A direct_url.json as pip writes it after `@`; empty for a conda build's own path."""
    if not direct_url:
        return ""
    told: dict[str, Any] = json.loads(direct_url)
    url, inside = str(told["url"]), str(told.get("subdirectory", ""))
    tail = f"#subdirectory={inside}" if inside else ""
    if "vcs_info" in told:
        vcs = told["vcs_info"]
        return f"{vcs['vcs']}+{url}@{vcs['commit_id']}{tail}"
    return f"{url}{tail}"


def _content(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _python_of_venv(folder: Path) -> list[tuple[str, Ask]]:
    match = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", _content(folder / "pyvenv.cfg"), re.M)
    return [(f"python {match[1]}", Python(f"=={match[1]}.*"))] if match else []


def _of_conda(folder: Path) -> list[tuple[str, Ask]]:
    """What conda was told to install, by its history, at the versions that are there."""
    there = {
        spec.name: spec
        for file in sorted((folder / "conda-meta").glob("*.json"))
        if (spec := matchspec.of_file(f"{file.stem}.conda"))
    }
    named = named_in(_content(folder / "conda-meta" / "history")) or list(there)
    asked: list[tuple[str, Ask]] = []
    for name in named:
        spec = there.get(name)
        if spec is None:
            asked.append((name, Covered("it is installed no more")))
        else:
            version = spec.version.lstrip("=")
            asked.append((f"{name} {version}", Conda(name, spec.version, spec.build)))
    return asked


def named_in(history: str) -> list[str]:
    """The names that `conda-meta/history` says were asked for, and not removed since."""
    named: dict[str, None] = {}
    for line in history.splitlines():
        match = re.fullmatch(r"# (update|remove|neutered) specs: (.*)", line.strip())
        if match is None:
            continue
        for text in re.findall(r"'([^']*)'|\"([^\"]*)\"", match[2]):
            spec = matchspec.parse("".join(text))
            if spec is None:
                continue
            if match[1] == "remove":
                named.pop(spec.name, None)
            else:
                named[spec.name] = None
    return list(named)
