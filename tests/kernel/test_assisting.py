"""Tab, Shift-Tab and `?` as front ends ask a real kernel for them; Tab in a terminal too."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pexpect
import pytest
from kernels import Kernel

from uvmagic.grammar import help_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Folder


@pytest.fixture
def kernel(folder: Folder) -> Iterator[Kernel]:
    folder.pyproject.write_text(
        folder.pyproject.read_text().replace("[]", '["scikit-learn", "numpy"]')
    )
    (folder.path / "my notes.ipynb").touch()
    with Kernel("python3", folder.path) as started:
        started.run("%load_ext uvmagic")
        yield started


def tab(kernel: Kernel, marked: str) -> dict[str, Any]:
    """The kernel's answer to Tab at the `|` of a cell."""
    before, _, after = marked.partition("|")
    reply = kernel.client.complete(before + after, len(before), reply=True, timeout=60)
    assert reply["content"]["status"] == "ok"
    return dict(reply["content"])


def put_in(kernel: Kernel, marked: str) -> list[str]:
    """The cells that Tab makes of one."""
    found, cell = tab(kernel, marked), marked.replace("|", "", 1)
    head, tail = cell[: found["cursor_start"]], cell[found["cursor_end"] :]
    return [head + text + tail for text in found["matches"]]


def help_at(kernel: Kernel, marked: str) -> str | None:
    """What Shift-Tab shows at the `|` of a cell."""
    before, _, after = marked.partition("|")
    content = kernel.client.inspect(before + after, len(before), reply=True, timeout=60)["content"]
    return str(content["data"]["text/plain"]) if content["found"] else None


@pytest.mark.parametrize("use_jedi", [True, False])
def test_tab_in_a_call_of_uvmagics_gives_its_completions_and_no_others(
    kernel: Kernel, use_jedi: bool
) -> None:
    kernel.run(f"%config IPCompleter.use_jedi = {use_jedi}\nadd = 1")
    for marked, cells in {
        "%uv bund|": ["%uv bundle"],
        "%uvmagic stat|": ["%uvmagic status"],
        "  x = %uv add torch --cu|": ["  x = %uv add torch --cuda"],
        "%uv remove scikit-l| --dry-run": ["%uv remove scikit-learn --dry-run"],
        "a = 1\n%uv add torch --cuda 13|\nb = 2": [
            f"a = 1\n%uv add torch --cuda {version}\nb = 2" for version in ("132", "130")
        ],
        "%uv bundle my|": ["%uv bundle 'my notes.ipynb'"],
        "%%uv add --dev\nnumpy\nnum2|": ["%%uv add --dev\nnumpy\nnum2words"],
        "%uv add numpy \\\n  --mirr|": ["%uv add numpy \\\n  --mirror"],
        '%uv bundle "my \\\n|': [],  # IPython wants the text that stands there
        "%uv frobnicate ad|": [],  # where `add` would be a variable
        "%uv add nu --d|ev": [],
    }.items():
        assert put_in(kernel, marked) == cells, marked
    types = {row["type"] for row in tab(kernel, "%uv |")["metadata"]["_jupyter_types_experimental"]}
    assert types == {"word", "uv"}


@pytest.mark.parametrize("use_jedi", [True, False])
def test_elsewhere_and_after_unloading_tab_is_ipythons_own(kernel: Kernel, use_jedi: bool) -> None:
    kernel.run(f"%config IPCompleter.use_jedi = {use_jedi}\nscikit = 1")
    cells = ["prin|", "%tim|", "%%uv run\nsciki|", "!ls my|", "x = 1  # %uv\nsciki|"]
    found = [tab(kernel, marked)["matches"] for marked in cells]
    assert found[0] == ["print"]
    assert all(found)
    assert "%uv" in tab(kernel, "%uv|")["matches"]
    kernel.run("%unload_ext uvmagic")
    assert [tab(kernel, marked)["matches"] for marked in cells] == found
    assert "--cuda" not in tab(kernel, "%uv add torch --cu|")["matches"]


def test_shift_tab_anywhere_in_a_call_shows_the_help_of_its_word(kernel: Kernel) -> None:
    for marked in ("%uv add x --cu|da 126", "%u|v add x", "x = %uv add|", "%%uv add\nnum|py"):
        assert help_at(kernel, marked) == help_text("add"), marked
    assert help_at(kernel, "%uv |") == help_text()
    assert "Install packages into an environment" in (help_at(kernel, "%uv pip install |x") or "")
    assert "Signature" in (help_at(kernel, "pri|nt(1)") or "")
    kernel.run("%unload_ext uvmagic")
    assert help_at(kernel, "%uv add tor|ch") is None
    assert "Signature" in (help_at(kernel, "pri|nt(1)") or "")


def test_a_question_mark_shows_the_help_of_a_word(kernel: Kernel) -> None:
    for cell in ("%uv add?", "%uv add torch --cuda??", " %uvmagic add ? \n"):
        assert kernel.run(cell).text.strip() == help_text("add"), cell
    string = kernel.run('print("""\n%uv add?\n""")')
    assert string.text.strip() == "%uv add?"


def test_what_fails_while_help_is_looked_for_is_not_shown(kernel: Kernel) -> None:
    kernel.run("import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')")
    assert tab(kernel, "%uv remove s|")["matches"] == []
    assert help_at(kernel, "%uv remove s|") == help_text("remove")
    assert kernel.run("print('still here')").text.strip() == "still here"


def test_tab_in_ipython_on_a_terminal(folder: Folder) -> None:
    with pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--colors=NoColor", "--ext=uvmagic"],
        cwd=str(folder.path),
        env={**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 200),
    ) as console:
        console.expect(r"In \[")
        console.send("%uv add torch --he\t")
        console.expect_exact("lp")
        console.send("\r")
        console.expect_exact("Examples:")
        console.sendline("exit")
        console.expect(pexpect.EOF)
