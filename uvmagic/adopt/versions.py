"""Version constraints of other tools as PEP 440 specifiers. Pure.

Sources: conda's "Package match specifications" (docs.conda.io), poetry's "Dependency
specification" (python-poetry.org/docs), PEP 440.
"""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

_CLAUSE = re.compile(
    r"(?P<operator>===|==|~=|!=|<=|>=|<|>|=|\^|~)?\s*(?P<version>(?:\d+!)?[^\s,|=<>!~^]+)"
)


class NoPep440(ValueError):
    """A constraint that PEP 440 cannot say."""


def from_conda(constraint: str) -> tuple[str, str]:
    """A conda constraint (`=1.2`, `1.2.*`, `>=1,<2|3.*`) as a specifier, and what was given up.

    `=1.2` is any 1.2; a bare version is that version. Where alternatives are allowed, the last is
    taken: PEP 440 has no "or".

    Raises:
        NoPep440: no specifier says it.
    """
    kept, told = _last_alternative(constraint.strip(), "|")
    clauses = []
    for operator, version in _clauses(kept):
        bare = version.removesuffix("*").removesuffix(".")
        if bare in ("", "*"):
            continue
        is_any = version != bare
        if operator == "=" or (operator in ("", "==") and is_any):
            clauses.append(f"=={bare}.*")
        elif operator in ("", "=="):
            clauses.append(f"=={bare}")
        elif operator == "!=":
            clauses.append(f"!={version}")
        else:  # `>=1.2.*`, which conda reads as `>=1.2`
            clauses.append(f"{operator}{bare}")
    return _checked(clauses, constraint), told


def from_poetry(constraint: str) -> tuple[str, str]:
    """A poetry constraint (`^1.2`, `~1.2`, `1.2.*`, `*`) as a specifier, and what was given up.

    Raises:
        NoPep440: no specifier says it.
    """
    kept, told = _last_alternative(re.sub(r"\|\|?", "|", constraint.strip()), "|")
    clauses = []
    for operator, version in _clauses(kept):
        bare = version.removesuffix("*").removesuffix(".")
        if bare == "":
            continue
        if operator in ("^", "~"):
            clauses += [f">={bare}", f"<{_next(bare, operator)}"]
        elif version != bare:
            clauses.append(f"{'!=' if operator == '!=' else '=='}{bare}.*")
        else:
            clauses.append(f"{operator if operator not in ('', '=') else '=='}{bare}")
    return _checked(clauses, constraint), told


def _last_alternative(constraint: str, bar: str) -> tuple[str, str]:
    alternatives = [part.strip() for part in constraint.split(bar)]
    kept = alternatives[-1]
    told = f"PEP 440 has no “or”: of {constraint} the last was taken"
    return kept, told if len(alternatives) > 1 else ""


def _clauses(constraint: str) -> list[tuple[str, str]]:
    """Operator and version of each clause; commas and spaces alike mean "and"."""
    found, position = [], 0
    text = constraint.strip()
    while position < len(text):
        match = _CLAUSE.match(text, position)
        if match is None:
            raise NoPep440(constraint)
        found.append((match["operator"] or "", match["version"]))
        position = match.end()
        while position < len(text) and text[position] in ", \t":
            position += 1
    return found


def _next(version: str, operator: str) -> str:
    """The first version that `^` or `~` leaves out.

    `^` allows what leaves the first number that is not zero as it is, `~` the last one that is
    given but for the third.
    """
    match = re.match(r"\d+(?:\.\d+)*", version.partition("!")[2] or version)
    if match is None:
        raise NoPep440(version)
    epoch = version.partition("!")[0] + "!" if "!" in version else ""
    numbers = [int(part) for part in match[0].split(".")]
    if operator == "^":
        place = next((n for n, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        place = min(len(numbers) - 1, 1)
    raised = [*numbers[:place], numbers[place] + 1]
    return epoch + ".".join(map(str, [*raised, 0] if len(raised) == 1 else raised))


def _checked(clauses: list[str], constraint: str) -> str:
    specifier = ",".join(clauses)
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier as error:
        raise NoPep440(constraint) from error
    return specifier
