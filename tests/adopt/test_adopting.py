"""`adopt` from end to end: the real uv, a loopback index, real files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from index import wheel

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder, Shell
    from index import PackageIndex
    from torch_hosts.fixtures import TorchHosts

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ENVIRONMENT = f"""\
name: study
channels: [conda-forge]
dependencies:
  - python={PYTHON}
  - alpha=1.0
  - nowhere
  - git
  - pip:
      - delta[more]
"""


@pytest.fixture(autouse=True)
def _one_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare uv the search for a Python, which takes it longer than all the rest."""
    monkeypatch.setenv("UV_PYTHON", sys.executable)


@pytest.fixture
def bare(empty: Folder, index: PackageIndex, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """An empty folder, where uv knows only the loopback index."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(empty.path.parent / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    return empty


def done(folder: Folder, *arguments: str, **environ: str) -> dict[str, Any]:
    """The JSON of a call that works."""
    ran = folder.uvmagic(*arguments, "--json", **environ)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def parsed(folder: Folder) -> dict[str, Any]:
    return tomllib.loads(folder.pyproject.read_text())


def everything(path: Path) -> dict[str, bytes]:
    """Every file below a folder, and its bytes."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and ".uvmagic" not in file.parts
    }


def test_an_environment_of_condas_becomes_a_project(bare: Folder) -> None:
    (bare.path / "environment.yml").write_text(ENVIRONMENT)
    dry = done(bare, "adopt", "environment.yml", "--dry-run")
    assert dry["title"] == (
        "Would adopt environment.yml: 5 of 7 lines; 2 to look at; nothing was changed"
    )
    assert sorted(path.name for path in bare.path.iterdir()) == ["environment.yml"]
    told = done(bare, "adopt", "environment.yml")
    assert told["title"] == "Adopted environment.yml: 5 of 7 lines; 2 to look at"
    left = {row["line"]: row["told"] for row in told["lines"] if row["outcome"] == "left"}
    assert left.keys() == {6, 7}
    assert "none of that name" in left[6]
    assert parsed(bare)["project"]["requires-python"] == f"=={PYTHON}.*"
    assert parsed(bare)["project"]["dependencies"] == ["alpha==1.0.*", "delta[more]"]
    assert "tool" not in parsed(bare)
    assert bare.installed() == {"alpha", "delta", "gamma"}
    again = done(bare, "adopt", "environment.yml")
    assert again["changes"] == []


def test_a_tree_of_files_becomes_lists_indexes_and_constraints(
    folder: Folder, index: PackageIndex
) -> None:
    index.add(wheel("alpha", "1.5"))
    (folder.path / "sub").mkdir()
    (folder.path / "wheels").mkdir()
    made = wheel("lib", "1.0")
    (folder.path / "wheels" / made.filename).write_bytes(made.data)
    (folder.path / "requirements.txt").write_text(
        f"-r sub/more.txt\n-c sub/bounds.txt\n--extra-index-url {index.url}/\nbeta\n"
        f"./wheels/{made.filename}\n"
    )
    (folder.path / "sub" / "more.txt").write_text("gamma>=1 \\\n  --hash=sha256:00\n")
    (folder.path / "sub" / "bounds.txt").write_text("alpha<2\n")
    before = folder.pyproject.read_text()
    told = done(folder, "adopt", "requirements.txt")
    assert told["title"] == "Adopted requirements.txt: 7 of 7 lines"
    uv = parsed(folder)["tool"]["uv"]
    assert parsed(folder)["project"]["dependencies"] == ["beta", "gamma>=1", "lib"]
    assert uv["constraint-dependencies"] == ["alpha<2"]
    assert uv["sources"]["lib"] == {"path": f"wheels/{made.filename}"}
    assert uv["index"][-1]["url"] == f"{index.url}/"
    assert before.splitlines()[0] in folder.pyproject.read_text()
    assert {"name": "alpha", "before": None, "after": "1.5"} in told["changes"]


def test_what_cannot_be_resolved_leaves_everything_as_it_was(bare: Folder) -> None:
    (bare.path / "pyproject.toml").write_bytes(b"[tool.ruff]\r\nline-length = 80\r\n")
    (bare.path / "requirements.txt").write_text("alpha==1.0\nbeta\nalpha>=2\n")
    before = everything(bare.path)
    for _ in range(2):
        ran = bare.uvmagic("adopt", "requirements.txt")
        assert ran.returncode == 1
        assert "requirements.txt was not adopted" in ran.stderr
        assert "alpha" in ran.stderr
        assert everything(bare.path) == before
        assert not (bare.path / ".uvmagic").exists()


def test_without_a_network_no_name_is_said_to_be_nowhere(bare: Folder) -> None:
    (bare.path / "environment.yml").write_text("dependencies:\n  - alpha\n")
    ran = bare.uvmagic("adopt", "environment.yml", UV_OFFLINE="1")
    assert ran.returncode == 1
    assert "none of that name" not in ran.stderr
    assert sorted(path.name for path in bare.path.iterdir()) == ["environment.yml"]


def test_poetrys_project_becomes_one_of_uvs_in_its_place(bare: Folder) -> None:
    bare.pyproject.write_text(
        '[tool.poetry]\nname = "thesis"\nversion = "1.0"\n\n[tool.poetry.dependencies]\n'
        f'python = "^{PYTHON}"\nalpha = "^1.0"\ngamma = {{ version = "*", optional = true }}\n\n'
        '[tool.poetry.extras]\nmore = ["gamma"]\n\n[tool.poetry.group.dev.dependencies]\n'
        'p0 = "~1.0"\n\n[tool.black]\nline-length = 80 # mine\n'
    )
    told = done(bare, "adopt", "pyproject.toml")
    found = parsed(bare)
    assert (found["project"]["name"], found["tool"]["poetry"]["name"]) == ("thesis", "thesis")
    assert found["project"]["dependencies"] == ["alpha>=1.0,<2.0"]
    assert found["project"]["optional-dependencies"] == {"more": ["gamma"]}
    assert found["dependency-groups"] == {"dev": ["p0>=1.0,<1.1"]}
    assert "line-length = 80 # mine" in bare.pyproject.read_text()
    assert bare.installed() == {"alpha", "p0"}
    assert "to look at" not in told["title"]


def test_as_of_the_last_commit(folder: Folder, index: PackageIndex) -> None:
    (folder.path / "requirements.txt").write_text("alpha\n")
    when = "2022-03-04T12:30:00+00:00"
    git = {**os.environ, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "HOME": "/nowhere"}
    git |= {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    for command in (["init", "-q"], ["add", "requirements.txt"], ["commit", "-qm", "one"]):
        subprocess.run(["git", *command], cwd=folder.path, env=git, check=True)
    for version, day in {"1.0": "2021-01-01", "2.0": "2022-06-01"}.items():
        index.add(replace(wheel("alpha", version), uploaded=f"{day}T00:00:00Z"))
    told = done(folder, "adopt", "requirements.txt", "--as-of", "git")
    assert told["as_of"] == "2022-03-04T12:30:00Z"
    assert "the last commit of requirements.txt" in folder.pyproject.read_text()
    assert told["changes"] == [{"name": "alpha", "before": None, "after": "1.0"}]


@pytest.mark.parametrize(
    ("options", "backend"),
    [((), "cu126"), (("--cpu", "--as-of", "2030-01-01"), "cpu")],
    ids=["the source's", "the call's, as of a day"],
)
def test_condas_cuda_is_torchs_index(
    torch_hosts: TorchHosts, options: tuple[str, ...], backend: str
) -> None:
    folder = torch_hosts.folder
    if options:  # what has no date is left out then, and the imitation of PyPI tells none
        text = folder.pyproject.read_text()
        text = text.replace("default = true", "default = true\nexclude-newer = false")
        folder.pyproject.write_text(text)
    (folder.path / "environment.yml").write_text(
        "dependencies:\n  - pytorch=2.7.1\n  - torchvision\n  - pytorch-cuda=12.6\n  - cudnn\n"
    )
    told = done(folder, "adopt", "environment.yml", "--dry-run", *options)
    assert "to look at" not in told["title"]
    assert any(f"2.7.1+{backend}" in str(change["after"]) for change in told["changes"])
    assert f'+name = "pytorch-{backend}"' in told["diff"]


def test_a_cell_adopts_what_the_notebook_itself_has_installed(
    folder: Folder, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = {"cell_type": "code", "source": ["!pip install alpha==1.0\n", "import alpha"]}
    (folder.path / "a.ipynb").write_text(json.dumps({"cells": [cell], "nbformat": 4}))
    outcome = shell.outcome("%uv adopt a.ipynb --group lab --dry-run")
    assert outcome.title == "Would adopt a.ipynb: 1 of 1 lines; nothing was changed"
    assert "in the group lab" in outcome.text()
    assert "a.ipynb cell 1:1" in outcome.html()


def test_a_path_that_leads_nowhere_is_told_and_the_rest_adopted(folder: Folder) -> None:
    (folder.path / "requirements.txt").write_text("-e ./gone\n./lost.whl\nalpha\n")
    told = done(folder, "adopt", "requirements.txt")
    assert [(line["text"], line["outcome"]) for line in told["lines"]] == [
        ("-e ./gone", "left"),
        ("./lost.whl", "left"),
        ("alpha", "adopted"),
    ]
    assert "./gone is not there" in told["lines"][0]["told"]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ((), 2, "takes one file"),
        (("nowhere.yml",), 1, "no file and no environment nowhere.yml"),
        (("empty.txt",), 2, "asks for nothing"),
        (("circle.txt",), 1, "circle.txt → circle.txt"),
        (("good.txt", "--as-of", "git"), 2, "in no commit of git"),
        (("good.txt", "--as-of", "then"), 2, "no day and no moment"),
        (("good.txt", "--frozen"), 2, "no option --frozen"),
    ],
)
def test_a_bad_call_is_one_clear_error(
    empty: Folder, arguments: tuple[str, ...], status: int, told: str
) -> None:
    (empty.path / "empty.txt").write_text("# nothing\n")
    (empty.path / "circle.txt").write_text("-r circle.txt\n")
    (empty.path / "good.txt").write_text("alpha\n")
    before = everything(empty.path)
    ran = empty.uvmagic("adopt", *arguments)
    assert (ran.returncode, "Traceback" in ran.stderr) == (status, False)
    assert told in ran.stderr
    assert everything(empty.path) == before
