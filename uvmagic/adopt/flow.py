"""`adopt`: read, planned, and then one change of one project, which is made if there is none."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from typing import TYPE_CHECKING, Any

from uvmagic import as_of, project
from uvmagic.adopt import probe, sources
from uvmagic.adopt.apply import is_path, place_of, placed, write
from uvmagic.adopt.builds import options
from uvmagic.adopt.lines import Left, Line, Requires
from uvmagic.adopt.plan import planned
from uvmagic.change import report
from uvmagic.change.init import init
from uvmagic.change.place import heal_if_needed, start_folder
from uvmagic.change.transacted import First, changed
from uvmagic.errors import ProjectMissing, UsageError, UvFailed
from uvmagic.grammar import CHOICES, Command
from uvmagic.kernel.whereabouts import Whereabouts
from uvmagic.project import Table
from uvmagic.system import files, git
from uvmagic.system.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uvmagic.adopt.lines import Source
    from uvmagic.adopt.plan import Plan, Row
    from uvmagic.as_of import AsOf
    from uvmagic.outcome import Outcome
    from uvmagic.project import Project
    from uvmagic.system.host import Host

_PASSED_ON = ("--dry-run", "--group", "--mirror", "--python", *CHOICES)
"""Options that mean the change itself."""
_SIGNS = {"left": "!", "changed": "~", "adopted": "+", "covered": "="}
"""How the table marks what became of a line, those to look at first."""


def adopt(command: Command, host: Host) -> Outcome:
    """Have a project ask for what another tool's file, or an environment, asks for.

    Raises:
        UsageError, SourceInvalid, ProjectUnclear, ProjectInvalid, UvUnavailable: nothing was tried.
        UvFailed, ChangeRejected, FilesUnwritable, Interrupted: the files are as they were, byte
            for byte; a project that was made for it is gone again.
    """
    if len(command.positionals) != 1:
        example = "For instance  %uv adopt environment.yml"
        raise UsageError("adopt takes one file, or one environment.", example)
    folder = start_folder(command, host)
    source = sources.read(command.positionals[0], folder, host.environ)
    healed = heal_if_needed(folder, host)
    with report.told_also(healed):
        found = _project(folder, command.positionals[0], host)
        plan = _planned(source, command, found)
        moment = _moment(command, source, host)
        try:
            outcome = _adopted(plan, source, command, host, found, moment)
        except UvFailed as failure:
            absent = probe.absent(plan, found.folder if found else folder, host)
            if not absent:
                failure.message = f"{source.name} was not adopted.\n{failure.message}"
                failure.hint = failure.hint or _HINT
                raise
            plan = plan.without(absent)
            outcome = _adopted(plan, source, command, host, found, moment)
    return report.with_note(_told(outcome, plan, source, moment), healed)


_HINT = (
    "Loosen the lines of the source that uv names, or resolve as the world was when it was "
    "written:  --as-of auto"
)


def _project(folder: Path, named: str, host: Host) -> Project | None:
    """The project that the call means, None where one is to be made."""
    own = folder / "pyproject.toml"
    is_own = (folder / named).resolve() == own.resolve()
    if is_own and "project" not in project.parse_file(own):
        return None
    try:
        found = project.find(folder)
    except ProjectMissing:
        return None
    if host.frontend is not None:
        where = Whereabouts.of(folder, host)
        where.stop_if_unclear("adopt")
        found = where.here or found
    return found


def _planned(source: Source, command: Command, found: Project | None) -> Plan:
    """The plan. Raises UsageError where nothing in the source asks for a requirement."""
    plan = planned(
        [_if_there(line, source.folder) for line in source.lines],
        group=command.value("--group") or "",
        backends=[option for option in CHOICES if command.has(option)],
        python=command.value("--python") or "",
        pyproject=found.pyproject if found else None,
    )
    if not plan.additions and not plan.constraints:
        told = "\n".join(f"  {_SIGNS[row.outcome]} {row.text}: {row.told}" for row in plan.rows)
        raise UsageError(f"{source.name} asks for nothing that uv could add.\n{told}".rstrip())
    return plan


def _if_there(line: Line, folder: Path) -> Line:
    """A line that asks for no path that leads nowhere."""
    asks = tuple(
        Left(f"{ask.requirement} is not there: bring it along, or leave it out")
        if isinstance(ask, Requires)
        and is_path(ask.requirement)
        and not place_of(ask.requirement, folder).exists()
        else ask
        for ask in line.asks
    )
    return dataclasses.replace(line, asks=asks)


def _moment(command: Command, source: Source, host: Host) -> AsOf | None:
    value = command.value("--as-of")
    if value is None:
        return None
    file = start_folder(command, host) / source.name
    return as_of.meant(
        value, source.name, source.comments, lambda: git.last_commit(file, host.environ)
    )


# --- the change -----------------------------------------------------------------------------------


def _adopted(
    plan: Plan,
    source: Source,
    command: Command,
    host: Host,
    found: Project | None,
    moment: AsOf | None,
) -> Outcome:
    folder = start_folder(command, host)
    call = _call(plan, source, command, host)
    told = f"adopt {source.name}"
    with _made_if_needed(folder, source, command, host, found):
        first = First(told, lambda calls: write(plan, calls, source.folder, moment, found is None))
        return changed(call, host, folder, first)


def _call(plan: Plan, source: Source, command: Command, host: Host) -> Command:
    """The change as an `add` of what the project itself is to list; `write` has listed it."""
    given = {name: command.options[name] for name in _PASSED_ON if command.has(name)}
    if not command.has(*(option for option in CHOICES if option != "--mirror")):
        given |= options(plan.backend)
    main = Table.of(given)
    asked = [one.requirement for one in plan.additions if one.table == main]
    wanted = tuple(placed(one, source.folder, host.cwd) for one in asked)
    return Command("add", wanted, given, ())


@contextlib.contextmanager
def _made_if_needed(
    folder: Path, source: Source, command: Command, host: Host, found: Project | None
) -> Iterator[None]:
    """A project in the folder; one that was made goes again where the block fails, or is dry."""
    if found is not None:
        yield
        return
    file = folder / "pyproject.toml"
    before = file.read_bytes() if file.exists() else None
    there = {folder / name for name in (".venv", "uv.lock") if (folder / name).exists()}
    kept = False
    try:
        init(_init_call(source, command), host.staying())
        yield
        kept = not command.has("--dry-run")
    finally:
        if not kept:
            with held_back():
                _unmake(folder, before, there)


def _init_call(source: Source, command: Command) -> Command:
    """The call of `init` that makes the project."""
    given: dict[str, tuple[str, ...]] = {}
    if python := command.value("--python"):
        given["--python"] = (python,)
    if source.project:
        given["--name"] = (source.project,)
    argv = [token for name, values in given.items() for token in (name, *values)]
    return Command("init", (), given, tuple(argv))


def _unmake(folder: Path, before: bytes | None, there: set[Path]) -> None:
    """Leave a folder as it was before a project was made in it."""
    file = folder / "pyproject.toml"
    if before is None:
        file.unlink(missing_ok=True)
    else:
        files.write_atomically(file, before)
    files.forget(folder)
    for made in {folder / ".venv", folder / "uv.lock"} - there:
        if made.is_dir():
            shutil.rmtree(made, ignore_errors=True)
        else:
            made.unlink(missing_ok=True)


# --- what is told ---------------------------------------------------------------------------------


def _told(outcome: Outcome, plan: Plan, source: Source, moment: AsOf | None) -> Outcome:
    rows = sorted(plan.rows, key=lambda row: list(_SIGNS).index(row.outcome))
    is_dry = "diff" in outcome.data
    left = plan.count("left")
    title = f"{'Would adopt' if is_dry else 'Adopted'} {source.name}: "
    title += f"{len(plan.rows) - left} of {len(plan.rows)} lines"
    title += f"; {left} to look at" if left else ""
    title += "; nothing was changed" if is_dry else ""
    more: dict[str, Any] = {
        "lines": [_json(row) for row in plan.rows],
        "as_of": moment.written if moment else None,
    }
    return dataclasses.replace(
        outcome,
        word="adopt",
        title=title,
        rows=tuple((_SIGNS[row.outcome], *_cells(row, source)) for row in rows),
        data={**outcome.data, **more},
    )


def _cells(row: Row, source: Source) -> tuple[str, str, str]:
    """Where a line stands, the line, what became of it."""
    place = row.place.removeprefix(f"{source.name}:")
    return place, _short(row.text), row.told or row.outcome


def _short(text: str, width: int = 48) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _json(row: Row) -> dict[str, Any]:
    return {
        "file": row.line.file,
        "line": row.line.first,
        "text": row.text,
        "outcome": row.outcome,
        "told": row.told,
    }
