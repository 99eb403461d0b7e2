"""The tables of facts: each with its source and date, nothing twice."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from packaging.markers import Marker
from packaging.version import Version

from uvmagic.data import conda, tables, torch, uv
from uvmagic.data.images import base_image
from uvmagic.data.notebooks import quickstart
from uvmagic.grammar import WORDS
from uvmagic.names import normalise

if TYPE_CHECKING:
    from pathlib import Path

TABLES = sorted(tables.HERE.glob("*.json"))


def content(file: Path) -> Any:
    return json.loads(file.read_text())


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_a_table_has_its_date_and_its_source(file: Path) -> None:
    table = content(file)
    assert datetime.date.fromisoformat(table["date"]) >= datetime.date(2026, 1, 1)
    rows = next((value for value in table.values() if isinstance(value, list)), [])
    told = table.get("source") or table.get("reason") or all(row["source"] for row in rows)
    assert told


def test_the_options_of_uv_are_sorted_and_unique_for_each_word() -> None:
    rows = content(next(file for file in TABLES if file.name == "uv_options.json"))["options"]
    keys = [(str(row["names"]), str(row["words"])) for row in rows]
    assert keys == sorted(keys)
    spelled = Counter(
        (word, name) for option in uv.options() for word in option.words for name in option.names
    )
    assert [twice for twice, count in spelled.items() if count > 1] == []


@pytest.mark.parametrize("word", ["add", "init", "lock", "remove", "sync"])
def test_every_word_over_uv_has_its_options(word: str) -> None:
    names = {name for option in uv.options() if word in option.words for name in option.names}
    assert {"--offline", "--project", "--quiet"} <= names
    assert word in uv.commands()


def test_the_oldest_uv_is_a_version() -> None:
    assert Version(uv.minimum()) >= Version("0.9")


def test_a_base_image_names_its_versions() -> None:
    image = base_image("uv").builder.format(uv="1.2.3", python="3.12", debian="trixie")
    assert "1.2.3-python3.12" in image
    with pytest.raises(KeyError):
        base_image("no such kind")


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_no_key_stands_twice_in_an_object_of_a_table(file: Path) -> None:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        assert [key for key, count in Counter(key for key, _ in found).items() if count > 1] == []
        return dict(found)

    assert json.loads(file.read_text(), object_pairs_hook=pairs) == content(file)


def test_every_option_is_spelled_as_one_the_long_spelling_last() -> None:
    for option in uv.options():
        *short, long = option.names
        assert long.startswith("--"), option
        assert all(len(name) == 2 and name.startswith("-") for name in short), option
        assert option.help, option
        assert option.value is None or option.value.isupper(), option


def test_the_words_of_the_options_are_those_that_build_on_uv() -> None:
    found = {word for option in uv.options() for word in option.words}
    assert found == {word.uv for word in WORDS.values() if word.uv}


def test_an_option_that_goes_before_the_word_is_one_of_every_word_and_takes_the_same() -> None:
    words = {word.uv for word in WORDS.values() if word.uv}
    for name in {name for option in uv.options() if option.is_global for name in option.names}:
        found = [option for option in uv.options() if name in option.names]
        assert {word for option in found for word in option.words} == words, name
        assert len({option.value for option in found}) == 1, name


def test_the_oldest_uv_is_not_newer_than_the_one_that_the_options_are_of() -> None:
    table = content(next(file for file in TABLES if file.name == "uv_options.json"))
    of_options = table["source"].removeprefix("uv ").partition(",")[0]
    assert Version(uv.minimum()) <= Version(of_options)


# --- accelerators and mirrors ---------------------------------------------------------------------


def of_kind(kind: str) -> list[torch.Backend]:
    return [backend for backend in torch.backends().values() if backend.kind == kind]


@pytest.mark.parametrize("key", ["kinds", "backends", "packages", "amd"])
def test_no_accelerator_stands_twice(key: str) -> None:
    rows = content(next(file for file in TABLES if file.name == "accelerators.json"))[key]
    names = [row.get("name") or row["architecture"] for row in rows]
    assert names
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_backend_is_of_a_known_kind_and_every_kind_has_one() -> None:
    assert {backend.kind for backend in torch.backends().values()} == set(torch.kinds())
    assert {"cuda", "rocm", "xpu", "cpu"} == set(torch.kinds())


def test_a_backend_is_named_after_its_version() -> None:
    for backend in torch.backends().values():
        expected = {
            "cuda": f"cu{(backend.version or '').replace('.', '')}",
            "rocm": f"rocm{backend.version}",
        }
        assert backend.name == expected.get(backend.kind, backend.kind)
        assert (backend.version is None) == (backend.kind not in expected)


@pytest.mark.parametrize("kind", ["cuda", "rocm"])
def test_the_backends_of_a_kind_stand_newest_first(kind: str) -> None:
    versions = [Version(backend.version or "") for backend in of_kind(kind)]
    assert versions == sorted(versions, reverse=True)


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_cuda_alone_needs_drivers_and_a_newer_one_no_older_driver(platform: str) -> None:
    drivers = [Version(backend.driver(platform) or "") for backend in of_kind("cuda")]
    assert drivers == sorted(drivers, reverse=True)
    others = [b for b in torch.backends().values() if b.kind != "cuda"]
    assert {b.linux_driver for b in others} | {b.windows_driver for b in others} == {None}


@pytest.mark.parametrize("kind", ["cuda", "rocm"])
def test_auto_has_something_to_choose_where_there_are_versions(kind: str) -> None:
    assert any(backend.is_automatic for backend in of_kind(kind))


def test_auto_chooses_nothing_where_there_is_no_version() -> None:
    assert not any(b.is_automatic for b in torch.backends().values() if b.version is None)


def test_a_package_of_torchs_family_is_of_known_kinds_and_torch_is_of_all() -> None:
    kinds = {package.name: package.kinds for package in torch.family()}
    assert set().union(*kinds.values()) == set(torch.kinds())
    assert kinds["torch"] == kinds["triton"] == set(torch.kinds())
    assert all(found for found in kinds.values())


@pytest.mark.parametrize("kind", ["rocm", "xpu"])
def test_a_package_that_names_an_accelerator_is_of_that_kind_alone(kind: str) -> None:
    named = [package for package in torch.family() if package.name.endswith(f"-{kind}")]
    assert {package.name for package in named} == {f"pytorch-triton-{kind}", f"triton-{kind}"}
    assert {package.kinds for package in named} == {frozenset({kind})}


def test_an_amd_gpu_has_known_backends_newest_first_and_one_that_auto_may_choose() -> None:
    known = [backend.name for backend in of_kind("rocm")]
    for architecture, names in torch.amd_backends().items():
        assert names == tuple(name for name in known if name in names), architecture
        assert len(set(names)) == len(names) > 0
        assert any(torch.backends()[name].is_automatic for name in names), architecture
        assert architecture.startswith("gfx")


def test_an_intel_gpu_is_told_by_vendor_and_class() -> None:
    assert torch.intel_gpu() == (0x8086, 0x03)


def test_a_marker_names_the_platforms_that_the_wheels_are_for() -> None:
    where = {"linux": "rocm cuda xpu cpu", "win32": "cuda xpu cpu", "darwin": ""}
    for platform, kinds in where.items():
        environment = {"sys_platform": platform}
        found = {
            kind.name
            for kind in torch.kinds().values()
            if Marker(kind.marker).evaluate(environment)
        }
        assert found == set(kinds.split()), platform


def test_no_two_indexes_lie_at_one_place() -> None:
    urls = [
        mirror.url.format(backend=backend)
        for mirror in torch.mirrors().values()
        for backend in torch.backends()
    ]
    assert len(set(urls)) == len(urls) == len(torch.mirrors()) * len(torch.backends())


@pytest.mark.parametrize("mirror", torch.mirrors().values(), ids=lambda mirror: str(mirror.name))
def test_a_mirror_is_a_secure_url_of_a_format_that_uv_knows(mirror: torch.Mirror) -> None:
    assert mirror.url.startswith("https://")
    assert mirror.format in ("simple", "flat")
    assert mirror.url.endswith("/") == (
        mirror.format == "flat"
    )  # a flat page's links are beside it
    assert mirror.name.isalnum()
    assert mirror.source


def test_the_official_place_is_pytorchs_own() -> None:
    assert next(iter(torch.mirrors())) == "official"
    assert torch.mirrors()["official"].url.startswith("https://download.pytorch.org/whl/")


def test_the_quickstart_notebook_is_there() -> None:
    assert json.loads(quickstart().read_text())["nbformat"] == 4


# --- conda's packages -----------------------------------------------------------------------------


def of_conda(name: str) -> Any:
    return content(next(file for file in TABLES if file.name == f"{name}.json"))


def test_no_conda_package_stands_twice_in_a_table() -> None:
    packages = of_conda("conda_packages")
    tables = [of_conda("conda_names")["names"], packages["renamed"], packages["chooses"]]
    names = [[row["conda"] for row in rows] for rows in tables]
    names.append([row["pattern"] for row in packages["patterns"]])
    for found in names:
        assert [name for name, count in Counter(found).items() if count > 1] == []


def test_a_pattern_is_of_a_known_kind_and_every_kind_has_one() -> None:
    packages = of_conda("conda_packages")
    kinds = {row["name"] for row in packages["kinds"]}
    assert {row["kind"] for row in packages["patterns"]} == kinds


def test_a_conda_name_that_differs_does_so_after_normalising() -> None:
    for name, pypi in conda.renamed().items():
        assert normalise(name) == name
        assert normalise(pypi) != name


def test_a_python_package_that_looks_like_a_library_would_be_taken_for_one() -> None:
    for name in of_conda("conda_packages")["python"]:
        assert conda.kind_of(name) is None
        assert conda.kind_of(f"{name}x") is not None


def test_what_chooses_torchs_build_does_so_by_a_known_kind() -> None:
    known = {*torch.kinds(), "build"}
    assert set(conda.accelerators().values()) <= known
