"""From a fresh folder to a bundle, in the browser: what a newcomer does, and sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from browser.lab import Open, TakePicture

pytestmark = [pytest.mark.network, pytest.mark.heavy]

FIRST_CONTACT = (
    "%load_ext uvmagic",
    "%uv init",
    "%uv add matplotlib numpy",
    "import numpy as np, matplotlib.pyplot as plt\n"
    "x = np.linspace(0, 10, 200)\n"
    "plt.plot(x, np.sin(x));",
)
"""All that a newcomer types until there is a plot."""
WHERE = "import pathlib, sys\npathlib.Path(sys.prefix).relative_to(pathlib.Path.home())"


def test_the_story(open_notebook: Open, picture: TakePicture) -> None:
    notebook = open_notebook("study")
    loaded, made, added, plotted = [notebook.run(code) for code in FIRST_CONTACT]
    made.shows("study is a project now.")
    added.shows(
        "Added matplotlib, numpy", "From the next cell on this notebook runs in the project"
    )
    plot = plotted.output.get_by_role("img")
    expect(plot).to_be_visible()
    assert len(FIRST_CONTACT) <= 5
    assert notebook.cells.count() == len(FIRST_CONTACT) + 1, "and an empty one to go on in"
    picture(notebook, "add", loaded, made, added, dark=True)
    picture(notebook, "plot", plotted)

    moved = notebook.run(WHERE).shows("study/.venv")
    picture(notebook, "move", moved)
    bundled = notebook.run("%uv bundle").shows("Bundled")
    picture(notebook, "bundle", bundled)
    status = notebook.run("%uv status").shows("This notebook runs in its project, study.")
    picture(notebook, "status", status, dark=True)
