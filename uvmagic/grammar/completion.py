"""What may stand at the cursor of a call: words, options, their values, names, files. Pure.

The same tables say so that `command` parses by. Of the place only what may stand there is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from uvmagic.data import imports, torch, uv
from uvmagic.grammar.command import Part, called, parts
from uvmagic.grammar.tokens import Token, quote, scanned
from uvmagic.grammar.words import WORDS, AnyOption, Option, arity_of, options_of
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_LEAST = 2
"""Letters of a distribution's name that it is looked up by: of one letter there are too many."""


class Facts(Protocol):
    """What a place has to offer."""

    def listed(self) -> Iterable[str]:
        """The distributions that pyproject.toml asks for."""

    def locked(self) -> Iterable[str]:
        """Those that uv.lock has."""

    def groups(self) -> Iterable[str]:
        """The dependency groups."""

    def extras(self) -> Iterable[str]:
        """The extras."""

    def indexes(self) -> Iterable[str]:
        """The names of the project's own indexes."""

    def kernels(self, action: str) -> Iterable[str]:
        """The kernels that an action of `kernel` may name."""

    def pythons(self) -> Iterable[str]:
        """The versions of Python that are here."""

    def paths(self, start: str) -> Iterable[str]:
        """The paths that begin with a text, from the current folder on; a folder's ends in `/`."""


class Candidate(NamedTuple):
    """What may be put in: its text, and what it is; `uv` for a word or option of uv's alone."""

    text: str
    kind: str


class Completion(NamedTuple):
    """What may be put in place of a part of a text, the likeliest first."""

    start: int
    end: int
    candidates: tuple[Candidate, ...] = ()


def complete(text: str, cursor: int, facts: Facts, given: Sequence[str] = ()) -> Completion:
    """What may stand at a cursor. What follows the cursor stays, as far as it belongs there.

    Args:
        text: what follows `%uv`, whatever it is.
        cursor: a place in it.
        facts: asked for what the place has.
        given: tokens before the text: of the first line of a cell, where the text is another.
    """
    cursor = max(0, min(cursor, len(text)))
    *before, at = [*scanned(text[:cursor]), Token(cursor, cursor, "")]
    if before and before[-1].end == cursor:
        at = before.pop()
    if at.is_comment:
        return Completion(cursor, cursor)
    tokens = [*given, *(token.value for token in before if not token.is_comment)]
    option, equals, value = at.value.partition("=")
    if option.startswith("-") and equals and text.startswith(option, at.start):
        start = at.start + len(option) + 1  # of what is joined to an option the value alone
        at, tokens = Token(start, cursor, value, at.open_quote), [*tokens, option]
    behind = next((t.end for t in scanned(text) if t.start <= cursor < t.end), cursor)
    found = {
        Candidate(put_in, one.kind): None
        for one in _candidates(_Call.of(tokens), at.value, facts)
        if one.text and one.text.isprintable() and _begins(one, at.value)
        if (put_in := _put_in(one.text, at, text[at.start : cursor], text[cursor:behind]))
    }
    return Completion(at.start, cursor, tuple(found))


def _begins(one: Candidate, typed: str) -> bool:
    if one.kind == "package":
        return one.text.startswith((typed, normalise(typed)))
    return one.text.startswith(typed)


def _put_in(value: str, at: Token, typed: str, rest: str) -> str:
    """The text that makes a value of a token; empty where what follows the cursor forbids it.

    Args:
        value: the token's new value.
        at: the token up to the cursor.
        typed: its text.
        rest: the text of the same token behind the cursor.
    """
    mark = at.open_quote
    if mark and typed.startswith(mark) and mark not in value:
        text = f"{mark}{value}{mark}"
    else:
        text = quote([value])
    kept = text.removesuffix(rest)
    return "" if rest and (kept == text or len(kept) <= len(typed)) else kept


# --- what is asked for --------------------------------------------------------------------------


class _Call(NamedTuple):
    """A call as far as it goes.

    Attributes:
        name: the word; `pip install` for a command of uv's own; empty before there is one.
        options: all that it takes.
        parts: what stands there.
    """

    name: str
    options: Sequence[AnyOption]
    parts: Sequence[Part]

    @classmethod
    def of(cls, tokens: Sequence[str]) -> _Call:
        name, others = called(tokens)
        options: list[AnyOption]
        if name in WORDS:
            options = options_of(WORDS[name])
        elif name:
            options = [option for option in uv.options_passed_on() if name in option.words]
        else:
            options = [option for option in uv.options() if option.is_global]
        return cls(name, options, list(parts(others, arity_of(options))))

    @property
    def waits(self) -> AnyOption | None:
        """The option that the next token is a value of."""
        if not self.parts or not self.parts[-1].lacks:
            return None
        return next(one for one in self.options if self.parts[-1].flag in one.names)

    @property
    def has_ended(self) -> bool:
        """Whether what follows is no option of this call's, whatever it looks like."""
        runs = self.name in _RUNNING and bool(self.positionals)
        return runs or any(part.flag == "--" for part in self.parts)

    @property
    def positionals(self) -> list[str]:
        """What is neither an option nor its value."""
        return [value for part in self.parts if not part.flag for value in part.values]


def _candidates(call: _Call, typed: str, facts: Facts) -> Iterator[Candidate]:
    """What may follow a call; not only what begins as is typed."""
    option = call.waits
    if option is not None:
        yield from _values(option, typed, facts)
    elif typed.startswith("-") and not call.has_ended:
        yield from _options(call)
    else:
        yield from (one for one in _positionals(call, typed, facts) if one.text[:1] != "-")
        if not typed and call.name in WORDS and not call.has_ended:
            yield from (one for one in _options(call) if one.kind == "option")


def _options(call: _Call) -> Iterator[Candidate]:
    """The options by their long names, less the flags that are there already."""
    given = {part.flag for part in call.parts}
    for option in call.options:
        if option.values or given.isdisjoint(option.names):
            yield Candidate(option.name, "option" if isinstance(option, Option) else "uv")
    if call.name not in WORDS:
        yield Candidate("--help", "uv" if call.name else "option")


def _positionals(call: _Call, typed: str, facts: Facts) -> Iterator[Candidate]:
    before = call.positionals
    if not call.name or (call.name == "help" and not before):
        yield from _each("word", WORDS)
        yield from _each("uv", (word for word in _below("") if word not in WORDS))
    elif call.name == "kernel":
        actions = WORDS["kernel"].actions
        yield from _each("kernel", facts.kernels(before[0])) if before else _each("word", actions)
    elif call.name in _TAKES:
        yield from _TAKES[call.name](typed, facts)
    elif not before:
        yield from _each("uv", _below(call.name))


def _below(command: str) -> list[str]:
    """The words that may follow one of uv's own commands."""
    split = [name.rpartition(" ") for name in uv.commands()]
    return [word for above, _, word in split if above == command]


# --- values -------------------------------------------------------------------------------------

_Source: TypeAlias = "Callable[[str, Facts], Iterable[Candidate]]"
"""What a place takes, of what is typed and what there is."""


def _values(option: AnyOption, typed: str, facts: Facts) -> Iterable[Candidate]:
    if option.choices:
        return _each("value", option.choices)
    meant = (option.name, option.value or "", (option.value or "").rpartition("_")[2])
    return next((_VALUES[key](typed, facts) for key in meant if key in _VALUES), ())


def _each(kind: str, texts: Iterable[str]) -> Iterator[Candidate]:
    return (Candidate(text, kind) for text in texts)


def _requirements(typed: str, facts: Facts) -> Iterator[Candidate]:
    """Names that PyPI is known to have; a path where one is begun."""
    if typed.startswith((".", "/")):
        yield from _paths()(typed, facts)
    elif len(typed) >= _LEAST:
        begun = (name for name in imports.distributions() if name.startswith(normalise(typed)))
        yield from _each("package", sorted(begun, key=lambda name: (len(name), name)))


def _backends(kind: str) -> _Source:
    """The versions of an accelerator's kind, spelled as is begun: `126`, `12.6` or `cu126`."""

    def source(typed: str, _facts: Facts) -> Iterator[Candidate]:
        known = [one for one in torch.backends().values() if one.kind == kind and one.version]
        names, versions = [one.name for one in known], [str(one.version) for one in known]
        short = [name.removeprefix("cu") for name in names if name.startswith("cu")]
        spelled = (["auto", *(short or versions)], versions, names)
        found = (all_ for all_ in spelled if any(text.startswith(typed) for text in all_))
        return _each("value", next(found, []))

    return source


def _paths(*first: str) -> _Source:
    """Files and folders; those that end so before the others."""

    def source(typed: str, facts: Facts) -> Iterator[Candidate]:
        return _each("path", sorted(facts.paths(typed), key=lambda path: not path.endswith(first)))

    return source


def _folders(typed: str, facts: Facts) -> Iterator[Candidate]:
    return _each("path", (path for path in facts.paths(typed) if path.endswith("/")))


def _locked(_typed: str, facts: Facts) -> Iterator[Candidate]:
    """What the project asks for, then what comes with it."""
    return _each("package", dict.fromkeys([*facts.listed(), *facts.locked()]))


_PYTHON = ".ipynb", ".py"
_TAKES: dict[str, _Source] = {
    "add": _requirements,
    "remove": lambda _, facts: _each("package", facts.listed()),
    "init": _folders,
    "demo": _folders,
    "adopt": _paths(".yml", ".yaml", ".txt", ".toml", "Pipfile", ".cfg", *_PYTHON),
    "scan": _paths(*_PYTHON),
    "bundle": _paths(".ipynb"),
    "rerun": _paths("-bundle/", ".tar.gz"),
    "run": _paths(".py"),
    "pip compile": _paths(".in", ".txt", ".toml"),
    "pip install": _requirements,
    "pip show": _locked,
    "pip sync": _paths(".txt", ".toml"),
    "pip uninstall": _locked,
    "tool install": _requirements,
    "tool run": _requirements,
    "python pin": lambda _, facts: _each("value", facts.pythons()),
    "venv": _folders,
}
"""What stands behind a word; uvmagic's own and uv's."""
_RUNNING = ("run", "tool run")
"""What is called by these has options of its own."""
_VALUES: dict[str, _Source] = {
    "--cuda": _backends("cuda"),
    "--rocm": _backends("rocm"),
    "--mirror": lambda *_: _each("value", torch.mirrors()),
    "--keep-index": lambda _, facts: _each("value", facts.indexes()),
    "--package": lambda *_: (),  # a member of the workspace
    "PYTHON": lambda _, facts: _each("value", facts.pythons()),
    "PYTHON_VERSION": lambda _, facts: _each("value", facts.pythons()),
    "PACKAGE": _locked,
    "GROUP": lambda _, facts: _each("group", facts.groups()),
    "EXTRA": lambda _, facts: _each("extra", facts.extras()),
    "OPTIONAL": lambda _, facts: _each("extra", facts.extras()),
    "WITH": _requirements,
    **dict.fromkeys(("DIR", "DIRECTORY", "PREFIX", "PROJECT", "TARGET"), _folders),
    **dict.fromkeys(("EDITABLE", "FILE", "GLOB", "LINKS"), _paths()),
    **dict.fromkeys(("CONSTRAINTS", "EXCLUDES", "OVERRIDES", "REQUIREMENTS"), _paths(".txt")),
    "SCRIPT": _paths(".py"),
}
"""What an option takes, by its own name, or by what uv and uvmagic call its value."""
