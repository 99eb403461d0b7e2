"""`--as-of`: resolving as the world was on a day, by uv's exclude-newer. Pure.

`uv lock` then sees only what was published before that moment. It is written to pyproject.toml,
so that the next lock is the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from uvmagic.errors import UsageError
from uvmagic.sections import Sections

if TYPE_CHECKING:
    from collections.abc import Callable

_DAY = re.compile(r"(?<!\d)(20\d{2}-\d{2}-\d{2})(?!\d)")
_EXAMPLE = "A day as in 2023-05-31, a moment as in 2023-05-31T12:00:00Z, git, or auto."


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment, and why it is that one.

    Attributes:
        moment: what was published from then on is left out; in UTC.
        why: for people: "2023-05-31, the last commit of environment.yml".
    """

    moment: datetime
    why: str

    @property
    def written(self) -> str:
        """As uv takes it (RFC 3339)."""
        return self.moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def meant(value: str, name: str, comments: str, committed: Callable[[], datetime | None]) -> AsOf:
    """The moment that the option's value means.

    `auto` takes the latest day that the file's own comments name, unless a commit is older: then
    the file was made before it. Else it takes the commit.

    Args:
        value: a day, a moment, `git` or `auto`.
        name: the file's, for people.
        comments: what the file says besides: the marks that tools leave there.
        committed: gives when the file was last committed, None where it was not.

    Raises:
        UsageError: it is none of these, or nothing tells a day.
    """
    spelled = value.strip().casefold()
    if spelled not in ("git", "auto"):
        return _given(value.strip())
    commit = committed()
    by_commit = AsOf(commit, f"{commit:%Y-%m-%d}, the last commit of {name}") if commit else None
    marks = marks_in(comments) if spelled == "auto" else []
    by_mark = AsOf(_end_of(marks[-1]), f"{marks[-1]}, by {name}'s own words") if marks else None
    known = [one for one in (by_mark, by_commit) if one]
    if not known:
        besides = "" if spelled == "git" else ", and its own words tell no day"
        raise UsageError(
            f"--as-of {spelled}: {name} is in no commit of git{besides}.",
            "Give the day:  --as-of 2023-05-31",
        )
    return min(known, key=lambda one: one.moment) if by_mark else known[0]


def marks_in(comments: str) -> list[date]:
    """The days that a text names, oldest first."""
    found = set()
    for text in _DAY.findall(comments):
        try:
            found.add(date.fromisoformat(text))
        except ValueError:
            continue
    return sorted(found)


def _given(value: str) -> AsOf:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return AsOf(_end_of(date.fromisoformat(value)), value)
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise UsageError(f"--as-of {value}: no day and no moment.", _EXAMPLE) from error
    if moment.tzinfo is None:
        raise UsageError(f"--as-of {value}: in which time zone?", f"For UTC:  --as-of {value}Z")
    return AsOf(moment.astimezone(UTC), value)


def _end_of(day: date) -> datetime:
    """The moment at which a day is over."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def put_into(text: str, as_of: AsOf) -> str:
    """A pyproject.toml that resolves as of a moment, with a comment that says why.

    Takes a text that parses, with bare newlines at the line ends.
    """
    import tomlkit

    document = Sections(text)
    value = tomlkit.string(as_of.written)
    value.comment(f"as of {as_of.why}")
    document.set(("tool", "uv", "exclude-newer"), value)
    return document.text()
