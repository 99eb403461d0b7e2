"""A virtual environment read from its files, laid out here by hand."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic import project
from uvmagic.system import agreed, agreement
from uvmagic.system.environment import Environment
from uvmagic.system.files import own_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the layout there is another")


def lay_out(
    folder: Path, installed: dict[str, str], python: str = "3.12.4", key: str = "version_info"
) -> Environment:
    """An environment's folder with these distributions: name as its folder spells it → version."""
    packages = folder / "lib" / f"python{python.rpartition('.')[0]}" / "site-packages"
    packages.mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\n{key} = {python}\n", encoding="utf-8")
    for name, version in installed.items():
        (packages / f"{name}-{version}.dist-info").mkdir()
        (packages / name).mkdir()
    return Environment(folder)


def test_the_distributions_are_told_by_normalised_name(tmp_path: Path) -> None:
    spelled = {"numpy": "2.1.0", "Ruamel.Yaml": "0.18.6", "torch": "2.4.0+cu121", "a_b": "1!2.0rc1"}
    assert lay_out(tmp_path / "env", spelled).installed() == {
        "a-b": "1!2.0rc1",
        "numpy": "2.1.0",
        "ruamel-yaml": "0.18.6",
        "torch": "2.4.0+cu121",
    }


def test_what_is_no_dist_info_is_no_distribution(tmp_path: Path) -> None:
    environment = lay_out(tmp_path / "env", {"numpy": "2.1.0"})
    packages = environment.site_packages()
    assert packages is not None
    for name in (
        "x.dist-info",
        "dist-info",
        "y-1.0.dist-info.bak",
        "z-1.0.egg-info",
        "__pycache__",
    ):
        (packages / name).mkdir()
    (packages / "_virtualenv.py").touch()
    assert environment.installed() == {"numpy": "2.1.0"}


def test_without_an_environment_nothing_is_there(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "nowhere")
    assert not environment.exists
    assert environment.python_version() is None
    assert environment.site_packages() is None
    assert environment.installed() == {}


def test_an_environment_exists_while_its_interpreter_does(tmp_path: Path) -> None:
    environment = lay_out(tmp_path / "env", {})
    assert not environment.exists
    environment.python.parent.mkdir()
    environment.python.symlink_to(tmp_path / "python3.12")
    assert not environment.exists
    (tmp_path / "python3.12").touch()
    assert environment.exists


@pytest.mark.parametrize(
    ("config", "version"),
    [
        ("home = /usr/bin\nversion_info = 3.12.4\n", "3.12.4"),
        ("home = /usr/bin\nversion = 3.11.7\n", "3.11.7"),
        ("version_info = 3.12.4.final.0\n", "3.12.4"),
        ("uv = 0.13.9\nversion_info = 3.14.0rc2\nprompt = x\n", "3.14.0"),
        ("version_info = 3.12.4\r\nprompt = x\r\n", "3.12.4"),
        ("home = /version = 9.9.9\nversion = 3.12.4\n", "3.12.4"),
        ("version_info = three\n", None),
        ("", None),
    ],
)
def test_the_version_of_its_python_is_read_as_uv_venv_and_virtualenv_write_it(
    tmp_path: Path, config: str, version: str | None
) -> None:
    (tmp_path / "pyvenv.cfg").write_bytes(config.encode())
    assert Environment(tmp_path).python_version() == version


def test_a_configuration_that_is_no_utf_8_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_bytes(b"home = /home/\xe9/bin\nversion_info = 3.12.4\n")
    assert Environment(tmp_path).python_version() == "3.12.4"


STATES = st.tuples(
    st.dictionaries(st.sampled_from(["a", "b", "c_d"]), st.sampled_from(["1.0", "2.0"])),
    st.sampled_from(["3.12.4", "3.12.5", "3.13.0"]),
)


@given(STATES, STATES)
def test_the_state_differs_exactly_where_distributions_or_python_do(
    one: tuple[dict[str, str], str], other: tuple[dict[str, str], str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = lay_out(Path(folder) / "one", *one)
        second = lay_out(Path(folder) / "other", *other, key="version")
        states = [
            json.loads(agreed.state([], str(each.folder)))[str(each.folder)]
            for each in (first, second)
        ]
        assert (states[0] == states[1]) == (one == other)


def test_a_module_is_known_by_its_file_or_folder(tmp_path: Path) -> None:
    environment = lay_out(tmp_path / "env", {"pkg": "1.0"})
    packages = environment.site_packages()
    assert packages is not None
    for name in ("six.py", "fast.cpython-312-x86_64-linux-gnu.so", "mine.pth", "a[b].py"):
        (packages / name).touch()
    found = ["pkg", "six", "fast", "a[b]", "mine", "pkg-1.0", "a", "s*", "gone"]
    assert [name for name in found if environment.has_module(name)] == found[:4]
    assert not Environment(tmp_path / "nowhere").has_module("six")


def test_the_size_of_a_distribution_is_that_of_its_files(tmp_path: Path) -> None:
    environment = lay_out(tmp_path / "env", {"A_b": "1.0", "c": "2.0"})
    site_packages = environment.site_packages()
    assert site_packages is not None
    record = 'a_b/__init__.py,sha256=x,120\n"a_b/b,c.py",sha256=y,3\na_b-1.0.dist-info/RECORD,,\n'
    (site_packages / "A_b-1.0.dist-info" / "RECORD").write_text(record)
    assert environment.sizes() == {("a-b", "1.0"): 123}  # one without a RECORD is not told


def test_an_environment_is_at_hand_while_nothing_has_changed(tmp_path: Path) -> None:
    root = tmp_path / "project"
    environment = lay_out(root / ".venv", {"a": "1.0"}, "3.12.4")
    below = root / "notebooks" / "deep"
    below.mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "1"\n')
    assert agreed.environment_of(str(below)) is None
    (root / "uv.lock").write_text("version = 1\n")
    own_folder(root)
    agreement.remember(project.find(root), environment)
    assert agreed.environment_of(str(below)) == str(environment.folder)
    (tmp_path / "link").symlink_to(below)
    assert agreed.environment_of(str(tmp_path / "link")) == str(environment.folder)

    (below / "pyproject.toml").write_text("[tool.ruff]\n")  # nearer, and of no project
    assert agreed.environment_of(str(below)) is None
    (below / "pyproject.toml").unlink()
    for file in ("pyproject.toml", "uv.lock"):
        text = (root / file).read_text()
        (root / file).write_text(f"{text}\n")
        assert agreed.environment_of(str(below)) is None
        (root / file).write_text(text)
        assert agreed.environment_of(str(below)) == str(environment.folder)
    site_packages = environment.site_packages()
    assert site_packages is not None
    (site_packages / "b-1.0.dist-info").mkdir()
    assert agreed.environment_of(str(below)) is None
    assert agreed.environment_of(str(tmp_path)) is None


def test_a_workspaces_environment_is_never_at_hand_so_simply(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\n[tool.uv.workspace]\nmembers = ["m*"]\n'
    )
    (tmp_path / "uv.lock").write_text("version = 1\n")
    (tmp_path / "m1").mkdir()
    (tmp_path / "m1" / "pyproject.toml").write_text('[project]\nname = "m1"\nversion = "1"\n')
    environment = lay_out(tmp_path / ".venv", {"a": "1.0"}, "3.12.4")
    own_folder(tmp_path)
    agreement.remember(project.find(tmp_path), environment)
    assert agreement.agrees(project.find(tmp_path), environment)
    assert agreed.environment_of(str(tmp_path)) is None


def test_an_environment_runs_this_process_when_it_is_this_processs_prefix(tmp_path: Path) -> None:
    assert Environment(Path(sys.prefix)).is_running()
    (tmp_path / "link").symlink_to(sys.prefix, target_is_directory=True)
    assert Environment(tmp_path / "link").is_running()
    assert not Environment(tmp_path / "env").is_running()
