"""How much is shown: `;`, `-q`, `%config UvMagics.display`, in a cell and in a shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nbformat
import pytest
from kernels import Kernel

from uvmagic.errors import FoundWrong, UsageError, UvFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Folder, Shell
    from torch_hosts.fixtures import TorchHosts

Captured = pytest.CaptureFixture[str]


def notebook_of(folder: Folder, *cells: str) -> None:
    made = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells]  # type: ignore[no-untyped-call]
    )
    nbformat.write(made, folder.path / "study.ipynb")  # type: ignore[no-untyped-call]


# --- a semicolon ----------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["%uv add alpha;", "%uv add alpha ;", "%uv add alpha;  # why"])
def test_a_semicolon_shows_nothing_and_gives_no_value(
    folder: Folder, shell: Shell, capsys: Captured, line: str
) -> None:
    assert shell.run(line) is None
    assert capsys.readouterr() == ("", "")
    assert folder.installed() == {"alpha"}


def test_the_semicolon_of_a_marker_is_the_requirements_own(folder: Folder, shell: Shell) -> None:
    shell.run("%uv add \"gamma; sys_platform == 'win32'\" 'alpha<2';")
    listed = folder.pyproject.read_text()
    assert "gamma>=1.0 ; sys_platform == 'win32'" in listed
    assert '"alpha<2"' in listed


def test_a_semicolon_hides_no_error(folder: Folder, shell: Shell, capsys: Captured) -> None:
    assert not shell.attempt("%uv add nowhere-to-be-found;").success
    assert "nowhere-to-be-found" in "".join(capsys.readouterr())


def test_with_a_semicolon_what_another_word_writes_is_shown_where_it_fails(
    folder: Folder, shell: Shell, capsys: Captured
) -> None:
    shell.run("%uv add alpha;\n%uv pip list;")
    assert capsys.readouterr().out == ""
    with pytest.raises(UvFailed):
        shell.run("%uv run python -c 'print(6 * 7); raise SystemExit(3)';")
    assert capsys.readouterr().out.startswith("42\n")


# --- quietly --------------------------------------------------------------------------------------


def test_quietly_a_shell_says_nothing_of_what_went_well(folder: Folder) -> None:
    done = folder.uvmagic("add", "alpha", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert folder.installed() == {"alpha"}
    assert json.loads(folder.uvmagic("-q", "add", "beta", "--json").stdout)["title"] == "Added beta"


@pytest.mark.parametrize("quiet", ["-q", "-qq", "--quiet"])
def test_quietly_an_error_is_told_whole(folder: Folder, quiet: str) -> None:
    done = folder.uvmagic("add", quiet, "nowhere-to-be-found")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "There is no package nowhere-to-be-found" in " ".join(done.stderr.split())


def test_quietly_only_what_is_wrong_is_told(folder: Folder) -> None:
    notebook_of(folder, "import yaml", "import alpha")
    folder.uvmagic("add", "gamma", "--dev")
    loud, quiet = folder.uvmagic("scan"), folder.uvmagic("scan", "-q")
    assert quiet.returncode == loud.returncode == 1
    assert quiet.stdout.splitlines()[0] == loud.stdout.splitlines()[0]
    assert "! yaml" in quiet.stdout
    assert "project  project" in loud.stdout
    assert "project  project" not in quiet.stdout


def test_quietly_a_cell_shows_what_is_wrong_and_fails(
    folder: Folder, shell: Shell, capsys: Captured
) -> None:
    notebook_of(folder, "import yaml")
    with pytest.raises(FoundWrong):
        shell.run("%uv scan --quiet")
    shell.run("%uv add alpha -q")
    assert "Added alpha" not in capsys.readouterr().out


# --- %config --------------------------------------------------------------------------------------


def test_each_setting_is_shown_with_its_help(shell: Shell, capsys: Captured) -> None:
    shell.run("%config UvMagics")
    shown = capsys.readouterr().out
    for told in ("auto_move", "auto_register", "default_mirror", "display", "errors alone", "nju"):
        assert told in shown


@pytest.fixture
def kernel(folder: Folder) -> Iterator[Kernel]:
    with Kernel("python3", folder.path) as started:
        started.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
        yield started


def test_what_a_kernel_shows_is_as_rich_as_is_wished(kernel: Kernel) -> None:
    rich = kernel.run("%uv add alpha").outputs
    assert [output["data"].keys() for output in rich] == [{"text/plain", "text/html"}]
    kernel.run("%config UvMagics.display = 'text'")
    plain = kernel.run("r = %uv add alpha")
    assert [output["data"].keys() for output in plain.outputs] == [{"text/plain"}]
    assert kernel.run("r").text.startswith("Already there: alpha")
    kernel.run("%config UvMagics.display = 'none'")
    assert kernel.run("r = %uv add gamma").outputs == []
    assert kernel.run("%uv add gamma").outputs == []
    assert kernel.run("r").text.startswith("Added gamma")
    assert kernel.run("%uv add nowhere-to-be-found").status == "error"
    assert kernel.run("%uv pip list").text.count("alpha") == 1


def test_a_kernel_shows_nothing_of_a_call_that_is_silenced_or_gives_json(kernel: Kernel) -> None:
    assert kernel.run("%uv add alpha;").outputs == []
    assert kernel.run("r = %uv add gamma -q").outputs == []
    assert kernel.run("print(r.title)").text.strip() == "Added gamma"
    (printed,) = kernel.run("%uv add beta --json").outputs
    assert json.loads(printed["text"])["title"] == "Added beta"


# --- the mirror of one's own ----------------------------------------------------------------------


def test_the_default_mirror_is_taken_where_neither_call_nor_project_says_another(
    torch_hosts: TorchHosts, shell: Shell
) -> None:
    shell.run("%config UvMagics.default_mirror = 'nju'")
    call = "%uv add torch==2.7.1 --cuda {} --no-sync"
    assert "cu126 from the mirror nju: UvMagics.default_mirror." in (
        shell.outcome(call.format("126")).notes
    )
    assert torch_hosts.nju.url("cu126") in torch_hosts.folder.pyproject.read_text()
    shell.run("%uv add --mirror official --no-sync")
    assert not any("nju" in note for note in shell.outcome(call.format("128")).notes)
    assert torch_hosts.official.url("cu128") in torch_hosts.folder.pyproject.read_text()


def test_a_default_mirror_that_is_none_is_told_when_it_is_needed(
    folder: Folder, shell: Shell
) -> None:
    shell.run("%config UvMagics.default_mirror = 'njuu'")
    assert shell.outcome("%uv add alpha").title == "Added alpha"
    before = folder.contents()
    with pytest.raises(UsageError) as caught:
        shell.run("%uv add torch --cuda 126")
    assert "UvMagics.default_mirror = njuu: no mirror that is known" in caught.value.message
    assert "official, nju, sjtu, aliyun" in str(caught.value.hint)
    assert folder.contents() == before
