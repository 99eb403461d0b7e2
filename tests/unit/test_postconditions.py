"""What must hold after a change, whatever uv's exit status says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uvmagic.change.postconditions import verify
from uvmagic.errors import ChangeRejected
from uvmagic.grammar import parse, tokenise
from uvmagic.lockfile import Lockfile
from uvmagic.project import Project


def lock(*names: str) -> Lockfile:
    return Lockfile("\n".join(f'[[package]]\nname = "{name}"\nversion = "1"\n' for name in names))


def after(
    line: str,
    *dependencies: str,
    locked: Lockfile | None,
    installed: tuple[str, ...] = (),
    root: Path = Path("/nowhere"),
    cwd: Path | None = None,
    python: str | None = "3.12.4",
    **more: Any,
) -> None:
    """Verify a call whose project has these dependencies afterwards."""
    pyproject = {"project": {"name": "mine", "dependencies": [*dependencies]}, **more}
    there = dict.fromkeys(installed, "1")
    found = Project(root, root, pyproject)
    verify(parse(tokenise(line)), found, locked, there, python, cwd or root)


def dev(*requirements: str) -> dict[str, list[str]]:
    return {"dev": [*requirements]}


def accepted(line: str, *dependencies: str, **state: Any) -> bool:
    try:
        after(line, *dependencies, **state)
    except ChangeRejected:
        return False
    return True


def test_an_add_that_did_what_it_promised_is_accepted() -> None:
    call = "add 'Alpha>=1' beta[x]"
    assert accepted(
        call, "alpha>=1", "beta[x]", locked=lock("alpha", "beta"), installed=("alpha", "beta")
    )


@pytest.mark.parametrize(
    ("dependencies", "locked", "installed", "told"),
    [
        (("beta",), lock("alpha", "beta"), ("alpha", "beta"), "alpha is not in pyproject.toml"),
        (("alpha",), lock("beta"), ("alpha",), "alpha is not in uv.lock"),
        (("alpha",), lock("alpha"), ("beta",), "alpha is not in the environment"),
        (("alpha",), None, ("alpha",), "there is no uv.lock"),
    ],
)
def test_an_add_that_did_not_is_rejected_with_what_is_missing(
    dependencies: tuple[str, ...], locked: Lockfile | None, installed: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ChangeRejected) as caught:
        after("add alpha", *dependencies, locked=locked, installed=installed)
    assert caught.value.message.startswith(f"uv reports success, but {told};")


@pytest.mark.parametrize("option", ["--dev", "--group docs", "--optional plot"])
def test_what_was_added_to_another_table_stands_there_and_need_not_be_installed(
    option: str,
) -> None:
    tables = {
        "project": {"name": "mine", "optional-dependencies": {"plot": ["alpha"]}},
        "dependency-groups": {"dev": ["alpha"], "docs": ["alpha"]},
    }
    assert accepted(f"add alpha {option}", locked=lock("alpha"), **tables)
    assert not accepted(f"add alpha {option}", locked=lock("alpha"))


@pytest.mark.parametrize(
    "option",
    ["--no-sync", "--active", "--dry-run", "--no-install-package alpha"],
)
def test_what_the_call_says_not_to_install_need_not_be_installed(option: str) -> None:
    assert accepted(f"add alpha {option}", "alpha", locked=lock("alpha"))
    assert not accepted(f"add alpha {option}", "alpha", locked=lock())


def test_a_frozen_add_needs_neither_lock_nor_environment() -> None:
    assert accepted("add alpha --frozen", "alpha", locked=None)
    assert not accepted("add alpha --frozen", "beta", locked=None)


def test_what_was_added_to_another_member_of_the_workspace_is_not_looked_for_here() -> None:
    assert accepted("add alpha --package other", locked=lock("alpha"))


@pytest.mark.parametrize("line", ["sync", "lock", "add -r requirements.txt", "remove alpha"])
def test_every_change_leaves_a_lock(line: str) -> None:
    assert accepted(line, locked=lock())
    assert not accepted(line, locked=None)


def test_what_was_removed_is_gone_from_its_table_and_may_stand_in_another() -> None:
    assert accepted("remove Alpha", "beta", locked=lock("alpha"))
    assert not accepted("remove Alpha", "alpha>=1", locked=lock())
    groups = {"dependency-groups": dev("alpha")}
    assert accepted("remove alpha", locked=lock("alpha"), **groups)
    assert not accepted("remove alpha --dev", "beta", locked=lock("alpha"), **groups)


def test_with_an_option_that_no_table_has_nothing_is_judged() -> None:
    assert accepted("add alpha --brand-new value", locked=None)


@pytest.mark.parametrize(
    ("marker", "python", "must_be_installed"),
    [
        ("python_version >= '3.13'", "3.12.4", False),
        ("python_version >= '3.13'", "3.13.0", True),
        ("python_full_version < '3.12.4'", "3.12.4", False),
        ("python_full_version < '3.12.5'", "3.12.4", True),
        ("os_name == 'no such system'", "3.12.4", False),
        ("extra == 'x'", "3.12.4", False),
        ("python_version >= '3'", None, True),
    ],
)
def test_a_marker_is_judged_by_the_python_of_the_environment(
    marker: str, python: str | None, must_be_installed: bool
) -> None:
    requirement = f"alpha; {marker}"
    state = {"locked": lock("alpha"), "python": python}
    assert accepted(f'add "{requirement}"', requirement, **state) == (not must_be_installed)
    assert accepted(f'add "{requirement}"', requirement, installed=("alpha",), **state)


def test_a_path_is_accepted_when_its_source_names_what_is_listed(tmp_path: Path) -> None:
    state: dict[str, Any] = {"locked": lock("my-lib"), "installed": ("my-lib",), "root": tmp_path}
    source = {"tool": {"uv": {"sources": {"my-lib": {"path": "lib"}}}}}
    assert accepted("add ./lib", "my-lib", **state, **source)
    assert not accepted("add ./lib", "other", **state, **source)
    assert not accepted("add ./lib", "my-lib", **state)


def test_a_path_that_uv_made_a_member_of_the_workspace_is_accepted(tmp_path: Path) -> None:
    # what `uv add ./lib` writes for a folder inside the project
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "pyproject.toml").write_text('[project]\nname = "my-lib"\nversion = "1"\n')
    uv = {"sources": {"my-lib": {"workspace": True}}, "workspace": {"members": ["lib"]}}
    state: dict[str, Any] = {"locked": lock("my-lib"), "installed": ("my-lib",), "root": tmp_path}
    assert accepted("add ./lib", "my-lib", tool={"uv": uv}, **state)


def test_a_path_from_a_folder_of_the_project_is_accepted(tmp_path: Path) -> None:
    # uv writes it relative to pyproject.toml, wherever the call came from
    (tmp_path / "notebooks").mkdir()
    source = {"tool": {"uv": {"sources": {"my-lib": {"path": "../lib"}}}}}
    state: dict[str, Any] = {"locked": lock("my-lib"), "installed": ("my-lib",)}
    state["root"] = tmp_path
    assert accepted("add ../../lib", "my-lib", cwd=tmp_path / "notebooks", **state, **source)
    assert not accepted("add ../lib", "my-lib", cwd=tmp_path / "notebooks", **state, **source)
