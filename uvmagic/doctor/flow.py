"""`doctor`: facts, what the checks find in them, and `--fix`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import grammar
from uvmagic.change.flow import change
from uvmagic.change.place import heal_if_needed
from uvmagic.doctor.examine import examine
from uvmagic.doctor.gather import gather
from uvmagic.errors import Interrupted, UvmagicError
from uvmagic.kernel import registry
from uvmagic.outcome import LEVELS, Outcome
from uvmagic.progress import Progress
from uvmagic.system.host import shorten
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uvmagic.doctor.facts import Facts
    from uvmagic.grammar import Command
    from uvmagic.outcome import Finding
    from uvmagic.system.host import Host
    from uvmagic.system.settings import Setting


def doctor(command: Command, host: Host) -> Outcome:
    """Tell what will go wrong and its remedy; with `--fix` do what is safe and tell what is left.

    Raises:
        Interrupted: by the user.
    """
    folder = host.cwd
    host.reporter.progress(Progress("Looking at project, environment and kernels"))
    facts = gather(folder, host)
    findings = examine(facts)
    notes: list[str] = []
    if command.has("--fix"):
        notes = list(_fixed(findings, folder, host))
        if notes:
            facts = gather(folder, host)
            findings = examine(facts)
    next_steps = []
    if any(finding.fix for finding in findings) and not command.has("--fix"):
        ids = ", ".join(finding.id for finding in findings if finding.fix)
        next_steps.append(f"{facts.call} doctor --fix   does what is safe of this: {ids}.")
    return Outcome(
        "doctor",
        _title(findings),
        facts=tuple(_told(facts)),
        notes=tuple(notes),
        next_steps=tuple(next_steps),
        data={
            "findings": [dataclasses.asdict(finding) for finding in findings],
            "settings": [_row(setting) for setting in facts.settings.all],
        },
        exit_code=1 if any(finding.level == "error" for finding in findings) else 0,
        findings=findings,
    )


def _title(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.level for finding in findings)
    told = ", ".join(
        f"{counts[level]} {level}{'s' if counts[level] > 1 else ''}"
        for level in LEVELS
        if counts[level]
    )
    if counts["error"] or counts["warning"]:
        return f"{told}."
    return f"All is well; {told}." if told else "All is well."


# --- fixing ---------------------------------------------------------------------------------------


def _fixed(findings: Sequence[Finding], folder: Path, host: Host) -> Iterator[str]:
    """Do what is safe, in an order in which each finds what it needs; a sentence on each.

    What fails leaves the files as they were, and its finding stands.
    """
    fixes: dict[str, list[str]] = {}
    for finding in findings:
        if finding.fix:
            word, *names = finding.fix
            fixes.setdefault(word, []).extend(names)
    if "heal" in fixes:
        yield from _tried("The killed change", lambda: heal_if_needed(folder, host) or "")
    if "sync" in fixes or "reinstall" in fixes:
        names = fixes.get("reinstall", [])
        yield from _tried("The sync", lambda: _synced(folder, names, host))
    if "prune" in fixes:
        yield from _tried("The kernels", lambda: _pruned(fixes["prune"]))


def _tried(what: str, does: Callable[[], str]) -> Iterator[str]:
    try:
        yield does()
    except Interrupted:
        raise
    except UvmagicError as error:
        yield f"{what} could not be mended: {error.message}"


def _synced(folder: Path, reinstalled: Sequence[str], host: Host) -> str:
    """Let uv make the environment what the lock says; what it does not know stays."""
    options = [token for name in reinstalled for token in ("--reinstall-package", name)]
    command = grammar.parse(["sync", "--inexact", "--project", str(folder), *options])
    # neither is pyproject.toml given more, nor does the notebook move
    staying = dataclasses.replace(host.staying(), auto_register=False)
    outcome = change(command, staying)
    told = f"{outcome.title} Installed anew: {', '.join(reinstalled)}." if reinstalled else ""
    changes = ", ".join(f"{c.sign} {c.name} {c.versions}" for c in outcome.changes)
    return " ".join(filter(None, [told or outcome.title, changes, *outcome.notes]))


def _pruned(names: Sequence[str]) -> str:
    for kernel in registry.installed():
        if kernel.name in names and kernel.is_dead:
            registry.remove(kernel)
    return f"Removed {len(names)} kernel{'s' if len(names) > 1 else ''} whose project is gone."


# --- what is told besides -----------------------------------------------------------------------


def _told(facts: Facts) -> Iterator[tuple[str, str]]:
    """What was looked at, and which setting wins and why."""
    if facts.uv.path:
        yield "uv", f"{facts.uv.version} ({shorten(Path(facts.uv.path))})"
    if facts.project is not None:
        own = facts.project.environment
        yield "project", f"{facts.project.name} in {shorten(facts.project.root)}"
        if own.links is not None and own.exists:
            size, shared = own.links.space.bytes, own.links.space.shared
            yield (
                "environment",
                f"{shorten(own.folder)} (Python {own.python}, {in_bytes(size)},"
                f" {in_bytes(shared)} of it linked from uv's cache)",
            )
    for setting in facts.settings.all:
        if setting.row.shown or setting.winner.where:
            yield setting.row.label, setting.told(shorten)


def _row(setting: Setting) -> dict[str, object]:
    """A setting for `--json`."""
    return {
        "name": setting.row.name,
        **dataclasses.asdict(setting.winner),
        "overridden": [dataclasses.asdict(one) for one in setting.overridden],
    }
