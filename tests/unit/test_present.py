"""Where a project's torch comes from, read from what its pyproject.toml says."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from uvmagic.accelerator.choice import index_url
from uvmagic.accelerator.present import (
    Placed,
    extras_of,
    family,
    indexes,
    listed,
    name_of,
    placed_in,
    sources_of,
    tables,
)
from uvmagic.data import torch
from uvmagic.project import Table

BACKENDS = torch.backends()
FAMILY = [package.name for package in torch.family()]


def project(uv: str = "", **lists: Any) -> dict[str, Any]:
    """A parsed pyproject.toml with these lines of `[tool.uv]`."""
    return {"project": {"name": "p", **lists}, "tool": {"uv": tomllib.loads(uv)}}


def index(name: str, url: str, more: str = "") -> str:
    return f'[[index]]\nname = "{name}"\nurl = "{url}"\nexplicit = true\n{more}\n'


def official(backend: str) -> str:
    return index_url(BACKENDS[backend])[0]


# --- an index -----------------------------------------------------------------------------------


@given(st.sampled_from(list(BACKENDS.values())), st.sampled_from(list(torch.mirrors())))
def test_the_index_that_uvmagic_makes_is_recognised(backend: torch.Backend, mirror: str) -> None:
    one = Placed(backend, *index_url(backend, mirror))
    uv = index(one.index, one.url, f'format = "{one.format}"')
    found = project(uv + f'[sources]\ntorch = {{ index = "{one.index}" }}')
    assert indexes(found) == {one.index: backend}
    assert placed_in(found) == (one,)


def test_names_fit_where_they_stand() -> None:
    one = Placed(BACKENDS["rocm6.2.4"], official("rocm6.2.4"))
    assert one.index == "pytorch-rocm6.2.4"
    assert one.extra == "rocm6-2-4"  # as uv writes the names of extras


@pytest.mark.parametrize(
    ("name", "url", "backend"),
    [
        ("mine", "https://download.pytorch.org/whl/cu126", "cu126"),
        ("mine", "http://DOWNLOAD.PyTorch.org/whl/cu126/", "cu126"),
        ("mine", "https://mirror.nju.edu.cn/pytorch/whl/cpu", "cpu"),
        ("pytorch-cpu", "https://download.pytorch.org/whl/cu126", "cu126"),  # the place decides
        ("pytorch-cu126", "https://index.invalid/wheels", "cu126"),
        ("pytorch-rocm6.4", "https://index.invalid/wheels", "rocm6.4"),
        ("cu126", "https://index.invalid/wheels", None),
        ("pytorch-cu999", "https://index.invalid/wheels", None),
        ("pytorch", "https://index.invalid/cu126", None),
        ("pytorch-nightly", "https://download.pytorch.org/whl/nightly/cu126", None),
    ],
)
def test_an_index_is_a_backends_by_its_place_or_its_name(
    name: str, url: str, backend: str | None
) -> None:
    found = indexes(project(index(name, url)))
    assert {one.name for one in found.values()} == ({backend} if backend else set())


@pytest.mark.parametrize(
    "uv",
    [
        "",
        f'[[index]]\nurl = "{official("cu126")}"\n',  # no source can name it
        '[[index]]\nname = "pytorch-cu999"\n',
        "index = 3",
        'index = ["pytorch-cu126"]',
        '[index]\nname = "pytorch-cu126"\n',
    ],
)
def test_what_is_no_index_of_a_backend_is_none(uv: str) -> None:
    assert indexes(project(uv)) == {}
    assert placed_in(project(uv)) == ()


# --- what the sources take ----------------------------------------------------------------------


def test_a_backend_counts_where_a_source_names_its_index() -> None:
    uv = index("pytorch-cu126", official("cu126")) + index("b", official("cpu"))
    assert placed_in(project(uv)) == ()
    used = project(uv + '[sources]\nTorch_Vision = [{ index = "b" }]\nx = { index = "elsewhere" }')
    assert placed_in(used) == (Placed(BACKENDS["cpu"], official("cpu")),)


def test_a_flat_index_stays_flat() -> None:
    uv = index("pytorch-cu126", "https://index.invalid/cu126", 'format = "flat"')
    (one,) = placed_in(project(uv + '[sources]\ntorch = { index = "pytorch-cu126" }'))
    assert (one.url, one.format) == ("https://index.invalid/cu126", "flat")


def test_sources_are_lists_under_normalised_names() -> None:
    uv = '[sources]\nTorch_Audio = { index = "a" }\ntorch = [{ index = "b" }, { path = "c" }]'
    assert sources_of(project(uv)) == {
        "torch-audio": [{"index": "a"}],
        "torch": [{"index": "b"}, {"path": "c"}],
    }
    assert sources_of({}) == {}


# --- extras that stand for backends -------------------------------------------------------------

TWO = index("pytorch-cu126", official("cu126")) + index("pytorch-cpu", official("cpu"))


def test_an_extra_stands_for_a_backend_where_a_source_says_so_and_it_is_called_so() -> None:
    sources = """\
[sources]
torch = [
    { index = "pytorch-cu126", extra = "cu126" },
    { index = "pytorch-cpu", extra = "cpu" },
    { index = "pytorch-cpu", extra = "laptop" },
    { index = "pytorch-cpu", marker = "sys_platform == 'win32'" },
    { index = "elsewhere", extra = "cu128" },
]
x = { path = "x", extra = "xpu" }
"""
    assert extras_of(project(TWO + sources)) == {
        "cu126": BACKENDS["cu126"],
        "cpu": BACKENDS["cpu"],
    }


def test_one_backend_has_no_extras() -> None:
    assert extras_of(project(TWO + '[sources]\ntorch = [{ index = "pytorch-cu126" }]')) == {}
    assert extras_of({}) == {}


def test_an_extra_is_compared_as_uv_writes_it() -> None:
    uv = index("pytorch-rocm6.4", official("rocm6.4"))
    extras = project(uv + '[sources]\ntorch = [{ index = "pytorch-rocm6.4", extra = "rocm6-4" }]')
    assert extras_of(extras) == {"rocm6-4": BACKENDS["rocm6.4"]}


# --- what is listed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("torch", "torch"),
        ("  Torch>=2", "torch"),
        ("torch_tensorrt[a]~=2.0 ; python_version < '3.12'", "torch-tensorrt"),
        ("torch @ https://index.invalid/torch-1.0-py3-none-any.whl", "torch"),
        ("torch;extra=='x'", "torch"),
        ("", ""),
        ("./torch", ""),
        (">=2", ""),
    ],
)
def test_a_requirement_begins_with_its_name(requirement: str, name: str) -> None:
    assert name_of(requirement) == name


@given(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True),
    st.sampled_from(["", "[a,b]", ">=1.0", "==2.*,!=2.1", " ; python_version < '4'", " (>=1)"]),
)
def test_the_name_is_the_one_that_the_standard_reads(name: str, rest: str) -> None:
    assert name_of(name + rest) == name_of(Requirement(name + rest).name)


def test_all_lists_are_looked_at() -> None:
    found = project(
        'dev-dependencies = ["e"]',
        dependencies=["A_A>=1"],
        **{"optional-dependencies": {"x": ["b"], "y": ["b[z]", "c"]}},
    )
    found["dependency-groups"] = {"g": ["d", {"include-group": "dev"}], "dev": ["f"]}
    assert listed(found) == {"a-a", "b", "c", "d", "e", "f"}
    assert tables(found) == [
        Table("project"),
        Table("extra", "x"),
        Table("extra", "y"),
        Table("group", "g"),
        Table("group", "dev"),
    ]


def test_an_empty_project_lists_nothing() -> None:
    assert listed({}) == set()
    assert tables({}) == [Table("project"), Table("group", "dev")]


def test_the_family_comes_in_the_order_of_the_table() -> None:
    assert family(["numpy", "torchvision", "triton", "torch", "torch"]) == [
        "torch",
        "torchvision",
        "triton",
    ]
    assert family(FAMILY) == FAMILY
    assert family([]) == []
