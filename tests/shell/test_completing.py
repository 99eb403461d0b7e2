"""Tab in a shell: a real bash that asks `uvmagic --complete`."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Folder


@pytest.fixture
def bash(folder: Folder) -> Iterator[pexpect.spawn[str]]:
    """A bash in a project, that completes `uvmagic`."""
    program = shutil.which("bash")
    if program is None:
        pytest.skip("there is no bash")
    with pexpect.spawn(
        program,
        ["--norc", "-i"],
        cwd=str(folder.path),
        env={**os.environ, "TERM": "dumb", "PS1": "$ "},
        encoding="utf-8",
        timeout=30,
        dimensions=(24, 200),
    ) as shell:
        asked = f"{sys.executable} -m uvmagic --complete"
        shell.sendline(f"uvmagic() {{ echo \"<$*>\"; }}; complete -C '{asked}' uvmagic")
        shell.expect_exact("$ ")
        yield shell


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("uvmagic bun\t", "<bundle>"),
        ("uvmagic add torch --cud\t126 --dry\t", "<add torch --cuda 126 --dry-run>"),
        ("uvmagic add --mirror=ali\t", "<add --mirror=aliyun>"),
        ("uvmagic zzz\t", "<zzz>"),
    ],
)
def test_bash_puts_in_what_uvmagic_says(bash: pexpect.spawn[str], typed: str, made: str) -> None:
    bash.sendline(typed)
    bash.expect_exact(made)


def test_without_a_line_to_complete_nothing_is_said_and_nothing_fails(folder: Folder) -> None:
    for environ in ({}, {"COMP_LINE": "uvmagic a", "COMP_POINT": "x"}):
        done = folder.uvmagic("--complete", "uvmagic", **environ)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
