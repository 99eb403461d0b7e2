"""From a fresh folder to a bundle, in the browser: what a newcomer does, and sees."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.lab import PATIENCE

if TYPE_CHECKING:
    from browser.lab import Cell, Notebook, Open, TakePicture

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
    added.shows("Added matplotlib, numpy", "From the next cell on this notebook runs in the")
    is_a_plot(plotted)
    assert len(FIRST_CONTACT) <= 5
    assert notebook.cells.count() == len(FIRST_CONTACT) + 1, "and an empty one to go on in"
    picture(notebook, "add", loaded, made, added, dark=True)
    picture(notebook, "plot", plotted)

    moved = notebook.run(WHERE).shows("study/.venv")
    picture(notebook, "move", moved)
    notebook.save("study.ipynb")
    bundled = notebook.run("%uv bundle").shows("Bundled study.ipynb", "docker build")
    picture(notebook, "bundle", bundled)
    status = notebook.run("%uv status").shows("This notebook runs in its project, study.")
    picture(notebook, "status", status, dark=True)

    # a notebook with variables is not moved unasked, and says so
    second = open_notebook("study")
    second.run("answer = 42")
    second.run("%load_ext uvmagic")
    second.run("%uv add numpy").shows("Already there: numpy", "%uv kernel use --force", "lost")
    second.run("answer").shows("42")
    second.run("%uv kernel use --force").shows("From the next cell on this notebook runs there.")
    second.run(WHERE).shows("study/.venv")

    # what Tab offers, and Shift-Tab explains
    offered = second.tab("%uv ")
    expect(offered).to_contain_text("add")
    expect(offered).to_contain_text("bundle")
    picture(second, "complete", second.cell(-1), offered)
    second.erase()
    offered = second.tab("%uv remove ")
    expect(offered).to_contain_text("matplotlib")
    expect(offered).not_to_contain_text("pillow")  # which nobody has asked for
    second.erase()
    second.write("%uv add")
    expect(second.shift_tab()).to_contain_text("Examples")
    second.erase()

    # the kernel of one project, in the folder of another
    stranger = open_notebook("other", "study (uv)")
    stranger.run("%uv init").shows("other is a project now.")
    wrong = stranger.run("%uv add numpy")
    wrong.gets_on("The notebook lies in other", "its kernel is that of ~/study", "%uv kernel use")


def test_run_all(open_notebook: Open) -> None:
    """All cells wait at once, and are run each in its place, once in the one kernel, once moved."""
    notebook = open_notebook("all")
    for code in (*FIRST_CONTACT, WHERE):
        notebook.write(code)
    notebook.choose("Run", "Run All Cells")
    has_run_in_the_project(notebook)
    notebook.choose("Kernel", "Restart Kernel and Run All Cells…")
    notebook.confirm("Confirm Kernel Restart")
    expect(notebook.cell(2).output).to_contain_text("Already there", timeout=PATIENCE)
    has_run_in_the_project(notebook)


def has_run_in_the_project(notebook: Notebook) -> None:
    expect(notebook.cell(-1).output).to_contain_text("all/.venv", timeout=PATIENCE)
    is_a_plot(notebook.cell(3))
    for index in range(5):
        notebook.cell(index).ends()
        assert "Error" not in notebook.cell(index).text


def test_the_stop_button(open_notebook: Open, slow_line: str, picture: TakePicture) -> None:
    notebook = open_notebook("slow", slow_line)
    notebook.run("%load_ext uvmagic")
    notebook.run("%uv init").shows("slow is a project now.")
    files = [notebook.folder / name for name in ("pyproject.toml", "uv.lock")]
    before = [file.read_bytes() if file.exists() else None for file in files]
    adding = notebook.start("%uv add scipy")
    expect(adding.output).to_contain_text(re.compile(r"scipy.*MiB of 34\.3 MiB"), timeout=PATIENCE)
    picture(notebook, "progress", adding)
    notebook.stop()
    adding.ends()
    adding.gets_on("Stopped; pyproject.toml and uv.lock are as they were.")
    picture(notebook, "stop", adding)
    assert [file.read_bytes() if file.exists() else None for file in files] == before


def is_a_plot(cell: Cell) -> None:
    expect(cell.output.get_by_role("img")).to_be_visible(timeout=PATIENCE)
