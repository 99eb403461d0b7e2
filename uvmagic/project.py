"""A project: where it is, what its pyproject.toml says, and how that text keeps its shape.

Reads files, writes none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from uvmagic.errors import ProjectInvalid, ProjectMissing
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Project:
    """A project on disk.

    Attributes:
        folder: where its pyproject.toml lies.
        root: where uv.lock and .venv lie: the workspace's root, else the same folder.
        pyproject: the parsed pyproject.toml of `folder`.
    """

    folder: Path
    root: Path
    pyproject: dict[str, Any]

    @property
    def name(self) -> str:
        """The project's name, else its folder's (a workspace's root may have none)."""
        return str(self.pyproject.get("project", {}).get("name", self.folder.name))

    @property
    def is_root(self) -> bool:
        """Whether uv.lock and .venv lie beside its pyproject.toml."""
        return self.root == self.folder

    @property
    def file(self) -> Path:
        """Its pyproject.toml."""
        return self.folder / "pyproject.toml"

    @property
    def lock(self) -> Path:
        """Its uv.lock."""
        return self.root / "uv.lock"

    def files(self) -> list[Path]:
        """Every file that a change of the project may touch, there or not."""
        files = {self.root / "pyproject.toml": None, self.lock: None, self.file: None}
        workspace = _workspace(parse_file(self.root / "pyproject.toml"))
        for member in _members(self.root, workspace or {}):
            files[member / "pyproject.toml"] = None
        return list(files)

    def environment(self, environ: Mapping[str, str]) -> Path:
        """The folder of its virtual environment, made or not, as uv decides it."""
        return self.root / environ.get("UV_PROJECT_ENVIRONMENT", ".venv")


def find(start: Path) -> Project:
    """The project that a folder belongs to.

    Raises:
        ProjectMissing: no pyproject.toml with a project there or above.
        ProjectInvalid: the nearest one cannot be read.
    """
    start = start.resolve()
    none = "no pyproject.toml"
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        pyproject = parse_file(file)
        if "project" in pyproject or _workspace(pyproject) is not None:
            return Project(folder, _workspace_root(folder, pyproject), pyproject)
        none = "no pyproject.toml with a [project] table"
    raise ProjectMissing(
        f"No project here: {none} in {start} or above it.",
        "%uv init  makes this folder one; then run this again.",
    )


def _workspace_root(folder: Path, pyproject: Mapping[str, Any]) -> Path:
    if _workspace(pyproject) is not None:
        return folder
    for ancestor in folder.parents:
        file = ancestor / "pyproject.toml"
        workspace = _workspace(parse_file(file)) if file.is_file() else None
        if workspace is not None:
            return ancestor if folder in _members(ancestor, workspace) else folder
    return folder


def _workspace(pyproject: Mapping[str, Any]) -> dict[str, Any] | None:
    found = pyproject.get("tool", {}).get("uv", {}).get("workspace")
    return found if isinstance(found, dict) else None


def takes_in(root: Path, folder: Path) -> bool:
    """Whether the workspace at a root would have a folder for a member, were a project in it.

    Args:
        root: the root's folder, a workspace's or not.
        folder: there or not; absolute.
    """
    workspace = _workspace(parse_file(root / "pyproject.toml")) or {}
    if not folder.is_relative_to(root):
        return False
    parts = folder.relative_to(root).parts

    def named(key: str) -> bool:
        return any(_matches(parts, PurePath(each).parts) for each in workspace.get(key, ()))

    return named("members") and not named("exclude")


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern, `**` any number of them."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[number:], pattern[1:]) for number in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _members(root: Path, workspace: Mapping[str, Any]) -> list[Path]:
    def matches(patterns: Sequence[str]) -> set[Path]:
        try:
            return {path for pattern in patterns for path in root.glob(pattern)}
        except (ValueError, NotImplementedError) as error:
            file = root / "pyproject.toml"
            raise ProjectInvalid(f"{file}: tool.uv.workspace: {error}.", _MEND) from error

    found = matches(workspace.get("members", ())) - matches(workspace.get("exclude", ()))
    return sorted(path for path in found if (path / "pyproject.toml").is_file())


# --- the text ---------------------------------------------------------------------------------


def parse_file(file: Path) -> dict[str, Any]:
    """Read a pyproject.toml. Raises ProjectInvalid, naming the file and the place."""
    import tomllib  # by the first project, not by %load_ext

    try:
        pyproject = tomllib.loads(file.read_bytes().removeprefix(_BOM).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectInvalid(f"{file} cannot be read as TOML: {error}.", _MEND) from error
    except OSError as error:
        raise ProjectInvalid(f"{file} cannot be read: {error.strerror}.") from error
    for path, kind in _SHAPE.items():
        for place, value in _at(pyproject, path.split(".")):
            if not isinstance(value, kind):
                wanted = {"dict": "a table", "list": "a list", "str": "a text"}[kind.__name__]
                raise ProjectInvalid(f"{file}: {place} should be {wanted}.", _MEND)
    return pyproject


_MEND = "Mend that place; nothing was changed."
_SHAPE: dict[str, type[Any]] = {
    "project": dict,
    "project.name": str,
    "project.dependencies": list,
    "project.optional-dependencies": dict,
    "project.optional-dependencies.*": list,
    "dependency-groups": dict,
    "dependency-groups.*": list,
    "tool": dict,
    "tool.uv": dict,
    "tool.uv.dev-dependencies": list,
    "tool.uv.sources": dict,
    "tool.uv.workspace": dict,
    "tool.uv.workspace.members": list,
    "tool.uv.workspace.members.*": str,
    "tool.uv.workspace.exclude": list,
    "tool.uv.workspace.exclude.*": str,
}
"""What uvmagic itself reads of a pyproject.toml, in the order of the checks; uv judges the rest."""


def _at(value: Any, path: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The values at a path, each with its place; `*` stands for every entry."""
    if not path:
        yield "", value
        return
    step, *rest = path
    entries = list(enumerate(value)) if isinstance(value, list) else list(value.items())
    for key, entry in entries:
        if step in ("*", key):
            for place, found in _at(entry, rest):
                yield f"{key}.{place}".rstrip("."), found


@dataclass(frozen=True, slots=True)
class Dress:
    """What uv drops from a text when it edits it: the byte order mark and CRLF line endings."""

    has_bom: bool
    has_crlf: bool

    @classmethod
    def of(cls, content: bytes) -> Dress:
        """The dress that a file wears; CRLF only where every line ends so."""
        newlines = content.count(b"\n")
        has_crlf = newlines > 0 and content.count(b"\r\n") == newlines
        return cls(content.startswith(_BOM), has_crlf)

    def put_on(self, content: bytes) -> bytes:
        """The same text in this dress."""
        if self.has_crlf:
            content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if self.has_bom:
            content = _BOM + content.removeprefix(_BOM)
        return content


# --- what it asks for ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Table:
    """The list of pyproject.toml that a call means: the dependencies, a group, or an extra."""

    kind: str
    name: str = ""

    @classmethod
    def of(cls, options: Mapping[str, Sequence[str]]) -> Table:
        """The table that the options of `add` and `remove` name."""
        if options.get("--group"):
            return cls("group", options["--group"][-1])
        if options.get("--optional"):
            return cls("extra", options["--optional"][-1])
        return cls("group", "dev") if "--dev" in options else cls("project")

    @property
    def chosen(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The extras and the groups that choose it; none for the dependencies."""
        name = (self.name,)
        return name if self.kind == "extra" else (), name if self.kind == "group" else ()

    @property
    def is_development(self) -> bool:
        """Whether what it lists stays behind when a bundle is made."""
        return self.kind == "group"

    def requirements(self, pyproject: Mapping[str, Any]) -> list[str]:
        """What it lists, as text; `{include-group = …}` entries are left out."""
        if self.kind == "project":
            listed = pyproject.get("project", {}).get("dependencies", [])
        elif self.kind == "extra":
            listed = self._named(pyproject.get("project", {}).get("optional-dependencies", {}))
        else:
            listed = self._named(pyproject.get("dependency-groups", {}))
            if self.name == "dev":  # uv's older spelling, which it still honours
                uv = pyproject.get("tool", {}).get("uv", {})
                listed += uv.get("dev-dependencies", [])
        return [entry for entry in listed if isinstance(entry, str)]

    def _named(self, tables: Mapping[str, list[Any]]) -> list[Any]:
        """The entries under this table's name; uv writes names normalised."""
        wanted = normalise(self.name)
        return [e for name, listed in tables.items() if normalise(name) == wanted for e in listed]


_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)
"""A distribution's name (the names specification, packaging.python.org)."""


def parse_requirement(text: str) -> Requirement | None:
    """A PEP 508 requirement, or None for a path or a bare URL."""
    # 8 ms, which an `add` that is true already need not pay for in a new kernel
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def requirement_name(project: Project, wanted: str, cwd: Path) -> str | None:
    """The normalised name that a requirement asks for.

    A path or bare URL has none of its own: it is looked up in `[tool.uv.sources]`.
    None where that does not know it.

    Args:
        project: whose sources are asked.
        wanted: a requirement, path or URL, as given to `uv add`.
        cwd: what a relative path is relative to.
    """
    is_file = wanted.endswith((".whl", ".tar.gz", ".zip"))
    if _NAME.fullmatch(wanted) and not is_file:
        return normalise(wanted)
    requirement = None if is_file else parse_requirement(wanted)
    if requirement is not None:
        return normalise(requirement.name)
    place = re.sub(r"\[[^\[\]]*\]$", "", wanted)  # `./lib[extra]`
    if place.startswith("file://"):
        place = unquote(urlsplit(place).path)
    for name, source in _sources(project.pyproject):
        if _is_source(source, place, cwd, project.folder):
            return normalise(name)
    file = cwd / place / "pyproject.toml"  # a folder inside a workspace has only a name
    if "://" in place or not file.is_file():
        return None
    named = parse_file(file).get("project", {}).get("name")
    return normalise(named) if named else None


def lists(project: Project, table: Table, wanted: str, cwd: Path) -> bool:
    """Whether a table already says what a requirement asks for, so that adding it is no change.

    A bare name is content with any version bound that stands there; one with a bound, extras or
    a marker must stand there the same. Takes what `requirement_name` does, and the table.
    """
    name = requirement_name(project, wanted, cwd)
    entries = [e for e in table.requirements(project.pyproject) if _name_of_entry(e) == name]
    if name is None or not entries:
        return False
    if normalise(wanted) == name:
        return any(";" not in entry for entry in entries)
    ours = parse_requirement(wanted)
    if ours is None:  # a path or URL, found by its source
        return True
    return any(
        theirs is not None
        and (not ours.specifier or ours.specifier == theirs.specifier)
        and ours.extras <= theirs.extras
        and ours.url in (None, theirs.url)
        and str(ours.marker) == str(theirs.marker)
        for theirs in map(parse_requirement, entries)
    )


def _name_of_entry(entry: str) -> str | None:
    match = re.match(r"\s*([A-Za-z0-9._-]+)", entry)
    return normalise(match[1]) if match else None


def _sources(pyproject: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    sources = pyproject.get("tool", {}).get("uv", {}).get("sources", {})
    for name, entry in sources.items():
        for source in entry if isinstance(entry, list) else [entry]:
            if isinstance(source, dict):
                yield name, source


def _is_source(source: Mapping[str, str], wanted: str, cwd: Path, folder: Path) -> bool:
    """Whether a source is what a path or URL means; its own path is relative to the project."""
    if "path" in source:
        return (cwd / wanted).resolve() == (folder / source["path"]).resolve()
    if "git" in source:
        plain = rf"git\+{re.escape(source['git'])}(@[^#]*)?(#.*)?"
        return re.fullmatch(plain, wanted) is not None
    return source.get("url") == wanted
