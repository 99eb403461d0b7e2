"""What secrets look like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from uvmagic.data.tables import rows, table


@dataclass(frozen=True, slots=True)
class SecretRule:
    """How a kind of secret is told from other text.

    Attributes:
        name: of the rule; a fingerprint depends on it.
        what: the kind, for people.
        begins: the texts that it may begin with.
        rest: the regular expression of what follows; its group `secret`, where it has one, is the
            secret alone.
        source: where the form is described.
        random: it must look random besides.
    """

    name: str
    what: str
    begins: tuple[str, ...]
    rest: str
    source: str
    random: bool = False


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """The files that hold secrets whatever is in them: patterns of names, as `fnmatch` has them.

    Attributes:
        patterns: of a file's name, or of the end of its path where there is a `/` in it.
        shared: names that they match and that are made to be shared.
    """

    patterns: tuple[str, ...]
    shared: tuple[str, ...]


@cache
def rules() -> tuple[SecretRule, ...]:
    """The kinds of secrets that have a form of their own; where two fit, the first is told."""
    return rows(SecretRule, table("secrets")["rules"])


@cache
def files() -> SecretFiles:
    """The names of files that hold secrets."""
    found = table("secrets")
    return SecretFiles(
        tuple(row["pattern"] for row in found["files"]), tuple(found["shared_files"])
    )


@cache
def names() -> tuple[str, ...]:
    """What names of secrets have in them, in lower case; `_` stands for itself, `-` or nothing."""
    return tuple(table("secrets")["names"])
