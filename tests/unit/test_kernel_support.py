"""What a project needs to be a kernel, and how it gets this same uvmagic."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement

from uvmagic.kernel.support import (
    NAMES,
    Origin,
    default_groups,
    missing,
    origin,
    origin_of_uvmagic,
    requirements,
)

INDEX = Origin("uvmagic==0.1.0", False, None, "version 0.1.0 from the index")
FOLDER = Origin("/src/uvmagic", False, Path("/src/uvmagic"), "from the folder /src/uvmagic")
EDITABLE = Origin("/src/uvmagic", True, Path("/src/uvmagic"), "from the folder /src/uvmagic")


# --- where the running uvmagic came from ----------------------------------------------------------


@pytest.mark.parametrize(
    ("direct_url", "expected"),
    [
        (None, INDEX),
        ({"url": "file:///src/uvmagic", "dir_info": {"editable": True}}, EDITABLE),
        ({"url": "file:///src/uvmagic", "dir_info": {"editable": False}}, FOLDER),
        ({"url": "file:///src/uvmagic", "dir_info": {}}, FOLDER),
        (
            {
                "url": "https://x.org/uvmagic",
                "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": "0f0f"},
            },
            Origin(
                "uvmagic @ git+https://x.org/uvmagic@0f0f",
                False,
                None,
                "from git+https://x.org/uvmagic@0f0f",
            ),
        ),
        (
            {"url": "https://x.org/uvmagic-0.1.0.whl", "archive_info": {"hashes": {}}},
            Origin(
                "uvmagic @ https://x.org/uvmagic-0.1.0.whl",
                False,
                None,
                "from https://x.org/uvmagic-0.1.0.whl",
            ),
        ),
    ],
    ids=["index", "editable", "folder", "folder by default", "git", "archive"],
)
def test_an_origin_is_told_by_every_kind_of_direct_url(
    direct_url: dict[str, Any] | None, expected: Origin
) -> None:
    assert origin("0.1.0", json.dumps(direct_url) if direct_url else None) == expected


@pytest.mark.parametrize(
    "direct_url",
    [
        {"url": "https://x.org/all", "vcs_info": {"vcs": "git", "commit_id": "0f"}},
        {"url": "https://x.org/all.zip", "archive_info": {}},
    ],
)
def test_an_origin_in_a_subdirectory_keeps_it(direct_url: dict[str, Any]) -> None:
    found = origin("0.1.0", json.dumps({**direct_url, "subdirectory": "python"}))
    url = Requirement(found.requirement).url
    assert url is not None
    assert url.endswith("#subdirectory=python")


@given(st.text(st.characters(exclude_characters="\0\\", exclude_categories=["Cs"])))
def test_a_folder_is_found_again_whatever_is_in_its_name(name: str) -> None:
    folder = Path("/src") / name
    found = origin("0.1.0", json.dumps({"url": folder.as_uri(), "dir_info": {}}))
    assert found.folder == folder
    assert found.requirement == str(folder)


def test_the_running_uvmagic_has_an_origin_that_is_really_there() -> None:
    found = origin_of_uvmagic()
    if found.folder is None:
        assert Requirement(found.requirement).name == "uvmagic"
    else:
        assert (found.folder / "uvmagic" / "__init__.py").is_file()


# --- what is missing ------------------------------------------------------------------------------


def having(
    *dependencies: str, default: Any = None, name: str = "mine", **groups: list[Any]
) -> dict[str, Any]:
    """A project with these dependencies, groups, and default groups."""
    uv = {} if default is None else {"default-groups": default}
    return {
        "project": {"name": name, "dependencies": [*dependencies]},
        "dependency-groups": groups,
        "tool": {"uv": uv},
    }


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        ({}, ["ipykernel", "uvmagic"]),
        (having(), ["ipykernel", "uvmagic"]),
        (having("IPykernel>=6", "uvmagic"), []),
        (having("uvmagic @ git+https://x.org/y"), ["ipykernel"]),
        (having(dev=["ipykernel"]), ["uvmagic"]),
        (having(dev=["ipykernel", "uvmagic; python_version >= '3.11'"]), []),
        (having(docs=["ipykernel", "uvmagic"]), ["ipykernel", "uvmagic"]),
        (having(default=["docs"], docs=["ipykernel"]), ["uvmagic"]),
        (having(default=["docs"], dev=["ipykernel"]), ["ipykernel", "uvmagic"]),
        (having(default=[], dev=["ipykernel"]), ["ipykernel", "uvmagic"]),
        (having(default="all", docs=["ipykernel"], dev=["uvmagic"]), []),
        (having(dev=["./not-a-requirement", "uvmagic"]), ["ipykernel"]),
        (having(name="uvmagic"), ["ipykernel"]),
    ],
)
def test_what_neither_the_project_nor_a_default_group_lists_is_missing(
    pyproject: dict[str, Any], expected: list[str]
) -> None:
    assert missing(pyproject) == expected


def test_what_a_default_group_includes_is_listed() -> None:
    included = having(dev=[{"include-group": "jupyter"}], jupyter=["ipykernel"])
    assert missing(included) == ["uvmagic"]


def test_the_older_spelling_of_the_development_group_counts() -> None:
    pyproject = having()
    pyproject["tool"]["uv"]["dev-dependencies"] = ["ipykernel", "uvmagic"]
    assert missing(pyproject) == []


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        ({}, ["dev"]),
        (having(default=[]), []),
        (having(default=["a", "b"]), ["a", "b"]),
        (having(default="all", a=[], b=[]), ["dev", "a", "b"]),
    ],
)
def test_the_default_groups_are_those_of_uv(pyproject: dict[str, Any], expected: list[str]) -> None:
    assert default_groups(pyproject) == expected


# --- how it gets them -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "uvmagic", "calls"),
    [
        ([], INDEX, []),
        (["ipykernel"], INDEX, ["--dev ipykernel"]),
        (["uvmagic"], INDEX, ["--dev uvmagic==0.1.0"]),
        (["ipykernel", "uvmagic"], INDEX, ["--dev ipykernel uvmagic==0.1.0"]),
        (["uvmagic"], FOLDER, ["--dev --no-workspace /src/uvmagic"]),
        (["ipykernel", "uvmagic"], FOLDER, ["--dev --no-workspace ipykernel /src/uvmagic"]),
        (["uvmagic"], EDITABLE, ["--dev --editable --no-workspace /src/uvmagic"]),
        (
            ["ipykernel", "uvmagic"],
            EDITABLE,
            ["--dev ipykernel", "--dev --editable --no-workspace /src/uvmagic"],
        ),
    ],
)
def test_each_is_asked_for_in_as_few_calls_as_can_be(
    names: list[str], uvmagic: Origin, calls: list[str]
) -> None:
    pyproject = {"project": {"requires-python": ">=3.11"}}
    assert [" ".join(call) for call in requirements(names, pyproject, uvmagic)] == calls


@pytest.mark.parametrize(
    ("default", "table"),
    [
        (None, ["--dev"]),
        (["docs", "dev"], ["--dev"]),
        (["docs"], ["--group", "docs"]),
        ([], []),
        ("all", ["--dev"]),
    ],
)
def test_they_go_to_a_group_that_is_installed_by_default(default: Any, table: list[str]) -> None:
    (call,) = requirements(["ipykernel"], having(default=default), INDEX)
    assert call == [*table, "ipykernel"]


@pytest.mark.parametrize("default", [None, [], ["docs"], "all"])
def test_after_they_were_asked_for_they_are_not_missing(default: Any) -> None:
    pyproject = having(default=default, docs=[])
    for call in requirements([*NAMES], pyproject, INDEX):
        listed = [token for token in call if token.startswith(NAMES)]
        if "--dev" in call:
            pyproject["dependency-groups"].setdefault("dev", []).extend(listed)
        elif "--group" in call:
            group = call[call.index("--group") + 1]
            pyproject["dependency-groups"].setdefault(group, []).extend(listed)
        else:
            pyproject["project"]["dependencies"].extend(listed)
    assert missing(pyproject) == []


@pytest.mark.parametrize(
    ("allowed", "needs_marker"),
    [
        (">=3.9", True),
        ("", True),
        (">=3.10,<3.13", True),
        (">=3.11", False),
        (">=3.12,<4", False),
        ("==3.12.*", False),
    ],
)
def test_where_older_pythons_are_allowed_uvmagic_alone_gets_a_marker(
    allowed: str, needs_marker: bool
) -> None:
    pyproject = {"project": {"requires-python": allowed}}
    calls = requirements(["ipykernel", "uvmagic"], pyproject, INDEX)
    marked = [call for call in calls if "--marker" in call]
    assert len(marked) == needs_marker
    for call in marked:
        assert "ipykernel" not in call
        marker = Marker(call[call.index("--marker") + 1])
        oldest = metadata.metadata("uvmagic")["Requires-Python"].removeprefix(">=")
        assert marker.evaluate({"python_version": oldest})
        assert not marker.evaluate({"python_version": "3.10"})
