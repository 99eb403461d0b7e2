"""The user's kernels that uvmagic made, in a Jupyter folder of the test's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.paths import jupyter_data_dir

from uvmagic.errors import KernelRefused
from uvmagic.kernel import registry, spec
from uvmagic.project import Project
from uvmagic.system.environment import Environment
from uvmagic.system.host import shorten


def a_project(folder: Path, name: str = "analysis") -> tuple[Project, Environment]:
    """A project's folder with something that stands for its interpreter."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n', encoding="utf-8")
    environment = Environment(folder / ".venv")
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    packages = folder / ".venv" / "lib" / "python3.12" / "site-packages"
    (packages / "ipykernel-7.0.dist-info").mkdir(parents=True)
    (packages / "ipykernel" / "resources").mkdir(parents=True)
    (packages / "ipykernel" / "resources" / "logo-svg.svg").write_text("<svg/>", encoding="utf-8")
    return Project(folder, folder, {"project": {"name": name}}), environment


def kernels() -> Path:
    return Path(jupyter_data_dir()) / "kernels"


def put(name: str, content: Any) -> Path:
    """A kernelspec of somebody else's."""
    file = kernels() / name / "kernel.json"
    file.parent.mkdir(parents=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def test_without_kernels_there_are_none() -> None:
    assert registry.installed() == []


def test_an_installed_kernel_is_listed_and_jupyter_finds_it(tmp_path: Path) -> None:
    project, environment = a_project(tmp_path / "a")
    made, is_new = registry.install(project, environment)
    assert is_new
    assert made.display_name == "analysis (uv)"
    assert made.state == "ready"
    assert registry.installed() == [made]
    assert registry.of_project(project) == made
    found = KernelSpecManager().get_kernel_spec(made.name)
    assert found.display_name == made.display_name
    assert found.argv[0] == str(environment.python)
    assert Path(found.resource_dir) == made.folder


def test_installing_twice_is_installing_once(tmp_path: Path) -> None:
    project, environment = a_project(tmp_path / "a")
    made, _ = registry.install(project, environment)
    before = (made.folder / "kernel.json").stat()
    again, is_new = registry.install(project, environment)
    after = (made.folder / "kernel.json").stat()
    assert (again, is_new) == (made, False)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_kernel_follows_its_environment_to_another_place(tmp_path: Path) -> None:
    project, environment = a_project(tmp_path / "a")
    made, _ = registry.install(project, environment)
    moved, is_new = registry.install(project, Environment(tmp_path / "elsewhere"))
    assert is_new
    assert moved.python == Environment(tmp_path / "elsewhere").python
    assert registry.installed() == [moved]
    assert moved.name == made.name


def test_kernels_come_by_name_and_only_those_that_uvmagic_made(tmp_path: Path) -> None:
    put("python3", {"argv": ["python"], "display_name": "Python 3", "language": "python"})
    made = [registry.install(*a_project(tmp_path / name, name))[0] for name in ("b", "a")]
    assert registry.installed() == made[::-1]


SPOILED: dict[str, Any] = {
    "no JSON": "{",
    "a list": [],
    "metadata that is null": {"argv": ["python"], "metadata": None},
    "metadata that is a list": {"argv": ["python"], "metadata": []},
    "no argv": {"metadata": {"uvmagic": {"project": "/p"}}},
    "an empty argv": {"argv": [], "metadata": {"uvmagic": {"project": "/p"}}},
    "a project that is no path": {"argv": ["python"], "metadata": {"uvmagic": {"project": 1}}},
}


@pytest.mark.parametrize("content", SPOILED.values(), ids=SPOILED)
def test_a_kernelspec_that_is_spoiled_stands_in_nobodys_way(tmp_path: Path, content: Any) -> None:
    put("spoiled", content)
    project, environment = a_project(tmp_path / "a")
    made, _ = registry.install(project, environment)
    assert registry.of_project(project) == made
    assert made in registry.installed()


# --- what is another's ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        {"argv": ["python"], "display_name": "mine", "language": "python"},
        {"argv": ["python"], "metadata": {"uvmagic": {"schema": 1, "project": "/elsewhere"}}},
        "{",
        "",
    ],
    ids=["another's", "another project's", "no JSON", "empty"],
)
def test_a_foreign_kernelspec_is_never_overwritten(tmp_path: Path, content: Any) -> None:
    project, environment = a_project(tmp_path / "a")
    file = put(spec.kernel_name(project.root, project.name), content)
    before = file.read_bytes()
    with pytest.raises(KernelRefused, match="was not made by uvmagic for this project") as caught:
        registry.install(project, environment)
    assert file.read_bytes() == before
    assert caught.value.hint is not None
    assert registry.of_project(project) is None


def test_removing_a_kernel_leaves_every_other_as_it_was(tmp_path: Path) -> None:
    foreign = put("python3", {"argv": ["python"], "display_name": "Python 3"})
    one, other = (registry.install(*a_project(tmp_path / name))[0] for name in ("a", "b"))
    registry.remove(one)
    assert registry.installed() == [other]
    assert foreign.is_file()
    assert not one.folder.exists()
    assert (tmp_path / "a" / "pyproject.toml").is_file()


# --- what the menu shows --------------------------------------------------------------------------


def test_projects_of_one_name_are_told_apart_in_the_menu(tmp_path: Path) -> None:
    made = [registry.install(*a_project(tmp_path / place))[0] for place in ("a", "b", "c")]
    assert [kernel.display_name for kernel in made] == [
        "analysis (uv)",
        f"analysis (uv, {shorten(tmp_path / 'b')})",
        f"analysis (uv, {shorten(tmp_path / 'c')})",
    ]
    assert len({kernel.name for kernel in made}) == 3


def test_a_name_that_was_told_apart_stays_when_the_other_is_gone(tmp_path: Path) -> None:
    (first, _), second = (registry.install(*a_project(tmp_path / "a")), a_project(tmp_path / "b"))
    told_apart, _ = registry.install(*second)
    registry.remove(first)
    assert registry.install(*second) == (told_apart, False)


def test_a_display_name_that_was_chosen_is_shown_and_stays(tmp_path: Path) -> None:
    project, environment = a_project(tmp_path / "a")
    registry.install(project, environment)
    chosen, is_new = registry.install(project, environment, "My größte Analysis")
    assert is_new
    assert chosen.display_name == "My größte Analysis"
    assert registry.install(project, environment) == (chosen, False)
    assert KernelSpecManager().get_kernel_spec(chosen.name).display_name == chosen.display_name


def test_a_display_name_that_the_user_wrote_into_the_file_stays(tmp_path: Path) -> None:
    project, environment = a_project(tmp_path / "a")
    made, _ = registry.install(project, environment)
    file = made.folder / "kernel.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, "display_name": "By hand"}), encoding="utf-8")
    registry.install(project, Environment(tmp_path / "elsewhere"))
    assert [kernel.display_name for kernel in registry.installed()] == ["By hand"]


# --- whether it is of use -------------------------------------------------------------------------


def test_a_kernel_says_what_it_misses(tmp_path: Path) -> None:
    project, environment = a_project(tmp_path / "a")
    made, _ = registry.install(project, environment)
    site_packages = environment.site_packages()
    assert site_packages is not None
    (site_packages / "ipykernel-7.0.dist-info").rmdir()
    assert made.state == "no ipykernel"
    environment.python.unlink()
    assert made.state == "no .venv"
    environment.python.symlink_to(tmp_path / "nowhere")
    assert (made.state, made.is_dead) == ("Python gone", False)
    shutil.rmtree(project.folder)
    assert (made.state, made.is_dead) == ("project gone", True)
    assert registry.installed() == [made]


def test_a_kernel_has_the_logos_that_ipykernel_brings(tmp_path: Path) -> None:
    made, _ = registry.install(*a_project(tmp_path / "a"))
    assert (made.folder / "logo-svg.svg").read_text(encoding="utf-8") == "<svg/>"


def test_a_project_that_was_moved_keeps_its_kernels_display_name(tmp_path: Path) -> None:
    old, _ = registry.install(*a_project(tmp_path / "a"), "Mine")
    place = (tmp_path / "a").rename(tmp_path / "b")
    project = Project(place, place, {"project": {"name": "analysis"}})
    assert registry.moved_here(project) == old
    new, is_new = registry.install(project, Environment(place / ".venv"))
    assert is_new
    assert (new.display_name, new.state) == ("Mine", "ready")
    assert registry.installed() == [new]
    assert registry.moved_here(project) is None


def test_a_copy_of_a_project_leaves_the_originals_kernel_alone(tmp_path: Path) -> None:
    original, environment = a_project(tmp_path / "a")
    first, _ = registry.install(original, environment)
    copy = Path(shutil.copytree(tmp_path / "a", tmp_path / "b"))
    project = Project(copy, copy, {"project": {"name": "analysis"}})
    assert registry.moved_here(project) is None
    second, _ = registry.install(project, Environment(copy / ".venv"))
    assert {kernel.name for kernel in registry.installed()} == {first.name, second.name}
    assert first.display_name != second.display_name
