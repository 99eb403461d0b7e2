"""The project's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.outcome import Finding

if TYPE_CHECKING:
    from uvmagic.doctor.facts import Facts


def project_missing(facts: Facts) -> Finding | None:
    """No project here."""
    if facts.project or facts.invalid or facts.unfinished:
        return None
    return Finding(
        "note",
        "No project here.",
        "Only uv, kernels and this machine were looked at.",
        f"{facts.call} init   makes this folder one.",
    )


def project_unreadable(facts: Facts) -> Finding | None:
    """A pyproject.toml that cannot be read."""
    if facts.invalid is None:
        return None
    seen, remedy = facts.invalid
    return Finding("error", seen, "Nothing that concerns the project works.", remedy)


def change_unfinished(facts: Facts) -> Finding | None:
    """A change that was killed, or is under way."""
    found = facts.unfinished
    if found is None:
        return None
    if found.is_running:
        return Finding(
            "note",
            f"{found.root} is being changed now:  {found.command}.",
            "What is told of it here may have changed when you read it.",
            f"{facts.call} doctor   once that is done.",
        )
    if not found.command:
        return Finding(
            "error",
            f"A killed change of {found.root} left a journal that cannot be read.",
            "Every change stops at it.",
            f"Look at pyproject.toml and uv.lock, then remove {found.root / '.uvmagic/journal'}.",
        )
    return Finding(
        "error",
        f"A change of {found.root} was killed:  {found.command}.",
        "pyproject.toml and uv.lock may be half of the old and half of the new.",
        f"{facts.call} doctor --fix   puts them back as they were before it.",
        ("heal",),
    )


def credentials(facts: Facts) -> Finding | None:
    """A password or a key in the project's files."""
    found = facts.project.secrets if facts.project else ()
    if not found:
        return None
    return Finding(
        "error",
        "\n".join(found),
        "Whoever gets the project has it, and so has its history in version control.",
        "Take it out, and change it where it is for. uv finds those of an index in the environment:"
        "  UV_INDEX_NAME_USERNAME, UV_INDEX_NAME_PASSWORD",
    )
