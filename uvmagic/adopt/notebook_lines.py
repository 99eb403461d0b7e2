"""The lines of a notebook's cells that install something, read as a shell and pip would. Pure.

Sources: pip's and conda's `install --help`; IPython's "Built-in magic commands" (`%pip`, `%conda`).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from uvmagic.adopt import matchspec, requirements_txt
from uvmagic.adopt.lines import CHANNEL, PROJECT, Ask, Covered, Includes, Left, Line, Requires
from uvmagic.code import Code
from uvmagic.project import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Tool: TypeAlias = Literal["pip", "conda", "uv"]
"""Whose a call is that installs."""
_PYTHON = re.compile(r"(?:.*/)?(?:\{sys\.executable\}|python[\d.]*|py)")
_PIP = re.compile(r"(?:.*/)?pip[\d.]*")
_CONDA = re.compile(r"(?:.*/)?(?:conda|mamba|micromamba)")
_BEFORE = ("sudo", "time", "nohup", "env")
"""Commands that run the one that follows them."""
_REDIRECTS = re.compile(r"\s\d?>&\d|&>")
_CELL_MAGICS = re.compile(r"%%(?:bash|sh|script|!|system|cmd)\b")
_VALUED = frozenset(
    {"--group", "--name", "--optional", "--platform", "--prefix", "--python", "--python-version",
     "--root", "--src", "--target", "--timeout", "--upgrade-strategy", "-n", "-p", "-t"}
)  # fmt: skip
"""Options with a value that say nothing about what is installed."""
_OF_REQUIREMENTS = re.compile(
    r"(?:-[cefir]|--(?:constraint|editable|find-links|index-url|requirement|extra-index-url|index"
    r"|no-binary|only-binary|trusted-host))(?:=.*)?"
)
"""Options that a file of requirements may have too, with a value."""
_FLAGS_OF_REQUIREMENTS = frozenset({"--no-index", "--pre"})
_OF_ITS_KIND = Covered("how it was called; uv needs no such option")


def read(cells: Sequence[tuple[int, str]], notebook: str, folder: Path) -> list[Line]:
    """The lines that install something, and those of the files that they name.

    Args:
        cells: number and source of the code cells, in order.
        notebook: its name for people.
        folder: what the files that are named are relative to.

    Raises:
        SourceInvalid: a file that is named cannot be read.
    """
    lines: list[Line] = []
    for number, source in cells:
        for line in of_cell(source, f"{notebook} cell {number}"):
            lines.append(line)
            for ask in line.asks:
                if isinstance(ask, Includes):
                    lines += requirements_txt.expanded(
                        line, f"{'-c' if ask.constrains else '-r'} {ask.path}", folder, ()
                    )[1:]
    return lines


def of_cell(source: str, place: str) -> Iterable[Line]:
    """The lines of a cell that install something; `place` is what they are told to be of."""
    is_shell = _CELL_MAGICS.match(source.lstrip()) is not None
    physical = source.splitlines()
    begin = 0
    for number, line in enumerate(physical, 1):
        if line.endswith("\\"):
            continue
        text = " ".join(part.strip().removesuffix("\\").strip() for part in physical[begin:number])
        first, begin = begin + 1, number
        command = text if is_shell else _escaped(text)
        asked = [] if command is None else asks(command)
        if asked:
            yield Line(place, first, number, text, tuple(asked))
    for run in Code((source,)).installing() if "install" in source else ():
        if asked := asks(run.text):
            text = physical[run.line - 1].strip()
            yield Line(place, run.line, run.line, text, tuple(asked))


def _escaped(text: str) -> str | None:
    """What a line has IPython's shell or magics do; None for a line of Python."""
    bare = re.sub(r"^[\w.,\[\] ]+=\s*(?=[!%])", "", text.strip())
    match = re.match(r"!{1,2}\s*|%(?=(?:pip|conda|mamba|micromamba|uv)\b)|%(?:sx|system)\s+", bare)
    return bare[match.end() :] if match else None


def asks(command: str) -> list[Ask]:
    """What a line of shell asks for by its calls of pip, conda, uv; nothing where it has none."""
    try:
        calls = [_installed_by(tokens) for tokens in _commands(command)]
    except ValueError:
        is_one = re.search(r"\b(?:pip[\d.]*|conda|mamba|micromamba)\s+install\s", command)
        return [Left("its quotes do not close: mend it")] if is_one else []
    return [ask for call in calls if call for ask in _of_call(*call)]


def _commands(line: str) -> list[list[str]]:
    """The tokens of each command of a line of shell. Raises ValueError for an open quote."""
    bare = re.sub(r"(?:^|\s)#.*", "", _REDIRECTS.sub(" > ", line))
    lexer = shlex.shlex(bare, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split, lexer.commenters = True, ""
    found: list[list[str]] = [[]]
    for token in lexer:
        if token.strip(";&|"):
            found[-1].append(token)
        else:
            found.append([])
    return found


def _installed_by(tokens: list[str]) -> tuple[list[str], Tool] | None:
    """The arguments of a command that installs, and whose it is; None for another."""
    if tokens and tokens[0] in _BEFORE:
        rest = tokens[1:]
        while rest and rest[0].startswith("-"):
            rest = rest[1:]
        return _installed_by(rest)
    match tokens:
        case [python, "-m", *rest] if _PYTHON.fullmatch(python):
            return _installed_by(rest)
        case ["uv", "add", *rest]:
            return rest, "uv"
        case ["uv", "pip", *rest]:
            return _installed_by(["pip", *rest])
        case [pip, "install", *rest] if _PIP.fullmatch(pip):
            return rest, "pip"
        case [conda, "install", *rest] if _CONDA.fullmatch(conda):
            return rest, "conda"
    return None


def _of_call(arguments: Sequence[str], tool: Tool) -> list[Ask]:
    found: list[Ask] = []
    tokens, is_conda = list(arguments), tool == "conda"
    while tokens:
        token = tokens.pop(0)
        flag, equals, _ = token.partition("=")
        if re.fullmatch(r"\d?>{1,2}", token):
            tokens[:1] = []  # where its output goes
        elif is_conda and flag in ("-c", "--channel"):
            tokens[:1] = []
            found.append(CHANNEL)
        elif _OF_REQUIREMENTS.fullmatch(token) and not (is_conda and flag in ("-f", "-i", "-e")):
            value = "" if equals or not tokens else shlex.quote(tokens.pop(0))
            open_one = is_open(f"{token} {value}")
            found += [_variable(value)] if open_one else requirements_txt.asks(f"{token} {value}")
        elif token in _FLAGS_OF_REQUIREMENTS:
            found += requirements_txt.asks(token)
        elif token.startswith("-"):
            tokens[: int(flag in _VALUED and not equals)] = []
        elif is_open(token):
            found.append(_variable(token))
        elif is_conda:
            no_package = Left(f"{token} is no package as conda names one")
            found.append(matchspec.parse(token) or no_package)
        else:
            found += requirements_txt.asks(token)
    if tool == "uv":
        table = _table(arguments)
        found = [replace(ask, table=table) if isinstance(ask, Requires) else ask for ask in found]
    return found or [_OF_ITS_KIND]


def _table(arguments: Sequence[str]) -> Table:
    """The list of pyproject.toml that a call of `uv add` is for."""
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option == "--dev":
            return Table("group", "dev")
        if option in ("--group", "--optional") and value:
            return Table("group" if option == "--group" else "extra", value)
    return PROJECT


def is_open(text: str) -> str | None:
    """The variable in a text that the notebook or the shell would put in; None without one."""
    match = re.search(r"\{([A-Za-z_]\w*)\}|\$\{?([A-Za-z_]\w*)", text)
    return (match[1] or match[2]) if match else None


def _variable(text: str) -> Left:
    return Left(f"{is_open(text)} is a variable: run  %uv add {{{is_open(text)}}}  in the notebook")
