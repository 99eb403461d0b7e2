"""What tells the figures of the benchmarks tells those of results.json: drawn anew, compared."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import draw, pages
from benchmarks.pictures import PICTURES
from benchmarks.report import PAGE, PICTURES_FOLDER, RESULTS, reported

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.pictures import Picture

_ROW = "| `%load_ext uvmagic` over IPython | 999 ms | at most 30 ms |"


@pytest.fixture(scope="module")
def told() -> Any:
    return json.loads(RESULTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def drawn() -> dict[Path, str]:
    return reported()


def test_pictures_and_pages_are_those_of_the_results(drawn: dict[Path, str]) -> None:
    stale = [file.name for file, text in drawn.items() if file.read_text("utf-8") != text]
    assert not stale, "uv run python benchmarks/run.py --draw"
    assert {file for file in drawn if file.suffix == ".svg"} == set(PICTURES_FOLDER.iterdir())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture(picture: Picture, told: Any, drawn: dict[Path, str]) -> None:
    text = drawn[PICTURES_FOLDER / f"{picture.name}.svg"]
    words = {"".join(element.itertext()).strip() for element in ET.fromstring(text).iter()}
    bars = [bar for panel in picture.panels for bar in panel.bars]
    assert words >= {picture.title, *(bar.label for bar in bars)}
    assert any(each.startswith(told["machine"]) for each in words)
    assert len(text.encode()) <= 40_000
    assert f"(figures/{picture.name}.svg)" in drawn[PAGE]
    other = copy.deepcopy(told["results"])
    other[picture.panels[0].subject][bars[0].figure]["median_ms"] *= 2
    assert draw.drawn(picture, other, told["machine"]) != text


def test_readme_gets_the_figures_of_the_results(told: Any) -> None:
    page = f"# uvmagic\n\n| | measured | promised |\n|---|---|---|\n{_ROW}\n\nMore.\n"
    measured = told["results"]["load_ext"]["%load_ext uvmagic"]["median_ms"]
    assert pages.readme(page, told["results"]) == page.replace("999", f"{measured:.0f}")


def test_a_figure_that_nothing_measures_is_refused(told: Any) -> None:
    page = "| | measured | promised |\n|---|---|---|\n| speed of light | 1 c | |\n\n"
    with pytest.raises(ValueError, match=r"promises\.py does not: speed of light"):
        pages.readme(page, told["results"])


def test_a_page_without_a_place_for_a_picture_is_refused(told: Any) -> None:
    page = PAGE.read_text("utf-8").replace("<!-- begin: image -->", "")
    with pytest.raises(ValueError, match="no place for: image"):
        pages.figures_page(page, told["results"], told["machine"], told["peers"])
