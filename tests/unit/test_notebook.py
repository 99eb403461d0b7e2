"""A notebook, its portable copy, and which file is meant."""

from __future__ import annotations

import copy
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4

from uvmagic import notebook as notebooks
from uvmagic.errors import NotebookUnknown
from uvmagic.notebook import locate, uses_uvmagic

# --- what its code asks for -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("%load_ext uvmagic", True),
        ("%reload_ext uvmagic", True),
        ("%uv add pandas", True),
        ("import x\n  %uv sync", True),
        ("%%uv add\npandas", True),
        ("%uvmagic add pandas", True),
        ("o = %uv add pandas", True),
        ("%uv", True),
        ("%uvicorn run", False),
        ("%load_ext uvmagic_other", False),
        ("# %uv add pandas", False),
        ("!uv add pandas", False),
        ("uv = 1 %uv", False),
        ("print('%uv add pandas')", False),
        ("", False),
    ],
)
def test_a_cell_that_needs_uvmagic_is_known(source: str, uses: bool) -> None:
    assert uses_uvmagic(["x = 1", source]) == uses


# --- its portable copy ----------------------------------------------------------------------------

RAISES = "raises-exception"
RAN = {
    "iopub.execute_input": "2026-01-01T00:00:00Z",
    "shell.execute_reply": "2026-01-01T00:00:01.5Z",
}


def a_notebook() -> nbformat.NotebookNode:
    output = v4.new_output("stream", name="stdout", text="hello\n")  # type: ignore[no-untyped-call]
    code = v4.new_code_cell(  # type: ignore[no-untyped-call]
        "print('grüße')", id="a", execution_count=3, outputs=[output], metadata={"execution": RAN}
    )
    code.metadata["tags"] = ["parameters"]
    text = v4.new_markdown_cell("# Title", id="b")  # type: ignore[no-untyped-call]
    metadata = {
        "kernelspec": {"name": "uvmagic-x", "display_name": "x (uv)", "language": "python"},
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
        "language_info": {"name": "python"},
    }
    made: nbformat.NotebookNode = v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[text, code], metadata=metadata
    )
    return made


@pytest.mark.parametrize("keep_outputs", [True, False])
def test_a_portable_copy_is_made_once_and_the_notebook_stays(keep_outputs: bool) -> None:
    notebook = a_notebook()
    before = copy.deepcopy(notebook)
    made = notebooks.portable(notebook, keep_outputs=keep_outputs)
    assert notebook == before
    assert notebooks.portable(made, keep_outputs=keep_outputs) == made
    assert made.metadata.kernelspec.name == "python3"
    assert [cell.source for cell in made.cells] == [cell.source for cell in notebook.cells]
    assert made.cells[1].metadata.tags == ["parameters"]


def test_a_portable_copy_has_no_outputs_and_nothing_of_the_run() -> None:
    made = notebooks.portable(a_notebook(), keep_outputs=False)
    code = made.cells[1]
    assert (code.outputs, code.execution_count, dict(code.metadata)) == (
        [],
        None,
        {"tags": ["parameters"]},
    )
    assert "widgets" not in made.metadata


def test_outputs_that_are_to_be_kept_are_kept() -> None:
    notebook = a_notebook()
    made = notebooks.portable(notebook, keep_outputs=True)
    assert made.cells == notebook.cells
    assert made.metadata.widgets == notebook.metadata.widgets


def test_a_notebook_that_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    notebook = a_notebook()
    content = notebooks.to_bytes(notebook)
    (tmp_path / "a.ipynb").write_bytes(content)
    assert notebooks.read(tmp_path / "a.ipynb") == notebook
    assert notebooks.to_bytes(copy.deepcopy(notebook)) == content
    assert content.endswith(b"}\n")


def test_the_code_cells_come_in_order_without_the_others() -> None:
    assert notebooks.code_cells(a_notebook()) == ["print('grüße')"]


def test_a_cell_ran_as_long_as_was_recorded_and_no_time_otherwise() -> None:
    text, code = a_notebook().cells
    assert notebooks.seconds(code) == 1.5
    assert notebooks.seconds(text) == 0


def test_the_first_error_is_told_with_its_cell() -> None:
    notebook = a_notebook()
    assert notebooks.first_error(notebook) is None
    for name in ("ValueError", "KeyError"):
        error = v4.new_output("error", ename=name, evalue="no", traceback=[])  # type: ignore[no-untyped-call]
        notebook.cells[1].outputs.append(error)
    assert notebooks.first_error(notebook) == (2, "ValueError: no")


# --- errors that are expected ---------------------------------------------------------------------


def raising(name: str, *, tags: tuple[str, ...] = (), **metadata: Any) -> nbformat.NotebookNode:
    """A code cell that was saved with this error."""
    error = v4.new_output("error", ename=name, evalue="no", traceback=[])  # type: ignore[no-untyped-call]
    cell: nbformat.NotebookNode = v4.new_code_cell("1 / 0", outputs=[error], metadata=metadata)  # type: ignore[no-untyped-call]
    if tags:
        cell.metadata["tags"] = list(tags)
    return cell


def of(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    made: nbformat.NotebookNode = v4.new_notebook(cells=list(cells))  # type: ignore[no-untyped-call]
    return made


def banner() -> nbformat.NotebookNode:
    """What papermill puts in where an error is."""
    tags = {"tags": ["papermill-error-cell-tag"]}
    cell: nbformat.NotebookNode = v4.new_markdown_cell("An Exception", metadata=tags)  # type: ignore[no-untyped-call]
    return cell


@pytest.mark.parametrize("keep_outputs", [True, False])
def test_a_cell_that_was_saved_with_an_error_is_expected_to_raise_it(keep_outputs: bool) -> None:
    source = of(raising("KeyError", tags=("slow",)), raising("ValueError", tags=(RAISES,)))
    made = notebooks.portable(source, keep_outputs=keep_outputs)
    assert [dict(cell.metadata) for cell in made.cells] == [
        {"tags": ["slow", RAISES], "uvmagic": {"raises": "KeyError"}},
        {"tags": [RAISES], "uvmagic": {"raises": "ValueError"}},
    ]
    assert notebooks.portable(made, keep_outputs=keep_outputs) == made
    nbformat.validate(made)


def test_a_cell_that_was_stopped_or_is_well_is_not_expected_to_raise() -> None:
    well = v4.new_code_cell("x")  # type: ignore[no-untyped-call]
    made = notebooks.portable(of(raising("KeyboardInterrupt"), well), keep_outputs=False)
    assert [dict(cell.metadata) for cell in made.cells] == [{}, {}]


def test_only_the_error_that_is_expected_is_none() -> None:
    kept = {"uvmagic": {"raises": "KeyError"}}
    assert notebooks.first_error(of(raising("KeyError", tags=(RAISES,)))) is None
    assert notebooks.first_error(of(raising("KeyError", tags=(RAISES,), **kept))) is None
    other = of(
        raising("KeyError", tags=(RAISES,), **kept), raising("OSError", tags=(RAISES,), **kept)
    )
    assert notebooks.first_error(other) == (2, "OSError: no")
    strange = raising("KeyError", tags=(RAISES,), uvmagic=5)
    assert notebooks.first_error(of(strange)) is None


def test_the_cells_that_are_expected_to_raise_are_told_with_what_they_raised() -> None:
    text = v4.new_markdown_cell("# Title")  # type: ignore[no-untyped-call]
    silent = v4.new_code_cell("x", metadata={"tags": [RAISES]})  # type: ignore[no-untyped-call]
    made = of(banner(), text, raising("KeyError", tags=(RAISES,)), silent, raising("OSError"))
    assert notebooks.expected_errors(made) == [(1, "KeyError"), (2, None)]


def test_the_cell_that_ran_too_long_is_the_last_that_began() -> None:
    def ran(duration: float | None, *, exception: bool = False) -> nbformat.NotebookNode:
        kept = {"papermill": {"duration": duration, "exception": exception}}
        cell: nbformat.NotebookNode = v4.new_code_cell("x", metadata=kept)  # type: ignore[no-untyped-call]
        return cell

    assert notebooks.timed_out(of(ran(9.0), ran(3.1), ran(None)), 3) == 2
    assert notebooks.timed_out(of(ran(9.0), ran(2.9), ran(None)), 3) is None
    assert notebooks.timed_out(of(ran(3.1, exception=True)), 3) is None
    assert notebooks.timed_out(of(ran(None)), 3) is None
    assert notebooks.timed_out(of(), 3) is None


# --- reading --------------------------------------------------------------------------------------


def test_what_tools_leave_out_is_filled_in(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """A notebook that a script wrote, without ids, counts and outputs."""
    kinds = ("code", "markdown")
    cells = [{"cell_type": kind, "source": "1", "metadata": {}} for kind in kinds]
    told = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    file = tmp_path / "bare.ipynb"
    file.write_text(json.dumps(told))
    read = notebooks.read(file)
    assert [cell.id for cell in read.cells] == ["cell-0", "cell-1"]
    assert read.cells[0].outputs == []
    assert notebooks.to_bytes(read) == notebooks.to_bytes(notebooks.read(file))
    assert not recwarn.list


def test_a_notebook_of_format_3_is_read_as_version_4(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "input": "import numpy", "outputs": [], "language": "python"}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [cell]}]}
    (tmp_path / "old.ipynb").write_text(json.dumps(old), encoding="utf-8")
    assert notebooks.code_cells(notebooks.read(tmp_path / "old.ipynb")) == ["import numpy"]


def test_a_notebook_of_format_2_is_read_as_version_4(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "input": "import numpy", "outputs": [], "language": "python"}
    old = {"nbformat": 2, "metadata": {"name": "x"}, "worksheets": [{"cells": [cell]}]}
    (tmp_path / "old.ipynb").write_text(json.dumps(old), encoding="utf-8")
    assert notebooks.code_cells(notebooks.read(tmp_path / "old.ipynb")) == ["import numpy"]


V4 = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"print('a script')",
        b"\xff\xfe",
        b"[]",
        b"1",
        b"null",
        b"{}",
        b'{"nbformat": 99}',
        b'{"nbformat": [4]}',
        b'{"nbformat": "4"}',
        json.dumps(V4).encode(),
        json.dumps({**V4, "cells": 1}).encode(),
        json.dumps({**V4, "cells": ["x"]}).encode(),
        json.dumps({**V4, "cells": [{"cell_type": "code"}]}).encode(),
        json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}}).encode(),
    ],
)
def test_what_is_no_notebook_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.ipynb"
    file.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(NotebookUnknown, match="is not a notebook that can be read") as caught:
            notebooks.code_cells(notebooks.read(file))
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message


def test_a_notebook_that_is_not_there_or_is_a_folder_is_one_clear_error(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.ipynb", tmp_path):
        with pytest.raises(NotebookUnknown):
            notebooks.read(path)


JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "nbformat": st.sampled_from([1, 2, 3, 4, 5]) | JSONS,
            "nbformat_minor": st.integers(0, 6) | JSONS,
            "metadata": st.just({}) | JSONS,
            "cells": st.lists(
                st.fixed_dictionaries({"cell_type": st.sampled_from(["code", "markdown"])}) | JSONS,
                max_size=2,
            )
            | JSONS,
            "worksheets": JSONS,
        },
    )
)
def test_any_json_is_a_notebook_with_cells_or_one_clear_error(content: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "a.ipynb"
        file.write_text(json.dumps(content), encoding="utf-8")
        try:
            read = notebooks.read(file)
        except NotebookUnknown as error:
            assert str(file) in error.message  # noqa: PT017 - either outcome will do
        else:
            made = notebooks.portable(read, keep_outputs=False)
            assert notebooks.code_cells(made) == notebooks.code_cells(read)


# --- which one is meant ---------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with two notebooks."""
    for name in ("analysis.ipynb", "my notes.ipynb"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    return tmp_path


def test_the_notebook_that_is_named_is_meant(desk: Path) -> None:
    told = desk / "analysis.ipynb"
    assert locate("my notes.ipynb", desk, told) == desk / "my notes.ipynb"
    assert locate(str(told), desk / "elsewhere", None) == told


def test_else_the_one_that_the_front_end_tells(desk: Path) -> None:
    assert locate(None, desk, desk / "analysis.ipynb") == desk / "analysis.ipynb"


@pytest.mark.parametrize("told", ["Untitled.ipynb", None])
def test_else_the_only_one(desk: Path, told: str | None) -> None:
    """JupyterLab renames a new notebook at its first save, and the kernel does not hear of it."""
    (desk / "my notes.ipynb").unlink()
    assert locate(None, desk, desk / told if told else None) == desk / "analysis.ipynb"


def test_a_notebook_that_is_not_there_is_told_with_the_one_that_was_near(desk: Path) -> None:
    with pytest.raises(NotebookUnknown, match=r"There is no notebook anaylsis\.ipynb") as caught:
        locate("anaylsis.ipynb", desk, desk / "my notes.ipynb")
    assert caught.value.hint == "Did you mean analysis.ipynb?"
    with pytest.raises(NotebookUnknown) as caught:
        locate("zzz", desk, None)
    assert caught.value.hint is None


@pytest.mark.parametrize("gone", [True, False])
def test_when_nobody_tells_the_ones_at_hand_are_named(desk: Path, gone: bool) -> None:
    with pytest.raises(
        NotebookUnknown, match=r"Here are: analysis\.ipynb, my notes\.ipynb"
    ) as caught:
        locate(None, desk, desk / "gone.ipynb" if gone else None)
    assert caught.value.hint == "Name it:  %uv bundle analysis.ipynb"


def test_when_nobody_tells_and_none_is_at_hand_an_example_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotebookUnknown) as caught:
        locate(None, tmp_path, None)
    assert "Here are" not in caught.value.message
    assert caught.value.hint == "Name it:  %uv bundle analysis.ipynb"
