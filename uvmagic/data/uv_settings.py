"""The settings of uv's that several places may say something of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from uvmagic.data.tables import rows, table


@dataclass(frozen=True, slots=True)
class UvSetting:
    """A setting of uv's that several places may say something of.

    Attributes:
        name: as uv spells it in a file.
        label: what it is, for people.
        variables: of the environment; the first that is set counts.
        keys: in `[tool.uv]` and uv.toml.
        shown: whether it is told in any case.
        locks: whether uv.lock depends on it.
        adds_up: whether all that is said counts, and not the first alone.
        default: what holds where nobody says anything.
    """

    name: str
    label: str
    variables: tuple[str, ...]
    keys: tuple[str, ...] = ()
    shown: bool = False
    locks: bool = False
    adds_up: bool = False
    default: str = ""


@cache
def uv_settings() -> tuple[UvSetting, ...]:
    """The settings of uv's that are looked into."""
    return rows(UvSetting, table("uv_settings")["settings"])
