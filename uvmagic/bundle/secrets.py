"""Secrets in what is about to go into a bundle: which, where, and never themselves.

A secret is told by the form that its provider gives it (`data/secrets.json`), or by the name that
it is assigned to. Time is linear in the content, whatever it is.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import zipfile
import zlib
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from uvmagic.data import secrets
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ASSIGNMENT = "assignment"
_FILE = "file"
_MANIFEST = "bundle.json"
"""It has names of files, each with a hash: none is a secret of that name."""
_UNPACKED = 64 * 1024 * 1024
"""How much of a compressed file is looked at: some unpack to more than there is room for."""
_PARTS = {"source": "", "outputs": ", output", "attachments": ", attachment"}
"""What a cell has besides metadata, and how it is told."""
_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)
_TOLD = 50
"""How many secrets a message names."""
_LEVELS = 3
"""How deep escapes (JSON in a JSON string) and archives (a wheel in a zip) are followed."""
_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U000([0-9A-Fa-f]{5})|x([0-9A-Fa-f]{2})|([abfnrtv0])|([\\\"'/`]))"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,40}+[A-Za-z]")
_PLACEHOLDER = re.compile(r"\{[^}]*\}|<[^>]*>|%\(|%s|\$[{(]|\.\.\.|…|\*\*\*|\A\$\w+\Z")
_FILLERS = frozenset("xX*.…_-0")
_NO_PASSWORD = re.compile(
    r"(?i)\A[/.~]|passw|secret|example|changeme|dummy|placeholder|test|your|user"
)
_KINDS_OF_CHARACTERS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_AWS_SECRET = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9/+]{40}")


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret, and where it is.

    Attributes:
        file: the path of the file, within an archive too.
        place: what of a notebook it is in, `cell 3, output`; else empty.
        line: within that, from 1; 0 for a file as a whole.
        what: its kind.
        fingerprint: of kind and secret, the same wherever it is; by it the user allows it.
        excerpt: what stands before it, without itself.
    """

    file: str
    place: str
    line: int
    what: str
    fingerprint: str
    excerpt: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.file, self.place)))
        line = f", line {self.line}" if self.line else ""
        return f"{where}{line}: {self.what}{self.excerpt and f' {self.excerpt}'}"


@dataclass(frozen=True, slots=True)
class _Hit:
    """A secret in a text: where it starts and ends, and what stands before it."""

    rule: str
    what: str
    start: int
    end: int
    secret: str
    lead: str


class _Piece(NamedTuple):
    """A part of a notebook that is text."""

    place: str
    text: str


class Inspection:
    """All that is about to go into a bundle, looked through as it becomes known.

    Args:
        allowed: fingerprints of the secrets that may go along.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)
        self._seen: dict[tuple[str, str], list[Finding]] = {}

    def require_none(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Look through files; one with the same content at the same place only once.

        Args:
            files: the path of each in the bundle, and its content.

        Raises:
            BundleRefused: with every secret that is not allowed, by file, cell and line.
        """
        refused: list[Finding] = []
        for path, content in files:
            key = (path, hashlib.sha256(content).hexdigest())
            if key not in self._seen:
                self._seen[key] = in_file(path, content)
            found = self._seen[key]
            refused += [one for one in found if one.fingerprint not in self._allowed]
        if refused:
            told = [f"{one}   {one.fingerprint}" for one in refused[:_TOLD]]
            more = len(refused) - len(told)
            raise BundleRefused(
                "Whoever gets the bundle would have these; no bundle was made:\n  "
                + "\n  ".join([*told, *([f"and {more} more"] if more else [])]),
                "Take them out (os.environ and getpass.getpass() need none in the notebook). One "
                "that is no secret goes along with  --allow-secret FINGERPRINT",
            )

    def note(self) -> str | None:
        """What goes along although it looks like a secret; None where nothing does."""
        found = [one for many in self._seen.values() for one in many]
        told = list(dict.fromkeys(map(str, found)))
        return f"Allowed to go along: {'; '.join(told)}." if told else None


def in_file(path: str, content: bytes, level: int = 0) -> list[Finding]:
    """The secrets in a file, in its order.

    Args:
        path: as it is told, POSIX.
        content: of the file. In archives each member is looked at, of a notebook each cell.
        level: how deep in archives it lies.
    """
    found = [_whole(path, content)] if _is_named_as_one(path) else []
    if level < _LEVELS:
        for name, member in _members(path, content):
            found += in_file(name, member, level + 1)
    text = _decoded(content)
    if text is None:
        return found + _in_pieces(path, [_Piece("", content.decode("latin-1"))], assigned=False)
    if path.endswith(".ipynb") and (pieces := _pieces(text)):
        return found + _in_pieces(path, pieces, assigned=True)
    return found + _in_pieces(path, [_Piece("", text)], assigned=path != _MANIFEST)


def fingerprint(rule: str, secret: str) -> str:
    """A short name for a secret; of a token it tells nothing, a weak password can be guessed."""
    told = f"{rule}\0{''.join(secret.split())}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:12]


# --- files ----------------------------------------------------------------------------------------


def _is_named_as_one(path: str) -> bool:
    lowered, known = PurePosixPath(path.lower()), secrets.files()
    return lowered.name not in known.shared and any(map(lowered.match, known.patterns))


def _whole(path: str, content: bytes) -> Finding:
    digest = fingerprint(_FILE, hashlib.sha256(content).hexdigest())
    return Finding(path, "", 0, "a file that is made to hold secrets", digest, "")


def _members(path: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The files in an archive: a zip, as wheels are, or a gzip. What cannot be read has none."""
    with suppress(*_UNREADABLE):
        if content.startswith(b"\x1f\x8b"):
            name = path.rpartition("/")[2].removesuffix(".gz")
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                yield f"{path}/{name}", packed.read(_UNPACKED)
        elif content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for member in archive.infolist():
                    with suppress(*_UNREADABLE), archive.open(member) as file:
                        name = "".join(c if c.isprintable() else "?" for c in member.filename)
                        yield f"{path}/{name}", file.read(_UNPACKED)


def _decoded(content: bytes) -> str | None:
    """A file's text, None for one that is none."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return None if b"\0" in content else content.decode("utf-8", "replace")


class _Object(list[tuple[str, Any]]):
    """An object of JSON with all its keys, those too that are there twice."""


def _pieces(text: str) -> list[_Piece]:
    """All texts of a notebook; none where it is no notebook."""
    try:
        notebook = json.loads(text, object_pairs_hook=_Object)
        if not isinstance(notebook, _Object) or "cells" not in dict(notebook):
            return []
        return list(_of_notebook(notebook))
    except (ValueError, RecursionError):
        return []


def _of_notebook(notebook: _Object) -> Iterator[_Piece]:
    for key, value in notebook:
        if key != "cells" or not isinstance(value, list):
            yield from _leaves("the notebook's metadata", key, value)
            continue
        for number, cell in enumerate(value, start=1):
            for name, item in cell if isinstance(cell, _Object) else [("", cell)]:
                is_part = name in _PARTS
                where = f"cell {number}{_PARTS[name] if is_part else ', metadata'}"
                yield from _leaves(where, "" if is_part else name, item)


def _leaves(place: str, key: str, value: object) -> Iterator[_Piece]:
    """The texts in a value of JSON; each after its key, as what it is assigned to."""
    if isinstance(value, _Object):
        yield _Piece(place, key)
        for name, item in value:
            yield from _leaves(place, name, item)
    elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
        for item in (key, *value):
            yield from _leaves(place, "", item)
    elif isinstance(value, str | list):
        text = "".join(value)
        yield _Piece(place, f'{key} = "{text}"' if key else text)
    elif key:
        yield _Piece(place, key)


# --- texts ----------------------------------------------------------------------------------------


def _in_pieces(file: str, pieces: Sequence[_Piece], *, assigned: bool) -> list[Finding]:
    """The secrets in all pieces, looked for at once: most notebooks are many small ones."""
    starts, line = [], 0
    for piece in pieces:
        starts.append(line)
        line += piece.text.count("\n") + 1
    found: list[tuple[int, Finding]] = []
    known: set[str] = set()
    for number, text in enumerate(_readings("\n".join(piece.text for piece in pieces))):
        told = []
        for line, hit in _with_lines(text, _hits(text, assigned=assigned and number == 0)):
            at = bisect_right(starts, line) - 1
            digest = fingerprint(hit.rule, hit.secret)
            excerpt = f"{hit.lead.replace(hit.secret, '')}…"
            place = pieces[at].place
            one = Finding(file, place, line - starts[at] + 1, hit.what, digest, excerpt)
            told.append((line, one))
        found += [(line, one) for line, one in told if one.fingerprint not in known]
        known |= {one.fingerprint for _, one in told}
    return list(dict.fromkeys(one for _, one in sorted(found, key=itemgetter(0))))


def _readings(text: str) -> list[str]:
    """A text with its escapes read and without colours, and as it is: each may show a secret.

    A line stays a line.
    """
    read = text
    for _ in range(_LEVELS):
        if "\\" not in read:
            break
        read = _ESCAPE.sub(_character, read)
    readings = [read, text]
    if "\x1b[" in read:
        readings = [_COLOUR.sub("", read), _COLOUR.sub(" ", read), text]
    return list(dict.fromkeys(readings))


def _character(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    character = chr(int(code, 16)) if code else escape[5] or " "
    return " " if character in "\r\n" else character


def _with_lines(text: str, hits: Sequence[_Hit]) -> Iterator[tuple[int, _Hit]]:
    """Each hit with the number of its line, from 0."""
    line = position = 0
    for hit in hits:
        line += text.count("\n", position, hit.start)
        position = hit.start
        yield line, hit


def _hits(text: str, *, assigned: bool) -> list[_Hit]:
    """The secrets in a text, in order; of those that begin together the first rule's is told.

    One within another is told too: else to allow the outer would let the inner go along.
    """
    ends: dict[int, int] = {}
    kept = []
    for hit in (*_formed(text), *(_assigned(text) if assigned else ())):
        if hit.end > ends.get(hit.start, -1):
            ends[hit.start] = hit.end
            kept.append(hit)
    return sorted(kept, key=lambda hit: hit.start)


@cache
def _patterns() -> tuple[tuple[secrets.SecretRule, str, re.Pattern[str]], ...]:
    """A pattern for each rule and beginning: Python finds a literal beginning fast.

    A beginning is none within a word; that is asked behind it, so that it stays literal.
    """
    found = []
    for rule in secrets.rules():
        for begins in rule.begins:
            literal = re.escape(begins)
            outside = rf"(?<![A-Za-z0-9]{literal})" if begins[0].isalnum() else ""
            found.append((rule, begins, re.compile(literal + outside + rule.rest)))
    return tuple(found)


def _formed(text: str) -> Iterator[_Hit]:
    """Secrets that are told by their form."""
    for rule, begins, pattern in _patterns():
        if begins not in text:
            continue
        for match in pattern.finditer(text):
            group = "secret" if "secret" in pattern.groupindex else 0
            secret = match[group]
            if _is_placeholder(secret) or (rule.random and not _looks_random(secret)):
                continue
            yield _Hit(rule.name, rule.what, *match.span(group), secret, begins)


@cache
def _assignment() -> re.Pattern[str]:
    """A name of a secret, and a literal that it is given.

    It begins with a set of characters, which Python finds fast, and every repetition is bounded.
    The literal is only looked at: there may be another name in it.
    """
    names: dict[str, list[str]] = {}
    for name in secrets.names():
        names.setdefault(name[0], []).append(name[1:].replace("_", "[_-]?"))
    first = "".join(sorted(names))
    words = "|".join(f"(?<=[{c}{c.upper()}])(?:{'|'.join(rest)})" for c, rest in names.items())
    return re.compile(
        rf"(?P<name>[{first}{first.upper()}](?i:{words})[A-Za-z0-9_-]{{0,48}}+)"
        r"(?=[\"'`\])]{0,3}+[ \t]{0,8}+"
        r"(?:(?::[ \t]{0,4}[A-Za-z_][\w.\[\]|]{0,30}[ \t]{0,4})?=|:=|=>|==|:"
        r"|(?P<loose>,|(?<=[ \t])))"
        r"[ \t]{0,8}+"
        r"(?:[rRbBuUfF]{0,2}(?P<quote>[\"'`])(?P<quoted>[^\"'`\s]{6,512}+)(?P=quote)"
        r"|(?P<bare>[A-Za-z0-9+/_.~!@%^&*-]{16,512}+={0,2})))"
    )


def _assigned(text: str) -> Iterator[_Hit]:
    """Literals that are given to the name of a secret."""
    for match in _assignment().finditer(text):
        group = "quoted" if match["quoted"] else "bare"
        value, name = match[group], match["name"]
        is_password = (
            match["quoted"]
            and match["loose"] is None
            and name.lower().endswith(("password", "passwd", "passphrase", "pwd"))
        )
        if _is_placeholder(value):
            continue
        if _looks_random(value) or (is_password and _looks_like_a_password(value)):
            yield _Hit(_ASSIGNMENT, "a secret by its name", *match.span(group), value, f"{name} = ")


def _is_placeholder(text: str) -> bool:
    """Whether it stands for a secret: `<token>`, `${TOKEN}`, `{token}`, `xxxx`."""
    return _FILLERS.issuperset(text[-16:]) or _PLACEHOLDER.search(text[:64]) is not None


def _looks_random(text: str) -> bool:
    """Whether nobody has made it up: 16 characters or more, of all kinds, in no order.

    Lower case, upper case and digits follow each other at every second or third character in what
    is random, and seldom in words and versions, which a measure of entropy takes for random too.
    """
    if len(text) < 16 or len(set(text)) < 8:
        return False
    if _AWS_SECRET.fullmatch(text):
        return True
    runs = _KINDS_OF_CHARACTERS.findall(text)
    letters_and_digits = sum(map(len, runs))
    parts = len(re.findall(r"[A-Za-z0-9]+", text))
    return any(run.isdigit() for run in runs) and len(runs) - parts >= letters_and_digits / 4


def _looks_like_a_password(text: str) -> bool:
    """Whether somebody has made it up as one: letters, and what is not in words either."""
    others = [c for c in text if not c.isalpha() and c not in "-_./"]
    return 0 < len(others) < len(text) and _NO_PASSWORD.search(text) is None
