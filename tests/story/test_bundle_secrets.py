"""No secret goes into a bundle unless it is allowed; in the messages none is either.

The secrets are put together here, so that none is in this repository.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder

AWS = "AKIA" + "Q3EGRT7YHB2KLM5N"
GITHUB = "ghp" + "_" + "k7Vq2ZtR9xWb4LmN8sYd1FcG6hJp3AeU5oTi"
PYPI = "pypi" + "-AgEIcHlwaS5vcmc" + "CJDk3ZjQxYTk2LTRjM2UtNGQ1Yy1hZmI2LTk4NzY1NDMyMTBhYgACKlsz"
PEM = "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n"
PASSWORD = "sw0rdf1sh"
URL = "https" + f"://someone:{PASSWORD}" + "@example.org/table.csv"
CANARIES = (AWS, GITHUB, PYPI, PEM.splitlines()[1], PASSWORD)


def write_notebook(path: Path, *sources: str, text: str = "", **metadata: Any) -> None:
    """A notebook with these code cells; the last one has printed a text."""
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]  # type: ignore[no-untyped-call]
    if text:
        cells[-1]["outputs"] = [nbformat.v4.new_output("stream", text=text)]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


@pytest.fixture
def study(folder: Folder) -> Folder:
    """A project with a lock and an environment, without requirements."""
    assert folder.uvmagic("sync").returncode == 0
    return folder


def contents(folder: Path) -> Iterator[bytes]:
    yield from (file.read_bytes() for file in folder.rglob("*") if file.is_file())


def refused(study: Folder, *arguments: str) -> str:
    """What is told where a bundle is refused: no canary is in it, and no bundle is there."""
    done = study.uvmagic("bundle", "study.ipynb", *arguments)
    assert done.returncode == 1, done.stdout
    told = done.stdout + done.stderr
    assert [canary for canary in CANARIES if canary in told] == []
    assert list(study.path.parent.rglob("bundle.json")) == []
    assert sorted(study.path.glob("*bundle*")) == []
    assert "--allow-secret" in told
    return told


def test_canaries_are_refused_by_name_and_line(study: Folder) -> None:
    write_notebook(
        study.path / "study.ipynb",
        "import helpers\nimport pandas as pd",
        f"x = 1\nkey = '{AWS}'",
        f"pd.read_csv('{URL}')",
        text=f"first\nsecond {GITHUB}\n",
        papermill={"parameters": {"publish": PYPI}},
    )
    (study.path / "helpers.py").write_text(f"a = 1\nb = 2\nKEY = '''{PEM}'''\n")
    (study.path / "data").mkdir()
    (study.path / "data" / "settings.json").write_text(
        '{\n "a": 1,\n "b": "\\u0041' + AWS[1:] + '"\n}\n'
    )
    (study.path / ".env").write_text("A=1\nTOKEN=" + GITHUB + "\n")
    told = refused(study, "--keep-outputs", "--include", "data", "--include", ".env")
    for line in (
        ".env: a file that is made to hold secrets",
        ".env, line 2: GitHub token ghp_…",
        "data/settings.json, line 3: AWS access key id AKIA…",
        "helpers.py, line 3: private key -----BEGIN …",
        "study.ipynb, cell 2, line 2: AWS access key id AKIA…",
        "study.ipynb, cell 3, line 1: password in a URL ://…",
        "study.ipynb, cell 3, output, line 2: GitHub token ghp_…",
        "study.ipynb, the notebook's metadata, line 1: PyPI token pypi-AgE…",
    ):
        assert line in told
    assert len(re.findall(r"   [0-9a-f]{12}\n", told)) == 8
    assert refused(study, "--dry-run", "--keep-outputs", "--include", "data").count(AWS[:4]) == 2


def test_the_refusal_is_one_object_where_one_is_asked_for(study: Folder) -> None:
    write_notebook(study.path / "study.ipynb", f"key = '{AWS}'")
    told = json.loads(refused(study, "--json").splitlines()[-1])
    assert AWS not in json.dumps(told)


def test_outputs_that_stay_behind_are_no_reason(study: Folder) -> None:
    write_notebook(study.path / "study.ipynb", "print(1)", text=GITHUB)
    done = study.uvmagic("bundle", "study.ipynb", "--dry-run")
    assert done.returncode == 0, done.stderr


def test_a_dry_run_tells_what_is_allowed(study: Folder) -> None:
    write_notebook(study.path / "study.ipynb", f"key = '{AWS}'")
    (allowed,) = re.findall(r"   ([0-9a-f]{12})\n", refused(study))
    done = study.uvmagic("bundle", "study.ipynb", "--dry-run", "--allow-secret", allowed)
    assert done.returncode == 0, done.stderr
    assert "Allowed to go along: study.ipynb, cell 1, line 1: AWS access key id" in done.stdout
    assert AWS not in done.stdout


@pytest.mark.network
@pytest.mark.heavy
def test_what_is_allowed_is_bundled_and_nothing_else(study: Folder) -> None:
    write_notebook(study.path / "study.ipynb", f"key = '{AWS}'\nother = 1", text=GITHUB)
    (allowed,) = re.findall(r"   ([0-9a-f]{12})\n", refused(study))
    done = study.uvmagic("bundle", "study.ipynb", "--allow-secret", allowed)
    assert done.returncode == 0, done.stderr
    files = list(contents(study.path / "study-bundle"))
    assert sum(AWS.encode() in content for content in files) == 1
    assert not any(GITHUB.encode() in content for content in files)


@pytest.mark.network
@pytest.mark.heavy
def test_a_wheel_of_the_project_itself_is_looked_into(study: Folder) -> None:
    with study.pyproject.open("a") as file:
        file.write('\n[build-system]\nrequires = ["uv_build"]\nbuild-backend = "uv_build"\n')
    text = study.pyproject.read_text().split("[[tool.uv.index]]")
    study.pyproject.write_text(text[0] + "[build-system]" + text[1].partition("[build-system]")[2])
    package = study.path / "src" / "project"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"\n\nTOKEN = '{PYPI}'\n")
    assert study.uvmagic("sync").returncode == 0
    write_notebook(study.path / "study.ipynb", "1")
    told = refused(study)
    assert ".whl/project/__init__.py, line 3: PyPI token pypi-AgE…" in told
