"""The help of words, and of uv's own commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uvmagic.grammar.command import called
from uvmagic.grammar.words import COMMON, EXAMPLES, WORDS, Word, options_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH = 80
"""Columns: what a terminal has at least, and a tooltip at most."""
_LEFT = 26
"""Columns of what is explained."""


def as_typed(told: str, call: str) -> str:
    """A sentence with its calls as they are typed where it is read.

    Args:
        told: a sentence with calls of either face, `%uv add six` or `uvmagic rerun a-bundle`.
        call: how the face that shows it is called, `%uv` or `uvmagic`.
    """
    return re.sub(rf"(?<!%)%uv(?= )|(?<![\w/.-])uvmagic(?= (?:{'|'.join(WORDS)})\b)", call, told)


def help_text(word: str = "", call: str = "%uv") -> str:
    """The help of one word, or of all, with the name by which the caller's face calls it."""
    return _help_of(WORDS[word], call) if word else _overview(call)


def help_of_call(tokens: Sequence[str]) -> str:
    """The help of what a call means, as far as it goes: a word, a command of uv's own, or all."""
    name, others = called(tokens)
    if name == "help":
        name, _ = called(others)
    if name in WORDS:
        return help_text(name)
    from uvmagic.data import uv

    return _help_of_uv(name, uv.commands()) if name in uv.commands() else help_text()


def _overview(call: str) -> str:
    rows = [(f"{word.name} {word.usage}".strip(), word.summary) for word in WORDS.values()]
    return "\n".join(
        [
            "%uv WORD …   in a cell;   uvmagic WORD …   in a shell.",
            "",
            *_columns(rows),
            "",
            *_paragraph(
                "Any other word goes to uv unchanged: pip list, tree, run …  %%uv add takes one "
                "requirement a line; %%uv run runs the cell as a script. {name} is replaced by the "
                "variable's value."
            ),
            "",
            "Examples:",
            *(f"  {call} {example}" for example in EXAMPLES),
            "",
            f"{call} WORD --help  tells more.",
        ]
    )


def _help_of(word: Word, call: str) -> str:
    own = (*word.options, *COMMON)
    # {name} is replaced in a cell alone
    examples = [one for one in word.examples if "{" not in one or call == "%uv"]
    lines = [f"{call} {word.name} {word.usage}".rstrip(), "", *_paragraph(word.summary)]
    lines += ["", "Examples:", *(f"  {call} {example}" for example in examples)]
    lines += ["", "Options:", *_columns([(_spelling(o.names, o.value), o.help) for o in own])]
    of_uv = options_of(word)[len(own) :]
    if of_uv:
        lines += ["", f"Options of uv {word.uv}, passed on:"]
        lines += _columns([(_spelling(o.names, o.value), o.help) for o in of_uv])
    return "\n".join(lines)


def _help_of_uv(command: str, commands: Mapping[str, str]) -> str:
    below = {name: told for name, told in commands.items() if name.startswith(f"{command} ")}
    lines = [f"%uv {command} …", "", *_paragraph(f"{commands[command]}.")]
    if below:
        lines += ["", *_columns([(name, f"{told}.") for name, told in below.items()])]
    return "\n".join([*lines, "", f"uv gets it unchanged:  %uv {command} --help  tells more."])


def _spelling(names: Sequence[str], value: str | None) -> str:
    return ", ".join(names) + (f" {value}" if value else "")


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Two columns; what is too wide for the left one has a line of its own."""
    fitting = [len(left) for left, _ in rows if len(left) <= _LEFT]
    indent = " " * (max(fitting, default=_LEFT) + 4)
    lines: list[str] = []
    for left, right in rows:
        wrapped = _paragraph(right, indent)
        if len(left) <= _LEFT:
            wrapped[0] = f"  {left}".ljust(len(indent)) + wrapped[0][len(indent) :]
        else:
            lines.append(f"  {left}")
        lines += wrapped
    return lines


def _paragraph(text: str, indent: str = "") -> list[str]:
    import textwrap

    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,  # an option is one word
    )
