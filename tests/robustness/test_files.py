"""Project files of every shape: what cannot be read is told, what can be keeps its shape."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from conftest import Folder, uvmagic_command
from robustness.aftermath import Aftermath, message_of, nobody_is_left

_BOM = b"\xef\xbb\xbf"
_FAILED = "error: uv add failed; pyproject.toml and uv.lock are as they were."


# --- pyproject.toml ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        (b"\n[[[\n", "line 11"),
        (b"\n[project]\nname = 'twice'\n", "line 11"),
        (b"\n# \xff\xfe latin\n", "utf-8"),
        (b"\n\x00\n", "line 11"),
    ],
)
def test_a_pyproject_that_is_no_toml_is_named_with_the_place(
    folder: Folder, tmp_path: Path, addition: bytes, told: str
) -> None:
    good = folder.pyproject.read_bytes()
    folder.pyproject.write_bytes(good + addition)
    aftermath = Aftermath(folder, tmp_path)

    message = aftermath.is_clean(
        folder.uvmagic("add", "alpha"),
        f"{folder.pyproject} cannot be read as TOML: ",
        told,
        "→ Mend that place; nothing was changed.",
    )

    assert len(message.splitlines()) == 2
    folder.pyproject.write_bytes(good)
    Aftermath(folder, tmp_path).works_again()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dependencies = []", 'dependencies = "alpha"'),
        ("dependencies = []", "dependencies = [1, {a = 2}]"),
        ("dependencies = []", "dependencies = {}"),
        ("dependencies = []", "optional-dependencies = 3"),
        ('name = "project"', "name = 3"),
        ('name = "project"', "name = {}"),
        ('requires-python = ">=3.11"', "requires-python = 3.11"),
        ('requires-python = ">=3.11"', 'requires-python = "three"'),
        ("[[tool.uv.index]]", "[dependency-groups]\ndev = 3\n[[tool.uv.index]]"),
        ("[[tool.uv.index]]", "[tool.uv.sources]\nalpha = 3\n[[tool.uv.index]]"),
        ("[[tool.uv.index]]", "[tool.uv.workspace]\nmembers = 3\n[[tool.uv.index]]"),
        ("[[tool.uv.index]]", '[tool.uv.workspace]\nmembers = [""]\n[[tool.uv.index]]'),
        ("[[tool.uv.index]]", '[tool.uv.workspace]\nmembers = ["/"]\n[[tool.uv.index]]'),
        ("[[tool.uv.index]]", "[tool.uv]\nworkspace = 3\n[[tool.uv.index]]"),
    ],
)
def test_a_pyproject_with_values_of_the_wrong_kind_is_one_clear_error(
    folder: Folder, tmp_path: Path, old: str, new: str
) -> None:
    good = folder.pyproject.read_text()
    folder.pyproject.write_text(good.replace(old, new))
    aftermath = Aftermath(folder, tmp_path)

    message = aftermath.is_clean(folder.uvmagic("add", "alpha", "--dev"))

    assert len(message.splitlines()) > 1  # what, and why or what to do
    folder.pyproject.write_text(good)
    Aftermath(folder, tmp_path).works_again()


@pytest.mark.parametrize(
    "text", ["project = 3\n", "project = []\n", "tool = 3\n", "[tool]\nuv = 3\n"]
)
def test_a_pyproject_with_tables_of_the_wrong_kind_is_one_clear_error(
    folder: Folder, tmp_path: Path, text: str
) -> None:
    good = folder.pyproject.read_text()
    folder.pyproject.write_text(text)
    aftermath = Aftermath(folder, tmp_path)
    message = aftermath.is_clean(folder.uvmagic("add", "alpha"))
    assert len(message.splitlines()) > 1  # what, and why or what to do
    folder.pyproject.write_text(good)
    Aftermath(folder, tmp_path).works_again()


@pytest.mark.parametrize("text", ["", "# only\n", "[build-system]\nrequires = []\n"])
def test_a_pyproject_that_makes_no_project_is_told_so(
    folder: Folder, tmp_path: Path, text: str
) -> None:
    good = folder.pyproject.read_text()
    folder.pyproject.write_text(text)
    aftermath = Aftermath(folder, tmp_path)
    aftermath.is_clean(folder.uvmagic("add", "alpha"), "No project here: no pyproject.toml", "→ ")
    assert sorted(path.name for path in folder.path.iterdir()) == ["pyproject.toml"]
    folder.pyproject.write_text(good)
    Aftermath(folder, tmp_path).works_again()


def test_without_a_project_table_init_is_advised_and_the_advice_works(
    folder: Folder, tmp_path: Path
) -> None:
    project, tools = folder.pyproject.read_text().split("\n\n")
    assert project.startswith("[project]")
    folder.pyproject.write_text(tools)
    aftermath = Aftermath(folder, tmp_path)

    aftermath.is_clean(
        folder.uvmagic("add", "alpha"),
        f"No project here: no pyproject.toml with a [project] table in {folder.path} or above it.",
        "→ uvmagic init makes this folder one; then run this again.",
    )
    assert not (folder.path / ".uvmagic").exists()

    done = folder.uvmagic("init")
    assert done.returncode == 0, done.stderr
    assert tools in folder.pyproject.read_text()
    Aftermath(folder, tmp_path).works_again()


def test_a_byte_order_mark_is_kept(folder: Folder, tmp_path: Path) -> None:
    plain = folder.pyproject.read_bytes()
    folder.pyproject.write_bytes(_BOM + plain)
    Aftermath(folder, tmp_path).works_again()
    marked = folder.pyproject.read_bytes()
    assert marked.startswith(_BOM + b"[project]")
    assert marked.count(_BOM) == 1
    assert tomllib.loads(marked.decode("utf-8-sig"))["project"]["dependencies"] == ["alpha>=2.0"]
    assert folder.uvmagic("remove", "alpha").returncode == 0
    assert folder.pyproject.read_bytes() == _BOM + plain


def test_a_failure_keeps_a_byte_order_mark_too(folder: Folder, tmp_path: Path) -> None:
    folder.pyproject.write_bytes(_BOM + folder.pyproject.read_bytes())
    aftermath = Aftermath(folder, tmp_path)
    aftermath.is_clean(folder.uvmagic("add", "nonesuch"), "There is no package nonesuch")


@pytest.mark.parametrize("mark", [b"", _BOM])
def test_windows_line_endings_are_kept_on_every_line(
    folder: Folder, tmp_path: Path, mark: bytes
) -> None:
    dos = mark + folder.pyproject.read_bytes().replace(b"\n", b"\r\n")
    folder.pyproject.write_bytes(dos)
    Aftermath(folder, tmp_path).works_again()
    after = folder.pyproject.read_bytes()
    assert after != dos
    assert after.startswith(mark + b"[project]\r\n")
    assert after.count(b"\r\n") == after.count(b"\n") == after.count(b"\r")
    assert after.count(b"\n") >= dos.count(b"\n")
    lock = folder.lock.read_bytes().replace(b"\n", b"\r\n")
    folder.lock.write_bytes(lock)
    Aftermath(folder, tmp_path).works_again("gamma")
    assert folder.lock.read_bytes().count(b"\r\n") == folder.lock.read_bytes().count(b"\n")


def test_comments_order_and_odd_layout_stay(folder: Folder, tmp_path: Path) -> None:
    tools = folder.pyproject.read_text().split("\n\n")[1]
    text = f"""\
# the first line
[tool.other]   # before the project
z = 1
a = "after z"   # not sorted

{tools}
[project]
version = "0.1.0"  # before its name
name = "project"
requires-python = ">=3.11"
description = 'größer → 🦉'
dependencies = [
    # of these one
    "gamma",  # with a reason
    "beta>=1",
]

[dependency-groups]
dev = ["delta"]   # for us
# the last line"""
    folder.pyproject.write_text(text)
    Aftermath(folder, tmp_path).works_again()
    after = folder.pyproject.read_text()
    assert [line for line in after.splitlines() if '"alpha>=2.0"' not in line] == text.splitlines()
    assert folder.installed() == {"alpha", "beta", "gamma", "delta"}


def test_a_linked_pyproject_stays_a_link(folder: Folder, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "real.toml"
    real.parent.mkdir()
    folder.pyproject.rename(real)
    folder.pyproject.symlink_to(Path("..") / "elsewhere" / "real.toml")
    aftermath = Aftermath(folder, tmp_path)

    aftermath.is_clean(folder.uvmagic("add", "nonesuch"), "There is no package nonesuch")
    assert folder.pyproject.is_symlink()
    aftermath.works_again()
    assert folder.pyproject.is_symlink()
    assert b"alpha" in real.read_bytes()
    assert sorted(path.name for path in real.parent.iterdir()) == ["real.toml"]


def test_permissions_of_the_files_stay(folder: Folder, tmp_path: Path) -> None:
    folder.pyproject.write_bytes(folder.pyproject.read_bytes().replace(b"\n", b"\r\n"))
    folder.pyproject.chmod(0o640)
    aftermath = Aftermath(folder, tmp_path)
    aftermath.is_clean(folder.uvmagic("add", "nonesuch"), "There is no package nonesuch")
    assert folder.pyproject.stat().st_mode & 0o777 == 0o640
    aftermath.works_again()
    assert folder.pyproject.stat().st_mode & 0o777 == 0o640


# --- uv.lock -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"rubbish\n", "Failed to parse `uv.lock`"),
        (b"\xff\xfe\x00", "uv.lock"),
        (b"version = 99\n", "uv.lock"),
        (b"<<<<<<< ours\nversion = 1\n=======\n>>>>>>> theirs\n", "Failed to parse `uv.lock`"),
    ],
)
def test_a_lock_that_cannot_be_read_is_named_and_left_alone(
    folder: Folder, tmp_path: Path, content: bytes, told: str
) -> None:
    assert folder.uvmagic("add", "beta").returncode == 0
    good = folder.lock.read_bytes()
    folder.lock.write_bytes(content)
    aftermath = Aftermath(folder, tmp_path)
    message = aftermath.is_clean(folder.uvmagic("add", "alpha"), told)
    assert message.startswith(_FAILED)
    folder.lock.write_bytes(good)
    Aftermath(folder, tmp_path).works_again()


def test_a_lock_of_which_half_is_left_is_named_and_left_alone(
    folder: Folder, tmp_path: Path
) -> None:
    assert folder.uvmagic("add", "beta").returncode == 0
    good = folder.lock.read_bytes()
    folder.lock.write_bytes(good[: len(good) // 2])
    aftermath = Aftermath(folder, tmp_path)
    message = aftermath.is_clean(folder.uvmagic("add", "alpha"), "Failed to parse `uv.lock`")
    assert message.startswith(_FAILED)
    folder.lock.unlink()
    Aftermath(folder, tmp_path).works_again()


def test_a_folder_in_place_of_the_lock_is_one_clear_error(folder: Folder, tmp_path: Path) -> None:
    folder.lock.mkdir()
    before = folder.pyproject.read_bytes()
    done = folder.uvmagic("add", "alpha")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(folder.lock) in done.stderr
    assert "s a directory" in done.stderr
    assert folder.pyproject.read_bytes() == before
    folder.lock.rmdir()
    Aftermath(folder, tmp_path).works_again()


def test_a_file_in_place_of_uvmagic_s_own_folder_is_one_clear_error(
    folder: Folder, tmp_path: Path
) -> None:
    own = folder.path / ".uvmagic"
    own.write_text("somebody's\n")
    before = folder.contents()
    done = folder.uvmagic("add", "alpha")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert ".uvmagic" in done.stderr
    assert "Traceback" not in done.stderr
    assert folder.contents() == before
    assert own.read_text() == "somebody's\n"
    own.unlink()
    Aftermath(folder, tmp_path).works_again()


# --- where a project is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "größer 数据 🦉",
        'it\'s "quoted" `so`',
        "-n",
        "$HOME %s {0} *?[a-b]",
        "tab\tand\nnewline",
        "x" * 200,
    ],
)
def test_a_folder_may_have_any_name(folder: Folder, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    folder.path.rename(path)
    odd = Folder(path)
    aftermath = Aftermath(odd, tmp_path)
    aftermath.is_clean(odd.uvmagic("add", "nonesuch"), "There is no package nonesuch")
    aftermath.works_again()
    assert odd.installed() == {"alpha"}
    nobody_is_left(tmp_path)


def test_a_folder_whose_name_is_no_utf8_is_a_project_or_one_clear_error(
    folder: Folder, tmp_path: Path
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin-\xe9"))
    try:
        folder.path.rename(path)
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error}")
    odd = Folder(path)
    before = odd.contents()
    done = odd.uvmagic("add", "alpha")
    if done.returncode == 0:
        assert odd.installed() == {"alpha"}
    else:
        assert done.returncode == 1
        assert "not valid UTF-8" in message_of(done.stderr)
        assert odd.contents() == before


def test_a_folder_that_is_reached_by_a_link_is_the_same_project(
    folder: Folder, tmp_path: Path
) -> None:
    link = Folder(tmp_path / "link")
    link.path.symlink_to(folder.path, target_is_directory=True)
    Aftermath(link, tmp_path).works_again()
    Aftermath(folder, tmp_path).works_again("gamma")
    assert folder.installed() == {"alpha", "gamma"}


def test_a_folder_within_the_project_changes_the_project(folder: Folder, tmp_path: Path) -> None:
    aftermath = Aftermath(folder, tmp_path)
    deep = Folder(folder.path / "notebooks" / "deep")
    deep.path.mkdir(parents=True)
    done = deep.uvmagic("add", "nonesuch")
    assert done.returncode == 1
    aftermath.is_unharmed()
    assert deep.uvmagic("add", "alpha").returncode == 0
    assert folder.installed() == {"alpha"}
    assert not (deep.path / ".uvmagic").exists()


@pytest.fixture
def workspace(folder: Folder) -> tuple[Folder, Folder]:
    """A workspace's root, and a member of it."""
    with folder.pyproject.open("a") as stream:
        stream.write('\n[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    member = Folder(folder.path / "packages" / "member")
    member.path.mkdir(parents=True)
    member.pyproject.write_text(
        '[project]\nname = "member"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
    )
    return folder, member


def test_a_member_of_a_workspace_changes_its_own_file_and_the_one_lock(
    workspace: tuple[Folder, Folder], tmp_path: Path
) -> None:
    root, member = workspace
    before = root.pyproject.read_bytes()
    done = member.uvmagic("add", "alpha")
    assert done.returncode == 0, done.stderr
    assert tomllib.loads(member.pyproject.read_text())["project"]["dependencies"] == ["alpha>=2.0"]
    assert root.pyproject.read_bytes() == before
    assert b'name = "alpha"' in root.lock.read_bytes()
    assert not member.lock.exists()
    assert not (member.path / ".uvmagic").exists()
    nobody_is_left(tmp_path)


def test_a_failure_in_a_member_of_a_workspace_restores_every_file(
    workspace: tuple[Folder, Folder], tmp_path: Path
) -> None:
    root, member = workspace
    assert root.uvmagic("add", "beta").returncode == 0
    aftermath, members = Aftermath(root, tmp_path), Aftermath(member, tmp_path)
    members.is_clean(member.uvmagic("add", "nonesuch"), "There is no package nonesuch")
    aftermath.is_unharmed()
    done = root.uvmagic("add", "nonesuch", "--package", "member")
    members.is_clean(done, "There is no package nonesuch")
    aftermath.is_unharmed()
    assert member.uvmagic("add", "alpha").returncode == 0


def test_a_workspace_without_a_project_of_its_own_takes_a_member_s_change(
    workspace: tuple[Folder, Folder], tmp_path: Path
) -> None:
    root, member = workspace
    project, rest = root.pyproject.read_text().split("\n\n", 1)
    assert project.startswith("[project]")
    root.pyproject.write_text(rest)
    aftermath = Aftermath(root, tmp_path)
    aftermath.is_clean(root.uvmagic("add", "alpha"))  # to what?
    done = member.uvmagic("add", "alpha")
    assert done.returncode == 0, done.stderr
    assert b'name = "alpha"' in root.lock.read_bytes()


def test_a_current_folder_that_is_gone_is_one_clear_error(folder: Folder, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = 'rmdir "$1" && shift && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", command, "sh", str(gone), *uvmagic_command("add", "alpha")],
        cwd=gone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert len(message_of(done.stderr).splitlines()) <= 2
    Aftermath(folder, tmp_path).works_again()
