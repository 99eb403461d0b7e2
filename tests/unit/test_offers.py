"""What a place has to offer to completion."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from uvmagic.kernel import registry
from uvmagic.offers import Offers
from uvmagic.project import find
from uvmagic.system.environment import Environment

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = """
[project]
name = "my-study"
version = "0"
dependencies = ["numpy>=2", "Scikit_Learn ; python_version > '3'"]
optional-dependencies = { plot = ["matplotlib"] }

[dependency-groups]
docs = ["sphinx", { include-group = "dev" }]

[[tool.uv.index]]
name = "intern"
url = "https://packages.example/simple"

[[tool.uv.index]]
url = "https://other.example/simple"
"""
LOCK = "version = 1\n" + "".join(
    f'\n[[package]]\nname = "{name}"\nversion = "1.0"\nsource = {{ virtual = "." }}\n'
    for name in ("my-study", "numpy", "six")
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "uv.lock").write_text(LOCK)
    return folder


def test_a_project_offers_what_its_files_name(study: Path) -> None:
    (study / "below").mkdir()
    for folder in (study, study / "below"):
        offers = Offers(folder, {})
        assert offers.listed() == ["matplotlib", "numpy", "scikit-learn", "sphinx"]
        assert offers.locked() == ["numpy", "six"]
        assert offers.groups() == ["docs", "dev"]
        assert offers.extras() == ["plot"]
        assert offers.indexes() == ["intern"]


@pytest.mark.parametrize("text", [None, "no TOML [", "[project]\nname = 1\n"])
def test_without_a_project_that_can_be_read_there_is_nothing(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    offers = Offers(tmp_path, {})
    assert [*offers.listed(), *offers.locked(), *offers.extras(), *offers.indexes()] == []


def test_kernels_are_those_of_uvmagic_that_an_action_may_name(study: Path) -> None:
    offers = Offers(study, {})
    assert offers.kernels("install") == ["uv"]
    assert offers.kernels("use") == offers.kernels("remove") == []
    kernel, _ = registry.install(find(study), Environment(study / ".venv"))
    registry.install_launcher(study / "python")
    assert offers.kernels("use") == [kernel.name]
    assert offers.kernels("remove") == ["uv", kernel.name]
    assert offers.kernels("list") == []


def test_pythons_are_found_by_their_files(tmp_path: Path) -> None:
    for name in ("cpython-3.9.18-linux-x86_64-gnu", "cpython-3.14.0a1-linux", ".temp"):
        (tmp_path / "own" / name).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name in ("python3.10", "python3", "python", "python3.10-config", "uv"):
        (tmp_path / "bin" / name).touch()
    this = ".".join(map(str, sys.version_info[:3]))
    environ = {"UV_PYTHON_INSTALL_DIR": str(tmp_path / "own"), "PATH": f"{tmp_path / 'bin'}::/none"}
    assert Offers(tmp_path, environ).pythons() == [this, "3.10", "3.9.18"]


def test_paths_go_on_from_what_was_begun(study: Path) -> None:
    for name in ("data/a.csv", "data/b.csv", "b c.ipynb", ".venv/x", "been.py"):
        (study / name).parent.mkdir(exist_ok=True)
        (study / name).touch()

    def paths(start: str) -> list[str]:
        return list(Offers(study, {}).paths(start))

    assert paths("") == ["b c.ipynb", "been.py", "data/", "pyproject.toml", "uv.lock"]
    assert paths("b") == ["b c.ipynb", "been.py"]
    assert paths("data/") == ["data/a.csv", "data/b.csv"]
    assert paths("./da") == ["./data/"]
    assert paths(".v") == [".venv/"]
    assert paths(f"{study}/be") == [f"{study}/been.py"]
    assert paths("none/") == paths("been.py/") == []
