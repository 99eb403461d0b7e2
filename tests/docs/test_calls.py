"""Every call that the documentation names can be made: its word and its options are there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from docs.pages import DOCS, ROOT, blocks
from uvmagic import grammar
from uvmagic.data import uv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]
_CALL = re.compile(r"(?:\w+=\S+ +)*(?:%%?(?:uv|uvmagic)|(?:uv run |jupyter )?uvmagic)(?: +(.*))?")
_PLACEHOLDERS = {"WORD", "…"}


def calls(page: Path) -> Iterator[str]:
    """What follows `%uv` and `uvmagic` in a page's cells, commands and inline code."""
    text = page.read_text(encoding="utf-8")
    code = [line for block in blocks(text) for line in block.text.splitlines()]
    outside = re.sub(r"(?ms)^ *```.*?^ *```$", "", text)
    code += [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", outside)]
    for line in code:
        found = _CALL.fullmatch(line.strip().partition(" | ")[0])
        if found and found[1]:
            yield found[1]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_its_calls_can_be_made(page: Path) -> None:
    for call in calls(page):
        tokens = grammar.tokenise(call)
        if not tokens or tokens[0] in _PLACEHOLDERS:
            continue
        command = grammar.parse(tokens)
        assert not command.unknown, call
        assert command.is_owned or command.wants_help or command.word in uv.commands(), call


def test_calls_are_found_wherever_they_stand(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Say `%uv add\nalpha` or `uv add beta`.\n\n"
        "```sh\nA=1 uvmagic sync --locked | cat\nuv sync\n```\n\n"
        "    ```python\n    %%uv add\n    %uv tree\n    ```\n"
    )
    assert list(calls(page)) == ["sync --locked", "add", "tree", "add alpha"]
