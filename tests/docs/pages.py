"""A page of the documentation as what it shows: cells, shell commands, files, what they print.

A fenced block is told by its language. `python` is a cell of the page's notebook, `sh` are commands
of its reader, `text` right behind one of them is what it prints. A block with a `title` is the file
of that name: written where it is not there, else a part of it. A comment above a block says what
else is to be known of it: `<!-- fails -->`, `<!-- not run: why -->`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"(?P<indent> *)(?P<fence>```+|~~~+)(?P<info>.*)")
_TITLE = re.compile(r'title="([^"]*)"')


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: as it is named behind the fence.
        title: the file that it shows; empty for none.
        text: its lines.
        start: the index of its first line in the page.
        end: the index of the line behind its last.
        remark: what a comment right above it says.
    """

    language: str
    title: str
    text: str
    start: int
    end: int
    remark: str = ""

    @property
    def is_run(self) -> bool:
        """Whether a reader who follows the page runs it."""
        is_code = self.language in ("python", "sh") and not self.title
        return is_code and not self.remark.startswith("not run")


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return list(_blocks(page.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    index, remark = 0, ""
    while index < len(lines):
        opened = _FENCE.fullmatch(lines[index])
        index += 1
        if opened is None:
            comment = re.fullmatch(r" *<!-- (.*) -->", lines[index - 1])
            remark = comment[1] if comment else remark if not lines[index - 1].strip() else ""
            continue
        start = index
        while index < len(lines) and lines[index].strip() != opened["fence"]:
            index += 1
        inside = [line.removeprefix(opened["indent"]) for line in lines[start:index]]
        title = _TITLE.search(opened["info"])
        language = (opened["info"].split() or [""])[0]
        yield Block(language, title[1] if title else "", "\n".join(inside), start, index, remark)
        index, remark = index + 1, ""


def output_of(block: Block, page: list[Block]) -> Block | None:
    """What a page says that a block prints; None where it says nothing."""
    following = page[page.index(block) + 1 :]
    behind = following[0] if following else None
    # a fence, an empty line, a fence
    is_near = behind is not None and behind.start - block.end <= 3
    return behind if behind and is_near and behind.language == "text" else None


def differs(shown: str, printed: str) -> str | None:
    """The first line of what a page shows that was not printed so; None where all was.

    Numbers, sizes and widths may be others, for there are new versions each day. A line `…` stands
    for any lines, `…` in a line for any text.
    """
    lines = [line for line in shown.splitlines() if line.strip()]
    text = "".join(f"{_loosely(line)}\n" for line in printed.splitlines() if line.strip())
    patterns = [_pattern(line) for line in lines]
    if re.fullmatch("".join(patterns), text):
        return None
    matching = (n for n in range(len(lines), 0, -1) if re.match("".join(patterns[:n]), text))
    behind = next(matching, 0)
    return lines[behind] if behind < len(lines) else "(more was printed)"


def _pattern(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    return re.escape(_loosely(line)).replace("…", ".*") + r"\n"


def _loosely(line: str) -> str:
    return re.sub(r"\d[\d.,:]*( [KMG]?i?B\b)?", "0", " ".join(line.split()))
