"""Text → tokens → Command: the one place that knows the words.

tokens splits a line; words says what there is; command parses; slips has near misses, usage help.
completion tells what may stand at a cursor, and cursor in which call that is.
"""

from uvmagic.grammar.command import Command, called, parse
from uvmagic.grammar.slips import hint_for_refusal, hint_near, near
from uvmagic.grammar.tokens import expand, quote, tokenise, tokenise_requirements, without_semicolon
from uvmagic.grammar.usage import as_typed, help_of_call, help_text
from uvmagic.grammar.words import CHOICES, WORDS, uv_options

__all__ = [
    "CHOICES",
    "WORDS",
    "Command",
    "as_typed",
    "called",
    "expand",
    "help_of_call",
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
