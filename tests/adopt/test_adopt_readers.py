"""Readers of sources, one rule at a time, and what they say of what they cannot read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from uvmagic import as_of
from uvmagic.adopt import (
    environment_yml,
    live,
    matchspec,
    notebook_lines,
    requirements_txt,
    sources,
)
from uvmagic.adopt.lines import PROJECT, Conda, Requires, masked, without_credentials
from uvmagic.adopt.live import Distribution, named_in, top_level
from uvmagic.adopt.plan import planned
from uvmagic.adopt.texts import decoded
from uvmagic.adopt.versions import NoPep440, from_conda, from_poetry
from uvmagic.data import conda
from uvmagic.errors import SourceInvalid, UsageError
from uvmagic.project import Table

PYPI = f"https://{'pypi'}.org/simple"
"""PyPI's own index."""


@pytest.mark.parametrize(
    ("constraint", "specifier"),
    [
        ("", ""),
        ("*", ""),
        ("=1.2", "==1.2.*"),
        ("=1.2.*", "==1.2.*"),
        ("1.2", "==1.2"),
        ("==1.2", "==1.2"),
        ("==1.2.*", "==1.2.*"),
        (">=1.2.*", ">=1.2"),
        (">=1,<2", ">=1,<2"),
        ("!=1.2.*", "!=1.2.*"),
        ("~=1.2", "~=1.2"),
        ("1.2|1.3", "==1.3"),
        (">=1,<2|>=3", ">=3"),
        ("=1!2.0", "==1!2.0.*"),
    ],
)
def test_a_constraint_of_condas(constraint: str, specifier: str) -> None:
    found, told = from_conda(constraint)
    assert found == specifier
    assert bool(told) == ("|" in constraint)


@pytest.mark.parametrize(
    ("constraint", "specifier"),
    [
        ("*", ""),
        ("^1.2.3", ">=1.2.3,<2.0"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1.0"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2.0"),
        ("1.2.*", "==1.2.*"),
        ("!=1.2.*", "!=1.2.*"),
        ("1.2.3", "==1.2.3"),
        (">= 1.2, < 2", ">=1.2,<2"),
        (">=1.2 <2", ">=1.2,<2"),
        ("^1.0 || ^2.0", ">=2.0,<3.0"),
        ("~=1.4", "~=1.4"),
    ],
)
def test_a_constraint_of_poetrys(constraint: str, specifier: str) -> None:
    assert from_poetry(constraint)[0] == specifier


@pytest.mark.parametrize("constraint", ["1.2_3", "=>", "^beta"])
def test_what_no_specifier_says_is_refused(constraint: str) -> None:
    with pytest.raises(NoPep440):
        from_poetry(constraint)


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("numpy", Conda("numpy")),
        ("NumPy=1.2", Conda("numpy", "=1.2")),
        ("numpy =1.2", Conda("numpy", "=1.2")),
        ("numpy 1.2", Conda("numpy", "1.2")),
        ("numpy==1.2", Conda("numpy", "==1.2")),
        ("numpy=1.2=py39_0", Conda("numpy", "==1.2", "py39_0")),
        ("numpy 1.2 py39_0", Conda("numpy", "1.2", "py39_0")),
        ("numpy 1.2.* *_cuda", Conda("numpy", "1.2.*", "*_cuda")),
        ("numpy >=1, <2", Conda("numpy", ">=1,<2")),
        ("conda-forge::numpy>=1", Conda("numpy", ">=1")),
        ("conda-forge/linux-64::numpy", Conda("numpy")),
        ("numpy[version='>=1,<2', build=py39_0]", Conda("numpy", ">=1,<2", "py39_0")),
        ("ruamel.yaml", Conda("ruamel.yaml")),
        ("_libgcc_mutex=0.1=main", Conda("_libgcc_mutex", "==0.1", "main")),
        ("https://c.example/noarch/tz-data-2022-h1_0.conda", Conda("tz-data", "==2022", "h1_0")),
        ("what is this?", None),
        ("", None),
    ],
)
def test_a_match_spec_has_these_parts(spec: str, parts: Conda | None) -> None:
    assert matchspec.parse(spec) == parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dependencies: [numpy", "line 1"),
        ("- numpy\n- pandas\n", "no environment of conda's"),
        ("", "no environment of conda's"),
        ("a: b: c", "no YAML"),
        ("dependencies:\n\t- numpy", "line 2"),
    ],
)
def test_what_is_no_environment_is_told_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(SourceInvalid, match=reason):
        environment_yml.read(text, "environment.yml", Path())


def test_a_circle_of_files_is_named(tmp_path: Path) -> None:
    for name, text in {"a.txt": "-r b.txt\n", "b.txt": "six\n-r c.txt", "c.txt": "-ra.txt"}.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SourceInvalid, match=r"a\.txt → b\.txt → c\.txt → a\.txt"):
        sources.read("a.txt", tmp_path, {})


def test_a_file_that_two_others_name_is_no_circle(tmp_path: Path) -> None:
    for name, text in {
        "a.txt": "-r b.txt\n-r c.txt\n",
        "b.txt": "-r d.txt",
        "c.txt": "-r d.txt",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "d.txt").write_text("six\n")
    plan = planned(sources.read("a.txt", tmp_path, {}).lines)
    assert [one.requirement for one in plan.additions] == ["six"]


def test_a_missing_file_is_named_as_the_other_spells_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r sub/b.txt\n")
    with pytest.raises(SourceInvalid, match=r"There is no file sub/b\.txt"):
        sources.read("a.txt", tmp_path, {})


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bytes.txt", b"\x00\xff\xfe\x80", "no text in UTF-8"),
        ("Pipfile", b"[packages\n", "cannot be read as TOML"),
        ("pyproject.toml", b"[tool.poetry\n", "cannot be read as TOML"),
        ("setup.cfg", b"no section\n", "line 1"),
        ("setup.cfg", b"[a]\nb = c\nd\n", "line 3"),
        ("setup.py", b"def (:\n", "no Python"),
        ("setup.py", b"print('setup')\n", r"calls no setup\(\)"),
        ("a.ipynb", b"{", "not a notebook"),
        ("a.ipynb", b"[]", "not a notebook"),
        ("a.ipynb", b'{"cells": []}', "no line that installs"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceInvalid, match=reason):
        sources.read(name, tmp_path, {})


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("poetry.lock", "", "adopt pyproject.toml"),
        ("conda-lock.yml", "", "adopt environment.yml"),
        ("pixi.toml", "", "pixi project export"),
        ("pyproject.toml", "[project]\nname = 'a'\n", "uv sync"),
    ],
)
def test_what_another_word_is_for_is_told(
    tmp_path: Path, name: str, content: str, hint: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError) as told:
        sources.read(name, tmp_path, {})
    assert hint in str(told.value)


def test_what_is_not_there_lists_what_is(tmp_path: Path) -> None:
    (tmp_path / "requirements-dev.txt").write_text("")
    with pytest.raises(SourceInvalid) as told:
        sources.read("requirements.txt", tmp_path, {})
    assert told.value.hint == "Here are: requirements-dev.txt."
    with pytest.raises(UsageError, match="no environment"):
        sources.read(".", tmp_path, {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_is_read_whatever_wrote_it(encoding: str) -> None:
    assert decoded("numpy\r\ncafé".encode(encoding)) == "numpy\r\ncafé"


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://me:pw@a.example/x", "https://a.example/x"),
        ("git+https://token@a.example/x", "git+https://a.example/x"),
        ("git+ssh://git@a.example/x", "git+ssh://git@a.example/x"),
        ("https://a.example/x@v1", "https://a.example/x@v1"),
        ("postgres://me:pw@a.example", "postgres://a.example"),
    ],
)
def test_user_and_password_are_neither_written_nor_shown(url: str, bare: str) -> None:
    assert without_credentials(url) == bare
    assert "pw@" not in masked(url)
    assert "token@" not in masked(url)


def test_pypis_own_index_is_none_to_write() -> None:
    plan = planned(requirements_txt.read_from(f"-i {PYPI}\nsix\n", "r.txt", Path()))
    assert (plan.indexes, plan.rows[0].outcome) == ([], "covered")


def test_a_call_that_chooses_torchs_build_goes_before_the_source() -> None:
    lines = environment_yml.read(
        "dependencies:\n- pytorch\n- pytorch-cuda=11.8\n- python=3.10\n", "e.yml", Path()
    )
    plan = planned(lines, backends=["--cpu"], python="3.12")
    assert (plan.backend, plan.python) == (None, "")
    assert [row.outcome for row in plan.rows] == ["changed", "covered", "covered"]


def test_a_cuda_that_uv_does_not_know_is_told_with_the_nearest() -> None:
    lines = environment_yml.read("dependencies:\n- pytorch\n- pytorch-cuda=12.7\n", "e.yml", Path())
    plan = planned(lines)
    assert plan.rows[1].outcome == "left"
    assert "cu128" in plan.rows[1].told


def test_a_group_takes_the_projects_own_and_leaves_the_others() -> None:
    pyproject = {"project": {"requires-python": ">=3.11", "dependencies": ["six>=1"]}}
    lines = requirements_txt.read_from("six==1.16\npandas\n", "r.txt", Path())
    tables = {one.table.name for one in planned(lines, group="docs", pyproject=pyproject).additions}
    assert tables == {"docs"}
    assert "in the place of six>=1" in planned(lines, pyproject=pyproject).rows[0].told


# --- environments -------------------------------------------------------------------------------


def installed(name: str, *needs: str, requested: bool = False) -> Distribution:
    return Distribution(name, "1.0", frozenset(needs), is_requested=requested)


@pytest.mark.parametrize(
    ("found", "asked"),
    [
        ([installed("a", "b"), installed("b"), installed("pip")], ["a"]),
        ([installed("a", "b"), installed("b", requested=True)], ["b"]),
        ([installed("a", "b"), installed("b", "a"), installed("c")], ["a", "b", "c"]),
        ([installed("a", "b"), installed("b", "c"), installed("c", "b")], ["a"]),
        ([installed("A_b"), installed("c", "a-b")], ["c"]),
    ],
    ids=["needed", "marked", "circle", "circle below", "spelled otherwise"],
)
def test_the_top_level_is_what_was_asked_for(found: list[Distribution], asked: list[str]) -> None:
    assert [one.name for one in top_level(found)] == asked


HISTORY = """\
==> 2023-05-02 12:00:00 <==
# cmd: conda create -n study python=3.10 numpy
# conda version: 23.3.1
+defaults::numpy-1.24.3-py310_0
# update specs: ['python=3.10', 'numpy', 'scipy']
==> 2023-06-01 09:00:00 <==
# cmd: conda remove scipy
# remove specs: ["scipy"]
"""


def test_condas_history_tells_what_was_asked_for() -> None:
    assert named_in(HISTORY) == ["python", "numpy"]


def test_an_environment_of_condas_is_read_by_name(tmp_path: Path) -> None:
    study = tmp_path / "envs" / "study"
    (study / "conda-meta").mkdir(parents=True)
    (study / "conda-meta" / "history").write_text(HISTORY)
    for stem in ("python-3.10.11-h1_0", "numpy-1.24.3-py310_0", "libblas-3.9-1"):
        (study / "conda-meta" / f"{stem}.json").write_text("{}")
    site_packages = study / "lib" / "python3.10" / "site-packages"
    for name, installer in {"numpy": "conda", "rich": "pip"}.items():
        place = site_packages / f"{name}-1.0.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (place / "INSTALLER").write_text(f"{installer}\n")
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{study}\n")
    source = sources.read("study", tmp_path, {"HOME": str(tmp_path)})
    plan = planned(source.lines)
    assert [one.requirement for one in plan.additions] == ["numpy==1.24.3", "rich==1.0"]
    assert plan.python == "==3.10.*"
    assert str(as_of.marks_in(source.comments)[-1]) == "2023-06-01"


def test_where_a_distribution_came_from_comes_along(tmp_path: Path) -> None:
    place = tmp_path / "lib" / "python3.11" / "site-packages" / "tools-1.0.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: tools\nVersion: 1.0\n")
    vcs = {"vcs": "git", "commit_id": "abc"}
    direct_url = {"url": "https://me:pw@git.example/t.git", "vcs_info": vcs, "subdirectory": "py"}
    (place / "direct_url.json").write_text(json.dumps(direct_url))
    (line,) = live.read(tmp_path, "env")
    assert line.asks == (
        Requires(
            "tools @ git+https://git.example/t.git@abc#subdirectory=py",
            told="user and password are not written down",
        ),
    )


# --- cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("!pip install numpy", 1),
        ("  %pip install 'numpy<2' pandas", 2),
        ("out = !pip install numpy", 1),
        ("!!pip3 install numpy", 1),
        ("!{sys.executable} -m pip install numpy", 1),
        ("!/usr/bin/python3 -m pip install --user numpy", 1),
        ("!cd x && pip install numpy; echo y", 1),
        ("!pip install numpy | tail -1", 1),
        ("!pip install numpy > log.txt 2>&1", 1),
        ("%conda install -c conda-forge -y numpy=1.2", 2),
        ("!mamba install numpy -n base", 1),
        ("!uv pip install numpy", 1),
        ("%uv add numpy", 1),
        ("!uv add --dev numpy", 1),
        ("%sx pip install numpy", 1),
        (
            "subprocess.run([sys.executable, '-m', 'pip', 'install', 'numpy'])",
            1,
        ),
        ("!sudo -H pip install numpy", 1),
        ("!pip install 'numpy > 1.2; python_version < \"3.12\"' pandas", 2),
        ("!pip install numpy 2>&1 | tee log &> x", 1),
        ("!pip install 'numpy", 1),
        ("!pip install git+https://git.example/t.git#egg=t  # why", 1),
        ("!pip install --upgrade pip", 1),
        ("!pip uninstall numpy", 0),
        ("!pip list", 0),
        ("pip install numpy", 0),
        ("# !pip install numpy", 0),
        ("print('!pip install numpy')", 0),
        ("!apt install pip", 0),
        ("", 0),
    ],
)
def test_a_line_of_a_cell_installs(line: str, count: int) -> None:
    found = notebook_lines.read([(1, line)], "a.ipynb", Path())
    assert sum(len(one.asks) for one in found) == count


@pytest.mark.parametrize(
    ("options", "table"),
    [
        ("", PROJECT),
        ("--dev", Table("group", "dev")),
        ("--group lab", Table("group", "lab")),
        ("--optional gpu", Table("extra", "gpu")),
    ],
)
def test_what_uv_has_added_goes_to_the_list_that_it_was_added_to(
    options: str, table: Table
) -> None:
    (line,) = notebook_lines.read([(1, f"%uv add {options} numpy")], "a.ipynb", Path())
    assert line.asks == (Requires("numpy", table=table),)


def test_a_notebook_of_format_3_is_read_and_its_cells_are_counted_as_seen(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": "x"},
        {"cell_type": "code", "input": "!pip install numpy", "language": "python"},
    ]
    told = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells}]}
    (tmp_path / "old.ipynb").write_text(json.dumps(told))
    source = sources.read("old.ipynb", tmp_path, {})
    assert [(line.file, line.asks) for line in source.lines] == [
        ("old.ipynb cell 2", (Requires("numpy"),))
    ]


def test_the_name_of_a_repository_is_no_comment() -> None:
    (line,) = notebook_lines.read(
        [(1, "!pip install git+https://git.example/t#egg=t")], "a", Path()
    )
    assert line.asks == (Requires("t @ git+https://git.example/t"),)


# --- as of ----------------------------------------------------------------------------------------

COMMITTED = datetime(2022, 3, 4, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "comments", "committed", "written"),
    [
        ("2023-05-31", "", None, "2023-06-01T00:00:00Z"),
        ("2023-12-31", "", None, "2024-01-01T00:00:00Z"),
        ("2023-05-31T12:00:00+02:00", "", None, "2023-05-31T10:00:00Z"),
        ("git", "# 2021-01-01", COMMITTED, "2022-03-04T12:30:00Z"),
        ("GIT", "", COMMITTED, "2022-03-04T12:30:00Z"),
        ("auto", "", COMMITTED, "2022-03-04T12:30:00Z"),
        ("auto", "# made 2021-01-01, 2021-02-03", COMMITTED, "2021-02-04T00:00:00Z"),
        ("auto", "# made 2021-01-01", None, "2021-01-02T00:00:00Z"),
        ("auto", "# until 2030-01-01", COMMITTED, "2022-03-04T12:30:00Z"),
        ("auto", "# no day: 2021-13-45", COMMITTED, "2022-03-04T12:30:00Z"),
    ],
)
def test_a_moment_is_meant(
    value: str, comments: str, committed: datetime | None, written: str
) -> None:
    assert as_of.meant(value, "r.txt", comments, lambda: committed).written == written


@pytest.mark.parametrize("value", ["git", "auto", "yesterday", "2023-02-30", "2023-05-31T12:00:00"])
def test_what_tells_no_moment_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match=f"--as-of {value}") as told:
        as_of.meant(value, "r.txt", "", lambda: None)
    assert told.value.hint


def test_a_moment_is_written_once_with_its_reason() -> None:
    text = '[project]\nname = "a"\n\n[tool.uv]\npackage = true # mine\n'
    for day in ("2022-01-01", "2023-05-31"):
        text = as_of.put_into(text, as_of.meant(day, "r.txt", "", lambda: None))
    assert text.count("exclude-newer") == 1
    assert 'exclude-newer = "2023-06-01T00:00:00Z" # as of 2023-05-31' in text
    assert "package = true # mine" in text


# --- conda's names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("libpng", "library"),
        ("librosa", None),
        ("r-ggplot2", "language"),
        ("requests", None),
        ("git", "program"),
        ("gitpython", None),
        ("cudnn", "gpu"),
        ("gcc-linux-64", "compiler"),
        ("anaconda", "collection"),
        ("tk", "library"),
        ("pip", "tool"),
        ("ruamel-yaml", None),
    ],
)
def test_a_conda_package_is_of_a_kind(name: str, kind: str | None) -> None:
    found = conda.kind_of(name)
    assert (found.name if found else None) == kind


def test_a_conda_package_has_another_name_on_pypi() -> None:
    renamed = conda.renamed()
    assert renamed["pytables"] == "tables"
    assert renamed["pytorch"] == renamed["pytorch-gpu"] == "torch"
    assert all(name == name.lower() and "_" not in name for name in renamed)
