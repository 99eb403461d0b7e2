"""Where am I? Notebook, project and kernel, and what stops when they do not belong together."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import Folder
from kernels import Kernel

from uvmagic import project
from uvmagic.errors import ProjectUnclear
from uvmagic.kernel.spec import CARRIED, CHOSEN
from uvmagic.kernel.whereabouts import Whereabouts
from uvmagic.system.host import Frontend, Host
from uvmagic.system.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Shell

network = pytest.mark.network
heavy = pytest.mark.heavy


def made(folder: Path, name: str = "") -> Path:
    folder.mkdir(parents=True)
    text = f'[project]\nname = "{name or folder.name}"\nversion = "1"\nrequires-python = ">=3.11"\n'
    (folder / "pyproject.toml").write_text(text)
    return folder


def whereabouts(
    tmp_path: Path, here: str | None, lies: str | None = None, chosen: str | None = None
) -> Whereabouts:
    """Of projects by name, made where they are not there yet."""
    names = {name for name in (here, lies, chosen) if name}
    roots = {name: made(tmp_path / name) for name in sorted(names)}
    return Whereabouts(
        project.find(roots[here]) if here else None,
        project.find(roots[lies]) if lies else None,
        roots[chosen] if chosen else None,
    )


@pytest.mark.parametrize(
    ("here", "lies", "chosen"),
    [
        ("a", None, None),
        ("a", "a", None),
        ("a", None, "a"),
        ("a", "a", "a"),
        ("a", "b", "a"),  # the kernel says which
        (None, None, None),
        (None, None, "a"),
    ],
)
def test_what_is_clear_goes_on(
    tmp_path: Path, here: str | None, lies: str | None, chosen: str | None
) -> None:
    whereabouts(tmp_path, here, lies, chosen).stop_if_unclear("add")


@pytest.mark.parametrize(
    ("here", "lies", "chosen", "told", "step"),
    [
        ("a", "b", None, "The current folder is in a", "%cd"),
        ("a", "b", "b", "the notebook lies in b", "--project"),
        ("a", None, "b", "its kernel is that of", "%uv kernel use  moves it to a"),
        ("a", "a", "b", "The notebook lies in a", "%uv add --project"),
        (None, "b", None, "The current folder is in no project", "%cd"),
    ],
)
def test_what_is_unclear_stops_and_names_both(
    tmp_path: Path, here: str | None, lies: str | None, chosen: str | None, told: str, step: str
) -> None:
    with pytest.raises(ProjectUnclear) as caught:
        whereabouts(tmp_path, here, lies, chosen).stop_if_unclear("add")
    assert told in caught.value.message
    assert step in str(caught.value.hint)


def test_a_move_leaves_its_kernel_and_names_no_project(tmp_path: Path) -> None:
    whereabouts(tmp_path / "1", "a", "a", "b").stop_if_unclear(None)
    with pytest.raises(ProjectUnclear) as caught:
        whereabouts(tmp_path / "2", "a", "b").stop_if_unclear(None)
    assert "--project" not in str(caught.value)  # kernel use takes none


def test_a_kernel_counts_as_chosen_only_where_it_runs(tmp_path: Path) -> None:
    inherited = made(tmp_path / "other")
    environ = {CHOSEN: str(inherited), CARRIED: sys.prefix}
    host = Host(tmp_path, environ, None, Frontend(None))  # type: ignore[arg-type]
    where = Whereabouts.of(tmp_path, host)
    assert (where.here, where.notebooks, where.chosen) == (None, None, None)
    assert where.is_carried
    with pytest.raises(ProjectUnclear, match="carries its own requirements"):
        where.stop_if_unclear("add")


def test_what_a_killed_command_cut_is_healed_before_it_is_read(
    folder: Folder, shell: Shell
) -> None:
    """Asking which project is meant came first, and failed at the half-written pyproject.toml."""
    before = folder.pyproject.read_bytes()
    for call in ("%uv add alpha", "%uv pip install --dry-run alpha"):
        Journal(folder.path).open([folder.pyproject], "add beta")
        folder.pyproject.write_bytes(before[:20])
        shell.run(call)
        assert before.splitlines()[0] in folder.pyproject.read_bytes()


# --- status ---------------------------------------------------------------------------------------


def test_status_in_a_shell(folder: Folder, empty: Folder) -> None:
    none = Folder(empty.path).uvmagic("status")
    assert "No project here." in none.stdout
    assert "uvmagic init" in none.stdout
    told = json.loads(folder.uvmagic("status", "--json").stdout)
    assert told["title"] == "project is the project here."
    assert (told["environment"], told["lock"], told["kernel"]) == ("none", "none yet", "none yet")
    assert folder.uvmagic("add", "alpha").returncode == 0
    told = json.loads(folder.uvmagic("status", "--json").stdout)
    assert told["lock"] == "agrees with pyproject.toml and the environment"
    folder.pyproject.write_text(folder.pyproject.read_text() + "\n# mine\n")
    told = json.loads(folder.uvmagic("status", "--json").stdout)
    assert told["lock"] == "something has changed since uv last looked"


def test_status_in_ipython(folder: Folder, shell: Shell) -> None:
    shell.ip.user_ns["__vsc_ipynb_file__"] = str(folder.path / "study.ipynb")
    (folder.path / "study.ipynb").write_text("{}")
    told = shell.outcome("%uv status")
    facts = dict(told.facts)
    assert told.title == "This notebook does not run in its project, project."
    assert facts["notebook"].endswith("study.ipynb")
    assert facts["interpreter"].startswith(sys.prefix)
    assert told.data == {"belongs": False, "bundles": []}
    assert "%uv kernel use" in told.next_steps[0]


def test_papermill_tells_the_notebook(folder: Folder, shell: Shell) -> None:
    (folder.path / "study.ipynb").write_text("{}")
    shell.ip.user_ns["PAPERMILL_INPUT_PATH"] = "study.ipynb"
    assert dict(shell.outcome("%uv status").facts)["notebook"].endswith("study.ipynb")


# --- for real -------------------------------------------------------------------------------------


@network
@heavy
def test_a_change_stops_in_the_kernel_of_another_project(
    capable: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_kernel = capable.uvmagic("kernel", "install", "--json")
    name = json.loads(made_kernel.stdout)["name"]
    other = Folder(made(tmp_path / "other place", "other"))
    before = other.contents()
    with Kernel(name, other.path) as kernel:
        card = kernel.run("%uv status").text
        assert "The notebook lies in other" in card
        stopped = kernel.run("%uv add six")
        assert stopped.status == "error"
        assert "its kernel is that of" in stopped.text
        assert "Traceback" not in stopped.text
        assert other.contents() == before
        by_pip = kernel.run("%uv pip install six")
        assert by_pip.status == "error"
        assert "its kernel is that of" in by_pip.text
        assert kernel.run("%uv pip list").status == "ok"  # what only looks goes on

        named = kernel.run(f'%uv add six --project "{capable.path}"')
        assert named.status == "ok", named.text
        assert '"six' in capable.pyproject.read_text()
        assert other.contents() == before
        assert kernel.run("import six").status == "ok"

        moved = kernel.run("%uv kernel use --force")
        assert moved.status == "ok", moved.text
        assert kernel.run("%uv add six").status == "ok"
        assert '"six' in other.pyproject.read_text()
        card = kernel.run("%uv status").text
        assert card.startswith("This notebook runs in its project, other.")

        kernel.run(f"import os; os.chdir({os.fspath(tmp_path)!r})")
        gone = kernel.run("%uv add idna")
        assert "No project here" in gone.text
