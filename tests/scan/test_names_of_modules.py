"""Whose a module is, and by what that is known."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from uvmagic.data import imports, tables
from uvmagic.scan.names import Names, Owner
from uvmagic.system.environment import Environment

if TYPE_CHECKING:
    from pathlib import Path

NONE = Names({}, frozenset())


@pytest.mark.parametrize(
    ("module", "owner"),
    [
        ("cv2.aruco", "opencv-python"),
        ("sklearn.svm.SVC", "scikit-learn"),
        ("PIL", "pillow"),
        ("yaml", "pyyaml"),
        ("bs4", "beautifulsoup4"),
        ("skimage", "scikit-image"),
        ("Crypto", "pycryptodome"),
        ("dateutil", "python-dateutil"),
        ("mpl_toolkits.mplot3d", "matplotlib"),
        ("mpl_toolkits.basemap", "basemap"),
        ("google.protobuf.message", "protobuf"),
        ("google.cloud.storage", "google-cloud-storage"),
        ("google.cloud.storage.Client", "google-cloud-storage"),
        ("azure.storage.blob", "azure-storage-blob"),
        ("ruamel.yaml", "ruamel-yaml"),
        ("docker", "docker"),
        ("msgpack", "msgpack"),
        ("typing_extensions", "typing-extensions"),
        ("django.filter", "django"),
        ("fitz", "pymupdf"),
        ("pylab", "matplotlib"),
    ],
)
def test_well_known_modules(module: str, owner: str) -> None:
    assert NONE.owner(module).names[0] == owner
    assert NONE.is_known(module)


@pytest.mark.parametrize("module", ["utils", "helpers", "my_lab_tools", "google", "config"])
def test_what_nothing_tells_is_a_guess_and_said_to_be(module: str) -> None:
    assert not NONE.is_known(module)


def test_what_is_installed_goes_before_all_else() -> None:
    names = Names({"cv2": {"opencv-contrib-python"}}, frozenset({"opencv-python"}))
    assert names.owner("cv2.aruco") == Owner(("opencv-contrib-python",), "environment")


def test_of_several_distributions_the_locked_one_is_meant() -> None:
    names = Names({}, frozenset({"opencv-python-headless"}))
    assert names.owner("cv2") == Owner(("opencv-python-headless",), "lock")


def test_a_locked_distribution_of_the_modules_name_goes_before_the_table() -> None:
    assert Names({}, frozenset({"jwt"})).owner("jwt") == Owner(("jwt",), "lock")
    assert NONE.owner("jwt") == Owner(("pyjwt",), "table")


# --- the environment ------------------------------------------------------------------------------


def _environment(folder: Path, records: dict[str, list[str]]) -> Environment:
    site = folder / (
        "Lib/site-packages" if sys.platform == "win32" else "lib/python3.12/site-packages"
    )
    for name, files in records.items():
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text("".join(f"{file},sha256=x,1\n" for file in files))
    return Environment(folder)


def test_modules_by_the_files_of_each_distribution(tmp_path: Path) -> None:
    records = {
        "six": ["six.py", "six-1.0.dist-info/METADATA"],
        "numpy": ["numpy/__init__.py", "numpy/core/__init__.py", "numpy/core/x.py"],
        "google_cloud_storage": ["google/cloud/storage/__init__.py", "google/cloud/storage/b.py"],
        "google_cloud_core": ["google/cloud/client.py"],
        "PyYAML": ["yaml/__init__.py", "_yaml/__init__.py", "../../../bin/tool"],
        "ext": ["fast.cpython-312-x86_64-linux-gnu.so", "other.abi3.so", "plain.pyd"],
        "editable": ["editable.pth", "__editable___x_finder.py"],
        "none": ["data/file.csv", "my-script.py"],
    }
    assert _environment(tmp_path, records).modules() == {
        "six": {"six"},
        "numpy": {"numpy"},
        "google.cloud.storage": {"google-cloud-storage"},
        "google.cloud.client": {"google-cloud-core"},
        "yaml": {"pyyaml"},
        "_yaml": {"pyyaml"},
        "fast": {"ext"},
        "other": {"ext"},
        "plain": {"ext"},
        "__editable___x_finder": {"editable"},
    }


def test_without_an_environment_there_are_none(tmp_path: Path) -> None:
    assert Environment(tmp_path / "none").modules() == {}


# --- the tables -----------------------------------------------------------------------------------


def test_the_tables_name_distributions_as_comparisons_need_it() -> None:
    names = {name for owners in imports.owners().values() for name in owners}
    names |= imports.namesakes()
    assert {name for name in names if canonicalize_name(name) != name} == set()


def test_no_row_is_twice_and_none_is_of_the_standard_library() -> None:
    folder = tables.HERE
    for table, key in (("import_names", "names"), ("modules", "renamed")):
        rows = json.loads((folder / f"{table}.json").read_text())[key]
        modules = [row["module"] for row in rows]
        assert len(modules) == len(set(modules))
        assert set(modules).isdisjoint(sys.stdlib_module_names)
