"""What a terminal shows: as wide as it is, in colours if they are wanted, progress in one line."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from uvmagic.display.visible import width

if TYPE_CHECKING:
    from conftest import Folder
    from index import PackageIndex

_ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def shown(folder: Folder, *arguments: str, columns: int = 80, **environ: str) -> str:
    """All that `uvmagic …` writes to a terminal."""
    unset = {"COLUMNS", "NO_COLOR"}
    own = {name: value for name, value in os.environ.items() if name not in unset}
    with pexpect.spawn(
        sys.executable,
        ["-m", "uvmagic", *arguments],
        cwd=str(folder.path),
        env={**own, "TERM": "xterm", **environ},
        encoding="utf-8",
        timeout=120,
        dimensions=(24, columns),
    ) as running:
        running.expect(pexpect.EOF)
        return running.before or ""


def lines(text: str) -> list[str]:
    """What is left on the screen: of a line that was erased, what came after."""
    left = [line.rpartition("\x1b[2K")[2] for line in text.replace("\r\n", "\n").split("\n")]
    return [_ESCAPE.sub("", line).strip("\r") for line in left]


def colours(text: str) -> set[str]:
    return {
        code for codes, kind in _ESCAPE.findall(text) if kind == "m" for code in codes.split(";")
    }


@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_is_wider_than_the_terminal(folder: Folder, columns: int) -> None:
    text = shown(folder, "add", "beta", columns=columns)
    assert "+ beta" in text
    long = [line for line in lines(text) if width(line) > columns]
    assert all(len(line.split()) <= 2 for line in long)  # a path beside its label, unbroken
    told = shown(folder, "add", "nowhere-to-be-found", columns=columns)
    assert all(width(line) <= columns for line in lines(told))
    assert "error: There is no package" in told


def test_colours_are_shown_unless_they_are_not_wanted(folder: Folder) -> None:
    assert "32" in colours(shown(folder, "add", "alpha"))
    assert colours(shown(folder, "add", "beta", NO_COLOR="1")) <= {"", "0", "1"}
    assert "31" in colours(shown(folder, "add", "nowhere-to-be-found"))


def test_a_dumb_terminal_gets_plain_lines(folder: Folder, index: PackageIndex) -> None:
    index.drip("*heavy*.whl", 4_000_000)
    text = shown(folder, "add", "heavy", TERM="dumb")
    assert "\x1b" not in text
    assert "Downloading\n" in text.replace("\r\n", "\n")
    assert "+ heavy" in text


def test_progress_is_one_line_that_goes(folder: Folder, index: PackageIndex) -> None:
    index.drip("*heavy*.whl", 3_000_000)
    text = shown(folder, "add", "heavy")
    drawn = re.findall(r"\r\x1b\[2K([^\r\n]*)", text)
    assert any(re.match(r"Downloading  ━*─*  .* of 4.8 MiB", line) for line in drawn)
    assert any("MiB/s" in line for line in drawn)
    assert all(width(_ESCAPE.sub("", line)) < 80 for line in drawn)
    assert lines(text)[0] == "Added heavy"


def test_a_pipe_gets_whole_lines_without_colours(folder: Folder) -> None:
    done = folder.uvmagic("add", "nowhere-to-be-found", COLUMNS="40")
    assert "\x1b" not in done.stderr
    assert max(map(len, done.stderr.splitlines())) > 80


def test_an_encoding_without_arrows_is_no_reason_to_fail(folder: Folder) -> None:
    done = folder.uvmagic("add", "alpha", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert "Added alpha" in done.stdout
    assert "Traceback" not in done.stderr


def test_what_drives_a_terminal_is_not_passed_on_from_a_file(folder: Folder) -> None:
    folder.pyproject.write_text('[project]\nname = "\\u001b]0;owned\\u0007"\nversion = "1"\n')
    text = shown(folder, "status")
    assert "\x1b]0;" not in text
    assert "\\x1b]0;owned" in text
