"""Which setting wins: told as uv itself decides it."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from uvmagic.system.settings import Settings, settings

if TYPE_CHECKING:
    from pathlib import Path

PLACES = ("environment", "project", "user", "system")
"""Who may say something, the strongest first."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in a project, and configuration folders of its own."""
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("user/uv", "system/uv", "project/inside"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").write_text(PROJECT)
    return tmp_path / "project" / "inside"


PROJECT = """\
[project]
name = "project"
version = "0"
requires-python = ">=3.11"
"""


def uv(uv: str, place: Path, *arguments: str) -> str:
    done = subprocess.run(
        [uv, *arguments], cwd=place, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def told(place: Path) -> Settings:
    return settings(place, os.environ)


def write(place: Path, scope: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say something of the cache and the link mode at a place."""
    world = place.parent.parent
    if scope == "environment":
        value = re.search(r'cache-dir = "(.+)"', text)
        assert value
        monkeypatch.setenv("UV_CACHE_DIR", value[1])
        monkeypatch.setenv("UV_LINK_MODE", "copy")
    elif scope == "project":
        (world / "project" / "pyproject.toml").write_text(f"{PROJECT}\n[tool.uv]\n{text}")
    else:
        (world / scope / "uv" / "uv.toml").write_text(text)


@pytest.mark.parametrize(
    "scopes", [some for n in range(3) for some in itertools.combinations(PLACES, n)]
)
def test_the_strongest_wins_as_uv_has_it(
    place: Path, scopes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, uv_path: str
) -> None:
    for scope in scopes:
        mode = "copy" if scope == "environment" else "symlink"
        text = f'cache-dir = "{place / scope}"\nlink-mode = "{mode}"\n'
        write(place, scope, text, monkeypatch)
    found = told(place)
    cache = found["cache-dir"]
    assert cache.winner.value == uv(uv_path, place, "cache", "dir")
    told_by = [one.scope for one in (cache.winner, *cache.overridden)]
    assert told_by == list(scopes or ["uv"])
    assert [one.scope for one in found["link-mode"].overridden] == list(scopes[1:])
    shown = uv(uv_path, place, "sync", "--show-settings")
    effective = re.search(r"link_mode: (\w+)", shown)
    assert effective
    assert found["link-mode"].winner.value.partition(",")[0] == effective[1].lower()
    assert found["python-install-dir"].winner.value == uv(uv_path, place, "python", "dir")


@pytest.fixture
def uv_path() -> str:
    return os.environ["UV"]


def test_a_uv_toml_has_uv_ignore_the_pyproject_toml_beside_it(place: Path, uv_path: str) -> None:
    project = place.parent
    index = '\n[[tool.uv.index]]\nurl = "https://user:pw@example.org/simple"\ndefault = true\n'
    (project / "pyproject.toml").write_text(
        f'{PROJECT}\n[tool.uv]\ncache-dir = "/from/pyproject"\nlink-mode = "copy"\n{index}'
    )
    (project / "uv.toml").write_text('cache-dir = "/from/uv.toml"\n')
    found = told(place)
    assert found["cache-dir"].winner.value == uv(uv_path, place, "cache", "dir") == "/from/uv.toml"
    assert [one.value for one in found["cache-dir"].overridden] == ["/from/pyproject"]
    assert found["link-mode"].winner.scope == "uv"
    assert found["default-index"].winner.value == "PyPI"
    (ignored,) = found["default-index"].overridden
    assert (ignored.value, ignored.scope) == ("https://…@example.org/simple", "ignored")


@pytest.mark.parametrize(
    ("variable", "value"), [("UV_NO_CONFIG", "1"), ("UV_CONFIG_FILE", "other.toml")]
)
def test_what_takes_the_place_of_all_files_does(
    place: Path, variable: str, value: str, monkeypatch: pytest.MonkeyPatch, uv_path: str
) -> None:
    for scope in PLACES[1:]:
        write(place, scope, f'cache-dir = "{place / scope}"\n', monkeypatch)
    (place / "other.toml").write_text(f'cache-dir = "{place / "other"}"\n')
    monkeypatch.setenv(variable, str(place / value) if "." in value else value)
    found = told(place)["cache-dir"]
    assert found.winner.value == uv(uv_path, place, "cache", "dir")
    assert found.overridden == ()


def test_lists_add_up_and_each_says_where_it_is_from(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = place.parent.parent
    (world / "user" / "uv" / "uv.toml").write_text('[[index]]\nurl = "http://user.example"\n')
    (place.parent / "pyproject.toml").write_text(
        f'{PROJECT}\n[[tool.uv.index]]\nurl = "http://project.example"\n'
    )
    monkeypatch.setenv("UV_INDEX", "http://me:secret@environment.example")
    found = told(place)["index"]
    assert [one.scope for one in found.said] == ["environment", "project", "user", "uv"]
    assert [one.value for one in found.from_outside] == [
        "http://…@environment.example",
        "http://user.example",
    ]
    assert found.overridden == ()


def test_which_python_is_asked_for(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = place.parent.parent
    assert told(place)["python"].winner.scope == "uv"
    (world / ".python-version").write_text("3.9\n")  # above the project: not heeded
    (world / "user" / "uv" / ".python-version").write_text("3.13\n")
    assert told(place)["python"].winner.value == "3.13"
    (place.parent / ".python-version").write_text("# ours\n3.12\n")
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    found = told(place)["python"]
    assert found.winner.where == "UV_PYTHON"
    assert [one.value for one in found.overridden] == ["3.12", "3.13"]


def test_what_is_no_toml_is_named(place: Path) -> None:
    file = place.parent.parent / "user" / "uv" / "uv.toml"
    file.write_bytes(b"\xff")
    assert [name for name, _ in told(place).unreadable] == [str(file)]


def test_the_project_is_not_above_a_folder_without_one(tmp_path: Path) -> None:
    assert settings(tmp_path, {"HOME": str(tmp_path)})["link-mode"].winner.scope == "uv"
