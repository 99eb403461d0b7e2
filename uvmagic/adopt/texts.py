"""A source's text, whatever wrote it: PowerShell's `pip freeze > file` is UTF-16."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from uvmagic.errors import SourceInvalid

if TYPE_CHECKING:
    from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(file: Path, told: str) -> str:
    """The text of a file, its byte order mark heeded and gone.

    Args:
        file: the file.
        told: its name for people.

    Raises:
        SourceInvalid: it is not there, cannot be read, or is no text.
    """
    try:
        return decoded(file.read_bytes())
    except FileNotFoundError as error:
        raise SourceInvalid(f"There is no file {told}.", "Name one that is there.") from error
    except OSError as error:
        raise SourceInvalid(f"{told} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SourceInvalid(
            f"{told} is no text in UTF-8 or UTF-16 (byte {error.start + 1}).",
            "Save it as UTF-8.",
        ) from error


def decoded(content: bytes) -> str:
    """The text of a file's content. Raises UnicodeDecodeError."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    return content.decode(encoding)
