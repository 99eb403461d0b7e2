"""Text → tokens → Command: the one place that knows the words.

tokens splits a line; words says what there is; command parses; usage has help and near misses.
"""

from uvmagic.grammar.command import Command, parse
from uvmagic.grammar.tokens import expand, quote, tokenise, tokenise_requirements, without_semicolon
from uvmagic.grammar.usage import help_text, hint_for_refusal, hint_near, near
from uvmagic.grammar.words import CHOICES, WORDS, uv_options

__all__ = [
    "CHOICES",
    "WORDS",
    "Command",
    "expand",
    "help_text",
    "hint_for_refusal",
    "hint_near",
    "near",
    "parse",
    "quote",
    "tokenise",
    "tokenise_requirements",
    "uv_options",
    "without_semicolon",
]
