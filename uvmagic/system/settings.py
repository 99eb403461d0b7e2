"""Which of uv's settings holds, and why: environment > project > user > system > uv's own.

(docs.astral.sh/uv/concepts/configuration-files. An option of a call comes before all of these.)
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from uvmagic.data.uv_settings import uv_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uvmagic.data.uv_settings import UvSetting

_OWN = "uv's own"
Scope = Literal["environment", "project", "user", "system", "uv", "ignored"]
"""Who says something, the strongest first. `ignored`: a [tool.uv] beside a uv.toml."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of a setting.

    Attributes:
        value: as text, without a password.
        where: a variable, a file, or empty for uv itself.
        scope: whose that is.
    """

    value: str
    where: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting, and all that is said of it.

    Attributes:
        row: which one.
        said: the strongest first; uv's own word is always there, and then only what it ignores.
    """

    row: UvSetting
    said: tuple[Said, ...]

    @property
    def winner(self) -> Said:
        """What holds."""
        return self.said[0]

    @property
    def overridden(self) -> tuple[Said, ...]:
        """What somebody says in vain."""
        if self.row.adds_up:
            return tuple(one for one in self.said if one.scope == "ignored")
        return tuple(one for one in self.said[1:] if one.scope != "uv")

    def told(self, shorten: Callable[[Path], str]) -> str:
        """What holds, who says so, and who says something else in vain."""

        def one(said: Said) -> str:
            by = shorten(Path(said.where)) if Path(said.where).is_absolute() else said.where
            return f"{said.value} ({by or _OWN})"

        if self.row.adds_up:
            return ", ".join(one(said) for said in self.said if said.scope not in ("uv", "ignored"))
        over = ", ".join(map(one, self.overridden))
        return f"{one(self.winner)}, over {over}" if over else one(self.winner)

    @property
    def from_outside(self) -> tuple[Said, ...]:
        """What counts and is not the project's own."""
        counting = self.said if self.row.adds_up else self.said[:1]
        return tuple(one for one in counting if one.scope in ("environment", "user", "system"))


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that are looked into.

    Attributes:
        all: in the table's order.
        unreadable: (file, why) of those that are no TOML: uv refuses to work then.
    """

    all: tuple[Setting, ...]
    unreadable: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> Setting:
        return next(one for one in self.all if one.row.name == name)


def settings(folder: Path, environ: Mapping[str, str]) -> Settings:
    """What holds for a call of uv in a folder.

    Args:
        folder: where uv works; the project's configuration is looked for from there up.
        environ: the environment variables.
    """
    unreadable: list[tuple[str, str]] = []
    files = list(_read(folder, environ, unreadable))
    told = [Setting(row, tuple(_said(row, folder, environ, files))) for row in uv_settings()]
    return Settings(tuple(told), tuple(unreadable))


def config_files(environ: Mapping[str, str]) -> list[Path]:
    """Where uv looks: what UV_CONFIG_FILE names, else the user's file and the system's."""
    if environ.get("UV_CONFIG_FILE"):
        return [Path(environ["UV_CONFIG_FILE"])]
    if sys.platform == "win32":
        folders = [environ.get("APPDATA", ""), environ.get("PROGRAMDATA", "")]
    else:
        home = environ.get("XDG_CONFIG_HOME") or str(_home(environ) / ".config")
        folders = [home, *(environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep), "/etc"]
    return [Path(folder) / "uv" / "uv.toml" for folder in folders if folder]


def without_password(text: str) -> str:
    """A text whose URLs tell no user and no password."""
    return re.sub(r"(?<=://)[^/\s@]*@", "…@", text)


# --- who says what --------------------------------------------------------------------------------

_File = tuple[Path, Scope, dict[str, Any]]
"""A file of settings, whose it is, and what it says."""


def _said(
    row: UvSetting, folder: Path, environ: Mapping[str, str], files: list[_File]
) -> Iterator[Said]:
    for name in row.variables:
        if environ.get(name):
            yield Said(without_password(environ[name]), name, "environment")
    yield from (one for one in _in_files(row, files) if one.scope != "ignored")
    if row.name == "python":
        yield from _pinned(folder, environ)
    yield Said(_default(row, environ), "", "uv")
    yield from (one for one in _in_files(row, files) if one.scope == "ignored")


def _in_files(row: UvSetting, files: list[_File]) -> Iterator[Said]:
    for file, scope, content in files:
        for value in _values(row, content):
            yield Said(without_password(value), str(file), scope)


def _values(row: UvSetting, content: Mapping[str, Any]) -> Iterator[str]:
    """What a file says of a setting; an index may be the default one, or one more."""
    for key in row.keys:
        if key in content:
            value = content[key]
            yield ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if row.name in ("default-index", "index"):
        listed = content.get("index", [])
        for entry in listed if isinstance(listed, list) else []:
            if isinstance(entry, dict):
                is_default = entry.get("default") is True
                if is_default is (row.name == "default-index"):
                    yield str(entry.get("url", ""))


def _default(row: UvSetting, environ: Mapping[str, str]) -> str:
    if row.name == "cache-dir":
        return str(_user_folder(environ, "LOCALAPPDATA", "XDG_CACHE_HOME", ".cache", "cache"))
    if row.name == "python-install-dir":
        place = _user_folder(environ, "APPDATA", "XDG_DATA_HOME", ".local/share", "data")
        return str(place / "python")
    return row.default


def _user_folder(
    environ: Mapping[str, str], windows: str, xdg: str, below_home: str, name: str
) -> Path:
    if sys.platform == "win32":
        return Path(environ.get(windows, "")) / "uv" / name
    return Path(environ.get(xdg) or _home(environ) / below_home) / "uv"


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


# --- files ----------------------------------------------------------------------------------------


def _read(
    folder: Path, environ: Mapping[str, str], unreadable: list[tuple[str, str]]
) -> Iterator[_File]:
    """Every file that uv takes settings from, the strongest first, and one that it ignores."""
    if environ.get("UV_NO_CONFIG", "").lower() in ("1", "true", "yes", "on"):
        return
    named = bool(environ.get("UV_CONFIG_FILE"))
    ignored: dict[str, Any] = {}
    own = None if named else _of_project(folder, unreadable)
    if own is not None:
        ignored = own[2]
        yield own[0], "project", own[1]
    scope: Scope = "environment" if named else "user"
    for file in config_files(environ):
        content = _toml(file, unreadable)
        if content is not None:
            yield file, scope, content
        if content is not None and scope == "system":
            break  # only one file of the system's counts
        scope = "system"
    if own is not None and ignored:
        yield own[0].with_name("pyproject.toml"), "ignored", ignored


def _of_project(
    folder: Path, unreadable: list[tuple[str, str]]
) -> tuple[Path, dict[str, Any], dict[str, Any]] | None:
    """The nearest configuration: its file, what that says, and the [tool.uv] that it overrules."""
    for place in (folder, *folder.parents):
        content = _toml(place / "uv.toml", unreadable)
        pyproject = _toml(place / "pyproject.toml", []) or {}  # that one is told otherwise
        tool = pyproject.get("tool", {})
        own = tool.get("uv") if isinstance(tool, dict) else None
        if content is not None:
            return place / "uv.toml", content, own or {}
        if isinstance(own, dict):
            return place / "pyproject.toml", own, {}
    return None


def _toml(file: Path, unreadable: list[tuple[str, str]]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        unreadable.append((str(file), str(error)))
    except OSError:
        pass
    return None


def _pinned(folder: Path, environ: Mapping[str, str]) -> Iterator[Said]:
    """The .python-version files that uv reads: the project's, and the user's."""
    for place in (folder, *folder.parents):
        yield from _pin(place / ".python-version", "project")
        if (place / "pyproject.toml").is_file():
            break
    yield from _pin(config_files(environ)[0].with_name(".python-version"), "user")


def _pin(file: Path, scope: Scope) -> Iterator[Said]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    asked = (line.strip() for line in lines)
    first = next((line for line in asked if line and not line.startswith("#")), None)
    if first:
        yield Said(first, str(file), scope)
