"""Text → tokens → Command: the one place that knows the words, for the cell and for the shell.

Help is made from here, and what was near a word or option that does not exist.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic import data
from uvmagic.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# --- tokens ---------------------------------------------------------------------------------

_PIECE = re.compile(r"""[^\s'"]+|'([^']*)'|"([^"]*)\"""")
_COMMENT = re.compile(r"(?:^|\s)#.*")


def tokenise(text: str) -> list[str]:
    r"""Split a line into tokens, the same on every system.

    Quotes of both kinds group and vanish; a backslash is a backslash (`C:\data`); an unquoted
    `#` at the start of a token begins a comment, inside one (`…git#subdirectory=a`) it does not.

    Raises:
        UsageError: a quote is not closed.
    """
    tokens: list[str] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        if text[position] == "#":
            newline = text.find("\n", position)
            position = len(text) if newline < 0 else newline
            continue
        pieces = []
        while position < len(text) and not text[position].isspace():
            match = _PIECE.match(text, position)
            if match is None:
                quote = text[position]
                raise UsageError(
                    f"The quote {quote} in  {text.strip()}  is not closed.",
                    f"Close it with another {quote}.",
                )
            pieces.append(match[match.lastindex or 0])
            position = match.end()
        tokens.append("".join(pieces))
    return tokens


def quote(tokens: Iterable[str]) -> str:
    """The line that `tokenise` splits into these tokens."""
    return " ".join(map(_quote_one, tokens))


def _quote_one(token: str) -> str:
    if token and not re.search(r"""[\s'"]|^#""", token):
        return token
    if "'" not in token:
        return f"'{token}'"
    parts = (f"'{part}'" if part else "" for part in token.split("'"))
    return '"\'"'.join(parts)


def tokenise_requirements(body: str) -> list[str]:
    """The tokens of a cell that lists one requirement a line; comments and blank lines go.

    A line that begins with `-` is options, split as any line is.
    """
    tokens: list[str] = []
    for line in body.splitlines():
        bare = _COMMENT.sub("", line).strip()
        if bare.startswith("-"):
            tokens += tokenise(bare)
        elif bare:
            tokens.append(bare)
    return tokens


_FIELD = re.compile(r"\{([^\W\d]\w*)\}")


def expand(tokens: Sequence[str], lookup: Callable[[str], object]) -> list[str]:
    """Replace `{name}` inside each token by `str(lookup(name))`; a token stays one token.

    Args:
        tokens: the tokens, already split.
        lookup: gives the value of a variable, raises KeyError for a name that does not exist;
            then the braces stay as they are.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return str(lookup(match[1]))
        except KeyError:
            return match[0]

    return [_FIELD.sub(value, token) for token in tokens]


# --- words ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Option:
    """An option of uvmagic's own: its spellings, its value's name (None: a flag), its help.

    `arity` is how many values follow, for `-p NAME VALUE`.
    """

    names: tuple[str, ...]
    help: str
    value: str | None = None
    arity: int = 1

    @property
    def name(self) -> str:
        """The long spelling, by which a Command knows it."""
        return self.names[-1]

    @property
    def values(self) -> int:
        """How many values follow the option."""
        return self.arity if self.value else 0


_JSON = Option(("--json",), "Print one JSON object instead of a table")
_DRY_RUN = Option(("--dry-run",), "Say what would change, change nothing")
_HELP = Option(("-h", "--help"), "Show this help")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that uvmagic owns.

    Attributes:
        name: the word.
        usage: what follows it.
        summary: one sentence.
        options: uvmagic's own options.
        uv: the uv command whose options it takes too, or None.
        examples: calls without the leading `%uv`.
    """

    name: str
    usage: str
    summary: str
    options: tuple[Option, ...] = ()
    uv: str | None = None
    examples: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


WORDS: dict[str, Word] = {
    word.name: word
    for word in (
        Word(
            "init",
            "[PATH]",
            "Make this folder a project: a pyproject.toml, nothing else.",
            (_JSON,),
            uv="init",
            examples=("init", "init --python 3.12"),
        ),
        Word(
            "add",
            "REQUIREMENT…",
            "Add requirements to pyproject.toml, lock, install: all or nothing.",
            (_DRY_RUN, _JSON),
            uv="add",
            examples=("add pandas matplotlib", 'add "numpy>=2" --dev', "add {name} --dry-run"),
        ),
        Word(
            "remove",
            "NAME…",
            "Remove requirements from pyproject.toml, lock, uninstall: all or nothing.",
            (_DRY_RUN, _JSON),
            uv="remove",
            examples=("remove matplotlib",),
        ),
        Word(
            "sync",
            "",
            "Make the environment what the lock says.",
            (_JSON,),
            uv="sync",
            examples=("sync", "sync --locked"),
        ),
        Word(
            "lock",
            "",
            "Bring uv.lock up to date with pyproject.toml.",
            (_DRY_RUN, _JSON),
            uv="lock",
            examples=("lock",),
        ),
        Word(
            "bundle",
            "[NOTEBOOK]",
            "Turn notebook, project and lock into a folder that reruns anywhere.",
            (
                Option(("-o", "--output"), "The folder to make (default: NOTEBOOK-bundle)", "DIR"),
                Option(("--include",), "More files of the project; may be repeated", "GLOB"),
                Option(("--keep-outputs",), "Keep the outputs that are saved in the notebook"),
                Option(("--dry-run",), "List what would go in, write nothing"),
                _JSON,
            ),
            examples=("bundle", "bundle analysis.ipynb --include 'data/*.csv'"),
        ),
        Word(
            "rerun",
            "BUNDLE",
            "Run a bundle from nothing, in an environment made from its lock.",
            (
                Option(("--engine",), "Where it runs: local", "ENGINE"),
                Option(("-p", "--parameter"), "Set a parameter of the notebook", "NAME VALUE", 2),
                Option(
                    ("-o", "--output"), "The executed copy (default: NOTEBOOK-rerun.ipynb)", "FILE"
                ),
                _JSON,
            ),
            examples=("rerun analysis-bundle", "rerun analysis-bundle -p alpha 0.1 -o run1.ipynb"),
        ),
        Word(
            "kernel",
            "install|list|remove [NAME]",
            "The project's Jupyter kernel, and only kernels that uvmagic made.",
            (
                Option(("--display-name",), "What the kernel menu shows (install)", "TEXT"),
                _JSON,
            ),
            examples=("kernel install", "kernel list", "kernel remove"),
            actions=("install", "list", "remove"),
        ),
        Word(
            "demo",
            "[DIR]",
            "The whole story on a scratch project, in about a minute (shell).",
            (_JSON,),
            examples=("demo",),
        ),
    )
}


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
    return _parse_word(word, [*rest, *leading])


def _leading_globals(tokens: Sequence[str]) -> tuple[list[str], int]:
    """Uv's global options before the word, and where the word is."""
    takes_value = {n: o.value for o in data.uv_options() if o.is_global for n in o.names}
    position = 0
    while position < len(tokens) and tokens[position].startswith("-"):
        token = tokens[position]
        follows = takes_value.get(token) is not None and "=" not in token
        position += 2 if follows else 1
    position = min(position, len(tokens))
    return list(tokens[:position]), position


def _parse_word(word: Word, tokens: Sequence[str]) -> Command:
    arity, own = _option_arity(word)
    positionals: list[str] = []
    options: dict[str, tuple[str, ...]] = {}
    argv: list[str] = []
    unknown: list[str] = []
    index = 0
    only_positionals = False
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if only_positionals or not token.startswith("-") or token == "-":
            positionals.append(token)
            argv.append(token)
            continue
        if token == "--":
            only_positionals = True
            argv.append(token)
            continue
        flag, equals, joined = token.partition("=")
        if flag not in arity:
            if word.uv is None:
                raise UsageError(
                    f"{word.name} has no option {flag}.", hint_near(flag, arity, word.name)
                )
            unknown.append(flag)
            argv.append(token)
            continue
        long_name, count = arity[flag]
        values = [joined] if equals else list(tokens[index : index + count])
        if len(values) < count:
            raise UsageError(f"{word.name} {flag} needs a value.", _help_hint(word.name))
        index += 0 if equals else count
        options[long_name] = (*options.get(long_name, ()), *values)
        if long_name not in own:
            argv += [token, *([] if equals else values)]
    wants_help = "--help" in options
    if word.actions and not wants_help and "".join(positionals[:1]) not in word.actions:
        given = positionals[0] if positionals else "nothing"
        raise UsageError(
            f"{word.name} takes {', '.join(word.actions)}; not {given}.",
            hint_near(given, word.actions, word.name),
        )
    return Command(word.name, tuple(positionals), options, tuple(argv), tuple(unknown), wants_help)


def _option_arity(word: Word) -> tuple[dict[str, tuple[str, int]], frozenset[str]]:
    """Each spelling → (long name, number of values), and the long names of uvmagic's own."""
    arity: dict[str, tuple[str, int]] = {}
    for option in uv_options(word.uv):
        for name in option.names:
            arity[name] = (option.names[-1], 0 if option.value is None else 1)
    own = (*word.options, _HELP)
    arity |= {name: (option.name, option.values) for option in own for name in option.names}
    return arity, frozenset(option.name for option in own)


def uv_options(word: str | None) -> list[data.UvOption]:
    """Uv's own options for one of its words, as the table has them."""
    return [option for option in data.uv_options() if word in option.words]


# --- help -----------------------------------------------------------------------------------


def near(given: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a slip of the keyboard would turn into `given`, or None."""
    found = difflib.get_close_matches(given, list(candidates), n=1, cutoff=0.6)
    return found[0] if found else None


def hint_near(given: str, candidates: Iterable[str], word: str = "") -> str:
    """What to do about something that does not exist: the near one, else the help."""
    found = near(given, candidates)
    return f"Did you mean {found}?" if found else _help_hint(word)


def hint_for_refusal(command: Command) -> str | None:
    """What was near, after uv refused a call for a word or options that it does not know."""
    if command.word not in WORDS:
        if "|" in command.argv or ">" in command.argv:
            return "A pipe needs a shell: use  !uv …"
        known = WORDS.keys() | data.uv_commands()
        found = None if command.word in known else near(command.word, known)
        return f"Did you mean {found}?" if found else None
    arity, _ = _option_arity(WORDS[command.word])
    for option in command.unknown:
        found = near(option, arity)
        if found:
            return f"{option}: did you mean {found}?"
    return None


def _help_hint(word: str) -> str:
    return f"See %uv {word} --help" if word else "See %uv --help"


def help_text(word: str = "") -> str:
    """The help of one word, or of all."""
    return _help_of(WORDS[word]) if word else _overview()


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


def _help_of(word: Word) -> str:
    lines = [f"%uv {word.name} {word.usage}".rstrip(), "", word.summary, "", "Options:"]
    own = (*word.options, _HELP)
    rows = [(_spelling(o.names, o.value), o.help) for o in own]
    lines += _columns(rows)
    taken = {name for option in own for name in option.names}
    inherited = [option for option in uv_options(word.uv) if taken.isdisjoint(option.names)]
    if inherited:
        lines += ["", f"Options of uv {word.uv}, passed on:"]
        lines += _columns([(_spelling(o.names, o.value), o.help) for o in inherited])
    if word.examples:
        lines += ["", "Examples:", *(f"  %uv {example}" for example in word.examples)]
    return "\n".join(lines)


def _spelling(names: Sequence[str], value: str | None) -> str:
    return ", ".join(names) + (f" {value}" if value else "")


def _columns(rows: Sequence[tuple[str, str]], width: int = 34) -> list[str]:
    lines: list[str] = []
    for left, right in rows:
        wrapped = textwrap.wrap(right, 100 - width) or [""]
        if len(left) + 4 > width:
            lines.append(f"  {left}")
        else:
            lines.append(f"  {left:<{width - 2}}{wrapped.pop(0)}".rstrip())
        lines += [" " * width + part for part in wrapped]
    return lines
