"""Text → tokens, the same in a cell and on every system."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

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
    tokens = []
    for token in scanned(text):
        if token.open_quote:
            raise UsageError(
                f"The quote {token.open_quote} in  {text.strip()}  is not closed.",
                f"Close it with another {token.open_quote}.",
            )
        if not token.is_comment:
            tokens.append(token.value)
    return tokens


def without_semicolon(line: str) -> tuple[str, bool]:
    """A line without the `;` that ends it, by which IPython is told to show no value.

    One inside of quotes is a requirement's: `"six; python_version < '3.12'"`.

    Returns:
        The line, and whether there was one.
    """
    tokens = [token for token in scanned(line) if not token.is_comment]
    whole = line[: tokens[-1].end] if tokens and not tokens[-1].open_quote else ""
    if whole.endswith(";"):
        return whole.rstrip(";") + line[len(whole) :], True
    return line, False


class Token(NamedTuple):
    """A token, or a comment, where it stands.

    Attributes:
        start: its place in the text.
        end: the place behind it.
        value: without its quotes.
        open_quote: the quote that nothing closes; empty for none.
        is_comment: whether it is nothing that anybody reads.
    """

    start: int
    end: int
    value: str
    open_quote: str = ""
    is_comment: bool = False


def scanned(text: str) -> Iterator[Token]:
    """The tokens of a line, whatever it is: what an open quote begins goes on to the end."""
    position = 0
    while position < len(text):
        start = position
        if text[start].isspace():
            position += 1
        elif text[start] == "#":
            newline = text.find("\n", start)
            position = len(text) if newline < 0 else newline
            yield Token(start, position, text[start:position], is_comment=True)
        else:
            pieces, open_quote = [], ""
            while position < len(text) and not text[position].isspace():
                match = _PIECE.match(text, position)
                if match is None:
                    open_quote = text[position]
                    pieces.append(text[position + 1 :])
                    position = len(text)
                else:
                    pieces.append(match[match.lastindex or 0])
                    position = match.end()
            yield Token(start, position, "".join(pieces), open_quote)


def quote(tokens: Iterable[str]) -> str:
    """The line that `tokenise` splits into these tokens."""
    return " ".join(map(_quote_one, tokens))


def _quote_one(token: str) -> str:
    if token and not re.search(r"""[\s'"]|^#""", token):
        return token
    for mark in ("'", '"'):
        if mark not in token:
            return f"{mark}{token}{mark}"
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
