"""What a running kernel must do after a change, told from what it has loaded."""

from __future__ import annotations

import hashlib
import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from uvmagic.kernel import live
from uvmagic.outcome import Change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty site-packages on sys.path; what is imported from it is forgotten in the end."""
    made = tmp_path / "site-packages"
    made.mkdir()
    monkeypatch.syspath_prepend(str(made))
    known = set(sys.modules)
    yield made
    for name in set(sys.modules) - known:
        del sys.modules[name]


def install(site_packages: Path, name: str, version: str, /, **files: str) -> None:
    """Install a distribution as uv does; `_in_` in a module's name stands for a slash."""
    for record in site_packages.glob(f"{name}-*.dist-info/RECORD"):
        for line in record.read_text().splitlines():
            (site_packages / line.split(",")[0].strip('"')).unlink(missing_ok=True)
        record.unlink(missing_ok=True)
    rows = []
    for spelled, text in files.items():
        file = site_packages / f"{spelled.replace('_in_', '/')}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        rows.append(f"{file.relative_to(site_packages)},sha256={digest},{len(text)}\n")
    folder = site_packages / f"{name}-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "RECORD").write_text("".join(rows) + f"{folder.name}/RECORD,,\n")
    importlib.invalidate_caches()


def stale(site_packages: Path, before: live.Before, *changes: Change) -> list[str]:
    return [change.name for change in live.stale(changes, site_packages, before)]


def test_a_loaded_module_whose_file_is_another_one_is_stale(site_packages: Path) -> None:
    install(site_packages, "own", "1", stalemod="x = 1", spare="y = 1")
    importlib.import_module("stalemod")
    before = live.Before.of(site_packages)
    install(site_packages, "own", "2", stalemod="x = 2", spare="y = 1")
    assert stale(site_packages, before, Change("own", "1", "2")) == ["own"]


def test_what_is_not_loaded_is_not_stale(site_packages: Path) -> None:
    install(site_packages, "own", "1", stalemod="x = 1")
    before = live.Before.of(site_packages)
    install(site_packages, "own", "2", stalemod="x = 2")
    assert stale(site_packages, before, Change("own", "1", "2")) == []


def test_a_new_version_with_the_same_loaded_files_is_not_stale(site_packages: Path) -> None:
    install(site_packages, "own", "1", stalemod="x = 1", spare="y = 1")
    importlib.import_module("stalemod")
    before = live.Before.of(site_packages)
    install(site_packages, "own", "2", stalemod="x = 1", spare="y = 2")
    assert stale(site_packages, before, Change("own", "1", "2")) == []


def test_a_submodule_counts_as_much_as_its_package(site_packages: Path) -> None:
    install(site_packages, "own", "1", stalepkg_in___init__="", stalepkg_in_part="x = 1")
    importlib.import_module("stalepkg.part")
    before = live.Before.of(site_packages)
    install(site_packages, "own", "2", stalepkg_in___init__="", stalepkg_in_part="x = 2")
    assert stale(site_packages, before, Change("own", "1", "2")) == ["own"]


def test_a_removed_distribution_that_is_loaded_is_stale(site_packages: Path) -> None:
    install(site_packages, "own_one", "1", stalemod="x = 1")
    importlib.import_module("stalemod")
    before = live.Before.of(site_packages)
    (site_packages / "own_one-1.dist-info" / "RECORD").unlink()
    assert stale(site_packages, before, Change("own-one", "1", None)) == ["own-one"]


def test_modules_of_another_name_than_their_distribution_are_found(site_packages: Path) -> None:
    install(site_packages, "py_other", "1", stalemod="x = 1")
    importlib.import_module("stalemod")
    before = live.Before.of(site_packages)
    install(site_packages, "py_other", "1.1", stalemod="x = 2")
    assert stale(site_packages, before, Change("py-other", "1", "1.1")) == ["py-other"]


def test_what_is_new_is_not_stale(site_packages: Path) -> None:
    before = live.Before.of(site_packages)
    install(site_packages, "own", "1", stalemod="x = 1")
    importlib.import_module("stalemod")
    assert stale(site_packages, before, Change("own", None, "1")) == []


def test_a_module_that_imports_on_being_asked_is_left_alone(
    site_packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lazy:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(name)

    monkeypatch.setitem(sys.modules, "lazy", Lazy())
    install(site_packages, "own", "1", stalemod="x = 1")
    importlib.import_module("stalemod")
    before = live.Before.of(site_packages)
    install(site_packages, "own", "2", stalemod="x = 2")
    assert stale(site_packages, before, Change("own", "1", "2")) == ["own"]


def test_only_new_path_files_are_processed(site_packages: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / f"from_{folder.name}.py").touch()
    (site_packages / "old.pth").write_text(f"{old}\n")
    before = live.Before.of(site_packages)
    (site_packages / "new.pth").write_text(f"{new}\n")
    live.refresh(site_packages, before)
    importlib.import_module("from_new")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("from_old")
    sys.path.remove(str(new))


def test_an_environment_that_is_not_made_yet_has_nothing() -> None:
    assert live.Before.of(None) == live.Before()
