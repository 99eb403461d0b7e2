"""Where each file of a project goes in its bundle."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from unit.folders import names, put
from uvmagic.bundle.contents import (
    GENERATED,
    LITTER,
    files_below,
    included,
    is_file,
    is_folder,
    placed,
)
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder, resolved."""
    folder = tmp_path / "proj"
    folder.mkdir()
    return folder.resolve()


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


@pytest.mark.parametrize(
    "names",
    [
        ("data/A.csv", "data/a.csv"),
        ("STRASSE.csv", "straße.csv"),
        ("\u00e4.csv", "a\u0308.csv"),
        ("Data/a.csv", "data/A.csv"),
    ],
)
def test_names_that_are_one_on_a_mac_are_refused(root: Path, names: tuple[str, str]) -> None:
    files = [put(root / name) for name in names]
    with pytest.raises(BundleRefused, match="are one file where") as caught:
        placed(files, root)
    assert all(name in caught.value.message for name in names)


def test_folders_that_are_one_on_a_mac_hold_what_is_in_either(root: Path) -> None:
    files = [put(root / "Data" / "a.csv"), put(root / "data" / "b.csv")]
    assert list(placed(files, root)) == ["Data/a.csv", "data/b.csv"]


@pytest.mark.parametrize("name", ["readme.md", "DOCKERFILE", "Wheels/a.whl"])
def test_case_does_not_hide_the_place_of_what_is_generated(root: Path, name: str) -> None:
    with pytest.raises(BundleRefused, match="of its own"):
        placed([put(root / name)], root)


def test_a_hard_link_is_a_file_of_the_project_whatever_else_it_is(root: Path) -> None:
    # it cannot be told from the file; what is in it is looked through for secrets all the same
    outside = put(root.parent / "outside.csv")
    (root / "data.csv").hardlink_to(outside)
    assert placed([root / "data.csv"], root) == {"data.csv": root / "data.csv"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes in folders")
def test_what_may_not_be_looked_at_is_neither_file_nor_folder(root: Path) -> None:
    os.mkfifo(root / "pipe")
    long = root / ("x" * 300)
    for path in (root / "pipe", long, root / "gone"):
        assert not is_file(path)
        assert not is_folder(path)
