"""What results.json says, as the pictures and pages that tell it."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import draw, pages
from benchmarks.pictures import PICTURES

_HERE = Path(__file__).parent
RESULTS = _HERE / "results.json"
PAGE, README = _HERE.parent / "docs" / "figures.md", _HERE.parent / "README.md"
PICTURES_FOLDER = PAGE.with_suffix("")


def reported() -> dict[Path, str]:
    """Every file that tells figures, with what it is to say: all pictures, docs/figures.md, README.

    Raises:
        KeyError: a subject that they tell has no results yet.
        ValueError: a page has no place for a figure, or a figure that is not known.
    """
    told = json.loads(RESULTS.read_text(encoding="utf-8"))
    results, machine = told["results"], told["machine"]
    pictures = {
        PICTURES_FOLDER / f"{each.name}.svg": draw.drawn(each, results, machine)
        for each in PICTURES
    }
    page, readme = (file.read_text(encoding="utf-8") for file in (PAGE, README))
    return {
        **pictures,
        PAGE: pages.figures_page(page, results, machine, told["peers"]),
        README: pages.readme(readme, results),
    }
