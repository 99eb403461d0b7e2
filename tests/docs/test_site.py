"""The documentation is built without a warning, and what is built stands on its own."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from docs.pages import ROOT
from uvmagic.doctor.examine import CHECKS
from uvmagic.grammar import WORDS, uv_options

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(made)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return made


class Loaded(HTMLParser):
    """The addresses of what a browser loads for a page by itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        loads = tag in ("script", "img", "iframe", "source", "video", "embed")
        is_linked = tag == "link" and given.get("rel") not in ("canonical", "next", "prev")
        address = given.get("src") if loads else given.get("href") if is_linked else None
        if address:
            self.addresses.append(address)


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loaded = Loaded(page.read_text(encoding="utf-8")).addresses
        assert loaded
        assert not [address for address in loaded if re.match(r"(\w+:)?//", address)]
    for sheet in site.rglob("*.css"):
        assert not re.search(r"@import|url\(['\"]?(https?:)?//", sheet.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", WORDS)
def test_a_word_is_told_with_all_its_options(site: Path, name: str) -> None:
    page = (site / "reference" / f"{name}.html").read_text(encoding="utf-8")
    word = WORDS[name]
    names = [option.name for option in word.options]
    names += [option.names[-1] for option in uv_options(word.uv)]
    assert not [name for name in names if f' id="{name.strip("-")}">' not in page]


def test_every_check_is_told(site: Path) -> None:
    page = (site / "reference" / "doctor.html").read_text(encoding="utf-8")
    assert not [name for name in CHECKS if f' id="{name}">' not in page]
