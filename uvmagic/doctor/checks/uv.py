"""Which uv this is, which environment is active, and what uv is told from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from uvmagic.data import uv
from uvmagic.outcome import Finding

if TYPE_CHECKING:
    from uvmagic.doctor.facts import Facts
    from uvmagic.system.settings import Said, Setting

_UPDATE = "uv self update   or   pip install --upgrade uv"


def uv_missing(facts: Facts) -> Finding | None:
    """No uv, one that is too old, or a program that is not uv."""
    if facts.uv.refusal is None:
        return None
    seen, remedy = facts.uv.refusal
    return Finding("error", seen, "Without it nothing is added, locked or installed.", remedy)


def uv_old(facts: Facts) -> Finding | None:
    """A uv of an older minor version than the one that uvmagic is tested with."""
    newest = uv.newest()
    if not facts.uv.version or _minor(facts.uv.version) >= _minor(newest):
        return None
    return Finding(
        "note",
        f"uv is {_dated(facts.uv.version)}: {facts.uv.path}.",
        f"It works; uvmagic is tested with {_dated(newest)}.",
        _UPDATE,
    )


def _dated(version: str) -> str:
    when = uv.released(version)
    return f"{version} ({when})" if when else version


def _minor(version: str) -> tuple[int, ...]:
    return Version(version).release[:2]


def uv_several(facts: Facts) -> Finding | None:
    """More than one uv on PATH."""
    if len(facts.uv.on_path) < 2:
        return None
    return Finding(
        "warning",
        f"{len(facts.uv.on_path)} uv are on PATH: {', '.join(map(str, facts.uv.on_path))}.",
        f"Used is {facts.uv.path or 'none'}; where PATH is another, as a server's may be, another"
        " one is, and it may be of another version.",
        f"Remove the others, or name one for all:  UV={facts.uv.path or facts.uv.on_path[0]}",
    )


def uv_in_conda(facts: Facts) -> Finding | None:
    """A uv that belongs to a conda environment."""
    if facts.uv.conda is None:
        return None
    return Finding(
        "warning",
        f"uv is part of the conda environment {facts.uv.conda}.",
        "It is there only while that is active, and conda decides its version.",
        "Install one of its own:  https://docs.astral.sh/uv/getting-started/installation/",
    )


def environment_active(facts: Facts) -> Finding | None:
    """An activated environment that is not the project's."""
    if facts.project is None:
        return None
    own = facts.project.environment.folder
    others = [(name, place) for name, place in facts.active if place != own]
    if not others:
        return None
    told = " and ".join(f"{place} ({name})" for name, place in others)
    name = facts.project.name
    if facts.notebook is not None:  # it is the server's
        why = f"%uv heeds {name} alone;  !uv pip install  and  !python  go there."
        return Finding("note", f"Another environment is active: {told}.", why, "Use  %uv pip …")
    return Finding(
        "warning",
        f"Another environment is active: {told}.",
        "add, remove, sync and lock heed the project alone, but  uv pip install  goes there,"
        f" and  python  is not that of {name}.",
        "deactivate   or   conda deactivate",
    )


def settings_unreadable(facts: Facts) -> Finding | None:
    """A uv.toml that is no TOML."""
    if not facts.settings.unreadable:
        return None
    told = "\n".join(f"{file}: {why}." for file, why in facts.settings.unreadable)
    return Finding("error", told, "uv stops at it, whatever it is asked.", "Mend that place.")


def settings_ignored(facts: Facts) -> Finding | None:
    """A uv.toml beside a pyproject.toml whose [tool.uv] says something too."""
    ignored = [
        (setting, said)
        for setting in facts.settings.all
        for said in setting.overridden
        if said.scope == "ignored"
    ]
    if not ignored:
        return None
    names = ", ".join(dict.fromkeys(setting.row.name for setting, _ in ignored))
    file = ignored[0][1].where
    return Finding(
        "warning",
        f"A uv.toml lies beside {file}: uv ignores the settings of its [tool.uv] ({names}).",
        "What pyproject.toml says there has no effect, and a bundle cannot be made.",
        "Move what uv.toml says to [tool.uv], and remove it.",
    )


def settings_outside(facts: Facts) -> Finding | None:
    """Settings from outside the project on which its lock depends."""
    if facts.project is None:
        return None
    outside = [
        (setting, said)
        for setting in facts.settings.all
        if setting.row.locks
        for said in setting.from_outside
    ]
    if not outside:
        return None
    told = "\n".join(_told(setting, said) for setting, said in outside)
    places = ", ".join(dict.fromkeys(said.where for _, said in outside))
    return Finding(
        "warning",
        told,
        "uv.lock depends on it, and whoever has another setting locks something else.",
        f"Say it in [tool.uv] of pyproject.toml, or take it out of {places}.",
    )


def _told(setting: Setting, said: Said) -> str:
    return f"{setting.row.label}: {said.value}, by {said.where}, not by the project."
