"""Text → tokens, the same in a cell and on every system."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from uvmagic.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_PIECE = re.compile(r"""[^\s'"]+|'([^']*)'|"([^"]*)\"""")
_COMMENT = re.compile(r"(?:^|\s)#.*")


def tokenise(text: str) -> list[str]:
    r"""Split a line into tokens, the same on every system.

    Quotes of both kinds group and vanish; a backslash is a backslash (`C:\data`); an unquoted
    `#` at the start of a token begins a comment, inside one (`…git#subdirectory=a`) it does not.

    Raises:
        UsageError: a quote is not closed.
    """
    return ["".join(match[match.lastindex or 0] for match in token) for token in _scanned(text)]


def without_semicolon(line: str) -> tuple[str, bool]:
    """A line without the `;` that ends it, by which IPython is told to show no value.

    One inside of quotes is a requirement's: `"six; python_version < '3.12'"`.

    Returns:
        The line, and whether there was one.
    """
    with contextlib.suppress(UsageError):
        for token in list(_scanned(line))[-1:]:
            if token[-1].lastindex is None and token[-1][0].endswith(";"):
                end = token[-1].end()
                return line[: end - 1] + line[end:], True
    return line, False


def _scanned(text: str) -> Iterator[list[re.Match[str]]]:
    """The pieces of each token; what is quoted in a piece is a group of its own."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        if text[position] == "#":
            newline = text.find("\n", position)
            position = len(text) if newline < 0 else newline
            continue
        pieces: list[re.Match[str]] = []
        while position < len(text) and not text[position].isspace():
            match = _PIECE.match(text, position)
            if match is None:
                quote = text[position]
                raise UsageError(
                    f"The quote {quote} in  {text.strip()}  is not closed.",
                    f"Close it with another {quote}.",
                )
            pieces.append(match)
            position = match.end()
        yield pieces


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
