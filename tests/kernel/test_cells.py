"""What a notebook's front end gets from a real kernel, over a loopback index."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from kernels import Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Folder
    from index import PackageIndex

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@pytest.fixture
def kernel(folder: Folder) -> Iterator[Kernel]:
    """A kernel in the loopback project that makes no kernels of projects."""
    with Kernel("python3", folder.path) as started:
        started.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
        yield started


def test_progress_is_one_display_with_bytes_that_ends_as_the_outcome(
    kernel: Kernel, index: PackageIndex
) -> None:
    index.drip("*.whl", 4_000_000)
    cell = kernel.run("%uv add heavy")
    assert cell.status == "ok"
    assert len(cell.outputs) == 1
    under_way = [text for text in cell.shown if re.search(r"Downloading  [\d.]+ .iB of", text)]
    assert under_way
    assert all(re.search(r"of 4.8 MiB  ([\d.]+ .iB/s  )?heavy$", text) for text in under_way), (
        under_way
    )
    assert cell.text.startswith("Added heavy")
    assert "+ heavy  1.0" in cell.text


def test_bytes_are_told_in_jupyterlab_where_uv_itself_would_draw_none(
    folder: Folder, index: PackageIndex
) -> None:
    index.drip("*.whl", 4_000_000)
    with Kernel("python3", folder.path, {"JPY_SESSION_NAME": "study.ipynb"}) as kernel:
        kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
        cell = kernel.run("%uv add heavy")
    assert any(re.search(r"Downloading  [\d.]+ .iB of [\d.]+ .iB", text) for text in cell.shown)


def test_what_is_saved_has_no_control_characters_and_only_the_last_state(
    kernel: Kernel, index: PackageIndex
) -> None:
    index.delay("/simple/alpha/", 1.0)
    cell = kernel.run("%uv add beta")
    assert len(cell.shown) > 1
    saved = json.dumps(cell.outputs, ensure_ascii=False)
    assert _CONTROL.search(saved) is None
    assert "Resolving" not in saved


def test_the_text_alone_tells_what_changed_and_where(kernel: Kernel, folder: Folder) -> None:
    text = kernel.run("%uv add beta").text
    for told in ("Added beta", "+ alpha  2.0", "+ beta   1.0", str(folder.path), "environment"):
        assert told in text
    text = kernel.run('%uv add "alpha<2"').text
    assert "~ alpha  2.0 → 1.0" in text
    text = kernel.run("%uv remove beta").text
    assert "− beta  1.0" in text


def test_a_failing_cell_shows_one_clean_error_and_stops_run_all(
    kernel: Kernel, folder: Folder
) -> None:
    before = folder.contents()
    cell = kernel.run("%uv add no-such-thing")
    assert cell.status == "error"
    errors = [output for output in cell.outputs if output["type"] == "error"]
    assert len(errors) == 1
    assert errors[0]["ename"] == "UvFailed"
    assert "no-such-thing" in "\n".join(errors[0]["traceback"])
    assert "Traceback" not in cell.text
    assert "File " not in cell.text
    assert folder.contents() == before


def test_an_assigned_outcome_is_a_value_that_a_later_cell_shows(kernel: Kernel) -> None:
    first = kernel.run("r = %uv add alpha")
    assert first.text.startswith("Added alpha")
    assert kernel.run("print([c.name for c in r.changes])").text.strip() == "['alpha']"
    assert kernel.run("r").text.startswith("Added alpha")


def test_output_of_other_words_comes_live(kernel: Kernel) -> None:
    script = "import time\nfor n in range(3):\n    print('line', n)\n    time.sleep(0.4)\n"
    cell = kernel.run("%%uv run\n" + script)
    assert cell.status == "ok"
    streams = [output for output in cell.outputs if output["type"] == "stream"]
    printed = [output["text"] for output in streams if output["name"] == "stdout"]
    assert "".join(printed).split() == ["line", "0", "line", "1", "line", "2"]
    assert len(printed) >= 3


def test_the_front_end_tells_which_notebook_it_is(folder: Folder) -> None:
    notebook = folder.path / "study.ipynb"
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    told = {"JPY_SESSION_NAME": str(notebook)}
    with Kernel("python3", folder.path, told) as kernel:
        kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
        assert kernel.run("%uv add alpha").status == "ok"
        assert "Would bundle study.ipynb" in kernel.run("%uv bundle --dry-run").text


def test_vs_code_tells_which_notebook_it_is(kernel: Kernel, folder: Folder) -> None:
    notebook = folder.path / "study.ipynb"
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    kernel.run(f"__vsc_ipynb_file__ = {str(notebook)!r}")
    assert kernel.run("%uv add alpha").status == "ok"
    assert "Would bundle study.ipynb" in kernel.run("%uv bundle --dry-run").text


def test_when_nobody_tells_which_notebook_it_asks(kernel: Kernel, folder: Folder) -> None:
    (folder.path / "one.ipynb").write_text("{}")
    (folder.path / "two.ipynb").write_text("{}")
    cell = kernel.run("%uv bundle")
    assert cell.status == "error"
    assert "one.ipynb, two.ipynb" in cell.text
    assert "%uv bundle one.ipynb" in cell.text


def test_a_change_stands_also_where_no_kernel_can_be_made(folder: Folder) -> None:
    """The index has no ipykernel: that is said, and the user's own add is not lost."""
    with Kernel("python3", folder.path) as kernel:
        kernel.run("%load_ext uvmagic")
        cell = kernel.run("%uv add beta")
        assert cell.status == "ok"
        assert "Not made a kernel: ipykernel and uvmagic could not be added" in cell.text
        assert "ipykernel was not found" in " ".join(cell.text.split())
        assert folder.installed() == {"alpha", "beta"}
        assert "dependency-groups" not in folder.pyproject.read_text()
        assert kernel.run("%uv add beta").text.startswith("Already there: beta")
