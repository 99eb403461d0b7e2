"""Which of the project's files go into a bundle."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from uvmagic.bundle.contents import (
    GENERATED,
    LARGEST,
    LITTER,
    data_files,
    files_below,
    included,
    local_modules,
    placed,
)
from uvmagic.errors import BundleRefused


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder, resolved."""
    folder = tmp_path / "proj"
    folder.mkdir()
    return folder.resolve()


def write(folder: Path, **texts: str) -> None:
    """Modules in a folder, each by its name without the ending."""
    for name, text in texts.items():
        put(folder / f"{name}.py", text)


def put(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def names(files: set[Path], root: Path) -> list[str]:
    return sorted(file.relative_to(root).as_posix() for file in files)


# --- the modules that a notebook imports ----------------------------------------------------------


def test_a_module_is_followed_to_what_it_imports_itself(root: Path) -> None:
    write(root, one="import two", two="from three import x", three="x = 1", four="")
    found = local_modules(["import one, numpy"], [root])
    assert names(found, root) == ["one.py", "three.py", "two.py"]


def test_modules_that_import_each_other_are_both_taken_once(root: Path) -> None:
    write(root, one="import two", two="import one")
    assert names(local_modules(["import one"], [root]), root) == ["one.py", "two.py"]


def test_a_package_goes_whole_with_its_data_and_without_its_caches(root: Path) -> None:
    write(root / "pkg", __init__="")
    write(root / "pkg" / "sub", deep="import beside")
    write(root, beside="")
    put(root / "pkg" / "table.csv")
    put(root / "pkg" / "__pycache__" / "x.pyc")
    found = local_modules(["from pkg.sub import deep"], [root])
    expected = ["beside.py", "pkg/__init__.py", "pkg/sub/deep.py", "pkg/table.csv"]
    assert names(found, root) == expected


def test_the_nearest_folder_is_the_one_that_counts(root: Path) -> None:
    near, far = root / "notebooks", root / "src"
    write(near, mine="")
    write(far, mine="", other="")
    found = local_modules(["import mine, other"], [near, far])
    assert found == {near / "mine.py", far / "other.py"}


def test_what_nobody_imports_and_what_is_not_there_stays_away(root: Path) -> None:
    write(root, unused="")
    assert local_modules(["import numpy", "%%bash\nimport unused"], [root]) == set()


def test_a_folder_without_python_is_no_package(root: Path) -> None:
    put(root / "data" / "table.csv")
    assert local_modules(["import data"], [root]) == set()


@pytest.mark.parametrize(
    ("files", "imported"),
    [
        (["mine.py"], "mine"),
        (["mine/__init__.py", "mine/sub.py"], "mine.sub"),
        (["mine/sub.py"], "mine.sub"),
        (["mine/sub/__init__.py"], "mine.sub"),
        (["mine/sub/deep.py"], "mine.sub.deep"),
        (["mine.py", "mine/__init__.py"], "mine"),
        (["mine.py", "mine/data.csv"], "mine"),
    ],
)
def test_the_file_that_python_would_import_is_among_them(
    root: Path, files: list[str], imported: str
) -> None:
    for file in files:
        put(root / file)
    asked = [sys.executable, "-c", f"import {imported} as found; print(found.__file__)"]
    environ = {"PYTHONPATH": str(root)}
    told = subprocess.run(asked, env=environ, capture_output=True, text=True, check=True).stdout
    assert Path(told.strip()) in local_modules([f"import {imported}"], [root])


def test_a_link_in_a_package_that_leads_nowhere_is_refused_by_name(root: Path) -> None:
    write(root / "pkg", __init__="")
    (root / "pkg" / ".#edited.py").symlink_to("somebody@host.1234")  # an editor's lock
    with pytest.raises(BundleRefused, match="edited"):
        placed(local_modules(["import pkg"], [root]), root)


# --- what the call includes -----------------------------------------------------------------------


def test_a_pattern_names_files_and_folders_below_the_current_folder(root: Path) -> None:
    for name in ("data/a.csv", "data/b.csv", "data/deep/c.csv", "d.csv"):
        put(root / name)
    assert names(included("data/*.csv", root), root) == ["data/a.csv", "data/b.csv"]
    everything = ["data/a.csv", "data/b.csv", "data/deep/c.csv"]
    assert names(included("data", root), root) == everything
    assert names(included("data/**/*", root), root) == everything


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("/etc/passwd", "absolute"),
        ("~/secrets", "absolute"),
        ("../other/*.csv", r"'\.\.' is not taken"),
        ("data/../../other", r"'\.\.' is not taken"),
        ("data\\..\\..\\other", r"'\.\.' is not taken"),
        ("nothing/*.csv", "matches no file"),
    ],
)
def test_a_pattern_that_leaves_the_folder_or_matches_nothing_is_refused(
    root: Path, pattern: str, told: str
) -> None:
    with pytest.raises(BundleRefused, match=told):
        included(pattern, root)


@pytest.mark.parametrize("pattern", ["", "data\0"])
def test_a_pattern_that_is_none_is_refused(root: Path, pattern: str) -> None:
    put(root / "data" / "a.csv")
    with pytest.raises(BundleRefused):
        included(pattern, root)


def test_a_double_star_amid_a_name_is_refused_where_python_does_not_take_it(root: Path) -> None:
    file = put(root / "a-x-b.csv")
    if sys.version_info >= (3, 13):
        assert included("a**b.csv", root) == {file}
    else:
        with pytest.raises(BundleRefused):
            included("a**b.csv", root)


@pytest.mark.parametrize("pattern", ["*", "**", "**/*", "work/*"])
def test_caches_environments_and_version_control_are_never_included(
    root: Path, pattern: str
) -> None:
    put(root / "work" / "a.csv")
    for folder in LITTER:
        put(root / folder / "secret")
        put(root / "work" / folder / "secret")
    found = included(pattern, root)
    assert root / "work" / "a.csv" in found
    assert names({file for file in found if file.name == "secret"}, root) == []


def test_a_link_to_a_folder_is_followed_or_refused_and_never_passed_over(root: Path) -> None:
    put(root / "store" / "a.csv")
    put(root / "data" / "b.csv")
    (root / "data" / "link").symlink_to(root / "store", target_is_directory=True)
    try:
        assert "data/link/a.csv" in placed(included("data", root), root)
    except BundleRefused as refusal:
        assert "link" in refusal.message  # noqa: PT017


def test_files_below_a_folder_come_in_order_without_litter(root: Path) -> None:
    for name in ("b", "a", "c/d", ".git/config", "c/.venv/pyvenv.cfg"):
        put(root / name)
    assert [p.relative_to(root).as_posix() for p in files_below(root)] == ["a", "b", "c/d"]


# --- where they go --------------------------------------------------------------------------------


def test_each_file_goes_where_it_was_in_order(root: Path) -> None:
    files = [put(root / name) for name in ("z.py", "a b/ü.csv", "a.ipynb")]
    assert list(placed(files, root).items()) == [
        ("a b/ü.csv", files[1]),
        ("a.ipynb", files[2]),
        ("z.py", files[0]),
    ]


def test_a_link_to_a_file_of_the_project_goes_as_that_file(root: Path) -> None:
    target = put(root / "data.csv")
    (root / "link.csv").symlink_to("data.csv")
    assert placed([root / "link.csv"], root) == {"link.csv": target}


@pytest.mark.parametrize("place", ["link.csv", "deep/link.csv"])
def test_a_link_that_leads_out_is_refused_by_name(root: Path, place: str) -> None:
    outside = put(root.parent / "outside.csv")
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).symlink_to(outside)
    with pytest.raises(BundleRefused, match=f"{place} is a link that leads out"):
        placed([root / place], root)


def test_a_file_below_a_linked_folder_that_leads_out_is_refused(root: Path) -> None:
    put(root.parent / "outside" / "a.csv")
    (root / "link").symlink_to(root.parent / "outside", target_is_directory=True)
    with pytest.raises(BundleRefused, match=r"link/a\.csv is a link that leads out"):
        placed([root / "link" / "a.csv"], root)


@pytest.mark.parametrize("place", ["../proj2/a.csv", "../a.csv", "sub/../../a.csv"])
def test_a_file_outside_is_refused_also_where_its_folder_begins_alike(
    root: Path, place: str
) -> None:
    (root / "sub").mkdir()
    put(root / place)
    for file in (root / place, (root / place).resolve()):
        with pytest.raises(BundleRefused, match=r"outside the project|leads out of the project"):
            placed([file], root)


def test_a_way_round_inside_the_project_does_not_hide_where_a_file_goes(root: Path) -> None:
    put(root / "a.csv")
    put(root / "sub" / "b.csv")
    put(root / "pyproject.toml")
    try:
        assert placed([root / "sub" / ".." / "a.csv"], root) == {"a.csv": root / "a.csv"}
    except BundleRefused as refusal:
        assert ".." in refusal.message  # noqa: PT017
    with pytest.raises(BundleRefused):
        placed([root / "sub" / ".." / "pyproject.toml"], root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes in folders")
def test_what_is_no_regular_file_is_refused(root: Path) -> None:
    os.mkfifo(root / "pipe.csv")
    with pytest.raises(BundleRefused, match=r"pipe\.csv is not a regular file"):
        placed([root / "pipe.csv"], root)
    with pytest.raises(BundleRefused, match=r"gone\.csv is not a regular file"):
        placed([root / "gone.csv"], root)
    (root / "folder").mkdir()
    with pytest.raises(BundleRefused, match="folder is not a regular file"):
        placed([root / "folder"], root)


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_no_file_takes_the_place_of_one_that_is_generated(root: Path, name: str) -> None:
    file = put(root / name / "a.csv" if "." not in name and name != "Dockerfile" else root / name)
    with pytest.raises(BundleRefused, match=f"the bundle has a {name} of its own"):
        placed([file], root)
    beside = put(root / "sub" / name)
    assert placed([beside], root) == {f"sub/{name}": beside}


@pytest.mark.parametrize("name", ["a\nb.csv", "a\rb.csv"])
def test_a_line_break_in_a_name_is_refused(root: Path, name: str) -> None:
    with pytest.raises(BundleRefused, match="has a line break in its name") as caught:
        placed([put(root / name)], root)
    assert "\n" not in caught.value.message


@pytest.mark.skipif(sys.platform != "linux", reason="only there a name may be no text")
def test_a_name_that_is_no_text_is_refused(root: Path) -> None:
    file = put(root / os.fsdecode(b"a\xff.csv"))
    with pytest.raises(BundleRefused):
        placed([file], root)


def test_what_is_read_goes_along_unless_it_is_large(tmp_path: Path) -> None:
    for name in ("data/a.csv", ".git/config", "large.bin", "written.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    os.truncate(tmp_path / "large.bin", LARGEST + 1)
    code = """
read("data/a.csv"); read("no.csv"); read("data"); read(".git/config"); read("large.bin")
read("/etc/passwd"); read("../outside.csv"); read("a\\n"); read("\\0"); frame.to_csv("written.csv")
"""
    found, large = data_files([code], tmp_path)
    assert found == {tmp_path / "data/a.csv"}
    assert large == {"large.bin": LARGEST + 1}
