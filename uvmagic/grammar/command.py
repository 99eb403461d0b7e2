"""Tokens → Command, the same for a cell and a shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from uvmagic.errors import UsageError
from uvmagic.grammar.slips import help_hint, hint_near
from uvmagic.grammar.words import COMMON, WORDS, Word, arity_of, options_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Command:
    """A parsed call.

    Attributes:
        word: the word; empty where only options were given (`%uv --version`).
        positionals: what is neither an option nor an option's value.
        options: uvmagic's own options and the known ones of uv, by long name, each with all the
            values it was given; a flag has none.
        argv: for a word over uv, or one passed through: uv's arguments, uvmagic's own removed.
        unknown: options that neither table has; uv will judge them.
        wants_help: `--help` is among the tokens of a word that uvmagic owns.
    """

    word: str
    positionals: tuple[str, ...]
    options: dict[str, tuple[str, ...]]
    argv: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    wants_help: bool = False

    @property
    def is_owned(self) -> bool:
        """Whether uvmagic has its own meaning for the word."""
        return self.word in WORDS and "--script" not in self.options

    def has(self, *names: str) -> bool:
        """Whether any of these options was given."""
        return any(name in self.options for name in names)

    def value(self, name: str) -> str | None:
        """The last value of an option, None where it was not given."""
        values = self.options.get(name, ())
        return values[-1] if values else None


def parse(tokens: Sequence[str]) -> Command:
    """Parse the tokens that follow `%uv` or `uvmagic`.

    Raises:
        UsageError: a word of uvmagic's own with an unknown option, a missing value, or an
            unknown action. A word over uv takes anything; uv judges what the table lacks.
    """
    leading, position = _leading_globals(tokens)
    if position == len(tokens):
        wants_help = not tokens or list(tokens) in (["-h"], ["--help"])
        return Command("", (), {}, tuple(tokens), wants_help=wants_help)
    name = tokens[position]
    word = WORDS.get(name)
    rest = tokens[position + 1 :]
    if name == "help":
        topic = rest[0] if rest else ""
        if not topic or topic in WORDS:
            return Command(topic, (), {}, (), wants_help=True)
    if word is None:
        return Command(name, tuple(rest), {}, tuple(tokens))
    command = _parse_word(word, [*leading, *rest])
    if not command.is_owned:  # `add --script` is uv's alone
        return Command(name, tuple(rest), command.options, tuple(tokens))
    return command


def _leading_globals(tokens: Sequence[str]) -> tuple[list[str], int]:
    """Uv's global options before the word, and where the word is."""
    from uvmagic.data import uv  # by the first call, not by %load_ext

    takes_value = {n: o.value for o in uv.options() if o.is_global for n in o.names}
    position = 0
    while position < len(tokens) and tokens[position].startswith("-"):
        token = tokens[position]
        follows = takes_value.get(token) is not None and "=" not in token
        position += 2 if follows else 1
    position = min(position, len(tokens))
    return list(tokens[:position]), position


def called(tokens: Sequence[str]) -> tuple[str, list[str]]:
    """The command that a call means, and the other tokens.

    It is a word of uvmagic's, a command of uv's own, `pip install`, or what else stands there;
    empty where nothing does.
    """
    from uvmagic.data import uv

    leading, position = _leading_globals(tokens)
    name, rest = "".join(tokens[position : position + 1]), list(tokens[position + 1 :])
    while name and name not in WORDS and rest and f"{name} {rest[0]}" in uv.commands():
        name = f"{name} {rest.pop(0)}"
    return name, [*leading, *rest]


class Part(NamedTuple):
    """A part of a call: what is no option, or an option with its values.

    Attributes:
        tokens: as they stand in the call.
        flag: the option as it is spelled; `--`, behind which there is none; empty for no option.
        values: the option's, or what is none itself.
        lacks: how many values it still needs.
    """

    tokens: tuple[str, ...]
    flag: str
    values: tuple[str, ...] = ()
    lacks: int = 0


def parts(tokens: Sequence[str], arity: Mapping[str, tuple[str, int]]) -> Iterator[Part]:
    """Take the tokens behind a word apart, whatever they are.

    Args:
        tokens: the tokens.
        arity: each spelling → (long name, number of values); one that it lacks takes none.
    """
    index = 0
    has_ended = False
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if has_ended or not token.startswith("-") or token == "-":
            yield Part((token,), "", (token,))
        elif token == "--":
            has_ended = True
            yield Part((token,), token)
        else:
            flag, equals, joined = token.partition("=")
            count = arity[flag][1] if flag in arity else 0
            follow = () if equals else tuple(tokens[index : index + count])
            index += len(follow)
            values = (joined,) if equals else follow
            yield Part((token, *follow), flag, values, max(0, count - len(values)))


def _parse_word(word: Word, tokens: Sequence[str]) -> Command:
    arity = arity_of(options_of(word))
    own = {option.name for option in (*word.options, *COMMON)}
    positionals: list[str] = []
    options: dict[str, tuple[str, ...]] = {}
    argv: list[str] = []
    unknown: list[str] = []
    for part in parts(tokens, arity):
        flag = part.flag
        if flag in ("", "--"):
            positionals += part.values
            argv += part.tokens
            continue
        if flag not in arity:
            if word.uv is None:
                raise UsageError(
                    f"{word.name} has no option {flag}.", hint_near(flag, arity, word.name)
                )
            unknown.append(flag)
            argv += part.tokens
            continue
        long_name, count = arity[flag]
        if part.values and not count and long_name in own:
            raise UsageError(f"{word.name} {flag} takes no value.", help_hint(word.name))
        if part.lacks:
            raise UsageError(f"{word.name} {flag} needs a value.", help_hint(word.name))
        options[long_name] = (*options.get(long_name, ()), *part.values)
        if long_name not in own:
            argv += part.tokens
    wants_help = "--help" in options
    if word.actions and not wants_help and "".join(positionals[:1]) not in word.actions:
        given = positionals[0] if positionals else "nothing"
        raise UsageError(
            f"{word.name} takes {', '.join(word.actions)}; not {given}.",
            hint_near(given, word.actions, word.name),
        )
    return Command(word.name, tuple(positionals), options, tuple(argv), tuple(unknown), wants_help)
