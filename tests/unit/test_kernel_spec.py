"""A kernel's name and its kernel.json."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client import kernelspec

from uvmagic.kernel.spec import kernel_json, kernel_name, project_of

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

NAMES = st.text() | st.sampled_from(["My Project", "größe", "漢字", "", "-._", "A" * 300, "a/b"])
PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).map(
    lambda text: Path("/") / text
)


@given(PATHS, NAMES)
def test_a_name_is_one_that_jupyter_takes(root: Path, name: str) -> None:
    made = kernel_name(root, name)
    assert kernelspec._is_valid_kernel_name(made)
    assert made == made.lower()
    assert made.startswith("uvmagic-")
    assert len(made) < 60


@given(PATHS, PATHS, NAMES)
def test_two_folders_have_two_names_and_one_folder_has_one(
    one: Path, other: Path, name: str
) -> None:
    assert (kernel_name(one, name) == kernel_name(other, name)) == (one == other)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("analysis", "analysis"),
        ("My Project", "my-project"),
        ("Größe", "groe"),
        ("a_b.c-d", "a_b.c-d"),
        ("--x--", "x"),
        ("漢字", "project"),
        ("", "project"),
    ],
)
def test_a_name_can_be_told_by_the_project(name: str, slug: str) -> None:
    assert kernel_name(Path("/x"), name).startswith(f"uvmagic-{slug}-")


@pytest.mark.skipif(sys.platform != "linux", reason="only there a path may be no text")
def test_a_folder_whose_name_is_no_text_has_a_name_too() -> None:
    made = kernel_name(Path(os.fsdecode(b"/a\xff")), "analysis")
    assert kernelspec._is_valid_kernel_name(made)


def test_a_kernel_json_reads_well(snapshot: SnapshotAssertion) -> None:
    python, environ = Path("/p/.venv/bin/python"), {"UVMAGIC_UV": "/j/bin/uv"}
    made = kernel_json(python, Path("/p"), "analysis (uv)", environ, has_uvmagic=True)
    assert json.dumps(made, indent=1) == snapshot


@given(PATHS, st.text())
def test_the_project_of_a_kernel_json_is_found_again(root: Path, display_name: str) -> None:
    made = kernel_json(root / "bin" / "python", root, display_name, {}, has_uvmagic=True)
    assert project_of(json.loads(json.dumps(made))) == root


FOREIGN: list[Any] = [
    {},
    [],
    None,
    "text",
    {"argv": ["python"], "display_name": "x"},
    {"metadata": {}},
    {"metadata": None},
    {"metadata": []},
    {"metadata": "uvmagic"},
    {"metadata": {"uvmagic": None}},
    {"metadata": {"uvmagic": {}}},
    {"metadata": {"uvmagic": "project"}},
    {"metadata": {"uvmagic": {"project": 1}}},
    {"metadata": {"uvmagic": {"project": None}}},
]


@pytest.mark.parametrize("spec", FOREIGN, ids=map(str, FOREIGN))
def test_a_kernel_json_of_anybody_else_has_no_project(spec: Any) -> None:
    assert project_of(spec) is None
