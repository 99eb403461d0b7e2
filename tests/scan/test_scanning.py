"""`scan` from end to end: the real uv where something is added, the loopback index."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from index import wheel
from scan.labelled_set import cell, notebook

from uvmagic.errors import FoundWrong, ProjectMissing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Folder, Shell
    from index import PackageIndex
    from syrupy.assertion import SnapshotAssertion

    Scan = Callable[..., tuple[int, dict[str, Any]]]


def write(folder: Path, name: str, *sources: str) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(notebook(tuple(map(cell, sources))), encoding="utf-8")
    return file


def depend(folder: Folder, *requirements: str, more: str = "") -> None:
    text = folder.pyproject.read_text()
    listed = json.dumps(list(requirements))
    folder.pyproject.write_text(text.replace("dependencies = []", f"dependencies = {listed}{more}"))


def kinds(told: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in told["findings"]:
        found.setdefault(finding["kind"], []).append(finding["name"])
    return found


@pytest.fixture
def scan(capsys: pytest.CaptureFixture[str]) -> Scan:
    """`uvmagic scan … --json` in this process: its exit status, and what it prints."""
    from uvmagic.cli import main

    def call(*arguments: str) -> tuple[int, dict[str, Any]]:
        status = main(["scan", *arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return call


def test_each_kind_is_told_apart(folder: Folder, scan: Scan, snapshot: SnapshotAssertion) -> None:
    depend(folder, "beta", "p9", "asyncio", more='\n[dependency-groups]\ndev = ["gamma", "p8"]')
    (folder.path / "uv.lock").write_text(_LOCK)
    (folder.path / "statistics.py").write_text("")
    write(
        folder.path,
        "a.ipynb",
        "import beta, alpha\nfrom p8 import x",
        "import numpy, nowhere_known, statistics, urllib2, google.colab",
        "try:\n    import scipy\nexcept ImportError:\n    pass",
        "if TYPE_CHECKING:\n    import sympy",
    )
    status, told = scan()
    assert status == 1
    assert kinds(told) == {
        "missing": ["numpy"],
        "unknown": ["nowhere_known"],
        "transitive": ["alpha"],
        "development": ["p8"],
        "shadowed": ["statistics"],
        "gone": ["urllib2"],
        "elsewhere": ["google.colab"],
        "standard": ["asyncio"],
        "optional": ["scipy"],
        "unused": ["p9"],
    }
    assert folder.uvmagic("scan").stdout == snapshot


_LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "alpha"
version = "1.0"
source = { registry = "https://example.org" }

[[package]]
name = "beta"
version = "1.0"
source = { registry = "https://example.org" }
dependencies = [
    { name = "alpha" },
]

[[package]]
name = "p8"
version = "1.0"
source = { registry = "https://example.org" }
"""


def test_all_is_well(folder: Folder, scan: Scan) -> None:
    depend(folder, "pyyaml", "opencv-python-headless>4")
    write(folder.path, "a.ipynb", "import yaml, cv2, os\nfrom IPython.display import HTML")
    status, told = scan()
    assert (status, told["findings"]) == (0, [])
    assert told["title"] == "a.ipynb: all that it imports is asked for."


def test_an_extra_is_enough(folder: Folder, scan: Scan) -> None:
    depend(folder, more='\noptional-dependencies = { fast = ["numpy"] }')
    write(folder.path, "a.ipynb", "import numpy")
    assert scan()[0] == 0


def test_what_is_missing_is_added_in_one_change(folder: Folder, index: PackageIndex) -> None:
    index.add(wheel("numpy", "1.0"), wheel("pyyaml", "6.0", modules={"yaml.py": ""}))
    write(folder.path, "sub/a.ipynb", "import numpy\n!pip install 'alpha<2' gamma", "import yaml")
    done = folder.uvmagic("scan", "sub", "--add")
    assert done.returncode == 0, done.stderr
    assert folder.installed() == {"alpha", "gamma", "numpy", "pyyaml"}
    assert '"alpha<2"' in folder.pyproject.read_text()
    again = folder.uvmagic("scan", "sub")
    assert again.returncode == 0, again.stdout


def test_what_cannot_be_resolved_leaves_the_files_as_they_were(
    folder: Folder, index: PackageIndex
) -> None:
    write(folder.path, "a.ipynb", "import alpha", "!pip install 'alpha>9'")
    before = folder.contents()
    done = folder.uvmagic("scan", "--add")
    assert done.returncode == 1
    assert folder.contents() == before


def test_what_is_not_known_is_never_added(folder: Folder, index: PackageIndex) -> None:
    index.add(wheel("nowhere-known", "1.0"))
    write(folder.path, "a.ipynb", "import alpha_of_mine, nowhere_known\n!pip install alpha")
    done = folder.uvmagic("scan", "--add")
    assert done.returncode == 1
    assert folder.installed() == {"alpha"}
    assert "uvmagic add NAME  with the distribution that has nowhere_known" in done.stdout


def test_a_dry_run_adds_nothing(folder: Folder) -> None:
    write(folder.path, "a.ipynb", "!pip install alpha")
    before = folder.contents()
    done = folder.uvmagic("scan", "--add", "--dry-run")
    assert "+ alpha" in done.stdout
    assert folder.contents() == before


def test_the_world_as_it_was(folder: Folder, index: PackageIndex) -> None:
    for version, day in (("1.0", "2022-03-01"), ("2.0", "2023-03-01")):
        index.add(replace(wheel("numpy", version), uploaded=f"{day}T00:00:00Z"))
    ran = cell("import numpy")
    ran["metadata"] = {"execution": {"iopub.execute_input": "2022-06-01T10:00:00.000000Z"}}
    (folder.path / "old.ipynb").write_text(notebook((ran,)))
    done = folder.uvmagic("scan", "--add", "--as-of", "auto")
    assert done.returncode == 0, done.stderr
    assert "+ numpy  1.0" in done.stdout
    assert "Resolved as of 2022-06-01, by old.ipynb's own words" in done.stdout
    assert 'exclude-newer = "2022-06-02T00:00:00Z" # as of' in folder.pyproject.read_text()


def write_old(folder: Path, name: str, python: str, source: str = "import numpy") -> None:
    """A notebook of June 2022 that says which Python it ran with."""
    ran = cell(source)
    ran["metadata"] = {"execution": {"iopub.execute_input": "2022-06-01T10:00:00.000000Z"}}
    made = json.loads(notebook((ran,)))
    made["metadata"]["language_info"] = {"name": "python", "version": python}
    (folder / name).write_text(json.dumps(made))


@pytest.fixture
def numpys(index: PackageIndex) -> None:
    """Two versions of numpy, of 2022 and 2023."""
    for version, day in (("1.0", "2022-03-01"), ("2.0", "2023-03-01")):
        index.add(replace(wheel("numpy", version), uploaded=f"{day}T00:00:00Z"))


@pytest.mark.usefixtures("numpys")
def test_the_python_of_then(folder: Folder, older_python: str) -> None:
    write_old(folder.path, "old.ipynb", f"{older_python}.3")
    done = folder.uvmagic("scan", "--add", "--as-of", "auto")
    assert done.returncode == 0, done.stderr
    assert f"For Python {older_python}, as old.ipynb was last run" in done.stdout
    told = f'requires-python = "=={older_python}.*" # the Python that old.ipynb was last run with'
    assert told in folder.pyproject.read_text()
    assert next(folder.path.glob(".venv/lib/python*")).name == f"python{older_python}"


@pytest.mark.usefixtures("numpys")
def test_a_python_that_cannot_be_had_is_told(folder: Folder, tmp_path: Path) -> None:
    before = folder.pyproject.read_text()
    write_old(folder.path, "old.ipynb", "2.7.18")
    done = folder.uvmagic("scan", "--add", "--as-of", "auto", UV_PYTHON_DOWNLOADS="never")
    assert done.returncode == 0, done.stderr
    assert "old.ipynb was last run with Python 2.7: the project keeps uv's choice." in done.stdout
    assert "uv has no Python 2.7 here" in done.stdout
    assert "+ numpy  1.0" in done.stdout
    assert 'requires-python = ">=3.11"' in before
    assert 'requires-python = ">=3.11"' in folder.pyproject.read_text()


@pytest.mark.usefixtures("numpys")
def test_notebooks_of_several_pythons_share_none_of_them(folder: Folder) -> None:
    write_old(folder.path, "one.ipynb", "3.8.1")
    write_old(folder.path, "two.ipynb", "3.9.1")
    done = folder.uvmagic("scan", "--add", "--as-of", "2022-06-01")
    assert "one.ipynb was last run with Python 3.8: others with others;" in done.stdout
    assert 'requires-python = ">=3.11"' in folder.pyproject.read_text()


@pytest.mark.usefixtures("numpys")
def test_a_python_that_the_user_has_pinned_stays(folder: Folder, older_python: str) -> None:
    pin = ".".join(map(str, sys.version_info[:2]))
    (folder.path / ".python-version").write_text(f"{pin}\n")
    write_old(folder.path, "old.ipynb", f"{older_python}.3")
    done = folder.uvmagic("scan", "--add", "--as-of", "auto")
    assert done.returncode == 0, done.stderr
    assert f".python-version says so;  uvmagic python pin {older_python}  changes" in done.stdout


@pytest.mark.usefixtures("numpys")
def test_what_is_there_already_goes_back_too(folder: Folder) -> None:
    assert "+ numpy  2.0" in folder.uvmagic("add", "numpy>0").stdout
    write_old(folder.path, "old.ipynb", sys.version.split()[0])
    done = folder.uvmagic("scan", "--add", "--as-of", "auto")
    assert done.returncode == 0, done.stderr
    assert "~ numpy  2.0 → 1.0" in done.stdout


def test_a_day_is_for_what_is_added(folder: Folder) -> None:
    write(folder.path, "a.ipynb", "import numpy")
    done = folder.uvmagic("scan", "--as-of", "git")
    assert done.returncode == 2
    assert "--as-of is for what is added" in done.stderr


def test_without_a_project_it_is_told_what_there_is_to_have(empty: Folder, scan: Scan) -> None:
    write(empty.path, "a.ipynb", "import numpy, cv2")
    status, told = scan()
    assert status == 0
    assert [one["distribution"] for one in told["findings"]] == ["opencv-python", "numpy"]
    assert told["next"] == [
        "uvmagic init  makes this folder a project;  uvmagic scan --add  fills it."
    ]
    refused = empty.uvmagic("scan", "--add")
    assert refused.returncode == ProjectMissing.exit_code
    assert "uvmagic init" in refused.stderr


def test_a_folder_is_scanned_without_environments_and_hidden_folders(
    folder: Folder, scan: Scan
) -> None:
    for place in ("sub/deep", ".hidden", ".ipynb_checkpoints", "env", "node_modules"):
        write(folder.path, f"{place}/n.ipynb", f"import {place.strip('.').replace('/', '_')}_x")
    (folder.path / "env" / "pyvenv.cfg").touch()
    write(folder.path, "n.ipynb", "import top_x")
    assert kinds(scan()[1]) == {"unknown": ["sub_deep_x", "top_x"]}


def test_a_notebook_is_held_against_the_project_that_it_lies_in(folder: Folder, scan: Scan) -> None:
    depend(folder, "alpha")
    member = folder.path / "member"
    member.mkdir()
    (member / "pyproject.toml").write_text(folder.pyproject.read_text().replace("alpha", "gamma"))
    write(folder.path, "a.ipynb", "import alpha, gamma")
    write(member, "b.ipynb", "import alpha, gamma\n!pip install alpha")
    _, told = scan()
    assert [one["name"] for one in told["findings"]] == ["gamma"]
    assert told["notes"] == [
        "1 more lies in other projects, as member/b.ipynb does: scan those by themselves."
    ]
    done = folder.uvmagic("scan", "member", "--add")
    assert done.returncode == 0, done.stderr
    assert '"alpha>=2.0"' in (member / "pyproject.toml").read_text()


def test_the_projects_own_package_and_its_scripts(folder: Folder, scan: Scan) -> None:
    depend(folder, "pandas", "polars", "alpha")
    package = folder.path / "src" / "project"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from . import inner")
    (package / "inner.py").write_text("import attr")
    (folder.path / "script.py").write_text("import polars, unheard_of")
    write(folder.path, "sub/n.ipynb", "import project, pandas")
    assert kinds(scan()[1]) == {"missing": ["attr"], "unused": ["alpha"]}
    assert kinds(scan("script.py")[1]) == {"unknown": ["unheard_of"]}


def test_what_is_no_notebook_among_others_is_told_and_passed_over(
    folder: Folder, scan: Scan
) -> None:
    (folder.path / "bad.ipynb").write_text("not JSON")
    write(folder.path, "good.ipynb", "import numpy")
    status, told = scan()
    assert (status, kinds(told)) == (1, {"missing": ["numpy"]})
    assert [one["file"] for one in told["unread"]] == ["bad.ipynb"]


def test_a_library_by_path_is_followed_and_used(folder: Folder, scan: Scan) -> None:
    library = folder.path / "libs" / "tooling"
    (library / "src" / "lab_tools").mkdir(parents=True)
    (library / "src" / "lab_tools" / "__init__.py").write_text("import attr")
    depend(folder, "tooling")
    folder.lock.write_text(
        _LOCK + '\n[[package]]\nname = "tooling"\nversion = "1"\n'
        'source = { editable = "libs/tooling" }\n'
    )
    write(folder.path, "a.ipynb", "import lab_tools")
    assert kinds(scan()[1]) == {"missing": ["attr"]}


def test_an_editable_uvmagic_is_loaded_and_not_followed(folder: Folder, scan: Scan) -> None:
    (folder.path / "uvmagic").mkdir()
    (folder.path / "uvmagic" / "__init__.py").write_text("import papermill")
    write(folder.path, "a.ipynb", "%load_ext uvmagic\nimport numpy")
    assert kinds(scan()[1]) == {"missing": ["numpy"]}


def test_texts_that_are_no_paths_lead_nowhere(folder: Folder, scan: Scan) -> None:
    lines = (f"%run {'x' * 5000}.py", f"import sys\nsys.path.append('{'y' * 5000}')")
    write(folder.path, "a.ipynb", *lines, "sys.path.append('\\0')\nimport numpy")
    assert kinds(scan()[1]) == {"missing": ["numpy"]}


def test_what_was_installed_by_hand_is_missing(folder: Folder, scan: Scan) -> None:
    site = folder.path / ".venv" / "lib" / "python3.12" / "site-packages"
    info = site / "odd_name-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text("by_hand/__init__.py,,\n")
    write(folder.path, "a.ipynb", "import by_hand")
    (finding,) = scan()[1]["findings"]
    assert finding["told"] == "missing: odd-name; it is installed, and nothing asks for it"


def test_what_is_not_held_against_the_project_is_told(folder: Folder, scan: Scan) -> None:
    told = {"cells": [cell("library(x)")], "metadata": {"language_info": {"name": "R"}}}
    (folder.path / "r.ipynb").write_text(json.dumps(told))
    write(folder.path, "own.ipynb", "# /// script\n# dependencies = []\n# ///", "import numpy")
    write(folder.path, "all.ipynb", "import os")
    status, seen = scan()
    assert (status, seen["findings"]) == (0, [])
    assert seen["notes"] == [
        "own.ipynb carries its own requirements (# /// script): passed over.",
        "r.ipynb is in r: passed over.",
    ]


@pytest.mark.parametrize(
    ("named", "status", "told"),
    [
        ("bad.ipynb", 1, "is not a notebook that can be read"),
        ("a.txt", 2, "neither a notebook"),
        ("god.ipynb", 1, "Did you mean good.ipynb?"),
        ("nowhere/x.ipynb", 1, "There is no nowhere/x.ipynb"),
    ],
)
def test_a_call_that_names_nothing_to_scan(
    named: str, status: int, told: str, folder: Folder
) -> None:
    (folder.path / "bad.ipynb").write_text("not JSON")
    (folder.path / "a.txt").touch()
    write(folder.path, "good.ipynb")
    done = folder.uvmagic("scan", named)
    assert done.returncode == status
    assert told in done.stderr


def test_in_a_cell_what_is_missing_stops_run_all(folder: Folder, shell: Shell) -> None:
    write(folder.path, "a.ipynb", "import numpy")
    with pytest.raises(FoundWrong, match=r"a\.ipynb: 1 missing"):
        shell.run("%uv scan a.ipynb")
    depend(folder, "numpy", "scipy")
    assert shell.outcome("%uv scan").exit_code == 0


def test_in_a_cell_the_open_notebook_is_meant(folder: Folder, shell: Shell) -> None:
    depend(folder, "numpy", "scipy")
    opened = write(folder.path, "open.ipynb", "import numpy")
    write(folder.path, "other.ipynb", "import pandas")
    shell.ip.user_ns["__vsc_ipynb_file__"] = str(opened)
    outcome = shell.outcome("%uv scan")
    assert (outcome.title, outcome.rows) == (
        "open.ipynb: all that it imports is asked for.",
        (),  # what one notebook does not import, another may
    )
