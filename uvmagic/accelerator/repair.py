"""The cure of a lock that lacks CUDA's libraries: telling uv the wheel's own metadata. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.metadata import parse_email

from uvmagic.names import normalise
from uvmagic.sections import Sections

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvmagic.accelerator.audit import Verdict

NOTE = "uvmagic:"
"""How a comment of uvmagic's own begins."""

_PATH = ("tool", "uv", "dependency-metadata")


def requirements(metadata: bytes) -> list[str]:
    """The Requires-Dist of a METADATA file."""
    return parse_email(metadata)[0].get("requires_dist", [])


def with_metadata(text: str, verdict: Verdict, metadata: bytes) -> str:
    """The pyproject.toml that tells uv what torch's wheel for the target says of itself.

    The version has its local part: without it uv does not heed the entry. One of an earlier repair
    goes.

    Args:
        text: of the pyproject.toml of the project's root, where uv reads such entries.
        verdict: of the lock that lacks libraries.
        metadata: METADATA of the wheel that the verdict names.
    """
    raw, _ = parse_email(metadata)
    entry: dict[str, Any] = {"name": "torch", "version": verdict.version}
    if "requires_python" in raw:
        entry["requires-python"] = raw["requires_python"]
    entry["requires-dist"] = raw.get("requires_dist", [])
    if "provides_extra" in raw:
        entry["provides-extra"] = raw["provides_extra"]
    document = Sections(without(text, lambda version: version != verdict.version))
    document.append(_PATH, entry, comment(verdict))
    for made in document.entries(*_PATH)[-1:]:
        made["requires-dist"].multiline(multiline=True)
    return document.text()


def without(text: str, stays: Callable[[str], bool]) -> str:
    """The pyproject.toml without the entries of earlier repairs whose version does not stay."""
    if NOTE not in text:
        return text
    document = Sections(text)
    for position, entry in reversed(list(enumerate(document.entries(*_PATH)))):
        is_ours = document.comment_above(_PATH, position).startswith(NOTE)
        if is_ours and not stays(str(entry.get("version"))):
            document.remove(_PATH, position)
    return document.text()


def is_told_by_hand(text: str, version: str) -> bool:
    """Whether a pyproject.toml has an entry for torch that is no repair of uvmagic's."""
    document = Sections(text)
    return any(
        normalise(str(entry.get("name"))) == "torch"
        and entry.get("version") in (None, version)
        and not document.comment_above(_PATH, position).startswith(NOTE)
        for position, entry in enumerate(document.entries(*_PATH))
    )


def comment(verdict: Verdict) -> str:
    """Why the entry is there."""
    return (
        f"{NOTE} the metadata of {verdict.wheel}.\n"
        "uv reads another wheel's of the same version, which lacks CUDA's libraries for Linux."
    )


def why_not(verdict: Verdict, metadata: bytes | None) -> str:
    """Why a lock cannot be mended: what its wheel for the target says of itself, if it does."""
    if metadata is None:
        return f"{verdict.wheel} gives no metadata to mend it with"
    return f"What {verdict.wheel} says of itself does not mend it"
