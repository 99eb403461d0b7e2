"""The local modules that a notebook imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from unit.folders import names, put, write
from uvmagic.bundle.contents import placed
from uvmagic.bundle.modules import local_modules, working_folders
from uvmagic.code import Code
from uvmagic.errors import BundleRefused


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder, resolved."""
    folder = tmp_path / "proj"
    folder.mkdir()
    return folder.resolve()


def found(
    root: Path,
    *cells: str,
    working: Path | None = None,
    more: tuple[Path, ...] = (),
    installed: str = "",
) -> set[Path]:
    """The files of the modules that some cells import, which run in the root if nowhere else."""
    code = Code(cells)
    folders = working_folders(code, working or root)
    taken = local_modules(
        code, folders, root, more=more, is_installed=lambda name: name == installed
    )
    return set(taken.files)


# --- by the folders that they may be in -----------------------------------------------------------


def test_a_module_is_followed_to_what_it_imports_itself(root: Path) -> None:
    write(root, one="import two", two="from three import x", three="x = 1", four="")
    taken = found(root, "import one, numpy")
    assert names(taken, root) == ["one.py", "three.py", "two.py"]


def test_modules_that_import_each_other_are_both_taken_once(root: Path) -> None:
    write(root, one="import two", two="import one")
    assert names(found(root, "import one"), root) == ["one.py", "two.py"]


def test_a_package_goes_whole_with_its_data_and_without_its_caches(root: Path) -> None:
    write(root / "pkg", __init__="")
    write(root / "pkg" / "sub", deep="import beside")
    write(root, beside="")
    put(root / "pkg" / "table.csv")
    put(root / "pkg" / "__pycache__" / "x.pyc")
    taken = found(root, "from pkg.sub import deep")
    expected = ["beside.py", "pkg/__init__.py", "pkg/sub/deep.py", "pkg/table.csv"]
    assert names(taken, root) == expected


def test_the_nearest_folder_is_the_one_that_counts(root: Path) -> None:
    near, far = root / "notebooks", root / "src"
    write(near, mine="")
    write(far, mine="", other="")
    taken = found(root, "import mine, other", working=near, more=(far,))
    assert taken == {near / "mine.py", far / "other.py"}


def test_what_nobody_imports_and_what_is_not_there_stays_away(root: Path) -> None:
    write(root, unused="")
    assert found(root, "import numpy", "%%bash\nimport unused") == set()


def test_a_folder_without_python_is_no_package(root: Path) -> None:
    put(root / "data" / "table.csv")
    assert found(root, "import data") == set()


@pytest.mark.parametrize(
    ("files", "imported"),
    [
        (["mine.py"], "mine"),
        (["mine/__init__.py", "mine/sub.py"], "mine.sub"),
        (["mine/sub.py"], "mine.sub"),
        (["mine/sub/__init__.py"], "mine.sub"),
        (["mine/sub/deep.py"], "mine.sub.deep"),
        (["mine.py", "mine/__init__.py"], "mine"),
        (["mine.py", "mine/data.csv"], "mine"),
    ],
)
def test_the_file_that_python_would_import_is_among_them(
    root: Path, files: list[str], imported: str
) -> None:
    for file in files:
        put(root / file)
    asked = [sys.executable, "-c", f"import {imported} as found; print(found.__file__)"]
    environ = {"PYTHONPATH": str(root)}
    told = subprocess.run(asked, env=environ, capture_output=True, text=True, check=True).stdout
    assert Path(told.strip()) in found(root, f"import {imported}")


def test_a_link_in_a_package_that_leads_nowhere_is_refused_by_name(root: Path) -> None:
    write(root / "pkg", __init__="")
    (root / "pkg" / ".#edited.py").symlink_to("somebody@host.1234")  # an editor's lock
    with pytest.raises(BundleRefused, match="edited"):
        placed(found(root, "import pkg"), root)


# --- by what the code adds to sys.path ------------------------------------------------------------

LAYOUTS: dict[str, tuple[dict[str, str], str, str]] = {
    "above": ({"mine.py": ""}, "notebooks", "sys.path.append('..'); import mine"),
    "beside": ({"lib/mine.py": ""}, "notebooks", "sys.path.insert(0, '../lib'); import mine"),
    "by a path": (
        {"src/mine/__init__.py": ""},
        "notebooks/deep",
        "ROOT = Path('../..').resolve()\nsys.path.append(str(ROOT / 'src')); import mine",
    ),
    "by the folder above": (
        {"lib/mine.py": ""},
        "notebooks",
        "sys.path += [os.path.join(os.path.dirname(os.getcwd()), 'lib')]; import mine",
    ),
    "by a module": (
        {"paths.py": "import sys; sys.path.append('../lib')", "lib/mine.py": ""},
        "notebooks",
        "sys.path.append('..'); import paths, mine",
    ),
    "by a module's own file": (
        {
            "tools/paths.py": "import sys, pathlib\n"
            "sys.path.append(str(pathlib.Path(__file__).parent.parent / 'lib'))",
            "lib/mine.py": "import other",
            "lib/other.py": "",
        },
        "notebooks",
        "sys.path.append('../tools'); import paths, mine",
    ),
    "by a package": (
        {
            "pkg/__init__.py": "from . import paths",
            "pkg/paths.py": "import sys, os\n"
            "sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'vendored'))",
            "pkg/vendored/mine.py": "",
        },
        ".",
        "import pkg, mine",
    ),
    "by site": ({"lib/mine.py": ""}, "notebooks", "site.addsitedir('../lib'); import mine"),
    "by the working folder": ({"mine.py": ""}, "notebooks", "os.chdir('..'); import mine"),
    "a namespace": ({"lib/mine/sub.py": ""}, "n", "sys.path.append('../lib'); import mine.sub"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_python_imports_of_the_project_goes_along(root: Path, layout: str) -> None:
    files, folder, cell = LAYOUTS[layout]
    for name, text in files.items():
        put(root / name, text)
    working = root / folder
    working.mkdir(parents=True, exist_ok=True)
    told = """
import json, os, site, sys
from pathlib import Path
sys.path[0] = ""
exec(sys.argv[1])
modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print(json.dumps([os.path.realpath(file) for file in modules if file]))
"""
    asked = [sys.executable, "-c", told, cell]
    ran = subprocess.run(asked, cwd=working, capture_output=True, text=True, check=True)
    imported = {Path(file) for file in json.loads(ran.stdout)}
    of_project = {file for file in imported if file.is_relative_to(root)}
    assert of_project
    assert of_project <= found(root, cell, working=working)


def test_what_is_found_by_no_literal_path_stays_unknown(root: Path) -> None:
    put(root / "lib" / "mine.py")
    assert found(root, "sys.path.append(find())\nimport mine") == set()


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("sys.path.append('../..')\nimport common", "common/__init__.py"),
        ("sys.path.append('../..')\nimport common", "common.py"),
        ("sys.path.append('../../common')\nimport common", "common/common.py"),
        ("sys.path.append('../..')\nimport common.sub", "common/sub.py"),
        ("sys.path.append('../../proj2')\nimport common", "proj2/common.py"),
        ("os.chdir('../..')\nimport common", "common.py"),
        ("sys.path.append('{root}/lib')\nimport common", "proj/lib/common.py"),
    ],
)
def test_a_module_from_outside_is_refused_by_name(root: Path, cell: str, place: str) -> None:
    put(root.parent / place)
    (root / "notebooks").mkdir()
    cell = cell.format(root=root)
    with pytest.raises(BundleRefused, match="common is imported from") as caught:
        found(root, cell, working=root / "notebooks")
    assert "Move common into the project" in str(caught.value)
    assert found(root, cell, working=root / "notebooks", installed="common") == set()


def test_a_module_that_is_inside_as_well_or_python_s_own_is_no_reason_to_refuse(
    root: Path,
) -> None:
    write(root.parent, common="", json="")
    write(root / "notebooks", common="")
    cell = "sys.path.insert(0, '../..')\nimport common, json"
    taken = found(root, cell, working=root / "notebooks")
    assert taken == {root / "notebooks" / "common.py"}


def test_a_folder_that_is_a_link_out_of_the_project_is_refused_by_name(root: Path) -> None:
    write(root.parent / "elsewhere", mine="")
    (root / "lib").symlink_to(root.parent / "elsewhere", target_is_directory=True)
    with pytest.raises(BundleRefused, match=r"lib/mine\.py is a link that leads out"):
        placed(found(root, "sys.path.append('lib')\nimport mine"), root)
