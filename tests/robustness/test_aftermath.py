"""The means of these tests: they see what they are there to see."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from robustness.aftermath import Aftermath, message_of, nobody_is_left, processes_of

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder

_SLEEPS = [sys.executable, "-c", "import time; print(flush=True); time.sleep(100)"]


def test_a_process_that_was_left_behind_is_seen_and_ended(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    with subprocess.Popen(_SLEEPS, cwd=tmp_path / "inside", stdout=subprocess.PIPE) as left:
        assert left.stdout is not None
        left.stdout.readline()
        assert [process.pid for process in processes_of(tmp_path)] == [left.pid]
        assert processes_of(tmp_path, but=[left.pid]) == []
        with pytest.raises(AssertionError, match=r"time\.sleep\(100\)"):
            nobody_is_left(tmp_path)
        assert left.wait() != 0
    assert processes_of(tmp_path) == []


def test_a_file_that_differs_by_a_byte_is_seen(folder: Folder, tmp_path: Path) -> None:
    aftermath = Aftermath(folder, tmp_path)
    aftermath.is_unharmed()
    folder.pyproject.write_bytes(folder.pyproject.read_bytes() + b"\n")
    with pytest.raises(AssertionError):
        aftermath.is_unharmed()


def test_a_traceback_or_a_second_message_is_seen() -> None:
    assert message_of("Starting uv\nerror: It is so.\n→ Do that.\n") == (
        "error: It is so.\n→ Do that."
    )
    uv_s_own = "error: uv add failed; as before.\nerror: No such thing\nhint: None"
    assert message_of(uv_s_own) == uv_s_own
    for stderr in (
        "",
        "Starting uv\n",
        "error: One.\nerror: Two.\n",
        "error: uv add failed.\nerror: No such thing\nerror: Two.\n",
        "Traceback (most recent call last):\nerror: One.\n",
    ):
        with pytest.raises(AssertionError):
            message_of(stderr)
