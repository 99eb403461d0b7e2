"""What to say of words and options: help, and what was near one that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.grammar.words import HELP, WORDS, Word, option_arity, uv_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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

        known = WORDS.keys() | uv.commands()
        found = None if command.word in known else near(command.word, known)
        return f"Did you mean {found}?" if found else None
    arity, _ = option_arity(WORDS[command.word])
    for option in command.unknown:
        found = near(option, arity)
        if found:
            return f"{option}: did you mean {found}?"
    return None


def help_hint(word: str) -> str:
    """Where the help of a word is."""
    return f"See %uv {word} --help" if word else "See %uv --help"


def help_text(word: str = "", call: str = "%uv") -> str:
    """The help of one word, or of all, with the name by which the caller's face calls it."""
    return _help_of(WORDS[word], call) if word else _overview()


def _overview() -> str:
    rows = [(f"{w.name} {w.usage}".strip(), w.summary) for w in WORDS.values()]
    return "\n".join(
        [
            "%uv WORD …   in a cell;   uvmagic WORD …   in a shell.",
            "",
            *_columns(rows),
            "",
            "Any other word goes to uv unchanged: %uv pip list, %uv tree, %uv run …",
            "%%uv add takes one requirement a line; %%uv run runs the cell as a script.",
            "{name} is replaced by the variable's value.   %uv WORD --help tells more.",
        ]
    )


def _help_of(word: Word, call: str) -> str:
    lines = [f"{call} {word.name} {word.usage}".rstrip(), "", word.summary, "", "Options:"]
    own = (*word.options, HELP)
    rows = [(_spelling(o.names, o.value), o.help) for o in own]
    lines += _columns(rows)
    taken = {name for option in own for name in option.names}
    inherited = [option for option in uv_options(word.uv) if taken.isdisjoint(option.names)]
    if inherited:
        lines += ["", f"Options of uv {word.uv}, passed on:"]
        lines += _columns([(_spelling(o.names, o.value), o.help) for o in inherited])
    if word.examples:
        lines += ["", "Examples:", *(f"  {call} {example}" for example in word.examples)]
    return "\n".join(lines)


def _spelling(names: Sequence[str], value: str | None) -> str:
    return ", ".join(names) + (f" {value}" if value else "")


def _columns(rows: Sequence[tuple[str, str]], width: int = 34) -> list[str]:
    import textwrap

    lines: list[str] = []
    for left, right in rows:
        wrapped = textwrap.wrap(right, 100 - width) or [""]
        if len(left) + 4 > width:
            lines.append(f"  {left}")
        else:
            lines.append(f"  {left:<{width - 2}}{wrapped.pop(0)}".rstrip())
        lines += [" " * width + part for part in wrapped]
    return lines
