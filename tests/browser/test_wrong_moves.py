"""A newcomer's wrong moves, each in the page: one sentence, what to do next, and no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser.conftest import Home
    from browser.lab import Open, TakePicture

pytestmark = [pytest.mark.network, pytest.mark.heavy]

_NOTHING_CHANGED = "pyproject.toml and uv.lock are as they were."


def test_wrong_moves(
    open_notebook: Open, own_index: Callable[..., str], picture: TakePicture
) -> None:
    notebook = open_notebook("wrong", own_index("own index"))
    notebook.run("%load_ext uvmagic")
    notebook.run("%uv add alpha").gets_on("No project here", "%uv init")
    notebook.run("%uv bundle").gets_on("Untitled.ipynb belongs to no project", "%uv init")
    notebook.run("%uv init").shows("wrong is a project now.")
    notebook.run("%uv ad alpha").gets_on("There is no word ad.", "%uv add alpha")
    slip = notebook.run("%uv add pandsa")
    slip.gets_on("There is no package pandsa;", _NOTHING_CHANGED, "%uv add pandas")
    picture(notebook, "error", slip)
    notebook.run("%uv add os").gets_on("os comes with Python;", "import os")
    notebook.run("%uv add alpha==9").gets_on("There is no alpha==9;", "the newest that fits")
    notebook.run("%uv add alpha --quite").gets_on("add has no such option;", "--quiet")
    notebook.run("%uv add alpha").shows("Added alpha", "2.0")


def test_offline(open_notebook: Open, own_index: Callable[..., str]) -> None:
    nowhere = own_index("offline", UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    notebook = open_notebook("offline", nowhere)
    notebook.run("%load_ext uvmagic")
    notebook.run("%uv init").shows("offline is a project now.")
    refused = notebook.run("%uv add alpha")
    refused.gets_on("127.0.0.1:9 cannot be reached (Connection refused);", "online?")


def test_without_uv(open_notebook: Open, home: Home) -> None:
    home.kernel("lonely", "Python (lonely)", PATH="/usr/bin:/bin")
    uv = home.jupyter / "bin" / "uv"
    real = uv.readlink()
    uv.unlink()
    try:
        notebook = open_notebook("lonely", "Python (lonely)")
        notebook.run("%load_ext uvmagic")
        notebook.run("%uv init").gets_on("uv was not found", "%pip install uv")
        uv.symlink_to(real)  # as pip does it
        notebook.run("%uv init").shows("lonely is a project now.")
    finally:
        uv.unlink(missing_ok=True)
        uv.symlink_to(real)


def test_a_kernel_that_has_not_loaded_the_extension(open_notebook: Open) -> None:
    """IPython's own %uv answers there: nothing of uvmagic's runs before it is loaded."""
    notebook = open_notebook("forgot")
    notebook.run("%uv init").shows("No module named uv")
    notebook.run("%load_ext uvmagic")
    notebook.run("%uv init").shows("forgot is a project now.")
