"""Slips of the keyboard: what was near something that does not exist, and where help is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.grammar.words import WORDS, arity_of, options_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uvmagic.grammar import Command


def near(given: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a slip of the keyboard would turn into `given`, or None."""
    import difflib  # by the first slip, not by every call

    found = difflib.get_close_matches(given, list(candidates), n=1, cutoff=0.6)
    return found[0] if found else None


def hint_near(given: str, candidates: Iterable[str], word: str = "") -> str:
    """What to do about something that does not exist: the near one, else the help."""
    found = near(given, candidates)
    return f"Did you mean {found}?" if found else help_hint(word)


def hint_for_refusal(command: Command) -> str | None:
    """What was near, after uv refused a call for a word or options that it does not know."""
    if command.word not in WORDS:
        if "|" in command.argv or ">" in command.argv:
            return "A pipe needs a shell: use  !uv …"
        from uvmagic.data import uv

        words = WORDS.keys() | {name for name in uv.commands() if " " not in name}
        found = None if command.word in words else near(command.word, words)
        return f"Did you mean {found}?" if found else None
    known = arity_of(options_of(WORDS[command.word]))
    for option in command.unknown:
        found = near(option, known)
        if found:
            return f"{option}: did you mean {found}?"
    return None


def help_hint(word: str) -> str:
    """Where the help of a word is."""
    return f"See %uv {word} --help" if word else "See %uv --help"
