"""A plan written to pyproject.toml: requirements by uv itself, the rest beside them.

Within a change's transaction: what fails here is undone with all else.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from uvmagic import as_of, project
from uvmagic.change import chosen
from uvmagic.change.session import AS_THEY_WERE
from uvmagic.errors import ChangeRejected
from uvmagic.sections import Sections
from uvmagic.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import Any

    from uvmagic.accelerator.present import Placed
    from uvmagic.adopt.plan import Addition, Plan
    from uvmagic.as_of import AsOf
    from uvmagic.change.calls import Calls
    from uvmagic.project import Table

_UV = ("tool", "uv")


def write(plan: Plan, calls: Calls, folder: Path, moment: AsOf | None, is_new: bool) -> list[str]:
    """Have pyproject.toml say what a plan comes to. Gives notes.

    Args:
        plan: what is to be said.
        calls: runs uv in the project, whose journal is open.
        folder: what paths in the plan are relative to.
        moment: what `--as-of` means, None without it.
        is_new: the project was made for it, and has the source's Python.

    Raises:
        UvFailed: uv takes a requirement for none.
        ChangeRejected: uv reports success, and a requirement is not there.
    """
    file = calls.project.file
    cwd = calls.host.cwd
    there = replace(plan, indexes=[_seen_from(one, folder, file.parent) for one in plan.indexes])
    torch, _ = chosen.placed(calls.command, calls.host, calls.project)
    text = settled(_text(file), there, moment, torch, is_new=is_new)
    write_atomically(file, text.encode())
    for (table, is_editable), asked in _by_call(plan.additions).items():
        tokens = [placed(one.requirement, folder, cwd) for one in asked]
        options = [*_options_of(table), *(["--editable"] if is_editable else [])]
        options += ["--no-workspace"] if any(map(is_path, tokens)) else []
        calls.run("add", "--frozen", *options, "--", *tokens)
    named = {one.name: one.index for one in plan.additions if one.index}
    if named:
        write_atomically(file, _with_sources(_text(file), named).encode())
    _verify(plan, calls, folder)
    return [f"Resolved as of {moment.why}: exclude-newer in [tool.uv] says so."] if moment else []


def settled(
    text: str, plan: Plan, moment: AsOf | None, torch: Sequence[Placed], *, is_new: bool
) -> str:
    """A pyproject.toml with all of a plan but its requirements; torch's places are given. Pure."""
    document = Sections(text)
    if is_new and plan.python:
        document.set(("project", "requires-python"), plan.python)
    for key, value in plan.settings.items():
        before = document.table(*_UV).get(key, []) if document.has(*_UV, key) else []
        more = [v for v in value if v not in before] if isinstance(value, list) else []
        document.set((*_UV, key), [*before, *more] if isinstance(value, list) else value)
    if plan.constraints:
        key = "constraint-dependencies"
        before = list(document.table(*_UV).get(key, [])) if document.has(*_UV, key) else []
        kept = [one for one in plan.constraints if one not in before]
        document.set((*_UV, key), [*before, *kept])
    known = {str(entry.get("url")) for entry in document.entries(*_UV, "index")}
    for entry in plan.indexes:
        if entry["url"] not in known:
            document.append((*_UV, "index"), dict(entry))
    if moment is None:
        return document.text()
    for one in torch:
        _let_be_newer(document, one)
    return as_of.put_into(document.text(), moment)


def _seen_from(index: dict[str, Any], folder: Path, root: Path) -> dict[str, Any]:
    """An index whose folder is relative to the project; an address as it is."""
    url = str(index["url"])
    return index if "://" in url else {**index, "url": placed(f"./{url}", folder, root)}


def _let_be_newer(document: Sections, torch: Placed) -> None:
    """PyTorch's index tells no dates, and what has none is left out by exclude-newer."""
    entries = document.entries(*_UV, "index")
    there = [entry for entry in entries if entry.get("name") == torch.index]
    if there:
        there[0]["exclude-newer"] = False
        return
    entry: dict[str, Any] = {"name": torch.index, "url": torch.url, "explicit": True}
    entry |= {"format": torch.format} if torch.format != "simple" else {}
    document.append((*_UV, "index"), {**entry, "exclude-newer": False})


def _with_sources(text: str, named: dict[str, str]) -> str:
    """A pyproject.toml whose sources name an index for some packages."""
    document = Sections(text)
    for name, index in named.items():
        document.set((*_UV, "sources", name), {"index": index})
    return document.text()


def _by_call(additions: Iterable[Addition]) -> dict[tuple[Table, bool], list[Addition]]:
    """The requirements of each call of `uv add`: those of one list, editable or not."""
    found: dict[tuple[Table, bool], list[Addition]] = {}
    for one in additions:
        found.setdefault((one.table, one.is_editable), []).append(one)
    return found


def placed(requirement: str, folder: Path, cwd: Path) -> str:
    """A requirement whose path is relative to the current folder; any other as it is."""
    if not is_path(requirement):
        return requirement
    place, bracket, extras = requirement.partition("[")
    whole = place_of(requirement, folder)
    relative = os.path.relpath(whole, cwd).replace(os.sep, "/")
    kept = relative if relative.startswith("..") else f"./{relative}"
    return f"{kept}{bracket}{extras}" if not place.startswith("/") else requirement


def place_of(requirement: str, folder: Path) -> Path:
    """Where a requirement that is a path leads, from a folder."""
    place = requirement.partition("[")[0]
    return (folder / place).expanduser() if place.startswith("~") else folder / place


def is_path(requirement: str) -> bool:
    """Whether a requirement is a path to a distribution, and no name and no URL."""
    is_file = requirement.endswith((".whl", ".tar.gz", ".zip"))
    starts = requirement.startswith((".", "/", "~"))
    return "://" not in requirement and " @ " not in requirement and (starts or is_file)


def _options_of(table: Table) -> list[str]:
    """The options of `uv add` that mean a list."""
    option = {"extra": "--optional", "group": "--group"}.get(table.kind)
    return [option, table.name] if option else []


def _verify(plan: Plan, calls: Calls, folder: Path) -> None:
    """Every requirement is in its list now."""
    found = project.find(calls.project.folder)
    cwd = calls.host.cwd
    for one in plan.additions:
        wanted = placed(one.requirement, folder, cwd)
        name = project.requirement_name(found, wanted, cwd)
        listed = {
            project.requirement_name(found, entry, cwd)
            for entry in one.table.requirements(found.pyproject)
        }
        if name is None or name not in listed:
            raise ChangeRejected(
                f"uv reports success, but {wanted} is not in pyproject.toml; {AS_THEY_WERE}.",
                "Please report this with the output of  uv --version.",
            )


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")
