"""What uv refused, in a sentence and with what to do, where a slip of the user's is behind it.

uv's own words decide nothing here but what is shown: where they are not known, they are shown
themselves. Pure.
"""

from __future__ import annotations

import difflib
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uvmagic import grammar
from uvmagic.data import imports, uv
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uvmagic.grammar import Command

_MISSING = re.compile(r"Because (\S+) was not found in the package registry")
_UNBUILT = re.compile(r"Failed to build `([^`=]+)==")
_NO_VERSION = re.compile(
    r"Because (?:there is no version of (?P<none>\S+)|only (?P<only>\S+) is available)"
    r" and [^,]+ depends on (?P<wanted>\S+),"
)
_UNREADABLE = re.compile(r"Failed to parse: `(.+)`")
_UNREACHABLE = re.compile(r"\((?:Connect|SendRequest)\)|operation timed out", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s`)]+")
_ALIKE = 0.75
"""How much of its letters a name must share with one of some thousand others to be meant for it."""
_WRONG_ADVICE = "hint: If you want to add the package regardless of the failed resolution"
"""It would leave a lock that lacks the package: that is what uvmagic keeps from happening."""
_KNOWN_HINTS = (_WRONG_ADVICE, "hint: The module `", "hint: While the active Python version is")
"""What uv advises where nothing is behind it that a sentence would leave out."""
_ELSEWHERE = {
    "activate": "kernel use",
    "freeze": "pip freeze",
    "install": "add",
    "list": "pip list",
    "show": "pip show",
    "uninstall": "remove",
    "update": "sync --upgrade",
    "upgrade": "sync --upgrade",
}
"""What pip, conda and poetry call it, and what it is here."""
_OF_NAMES = ("add", "pip show", "remove")


def in_a_sentence(command: Command, said: str) -> tuple[str, str] | None:
    """What was refused, and what to do about it; None where uv's own words say it best.

    Args:
        command: the call.
        said: uv's error.
    """
    return next((told for told in _told(command, said) if told), None)


def unknown_word(command: Command) -> tuple[str, str]:
    """What is said of a word that neither uvmagic nor uv has, and what to do."""
    known = grammar.WORDS.keys() | uv.commands() | _ELSEWHERE.keys()
    near = grammar.near(command.word, sorted(known)) or ""
    meant = _ELSEWHERE.get(near, near)
    if near == meant or meant in _OF_NAMES:
        meant = f"{meant} {grammar.quote(command.positionals)}".rstrip()
    hint = f"Did you mean  %uv {meant}?" if near else "%uv --help  lists the words."
    return f"There is no word {command.word}.", hint


def in_own_words(said: str) -> str:
    """What uv said, without the advice that would undo what a change promises."""
    lines = said.splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith(_WRONG_ADVICE))


def _told(command: Command, said: str) -> Iterator[tuple[str, str] | None]:
    yield _requirement(command, said)
    yield _package(command, said)
    yield _version(command, said)
    yield _network(said)


def _requirement(command: Command, said: str) -> tuple[str, str] | None:
    """A requirement that is none, as people who know another tool write it."""
    found = _UNREADABLE.search(said)
    token = found[1] if found else ""
    if token not in command.positionals:
        return None
    reason = f"“{token}” is no requirement"
    if token.endswith(","):
        names = " ".join(word.rstrip(",") for word in command.positionals)
        return reason, f"Write no commas:  %uv {command.word} {names}"
    if single := re.fullmatch(r"([\w.-]+)=([\w.*]+)", token):
        return reason, f"Write two equals signs:  %uv {command.word} {single[1]}=={single[2]}"
    if re.fullmatch(r"[<>=!~]+", token):
        at = command.positionals.index(token)
        joined = "".join(command.positionals[max(0, at - 1) : at + 2])
        return reason, f'Write it without spaces:  %uv {command.word} "{joined}"'
    if token == ";":
        return reason, "Write one call on a line, and nothing after it."
    return reason, f'For instance  %uv {command.word} "pandas>=2"'


def _package(command: Command, said: str) -> tuple[str, str] | None:
    """A name that no package has, or one that stands in for another's."""
    missing = _MISSING.search(said)
    found = missing or _UNBUILT.search(said)
    asked = {normalise(name): name for name in map(_name, command.positionals)}
    if command.word != "add" or not found or normalise(found[1]) not in asked:
        return None
    name = asked[normalise(found[1])]
    owner, *_ = imports.owners().get(name, ("",))
    if owner and owner != normalise(name):
        return f"{name} is a module of {owner}, not a package", f"%uv add {owner}"
    if not missing or _knows_more(said):
        return None
    if name in sys.stdlib_module_names:
        return f"{name} comes with Python", f"Nothing is to be added:  import {name}"
    near = difflib.get_close_matches(normalise(name), imports.namesakes(), n=3, cutoff=_ALIKE)
    near.sort(key=lambda known: sorted(known) != sorted(normalise(name)))  # letters changed places
    hint = f"Did you mean  %uv add {near[0]}?" if near else "Look up how it is spelled on PyPI."
    return f"There is no package {name}", hint


def _version(command: Command, said: str) -> tuple[str, str] | None:
    found = _NO_VERSION.search(said)
    name = _name(found["wanted"]) if found else ""
    asked = {normalise(_name(wanted)) for wanted in command.positionals}
    if not found or normalise(name) not in asked or _knows_more(said):
        return None
    only = f": only {found['only']} is available" if found["only"] else ""
    told = f"There is no {found['wanted']}{only}"
    return told, "Without a version the newest that fits is taken."


def _network(said: str) -> tuple[str, str] | None:
    url = _URL.search(said)
    if not (url and _UNREACHABLE.search(said)):
        return None
    causes = [line for line in said.splitlines() if line.strip().startswith("cause:")]
    last = (causes or said.splitlines())[-1].rpartition(": ")[2]
    reason = re.sub(r" \(os error \d+\)", "", last).strip()
    place = urlsplit(url[0])  # never with the password that it may have
    host = f"{place.hostname}:{place.port}" if place.port else place.hostname
    return (
        f"{host} cannot be reached ({reason})",
        "Is this machine online? Then try again; a proxy is named by HTTPS_PROXY.",
    )


def _knows_more(said: str) -> bool:
    """Whether uv knows of a reason: a password that is lacking, a pre-release that is there."""
    hints = [line.strip() for line in said.splitlines() if line.strip().startswith("hint:")]
    return any(not hint.startswith(_KNOWN_HINTS) for hint in hints)


def _name(requirement: str) -> str:
    """The name that a requirement begins with."""
    found = re.match(r"[\w.-]*", requirement)
    return found[0] if found else ""
