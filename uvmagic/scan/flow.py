"""`scan`: surveyed, judged, told; and with `--add` one change of the project."""

from __future__ import annotations

import dataclasses
import platform
from typing import TYPE_CHECKING, Any

from uvmagic import project
from uvmagic.change.flow import change
from uvmagic.change.place import heal_if_needed, start_folder
from uvmagic.change.transacted import First, changed
from uvmagic.errors import NotebookUnknown, ProjectMissing, UsageError
from uvmagic.grammar import Command, near
from uvmagic.kernel.whereabouts import Whereabouts
from uvmagic.lockfile import Lockfile
from uvmagic.outcome import Outcome
from uvmagic.progress import Progress
from uvmagic.scan import past
from uvmagic.scan.judge import WRONG, Declared, Finding, Kind, judged, local_places
from uvmagic.scan.names import Names
from uvmagic.scan.survey import Survey, files_in, survey
from uvmagic.system.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uvmagic.project import Project
    from uvmagic.scan.found import Place
    from uvmagic.system.host import Host

_SIGNS: dict[Kind, str] = {
    "missing": "!",
    "unknown": "!",
    "transitive": "~",
    "development": "~",
    "shadowed": "~",
    "gone": "~",
    "elsewhere": "~",
    "standard": "~",
    "optional": "=",
    "unused": "=",
}
_COUNTED: dict[Kind, str] = {
    "missing": "missing",
    "unknown": "of an unknown distribution",
    "transitive": "only through another",
    "development": "only in a group",
    "shadowed": "shadowed",
    "gone": "of another Python",
    "elsewhere": "on no index",
    "unused": "not imported",
}
"""How the title counts; optional ones are not counted."""
_MOST_TOLD = 20
"""The files that are named one by one where many cannot be read."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Scanned:
    """What was looked at, and what was found.

    Attributes:
        folder: what paths are told relative to.
        targets: the files that the call means.
        others: those that lie in another project than the first.
        found: the project that it was held against, None without one.
        survey: what was read.
        findings: what there is to tell.
    """

    folder: Path
    targets: Sequence[Path]
    others: Sequence[Path]
    found: Project | None
    survey: Survey
    findings: Sequence[Finding]

    def of(self, *kinds: Kind) -> list[Finding]:
        """The findings of some kinds."""
        return [finding for finding in self.findings if finding.kind in kinds]


def scan(command: Command, host: Host) -> Outcome:
    """Hold what notebooks import against what their project asks for; with `--add`, add it.

    Raises:
        NotebookUnknown, ProjectInvalid, UsageError: nothing was scanned.
        ProjectMissing: nothing can be added.
        UvFailed, ChangeRejected, …: as `add` does.
    """
    if command.has("--as-of") and not command.has("--add"):
        raise UsageError("--as-of is for what is added.", "Add it:  %uv scan --add --as-of auto")
    folder = start_folder(command, host)
    if command.has("--add"):
        heal_if_needed(folder, host)
    scanned = _scanned(command, host, folder)
    if command.has("--add"):
        return _added(scanned, command, host)
    return _told(scanned, host)


# --- what is looked at ----------------------------------------------------------------------------


def _scanned(command: Command, host: Host, folder: Path) -> _Scanned:
    here = _project(folder)
    meant = _targets(command, host, here.folder if here else folder)
    found = _project(meant[0].parent) or here
    owners = {parent: _project(parent) for parent in {target.parent for target in meant}}
    targets = [one for one in meant if _is_of(owners[one.parent], found)]
    environment = Environment(found.environment(host.environ)) if found else None
    lock = _lock(found) if found else None
    names = Names(
        environment.modules() if environment else {},
        frozenset(lock.versions()) if lock else frozenset(),
    )
    roots = _roots(found, lock) if found else []
    host.reporter.progress(Progress(f"Reading {len(targets)} file{'s' * (len(targets) != 1)}"))
    made = survey(targets, roots, names.is_known)
    if made.unread and len(targets) == 1 and targets[0] == made.unread[0][0]:
        raise made.unread[0][1]
    is_whole = bool(found) and not command.positionals and not _open(host)
    used = None
    if found and is_whole:
        scripts = set(files_in(found.folder, (".py",))) - made.read
        used = [one.module for one in survey(sorted(scripts), roots, names.is_known).imports]
    declared = Declared.of(found.pyproject if found else {}, found.name if found else "")
    python = (environment and environment.python_version()) or platform.python_version()
    findings = judged(made, names, declared, lock, python, used)
    others = [one for one in meant if one not in targets]
    return _Scanned(folder, targets, others, found, made, findings)


def _project(folder: Path) -> Project | None:
    try:
        return project.find(folder)
    except ProjectMissing:
        return None


def _is_of(owner: Project | None, found: Project | None) -> bool:
    """Whether a file is held against a project: it lies in it, or in none."""
    return owner is None or (found is not None and owner.folder == found.folder)


def _lock(found: Project) -> Lockfile | None:
    if not found.lock.is_file():
        return None
    return Lockfile(found.lock.read_text(encoding="utf-8"))


def _roots(found: Project, lock: Lockfile | None) -> list[Path]:
    """Where the project's own modules are, and those of what it has by path."""
    places = [found.root / place for place in local_places(lock).values()] if lock else []
    folders = dict.fromkeys([found.folder, *places])
    return [root for folder in folders for root in (folder, folder / "src")]


def _open(host: Host) -> Path | None:
    """The notebook that the call comes from, where the front end tells it."""
    return host.frontend.notebook if host.frontend else None


def _targets(command: Command, host: Host, default: Path) -> list[Path]:
    """The files that a call means: those named, the open notebook, else all of the project."""
    if not command.positionals:
        opened = _open(host)
        targets = [opened.resolve()] if opened else files_in(default.resolve(), (".ipynb",))
        if not targets:
            raise NotebookUnknown(
                f"There is no notebook in {default}.", "Name one, or a folder:  scan PATH"
            )
        return targets
    targets = []
    for named in command.positionals:
        path = (host.cwd / named).resolve()
        if path.is_dir():
            targets += files_in(path, (".ipynb",))
        elif path.is_file() and path.suffix in (".ipynb", ".py"):
            targets.append(path)
        elif path.exists():
            raise UsageError(f"{named} is neither a notebook, a .py file nor a folder.")
        else:
            beside = [one.name for one in path.parent.glob("*.*")] if path.parent.is_dir() else []
            meant = near(path.name, beside)
            hint = f"Did you mean {meant}?" if meant else None
            raise NotebookUnknown(f"There is no {named}.", hint)
    return list(dict.fromkeys(targets))


# --- what is told ---------------------------------------------------------------------------------


def _told(scanned: _Scanned, host: Host) -> Outcome:
    call = "%uv" if host.frontend else "uvmagic"
    return Outcome(
        "scan",
        _title(scanned),
        facts=(("project", scanned.found.name),) if scanned.found else (("project", "none here"),),
        rows=tuple(_row(finding, scanned) for finding in scanned.findings),
        notes=tuple(_notes(scanned)),
        next_steps=tuple(_steps(scanned, call)),
        data=_data(scanned),
        exit_code=int(scanned.found is not None and bool(scanned.of(*WRONG))),
    )


def _title(scanned: _Scanned) -> str:
    counts = [
        f"{count} {told}" for kind, told in _COUNTED.items() if (count := len(scanned.of(kind)))
    ]
    number = len(scanned.targets)
    where = scanned.targets[0].name if number == 1 else f"{number} files"
    if scanned.found is None and scanned.of("missing", "unknown"):
        count = len(scanned.of("missing", "unknown"))
        return f"{where}: {count} to have from elsewhere; there is no project here."
    whole = "all that it imports is asked for" if number == 1 else "all imports are asked for"
    return f"{where}: {', '.join(counts) or whole}."


def _row(finding: Finding, scanned: _Scanned) -> tuple[str, ...]:
    told = finding.told
    if scanned.found is None and finding.kind == "missing":
        told = finding.distribution
    return _SIGNS[finding.kind], finding.name, told, _where(finding.places, scanned.folder)


def _where(places: Sequence[Place], folder: Path) -> str:
    if not places:
        return ""
    more = f", {len(places) - 1} more" if len(places) > 1 else ""
    return _spelled(places[0], folder) + more


def _spelled(place: Place, folder: Path) -> str:
    inside = place.cell if place.cell else place.line
    return f"{_relative(place.file, folder)} {'cell' if place.cell else 'line'} {inside}"


def _relative(file: Path, folder: Path) -> str:
    folder = folder.resolve()
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)


def _notes(scanned: _Scanned) -> list[str]:
    made, folder = scanned.survey, scanned.folder
    notes = [
        f"{_spelled(one.place, folder)} is no Python: {one.told}; its imports were read line by "
        "line."
        for one in made.broken
    ]
    notes += [error.message for _, error in made.unread]
    notes += [f"{_relative(file, folder)} {why}: passed over." for file, why in made.passed]
    if scanned.others:
        lie = f"{len(scanned.others)} more lie" if len(scanned.others) > 1 else "1 more lies"
        notes.append(
            f"{lie} in other projects, as {_relative(scanned.others[0], folder)} does: scan those "
            "by themselves."
        )
    left = len(notes) - _MOST_TOLD
    return notes if left <= 0 else [*notes[:_MOST_TOLD], f"And {left} more like these."]


def _steps(scanned: _Scanned, call: str) -> list[str]:
    steps = []
    addable = [finding.distribution for finding in scanned.of("missing")]
    if scanned.found is None:
        if addable:
            steps.append(f"{call} init  makes this folder a project;  {call} scan --add  fills it.")
        return steps
    if addable:
        steps.append(f"{call} scan --add  adds {', '.join(addable)}.")
    steps += [
        f"{call} add NAME  with the distribution that has {finding.name}; {finding.distribution} "
        "would be of the same name, and may be another's."
        for finding in scanned.of("unknown")
        if finding.distribution
    ]
    kept = [finding.distribution for finding in scanned.of("transitive", "development")]
    if kept:
        steps.append(f"{call} add {' '.join(kept)}  makes the project itself ask for it.")
    return steps


def _data(scanned: _Scanned) -> dict[str, Any]:
    folder = scanned.folder
    return {
        "files": len(scanned.survey.read),
        "findings": [
            {
                "kind": finding.kind,
                "name": finding.name,
                "distribution": finding.distribution or None,
                "by": finding.by or None,
                "told": finding.told,
                "places": [_json(place, folder) for place in finding.places],
            }
            for finding in scanned.findings
        ],
        "broken": [{**_json(one.place, folder), "told": one.told} for one in scanned.survey.broken],
        "unread": [
            {"file": _relative(file, folder), "told": error.message}
            for file, error in scanned.survey.unread
        ],
    }


def _json(place: Place, folder: Path) -> dict[str, Any]:
    return {"file": _relative(place.file, folder), "cell": place.cell, "line": place.line}


# --- what is added --------------------------------------------------------------------------------


def _added(scanned: _Scanned, command: Command, host: Host) -> Outcome:
    """Add what is missing, in one change; gives its report, and what remains to be done."""
    if scanned.found is None:
        raise ProjectMissing(
            f"There is no project here to add to, in {scanned.folder} or above it.",
            "Run  %uv init  first.",
        )
    wanted = [finding.distribution for finding in scanned.of("missing")]
    if not wanted and not command.has("--as-of"):
        return _told(scanned, host)
    outcome = _change(wanted, scanned, scanned.found, command, host)
    rest = dataclasses.replace(
        scanned, findings=[one for one in scanned.findings if one.kind != "missing"]
    )
    told = _told(rest, host)
    return dataclasses.replace(
        outcome,
        word="scan",
        rows=told.rows,
        notes=(*outcome.notes, *told.notes),
        next_steps=(*outcome.next_steps, *told.next_steps),
        data={**outcome.data, **_data(scanned), "added": wanted},
        exit_code=outcome.exit_code or told.exit_code,
    )


def _change(
    wanted: Sequence[str], scanned: _Scanned, found: Project, command: Command, host: Host
) -> Outcome:
    options: dict[str, tuple[str, ...]] = {}
    argv = list(wanted)
    here = _project(start_folder(command, host))
    if here is None or here.folder != found.folder:  # that of the files, elsewhere
        options["--project"] = (str(found.folder),)
        argv += ["--project", str(found.folder)]
    if command.has("--dry-run"):
        options["--dry-run"] = ()
    # with nothing to add, what is there is resolved anew
    call = Command("add" if wanted else "sync", tuple(wanted), options, tuple(argv))
    value = command.value("--as-of")
    if value is None:
        return change(call, host)
    moment = past.meant(value, scanned.targets, "\n".join(scanned.survey.marks), host)
    folder = start_folder(call, host)
    if host.frontend is not None:
        Whereabouts.of(folder, host).stop_if_unclear("add")
    ran = {file: v for file, v in scanned.survey.pythons.items() if file in scanned.targets}
    first = First("scan --add --as-of", lambda calls: past.restored(calls, moment, ran))
    return changed(call, host, folder, first)
