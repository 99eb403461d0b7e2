"""The one door to the uv binary: finding it, and running it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from uvmagic.data import uv
from uvmagic.errors import UvUnavailable
from uvmagic.system import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from uvmagic.progress import Progress, Transcript

_INSTALL = "Install it:  pip install uv   (in a cell:  %pip install uv ), then try again."
_TOLD = "UVMAGIC_UV"
"""The environment variable that tells a kernel of another Python where uv is."""
_NAME = "uv.exe" if os.name == "nt" else "uv"
_VERSION_TIMEOUT = 10.0
"""Seconds that `uv --version` may take; it takes 10 ms."""


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a uv process: exit status, stdout, and the transcript of its stderr."""

    returncode: int
    stdout: str
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Uv:
    """A uv binary that is known to work, and its version."""

    path: str
    version: str

    def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environ: Mapping[str, str],
        on_progress: Callable[[Progress], None] = lambda _: None,
        inherit: tuple[int, ...] = (),
    ) -> Result:
        """Run uv to its end, reporting what it does.

        Args:
            arguments: what follows `uv`.
            cwd: the folder to run in.
            environ: the environment, from `environment_for_uv`.
            on_progress: called at most five times a second.
            inherit: file descriptors that the process keeps open (the project lock: a uv that
                outlives us still holds it).

        Raises:
            Interrupted: by the user; uv was stopped with SIGINT and is gone.
            UvUnavailable: the binary cannot be started.
        """
        from uvmagic.progress import COLUMNS, Transcript  # not to know which uv there is

        transcript, stdout = Transcript(), list[str]()
        reported: Progress | None = None

        def take(stream: str, text: str) -> None:
            if stream == "stdout":
                stdout.append(text)
            else:
                transcript.feed(text)

        def report() -> None:
            nonlocal reported
            now = transcript.now()
            if now != reported:
                reported = now
                on_progress(now)

        with (
            process.terminal(COLUMNS) as (reader, writer),
            self._started(
                arguments,
                cwd=cwd,
                env={**environ, "TERM": "xterm"},  # the terminal is ours, whatever started Jupyter
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if writer is None else writer,
                pass_fds=inherit if os.name == "posix" else (),
            ) as running,
        ):
            if writer is not None:
                os.close(writer)
            stderr = process.descriptor(running.stderr) if reader is None else reader
            streams = {"stdout": process.descriptor(running.stdout), "stderr": stderr}
            process.read_all(running, streams, take, report)
            return Result(running.wait(), "".join(stdout), transcript)

    def stream(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environ: Mapping[str, str],
        write: Callable[[str, str], None],
        stdin: str | None = None,
    ) -> int:
        """Run uv with its output live.

        Args:
            arguments: what follows `uv`.
            cwd: the folder to run in.
            environ: the environment.
            write: called with `"stdout"` or `"stderr"` and the text, as it comes.
            stdin: text for its standard input.

        Returns:
            The exit status.
        """
        with self._started(
            arguments,
            cwd=cwd,
            env={**environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running:
            if stdin is not None and running.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    running.stdin.write(stdin.encode())
                    running.stdin.close()
            streams = {
                "stdout": process.descriptor(running.stdout),
                "stderr": process.descriptor(running.stderr),
            }
            process.read_all(running, streams, write)
            return running.wait()

    def inherit_terminal(self, arguments: Sequence[str], *, environ: Mapping[str, str]) -> int:
        """Run uv on this process's own terminal, unchanged. Returns the exit status."""
        with self._started(arguments, env=dict(environ), stdin=None) as running:
            return running.wait()

    @contextlib.contextmanager
    def _started(
        self, arguments: Sequence[str], **options: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        try:
            with process.started([self.path, *arguments], **options) as running:
                yield running
        except FileNotFoundError as error:
            raise UvUnavailable(f"{self.path} cannot be run: it is gone.", _INSTALL) from error


def find_uv(environ: Mapping[str, str]) -> Uv:
    """The uv to use: `UV` in the environment, else the first that is there.

    That is: on PATH; the wheel beside this interpreter, or beside the one that a kernel came from;
    where uv's own installer puts it, for a desktop starts Jupyter with a PATH that no shell made.

    Raises:
        UvUnavailable: there is none, it is older than data/uv.json says, or it is not uv.
    """
    named = environ.get("UV")
    if named:
        if not os.access(named, os.X_OK):
            raise UvUnavailable(
                f"The environment says UV={named}, and there is no such program.",
                "Unset UV, or let it name a uv.",
            )
        return _examined(named, Path(named).stat().st_mtime_ns)
    found = next((path for path in _places(environ) if path and os.access(path, os.X_OK)), None)
    if found is None:
        raise UvUnavailable("uv was not found, on PATH or beside this Python.", _INSTALL)
    return _examined(found, Path(found).stat().st_mtime_ns)


def _places(environ: Mapping[str, str]) -> Iterator[str | None]:
    """Where a uv may be, the first first."""
    yield shutil.which("uv", path=environ.get("PATH", os.defpath))
    yield _beside_this_python()
    yield environ.get(_TOLD)
    yield str(Path.home() / ".local" / "bin" / _NAME)


def told_to_others(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variable by which a kernel of another Python finds the uv beside this one."""
    beside = _beside_this_python()
    told = beside if os.access(beside, os.X_OK) else environ.get(_TOLD)
    return {_TOLD: told} if told else {}


def _beside_this_python() -> str:
    import sysconfig  # 2 ms that a uv on PATH need not take

    return str(Path(sysconfig.get_path("scripts")) / _NAME)


def all_on_path(environ: Mapping[str, str]) -> list[Path]:
    """Every uv on PATH, the first first; one that several names lead to is told once."""
    places = environ.get("PATH", os.defpath).split(os.pathsep)
    found = [Path(place) / _NAME for place in places if place]
    there = {file.resolve(): file for file in reversed(found) if os.access(file, os.X_OK)}
    return [file for file in dict.fromkeys(found) if file in there.values()]


def conda_environment_of(program: str) -> Path | None:
    """The conda environment that a program was installed into, None for none."""
    prefix = Path(program).resolve().parent.parent
    return prefix if (prefix / "conda-meta").is_dir() else None


@lru_cache(maxsize=8)
def _examined(path: str, _modified: int) -> Uv:
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, timeout=_VERSION_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UvUnavailable(
            f"{path} --version gave no answer in {_VERSION_TIMEOUT:.0f} s.", _INSTALL
        ) from error
    except OSError as error:
        raise UvUnavailable(f"{path} cannot be run: {error.strerror}.", _INSTALL) from error
    said = done.stdout.decode(errors="replace")
    match = re.match(r"uv (\S+)", said)
    try:
        version = Version(match[1] if match else "")
    except InvalidVersion as error:
        raise UvUnavailable(
            f"{path} is not uv: asked for its version it says {said.strip()[:60]!r}.", _INSTALL
        ) from error
    if version < Version(uv.minimum()):
        raise UvUnavailable(
            f"{path} is uv {version}; uvmagic needs {uv.minimum()} or newer.",
            "Update it:  uv self update   or   pip install --upgrade uv",
        )
    return Uv(path, str(version))


def environment_for_uv(environ: Mapping[str, str]) -> dict[str, str]:
    """A copy of the environment for project commands.

    An active environment is not the project's: uv would warn, and `--active` would install
    into the notebook server's own. COLUMNS, which says how wide somebody else's terminal is, would
    have uv break its sentences there. Nor is what it draws for a notebook's own terminal: ipykernel
    forces colours, and where Jupyter Server names a notebook uv draws no bytes of a download.
    """
    dropped = {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "COLUMNS"}
    dropped |= {"CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "JPY_SESSION_NAME"}
    return {**{k: v for k, v in environ.items() if k not in dropped}, "NO_COLOR": "1"}
