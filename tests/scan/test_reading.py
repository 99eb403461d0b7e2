"""Notebooks of any version, cells that are no Python, and what is no notebook."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan.labelled_set import cell, notebook

from uvmagic import notebook_code
from uvmagic.errors import NotebookUnknown
from uvmagic.scan import found

if TYPE_CHECKING:
    from pathlib import Path

    from uvmagic.scan.found import Reading


def reading(tmp_path: Path, *sources: str) -> Reading:
    file = tmp_path / "n.ipynb"
    file.write_text(notebook(tuple(map(cell, sources))), encoding="utf-8")
    return found.in_notebook(notebook_code.read(file), file)


def test_cells_are_counted_among_all(tmp_path: Path) -> None:
    file = tmp_path / "n.ipynb"
    file.write_text(notebook((cell("# Title", "markdown"), cell("x = 1\nimport numpy"))))
    (only,) = found.in_notebook(notebook_code.read(file), file).imports
    assert (only.module, only.place.cell, only.place.line) == ("numpy", 2, 2)


@pytest.mark.parametrize("version", [2, 3])
def test_older_versions_are_read(version: int, tmp_path: Path) -> None:
    cells: list[dict[str, Any]] = [
        {"cell_type": "heading", "level": 1, "source": "Title"},
        {"cell_type": "code", "language": "python", "input": ["import numpy\n", "import scipy"]},
        {"cell_type": "code", "language": "ruby", "input": "require 'matrix'"},
        {"cell_type": "code", "input": "import pandas", "outputs": [{"output_type": "pyout"}]},
    ]
    told = {"nbformat": version, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}
    file = tmp_path / "old.ipynb"
    file.write_text(json.dumps(told))
    read = notebook_code.read(file)
    assert read.numbers == (2, 4)
    assert [one.module for one in found.in_notebook(read, file).imports] == [
        "numpy",
        "scipy",
        "pandas",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"[]",
        b"{}",
        b"null",
        b'{"cells": 3}',
        b'{"cells": [1]}',
        b'{"cells": null, "metadata": []}',
        b'{"worksheets": [{}]}',
        b'{"cells": [{"cell_type": "code", "source": 7}]}',
        b"\xff\xfe{}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_notebook_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "n.ipynb"
    file.write_bytes(content)
    with pytest.raises(NotebookUnknown, match=r"n\.ipynb is not a notebook that can be read"):
        notebook_code.read(file)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5),
                    lambda of: st.lists(of, max_size=3) | st.dictionaries(
                        st.sampled_from(["cells", "worksheets", "metadata", "cell_type", "source",
                                         "kernelspec", "language_info", "name", "code"]),
                        of, max_size=4), max_leaves=12))  # fmt: skip
def test_whatever_the_json_is_it_is_a_notebook_or_said_to_be_none(
    tmp_path_factory: pytest.TempPathFactory, told: object
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.ipynb"
    file.write_text(json.dumps(told))
    with contextlib.suppress(NotebookUnknown):
        assert len(notebook_code.read(file).sources) == len(notebook_code.read(file).numbers)


def test_an_empty_notebook_has_no_cells(tmp_path: Path) -> None:
    assert reading(tmp_path).imports == ()


def test_a_byte_order_mark_is_no_part_of_a_notebook(tmp_path: Path) -> None:
    file = tmp_path / "n.ipynb"
    file.write_bytes(b"\xef\xbb\xbf" + notebook((cell("import numpy"),)).encode())
    assert notebook_code.read(file).sources == ("import numpy",)


def test_a_broken_cell_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    read = reading(tmp_path, "import numpy", "import scipy\nprint 'a'\nfrom pandas import (", "x?")
    assert [(one.module, one.place.cell) for one in read.imports] == [("numpy", 1), ("scipy", 2)]
    (broken,) = read.broken
    assert (broken.place.cell, broken.place.line) == (2, 2)
    assert broken.told.startswith("Missing parentheses")


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("import numpy", "plain"),
        ("try:\n    import numpy\nexcept ImportError:\n    pass", "try"),
        ("try:\n    import numpy\nexcept (KeyError, ModuleNotFoundError):\n    pass", "try"),
        ("try:\n    import numpy\nexcept:\n    pass", "try"),
        ("try:\n    pass\nexcept ImportError:\n    import numpy", "try"),
        ("try:\n    import numpy\nexcept KeyError:\n    pass", "plain"),
        ("try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import numpy", "plain"),
        ("try:\n    pass\nfinally:\n    import numpy", "plain"),
        ("if TYPE_CHECKING:\n    import numpy", "typing"),
        ("if typing.TYPE_CHECKING:\n    import numpy", "typing"),
        ("if not TYPE_CHECKING:\n    import numpy", "plain"),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import numpy", "plain"),
        ("def f():\n  try:\n    if x:\n      import numpy\n  except ImportError: pass", "try"),
        ("importlib.import_module('numpy')", "plain"),
        ("__import__('numpy')", "plain"),
        ("%load_ext numpy", "magic"),
        ("%reload_ext numpy", "magic"),
        ("%aimport numpy", "magic"),
        ("%%time\nimport numpy", "plain"),
        ("%timeit -n 10 -r3 import numpy", "plain"),
    ],
)
def test_how_an_import_stands(source: str, how: str, tmp_path: Path) -> None:
    (only,) = reading(tmp_path, source).imports
    assert (only.module, only.how) == ("numpy", how)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("%%time\n\nimport numpy", 3),
        ("x = 1\n%time import numpy", 2),
        ("%%capture out\n%%time\nimport numpy", 3),
        ("%load_ext a\n\n%load_ext b\nimport numpy", 4),
    ],
)
def test_the_line_of_an_import_below_a_magic(source: str, line: int, tmp_path: Path) -> None:
    found_at = [o.place.line for o in reading(tmp_path, source).imports if o.module == "numpy"]
    assert found_at == [line]


@pytest.mark.parametrize(
    ("source", "requirements"),
    [
        ("!pip install 'pandas>=2' polars", ["pandas>=2", "polars"]),
        ("%pip install -q pandas", ["pandas"]),
        ("x = 1\n!pip install pandas  # a remark", ["pandas"]),
        ("!pip install -e .", []),
        ("!pip install {name}", []),
        ("!pip uninstall pandas", []),
        ("%conda install dask-core cudatoolkit python=3.9", ["dask"]),
        ("%%bash\npip install pandas", ["pandas"]),
        ("%uv add pandas", ["pandas"]),
        ("%%uv add\n# frames\npandas\npolars>1", ["pandas", "polars>1"]),
        ("# !pip install pandas", []),
        ("text = 'pip install pandas'", []),
        ("subprocess.run([sys.executable, '-m', 'pip', 'install', 'pandas>=2'])", ["pandas>=2"]),
        ("os.system('pip install -q pandas')", ["pandas"]),
        ("subprocess.run(['pip', 'install', name])", []),
        ("print('pip install pandas')", []),
    ],
)
def test_lines_that_install(source: str, requirements: list[str], tmp_path: Path) -> None:
    assert [one.requirement for one in reading(tmp_path, source).asked] == requirements


def test_another_language_is_known_by_the_metadata(tmp_path: Path) -> None:
    file = tmp_path / "r.ipynb"
    told = {"cells": [cell("library(x)")], "metadata": {"kernelspec": {"language": "R"}}}
    file.write_text(json.dumps(told))
    read = notebook_code.read(file)
    assert (read.language, read.is_python) == ("r", False)


def test_outputs_are_dropped_while_reading(tmp_path: Path) -> None:
    made = {**cell("import numpy"), "outputs": [{"output_type": "stream", "text": "import scipy"}]}
    file = tmp_path / "n.ipynb"
    file.write_text(notebook((made,)))
    assert notebook_code.read(file).sources == ("import numpy",)
