"""What a failed command must leave behind: one clear message, the same files, no process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conftest import Folder

PATIENCE = 30.0
"""Seconds to wait for what must come; a test that waits so long has failed."""


@dataclass
class Aftermath:
    """A project as it is before a failure, to hold what is there afterwards against.

    Attributes:
        folder: the project.
        world: the test's own folder, which every process of the test knows of.
    """

    folder: Folder
    world: Path
    before: tuple[bytes | None, bytes | None] = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.folder.contents()

    def is_clean(
        self, done: subprocess.CompletedProcess[str], *said: str, status: int = 1, stdout: str = ""
    ) -> str:
        """Assert that a command failed as it must; `said` is what its one message says.

        Gives the message.
        """
        message = message_of(done.stderr)
        assert done.returncode == status, f"ended with {done.returncode}: {done.stderr}"
        assert done.stdout == stdout, f"stdout has {done.stdout!r}"
        as_one_line = " ".join(message.split())  # wherever uv breaks its lines
        for words in said:
            assert words in as_one_line, f"{words!r} is not in {message!r}"
        self.is_unharmed()
        return message

    def is_unharmed(self, *, but: Sequence[int] = ()) -> None:
        """Assert that the files are the same to the byte, and no process is left."""
        now = self.folder.contents()
        assert now == self.before, f"{self.before!r} has become {now!r}"
        entry = self.folder.path / ".uvmagic" / "journal" / "entry.json"
        assert not entry.exists(), "the journal is open still"
        nobody_is_left(self.world, but=but)

    def works_again(self, requirement: str = "alpha", **environ: str) -> None:
        """Assert that a plain add works now."""
        done = self.folder.uvmagic("add", requirement, **environ)
        assert done.returncode == 0, done.stderr
        assert f"Added {requirement}" in done.stdout, done.stdout
        assert "A killed" not in done.stdout, done.stdout
        pyproject, lock = self.folder.contents()
        assert f'"{requirement}'.encode() in (pyproject or b""), pyproject
        assert f'name = "{requirement}"'.encode() in (lock or b""), lock


def message_of(stderr: str) -> str:
    """The one message on stderr, below what told the progress. Asserts that it is one."""
    assert "Traceback" not in stderr, stderr
    lines = stderr.splitlines()
    errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    assert errors, f"no message in {stderr!r}"
    told = lines[errors[0] :]
    # after "uv … failed" stands uv's own error, if it has one
    is_of_uv = told[0].startswith("error: uv ")
    assert len(errors) == 1 or (is_of_uv and errors[1:] == [errors[0] + 1]), stderr
    return "\n".join(told)


# --- processes ---------------------------------------------------------------------------------


def processes_of(world: Path, *, but: Sequence[int] = ()) -> list[psutil.Process]:
    """Every other process that runs in a folder, or knows of it by argument or environment."""
    sign = f"{world}{os.sep}"
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid() or process.pid in but:
            continue
        try:
            told = [f"{process.cwd()}{os.sep}", *process.cmdline(), *process.environ().values()]
            if any(sign in text for text in told) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:  # gone meanwhile, or somebody else's
            continue
    return found


def nobody_is_left(world: Path, *, but: Sequence[int] = ()) -> None:
    """Assert that no process of the test is left; one that is ending gets a moment to do so."""
    moment = time.monotonic() + 2
    while (left := processes_of(world, but=but)) and time.monotonic() < moment:
        time.sleep(0.02)
    told = [" ".join(_command(process)) for process in left]
    for process in left:
        end(process)
    assert told == [], f"left running: {told}"


def end(process: psutil.Process) -> None:
    """Kill a process of the test's own."""
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return [str(process.pid)]


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def ended(running: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a started command's end."""
    try:
        stdout, stderr = running.communicate(timeout=2 * PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        raise
    return subprocess.CompletedProcess(running.args, running.returncode, stdout, stderr)


# --- a uv that is not what it should be --------------------------------------------------------


_IMPATIENT = """\
import sys
from uvmagic.cli import main
from uvmagic.system import process, uv

process._STOP_TIMEOUT = uv._VERSION_TIMEOUT = 2.0
sys.exit(main())
"""


def impatient_command(*arguments: str) -> list[str]:
    """The command line of a `uvmagic …` that gives uv 2 s in the place of 10.

    For a uv that does not answer whatever time it gets.
    """
    return [sys.executable, "-c", _IMPATIENT, *arguments]


def fake_uv(folder: Path, body: str, version: str = "uv 99.0.0") -> str:
    """Make a program that tells the version of a uv and otherwise does what `body` (Python) does.

    The body finds `os`, `signal`, `sys`, `time` and `Path` imported. Gives the program's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "uv"
    program.write_text(
        f"#!{sys.executable} -IS\n"
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "if sys.argv[1:] == ['--version']:\n"
        f"    print({version!r})\n"
        "    sys.exit()\n"
        f"{body}\n"
    )
    program.chmod(0o755)
    return str(program)
