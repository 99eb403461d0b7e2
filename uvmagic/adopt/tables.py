"""A requirement that is written as a TOML table, by pipenv or poetry, as PEP 508. Pure.

Sources: poetry's "Dependency specification", pipenv's "Pipfile & Pipfile.lock", PEP 508.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import SpecifierSet

from uvmagic.adopt.lines import ITSELF, Ask, Left, Requires, without_credentials
from uvmagic.adopt.versions import NoPep440, from_poetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvmagic.project import Table

_MARKER_KEYS = (
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_system",
    "python_version",
    "python_full_version",
    "implementation_name",
)
"""Keys of pipenv's that are markers: `sys_platform = "== 'win32'"`."""


def requirement(name: str, value: Mapping[str, Any], table: Table) -> Ask:
    """The requirement that a name and a table of keys mean.

    Args:
        name: of the distribution.
        value: `version`, `extras`, `markers`, `git`, `path`, …
        table: the list that it is for.
    """
    try:
        marker = _marker(value)
        specifier, told = from_poetry(str(value.get("version", "*")))
    except (NoPep440, InvalidMarker) as error:
        return Left(f"{error}: PEP 440 and PEP 508 cannot say it; add {name} by hand")
    extras = ",".join(value.get("extras", ()))
    head = f"{name}[{extras}]" if extras else name
    tail = f" ; {marker}" if marker else ""
    place, why = _place(value)
    if place is None:
        return Left(f"uv knows git alone, not {why}: give {name}'s address in a git repository")
    if place in (".", "./", "./."):
        return ITSELF
    given = str(value.get("version", "*")).strip()
    is_same = "".join(given.split()) in (specifier or "*", specifier)
    notes = [told, why]
    if without_credentials(place) != place:
        place = without_credentials(place)
        notes.append("user and password are not written down")
    is_editable = bool(value.get("editable") or value.get("develop")) and "path" in value
    body = f"{head} @ {place}" if place else f"{head}{specifier}"
    if "path" in value and place:
        body = place + (f"[{extras}]" if extras else "")
    return Requires(
        body + tail,
        table,
        told="; ".join(note for note in notes if note),
        is_respelled=not (is_same or place),
        is_editable=is_editable,
        index=str(value.get("index") or value.get("source") or ""),
    )


def _place(value: Mapping[str, Any]) -> tuple[str | None, str]:
    """Where it comes from but an index, empty for an index; and what to tell. None: uv cannot."""
    if other := next((key for key in ("hg", "svn", "bzr") if key in value), None):
        return None, other
    if "git" in value:
        address = str(value["git"])
        if address.startswith("git@"):  # `git@host:owner/name.git`
            address = "ssh://" + address.replace(":", "/", 1)
        at = next((str(value[k]) for k in ("rev", "ref", "tag", "branch") if k in value), "")
        inside = f"#subdirectory={value['subdirectory']}" if "subdirectory" in value else ""
        why = "from git, and so not editable" if value.get("editable") else ""
        return f"git+{address.removeprefix('git+')}{f'@{at}' if at else ''}{inside}", why
    if "path" in value:
        path = str(value["path"])
        return path if path.startswith((".", "/", "~")) else f"./{path}", ""
    return str(value.get("url") or value.get("file") or ""), ""


def _marker(value: Mapping[str, Any]) -> str:
    """All markers of a table as one. Raises InvalidMarker, NoPep440."""
    parts = [str(value["markers"])] if value.get("markers") else []
    parts += [f"{key} {value[key]}" for key in _MARKER_KEYS if key in value]
    if "platform" in value:
        parts.append(f"sys_platform == '{value['platform']}'")
    if "python" in value:
        parts.append(_python_marker(str(value["python"])))
    texts = [str(Marker(part)) for part in parts if part]
    whole = " and ".join(f"({text})" if " or " in text else text for text in texts)
    return str(Marker(whole)) if whole else ""


def _python_marker(constraint: str) -> str:
    specifier, _ = from_poetry(constraint)
    clauses = sorted(
        SpecifierSet(specifier), key=lambda clause: (clause.operator != ">=", str(clause))
    )
    return " and ".join(f"{_variable(c.version)} {c.operator} '{c.version}'" for c in clauses)


def _variable(version: str) -> str:
    """`python_version` has two numbers (PEP 508)."""
    return "python_version" if version.count(".") <= 1 or ".*" in version else "python_full_version"
