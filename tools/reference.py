"""The reference, made from uvmagic itself each time that MkDocs builds: a hook of `mkdocs.yml`.

A page says `<!-- made: NAME ARGUMENT -->`, and what MAKERS has of that name stands there instead.
What a page would have to repeat of the grammar, the checks or the tables cannot drift so.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError

from uvmagic import errors
from uvmagic.data import torch, uv
from uvmagic.data import uv_settings as settings
from uvmagic.doctor.examine import CHECKS
from uvmagic.grammar import WORDS
from uvmagic.grammar.words import COMMON, options_of
from uvmagic.magics import UvMagics
from uvmagic.outcome import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_MADE = re.compile(r"<!-- made: ([\w-]+) ?([\w-]*) -->")


# --- what MkDocs calls ----------------------------------------------------------------------------


def on_files(files: Files, **_: object) -> None:
    """See that every word has its page.

    Raises:
        PluginError: one has none, or one that leaves its options out.
    """
    for name in WORDS:
        file = files.get_file_from_path(f"reference/{name}.md")
        if file is None:
            raise PluginError(f"The word {name} has no page docs/reference/{name}.md")
        wanted = {("usage", name), ("options", name)}
        if not wanted <= set(_MADE.findall(file.content_string)):
            raise PluginError(f"docs/reference/{name}.md lacks <!-- made: usage|options {name} -->")


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Put what is made in its place.

    Raises:
        PluginError: nothing of that name is made.
    """

    def made(match: re.Match[str]) -> str:
        name, argument = match.groups()
        if name not in MAKERS:
            raise PluginError(f"{page.file.src_uri}: nothing is made that is called {name}")
        return "\n".join(MAKERS[name](argument) if argument else MAKERS[name]())

    return _MADE.sub(made, markdown)


# --- words ----------------------------------------------------------------------------------------


def words() -> Iterator[str]:
    """All words, each with what it does."""
    rows = ((f"[`{w.name}`]({w.name}.md)", w.summary) for w in WORDS.values())
    yield from _table(("Word", "What it does"), rows)


def usage(name: str) -> Iterator[str]:
    """How a word is called, what it does, and examples."""
    word = WORDS[name]
    called = f"%uv {word.name} {word.usage}".rstrip()
    yield from (f"`{called}`", "{ .usage }", "", word.summary, "")
    yield from ("```python", *(f"%uv {example}" for example in word.examples), "```")


def options(name: str) -> Iterator[str]:
    """A word's own options, and below them those that it passes on to uv."""
    word = WORDS[name]
    own = (*word.options, *COMMON)
    for option in own:  # each a heading: its address, and what a search leads to
        spelled = _spelled(option.names, option.value)
        yield from (
            f"#### `{spelled}` {{ #{option.name.strip('-')} }}",
            "",
            _escaped(option.help),
            "",
        )
    passed = options_of(word)[len(own) :]
    if not passed:
        return
    yield from ("", f'??? quote "{len(passed)} options of `uv {word.uv}`, passed on"', "")
    for uvs in passed:
        spelled = _spelled(uvs.names, uvs.value)
        yield f"    `{spelled}`{{ #{uvs.names[-1].strip('-')} }}"
        yield from (f"    :   {_escaped(uvs.help)}", "")


def _spelled(names: Sequence[str], value: str | None) -> str:
    return ", ".join(names) + (f" {value}" if value else "")


def uv_words() -> Iterator[str]:
    """The words of uv's that uvmagic leaves to it."""
    yield ", ".join(f"`{word}`" for word in sorted(uv.commands() - WORDS.keys())) + "."


# --- settings -------------------------------------------------------------------------------------


def traits() -> Iterator[str]:
    """What `%config UvMagics` has."""
    for name, trait in UvMagics.class_own_traits(config=True).items():
        values = getattr(trait, "values", None) or (
            [True, False] if trait.info_text == "a boolean" else []
        )
        told = ", ".join(f"`{value!r}`" for value in values) or f"{trait.info()}".capitalize()
        said = f"{_escaped(str(trait.help))} {told}; by default `{trait.default_value_repr()}`."
        yield from (f"#### `{name}` {{ #{name} }}", "", said, "")


def uv_settings() -> Iterator[str]:
    """The settings of uv's that are looked into, and where each may be said."""
    rows = (
        (
            row.label,
            ", ".join(f"`{variable}`" for variable in row.variables),
            ", ".join(f"`{key}`" for key in row.keys) or "–",
            "yes" if row.locks else "no",
        )
        for row in settings.uv_settings()
    )
    yield from _table(
        ("Setting", "Variables", "In `[tool.uv]`", "Does the lock depend on it?"), rows
    )


# --- torch ----------------------------------------------------------------------------------------


def mirrors() -> Iterator[str]:
    """The mirrors that have names, without the place that they are mirrors of."""
    yield ", ".join(f"`{name}`" for name in torch.mirrors() if name != "official")


def backends() -> Iterator[str]:
    """The builds of torch that are of this decade, those that want the same driver together."""
    grouped: dict[tuple[str, str | None, str | None], list[str]] = {}
    for backend in torch.backends().values():
        alike = (backend.kind, backend.linux_driver, backend.windows_driver)
        if backend.kind != "cuda" or float(backend.version or 0) > 11:
            grouped.setdefault(alike, []).append(backend.version or "")
    rows = (
        (f"`--{kind}`", ", ".join(filter(None, versions)) or "–", linux or "–", windows or "–")
        for (kind, linux, windows), versions in grouped.items()
    )
    yield from _table(("Option", "Versions", "Oldest driver on Linux", "on Windows"), rows)


# --- what goes wrong ------------------------------------------------------------------------------


def checks() -> Iterator[str]:
    """What `doctor` looks for."""
    for level in LEVELS:
        yield from ("", f"### {level.capitalize()}s", "")
        for name, check in CHECKS.items():
            if _levels(check)[0] == level:
                told = [_escaped(_first_sentence(check))]
                told += [f"It may be a {other}." for other in _levels(check)[1:]]
                told += ["`--fix` mends it."] if _is_fixed(check) else []
                yield from (f"#### `{name}` {{ #{name} }}", "", " ".join(told), "")


def _levels(check: Callable[..., object]) -> list[str]:
    """The levels of what a check may find, the worst first."""
    parts = (part for call in _findings(check) for part in ast.walk(call.args[0]))
    found = {part.value for part in parts if isinstance(part, ast.Constant)}
    return [level for level in LEVELS if level in found]


def _is_fixed(check: Callable[..., object]) -> bool:
    return any(len(call.args) > 4 for call in _findings(check))


def _findings(check: Callable[..., object]) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(check)))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
            yield node


def kinds_of_error() -> Iterator[str]:
    """Every class of error, with what it says and its exit status."""
    told = re.findall(r"(?m)^[├└]── (\w+) +(.+?)(?: {2,}exit status \d+)?$", errors.__doc__ or "")
    remedies = dict(told)
    for kind in errors.UvmagicError.__subclasses__():
        name, status = kind.__name__, kind.exit_code
        told = [_first_sentence(kind), f"*{_sentence(remedies[name])}*"]
        told += [f"Status {status}."] if status != 1 else []
        yield from (f"#### `{name}` {{ #{name.lower()} }}", "", " ".join(told), "")


# --- Markdown -------------------------------------------------------------------------------------


def _first_sentence(of: object) -> str:
    return (inspect.getdoc(of) or "").split("\n\n")[0].replace("\n", " ")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _escaped(text: str) -> str:
    """Text as Markdown shows it: what looks like an option or a call as code."""
    return re.sub(r"(?<![\w`-])(--[a-z][\w-]+)", r"`\1`", text.replace("<", "&lt;"))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


MAKERS: dict[str, Callable[..., Iterator[str]]] = {
    "words": words,
    "usage": usage,
    "options": options,
    "uv-words": uv_words,
    "traits": traits,
    "uv-settings": uv_settings,
    "mirrors": mirrors,
    "backends": backends,
    "checks": checks,
    "errors": kinds_of_error,
}
"""What a page may ask for, by name."""
