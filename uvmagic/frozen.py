"""`%uv` inside a bundle: it checks and changes nothing, with no uv and no network. Pure.

A notebook's own `%uv add …` cells are then what they say: claims on the environment, verified
when the notebook reruns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.markers import default_environment
from packaging.requirements import Requirement

from uvmagic.errors import EnvironmentFixed
from uvmagic.names import normalise
from uvmagic.outcome import Outcome
from uvmagic.project import Table, parse_requirement, requirement_name

if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Callable

    from uvmagic.grammar import Command
    from uvmagic.project import Project

_WORKS = frozenset({"run", "tool", "build", "publish"})
"""Words whose work is the cell's purpose: leaving it out silently would falsify the rerun."""


def answer(
    command: Command,
    bundle: Project,
    distribution: Callable[[str], importlib.metadata.Distribution | None],
) -> Outcome:
    """What `%uv` answers in a bundle.

    Args:
        command: the call.
        bundle: the bundle as a project, for the names of paths and URLs.
        distribution: an installed distribution by normalised name, None where it is not there.

    Raises:
        EnvironmentFixed: a requirement does not hold, by name; or the word's work needs uv.
    """
    if command.word in _WORKS:
        raise EnvironmentFixed(
            f"This is a bundle: %uv {command.word} needs uv, which is not part of it.",
            "Do that work in Python, or take the cell out before bundling.",
        )
    if command.word != "add" or command.has("--dry-run"):  # that has changed nothing anywhere
        return Outcome(
            command.word,
            f"This is a bundle, its environment is fixed: %uv {command.word} was not run.",
        )
    if Table.of(command.options).is_development:
        return Outcome(
            "add",
            "This is a bundle: development requirements stayed behind; nothing to check for "
            f"{', '.join(command.positionals)}.",
        )
    if command.unknown:
        return Outcome(
            "add",
            f"This is a bundle: not checked, {', '.join(command.unknown)} is not known to uvmagic: "
            f"{', '.join(command.positionals)}.",
        )
    told = [f"{file} (not checked: a file)" for file in command.options.get("--requirements", ())]
    failed = []
    for wanted in command.positionals:
        name = requirement_name(bundle, wanted, bundle.folder)
        requirement = parse_requirement(wanted) or (Requirement(name) if name else None)
        if requirement is None:
            told.append(f"{wanted} (not checked: its name is not known here)")
            continue
        reason = unmet(requirement, distribution)
        found = distribution(normalise(requirement.name))
        if reason is not None:
            failed.append(f"{wanted}: {reason}")
        elif found is not None:
            told.append(f"{requirement.name} {found.version}")
        else:
            told.append(f"{requirement.name} (not for this platform)")
    if failed:
        raise EnvironmentFixed(
            "The bundle's environment does not have what this cell asks for:\n  "
            + "\n  ".join(failed),
            "Run the cell in the project, then bundle again.",
        )
    return Outcome("add", f"In the bundle's environment: {', '.join(told)}.")


def unmet(
    requirement: Requirement,
    distribution: Callable[[str], importlib.metadata.Distribution | None],
    extra: str = "",
    asked: frozenset[str] = frozenset(),
) -> str | None:
    """Why a requirement does not hold in an environment; None where it does.

    Its extras hold when what they require holds.

    Args:
        requirement: what to look for.
        distribution: an installed distribution by normalised name, None where it is not there.
        extra: the extra for whose sake it is asked.
        asked: what is being asked already: extras may ask for each other.
    """
    if str(requirement) in asked:
        return None
    asked |= {str(requirement)}
    marker_environment = dict[str, Any]({**default_environment(), "extra": extra})
    if requirement.marker and not requirement.marker.evaluate(marker_environment):
        return None
    found = distribution(normalise(requirement.name))
    if found is None:
        return "is not installed"
    if not requirement.specifier.contains(found.version, prereleases=True):
        return f"is {found.version}, not {requirement.specifier}"
    for name in sorted(requirement.extras):
        for text in found.requires or []:
            required = Requirement(text)
            if required.marker is None or "extra" not in str(required.marker):
                continue
            reason = unmet(required, distribution, name, asked)
            if reason is not None:
                return f"its extra [{name}] lacks {required.name}, which {reason}"
    return None
