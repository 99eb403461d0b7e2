"""The pyproject.toml that takes torch's family from a backend's index."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.markers import Marker

from unit.test_sections import PIECES, UV
from uvmagic.accelerator.arrangement import LINUX, Arrangement, arranged
from uvmagic.accelerator.choice import index_url
from uvmagic.accelerator.present import (
    Placed,
    extras_of,
    indexes,
    listed,
    name_of,
    placed_in,
    sources_of,
    tables,
)
from uvmagic.data import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syrupy.assertion import SnapshotAssertion

BACKENDS = torch.backends()
FAMILY = {package.name for package in torch.family()}
COMPANIONS = {"rocm6.4": "pytorch-triton-rocm", "xpu": "pytorch-triton-xpu"}
"""What each backend's torch needs beside it; `change.torch` finds that out by trying."""


def placed(*names: str, mirror: str | None = None) -> list[Placed]:
    return [Placed(BACKENDS[name], *index_url(BACKENDS[name], mirror)) for name in names]


def choose(
    text: str, *names: str, mirror: str | None = None, gets: Mapping[str, str] | None = None
) -> Arrangement:
    """Arrange for `add torch --cuda … `, with what the backends need."""
    wanted = {"torch": "torch"} if gets is None else dict(gets)
    wanted |= {COMPANIONS[name]: "" for name in names if name in COMPANIONS}
    return arranged(text, placed=placed(*names, mirror=mirror), gets=wanted)


def uv_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("uv", {})
    return found


# --- how it reads -------------------------------------------------------------------------------

PLAIN = """\
# What the analysis needs.
[project]
name = "analysis"
version = "0.1.0"
requires-python = ">=3.11"  # as on the cluster
dependencies = [
    "numpy>=2",  # arrays
    "torch>=2.7",  # the model
    "torchvision",
]

[tool.ruff]
line-length = 100
"""

OWN = """\
[project]
name = "analysis"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["torch", "Torch_Vision"]

[dependency-groups]
dev = ["torchaudio"]

[tool.uv]
required-environments = ["sys_platform == 'darwin'"] # the laptop
conflicts = [[{ extra = "a" }, { extra = "b" }]]

# ours, for all
[[tool.uv.index]]
url = "https://index.invalid/simple"
default = true

# as the guide has it
[[tool.uv.index]]
name = "torch-gpu"
url = "https://download.pytorch.org/whl/cu126/"

[tool.uv.sources]
numpy = { index = "torch-gpu" }  # a newer one
torch = { git = "https://index.invalid/torch" }
"""


@pytest.mark.parametrize("names", [("cu126",), ("cpu",), ("rocm6.4",), ("cu126", "cpu", "rocm6.4")])
def test_a_choice_reads_well(names: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
    assert choose(PLAIN, *names).text == snapshot


def test_another_choice_reads_well(snapshot: SnapshotAssertion) -> None:
    assert choose(choose(PLAIN, "cu126").text, "cu128", mirror="aliyun").text == snapshot


def test_a_choice_beside_a_users_own_settings_reads_well(snapshot: SnapshotAssertion) -> None:
    made = choose(OWN, "cu126", gets={"torchaudio": "torchaudio"})
    assert made.text == snapshot
    assert made.notes == [
        "torch has a source of its own in [tool.uv.sources], which was kept.",
        "The index torch-gpu is explicit now: for what names it alone.",
    ]


def test_a_choice_in_a_workspaces_member_reads_well(snapshot: SnapshotAssertion) -> None:
    root = '[tool.uv.workspace]\nmembers = ["lib"]  # one\n'
    made = arranged(PLAIN, root, placed=placed("cu126"), gets={"torch": "torch"})
    assert made.text == snapshot(name="member")
    assert made.root_text == snapshot(name="root")
    back = arranged(made.text, made.root_text, placed=placed("cpu"), gets={"torch": "torch"})
    assert tomllib.loads(back.root_text) == tomllib.loads(root)


def test_small_texts_are_arranged() -> None:
    assert choose("", "cpu").text == (
        '[[tool.uv.index]]\nname = "pytorch-cpu"\n'
        'url = "https://download.pytorch.org/whl/cpu"\nexplicit = true\n\n'
        "[tool.uv.sources]\ntorch = [\n"
        '    { index = "pytorch-cpu", '
        "marker = \"sys_platform == 'linux' or sys_platform == 'win32'\" },\n]\n"
    )


# --- laws ---------------------------------------------------------------------------------------

HEADS = [
    '[project]\nname = "p"  # the name\ndependencies = ["torch>=2.6,<3", "a"]  # and more\n\n',
    '[project]\nname = "p"\ndependencies = [\n    "a",  # on a\n'
    "    \"torch[opt] ; python_version > '3'\",  # on torch\n"
    '    "torchvision",\n    # at the end\n]\n\n',
    '[project]\nname = "p"\ndependencies = []\n\n',
    '[project]\nname = "p"\n\n',
    "[project]\nname = 'p'\ndependencies = ['TorchVision', 'triton']\n"
    "[project.optional-dependencies]\nx = ['b']  # on x\n\n",
    '[project]\nname = "p"\noptional-dependencies = { x = ["b"] }\ndependencies = ["torch"]\n\n',
]
"""Projects with and without packages of torch's family."""

MORE_UV = [
    "[tool.uv]\nrequired-environments = [\"sys_platform == 'darwin'\"] # mac\n\n",
    '[tool.uv]\nconflicts = [\n    [{ extra = "x" }, { extra = "y" }], # theirs\n]\n'
    '[[tool.uv.index]]\nurl = "v"\ndefault = true # near\n\n',
]
LAYOUT = [
    piece for piece in PIECES if "[project]" not in piece and not piece.startswith("# a word")
]
COMMENTS = re.compile(
    r"# (?:a word on top|on ruff|yes|the mirror|on a|on torch|on x|at the end|mac|"
    r"theirs|near|the name|and more|\[y)"
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A pyproject.toml whose parts stand in any order, written in any way."""
    head, uv = draw(st.sampled_from(HEADS)), draw(st.sampled_from([*UV, *MORE_UV]))
    pieces = [head, *draw(st.lists(st.sampled_from(LAYOUT), unique=True)), uv]
    is_first = uv.startswith("[tool]")  # its dotted keys must come before its tables
    pieces = [uv, *pieces[:-1]] if is_first else draw(st.permutations(pieces))
    return draw(st.sampled_from(["", PIECES[0]])) + "".join(pieces)


choices = st.lists(
    st.sampled_from(["cu126", "cu128", "cpu", "rocm6.4", "xpu"]),
    unique=True,
    min_size=1,
    max_size=3,
)
mirrors = st.sampled_from([None, *torch.mirrors()])


def said(text: str) -> Any:
    """What a pyproject.toml says, whatever the order, and without what is empty."""
    return plain(tomllib.loads(text))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        told = {key: plain(entry) for key, entry in value.items()}
        return {key: entry for key, entry in told.items() if entry not in ({}, [])}
    return sorted(map(plain, value), key=repr) if isinstance(value, list) else value


def others(text: str) -> Any:
    """What a pyproject.toml says of other things than torch."""
    found = tomllib.loads(text)
    uv = found.get("tool", {}).get("uv", {})
    known = set(indexes(found))
    extras = set(extras_of(found))
    uv["index"] = [entry for entry in uv.get("index", []) if entry.get("name") not in known]
    uv["sources"] = {n: e for n, e in uv.get("sources", {}).items() if n not in FAMILY}
    uv["required-environments"] = [e for e in uv.get("required-environments", []) if e != LINUX]
    uv["conflicts"] = [
        each for each in uv.get("conflicts", []) if {e["extra"] for e in each} != extras
    ]
    project = found.get("project", {})
    project["dependencies"] = [
        e for e in project.get("dependencies", []) if name_of(e) not in FAMILY
    ]
    optional = project.get("optional-dependencies", {})
    project["optional-dependencies"] = {
        extra: [e for e in entries if name_of(e) not in FAMILY]
        for extra, entries in optional.items()
        if extra not in extras
    }
    return plain(found)


@given(texts(), choices, mirrors)
def test_choosing_again_changes_nothing(text: str, names: list[str], mirror: str | None) -> None:
    made = choose(text, *names, mirror=mirror)
    assert choose(made.text, *names, mirror=mirror).text == made.text
    if "torch" in listed(tomllib.loads(made.text)):  # else it was still for uv to list
        assert arranged(made.text).text == made.text


@given(texts(), st.lists(st.tuples(choices, mirrors), min_size=2, max_size=4))
def test_only_the_last_choice_counts(
    text: str, sequence: list[tuple[list[str], str | None]]
) -> None:
    assume("torch" in listed(tomllib.loads(text)))  # a new one is for uv to list
    made = text
    for names, mirror in sequence:
        made = choose(made, *names, mirror=mirror).text
    names, mirror = sequence[-1]
    assert said(made) == said(choose(text, *names, mirror=mirror).text)


@given(texts(), choices, mirrors)
def test_all_else_stays(text: str, names: list[str], mirror: str | None) -> None:
    made = choose(text, *names, mirror=mirror)
    assert others(made.text) == others(text)
    # one beside a requirement stands in each extra that has the requirement
    assert set(COMMENTS.findall(made.text)) == set(COMMENTS.findall(text))
    assert Counter(COMMENTS.findall(made.text)) >= Counter(COMMENTS.findall(text))


@given(texts(), choices, mirrors)
def test_a_choice_is_lost_with_the_last_of_the_family(
    text: str, names: list[str], mirror: str | None
) -> None:
    made = choose(text, *names, mirror=mirror)
    lost = arranged(made.text, loses=FAMILY)
    assert placed_in(tomllib.loads(lost.text)) == ()
    assert others(lost.text) == others(text)
    if not listed(tomllib.loads(text)) & FAMILY:
        assert said(lost.text) == said(text)
    assert set(COMMENTS.findall(text)) - {"# on torch"} <= set(COMMENTS.findall(lost.text))


@given(texts(), choices, mirrors)
def test_every_package_of_the_family_has_its_indexes(
    text: str, names: list[str], mirror: str | None
) -> None:
    made = choose(text, *names, mirror=mirror)
    found = tomllib.loads(made.text)
    entries = uv_of(made.text)["index"]
    backends = list(indexes(found).values())
    assert sorted(b.name for b in backends) == sorted(names)
    assert {one.backend.name for one in placed_in(found)} == set(names)
    wanted = (listed(found) | {"torch"}) & FAMILY
    assert wanted == sources_of(found).keys() & FAMILY
    for name in wanted:
        sources = sources_of(found)[name]
        used = [source["index"] for source in sources]
        assert len(set(used)) == len(used)
        for source in sources:
            (index,) = [entry for entry in entries if entry.get("name") == source["index"]]
            assert index["explicit"] is True
            backend = indexes(found)[source["index"]]
            assert source["marker"] == torch.kinds()[backend.kind].marker
            assert ("extra" in source) == (len(names) > 1)
            assert not Marker(source["marker"]).evaluate({"sys_platform": "darwin"})
    needs_linux = set(names) != {"cpu"}
    assert (LINUX in uv_of(made.text).get("required-environments", [])) == needs_linux


@given(texts(), choices)
def test_several_backends_are_extras_that_exclude_each_other(text: str, names: list[str]) -> None:
    made = choose(text, *names)
    found = tomllib.loads(made.text)
    extras = {one.extra for one in placed(*names)} if len(names) > 1 else set()
    assert set(extras_of(found)) == extras
    (dependencies,) = [t.requirements(found) for t in tables(found) if t.kind == "project"]
    told = [{e["extra"] for e in each} for each in uv_of(made.text).get("conflicts", [])]
    assert told.count(extras) == (1 if extras else 0)
    before = [
        e for e in tomllib.loads(text)["project"].get("dependencies", []) if name_of(e) in FAMILY
    ]
    for extra in extras:
        requirements = found["project"]["optional-dependencies"][extra]
        assert set(before) <= set(requirements)
        assert "torch" in {name_of(e) for e in requirements}
    in_dependencies = {name_of(e) for e in dependencies} & FAMILY
    assert not (extras and in_dependencies)
    if not extras:
        assert {name_of(e) for e in before} <= in_dependencies
