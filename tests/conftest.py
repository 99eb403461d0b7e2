"""What the tests share: a real uv, a loopback index, projects, a shell, kernels.

Nothing here reaches beyond this machine; tests that need PyPI are marked `network`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from index import PackageIndex, sdist, wheel
from kernels import Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from uvmagic.outcome import Outcome

pytest_plugins = ["torch_hosts.fixtures"]


@pytest.fixture(autouse=True)
def _own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter_own_world(tmp_path, monkeypatch)


def enter_own_world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine takes part, and no folder of its user is written to."""
    for name in list(os.environ):
        if name.startswith(("UV_", "JUPYTER_", "JPY_", "CONDA_")) and name != "UV_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv("UV", find_real_uv())
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / "jupyter" / "data"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder / "jupyter" / "config"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "jupyter" / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "jupyter" / "ipython"))
    (folder / "jupyter").mkdir()


def find_real_uv() -> str:
    """The uv that runs the tests: `uv run` tells it in UV; else the one on PATH."""
    found = os.environ.get("UV") or shutil.which("uv")
    if not found:
        pytest.fail("the tests need uv: pip install uv")
    return found


@pytest.fixture
def uv() -> str:
    """The path of the real uv."""
    return find_real_uv()


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """A loopback index with a few tiny distributions.

    alpha 1.0 and 2.0, beta 1.0 (needs alpha), gamma 1.0, delta 1.0 with the extra `more` (needs
    gamma), heavy 1.0 (5 MB), broken 1.0 (its build fails), p0 … p9 1.0.
    """
    with PackageIndex() as made:
        made.add(wheel("alpha", "1.0"), wheel("alpha", "2.0"))
        made.add(wheel("beta", "1.0", requires=["alpha"]), wheel("gamma", "1.0"))
        made.add(wheel("delta", "1.0", extras={"more": ["gamma"]}))
        made.add(wheel("heavy", "1.0", padding=5_000_000))
        made.add(sdist("broken", "1.0", build_error="no compiler here"))
        made.add(*(wheel(f"p{n}", "1.0") for n in range(10)))
        yield made


@dataclass(frozen=True)
class Folder:
    """A project's folder, and uvmagic run in it from a shell.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def pyproject(self) -> Path:
        return self.path / "pyproject.toml"

    @property
    def lock(self) -> Path:
        return self.path / "uv.lock"

    def contents(self) -> tuple[bytes | None, bytes | None]:
        """The bytes of pyproject.toml and uv.lock, None for one that is not there."""
        return _bytes(self.pyproject), _bytes(self.lock)

    def installed(self) -> set[str]:
        """The names of the distributions in the environment."""
        found = self.path.glob(".venv/lib/python3.*/site-packages/*.dist-info")
        return {path.name.split("-")[0] for path in found}

    def uvmagic(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `uvmagic …` here to its end."""
        return subprocess.run(
            uvmagic_command(*arguments),
            cwd=self.path,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start `uvmagic …` here, in a process group of its own."""
        return subprocess.Popen(
            uvmagic_command(*arguments),
            cwd=self.path,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def uvmagic_command(*arguments: str) -> list[str]:
    """The command line of `uvmagic …` with this interpreter."""
    return [sys.executable, "-m", "uvmagic", *arguments]


@pytest.fixture
def folder(tmp_path: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A project without requirements that knows only the loopback index; also the current folder.

    Its uv cache is its own, and uv does not retry, so that faults show at once.
    """
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    path = tmp_path / "project"
    path.mkdir()
    (path / "pyproject.toml").write_text(
        f"""\
[project]
name = "project"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []

[[tool.uv.index]]
url = "{index.url}"
default = true
"""
    )
    monkeypatch.chdir(path)
    return Folder(path)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """An empty folder, the current one."""
    path = tmp_path / "empty"
    path.mkdir()
    monkeypatch.chdir(path)
    return Folder(path)


class Shell:
    """A real IPython shell in this process, with uvmagic loaded."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.ip = shell

    def attempt(self, cell: str) -> ExecutionResult:
        """Run a cell as a user does: what it raises is shown."""
        done: ExecutionResult = self.ip.run_cell(cell, store_history=True)  # type: ignore[no-untyped-call]
        return done

    def run(self, cell: str) -> object:
        """Run a cell; give its value, raise what it raised."""
        done = self.attempt(cell)
        done.raise_error()  # type: ignore[no-untyped-call]
        return done.result

    def outcome(self, cell: str) -> Outcome:
        """Run a cell whose value is an outcome."""
        from uvmagic.outcome import Outcome

        value = self.run(cell)
        assert isinstance(value, Outcome)
        return value


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A fresh IPython shell with uvmagic loaded, that registers no kernels."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.HistoryManager.enabled = False
    made = InteractiveShell.instance(config=config)
    made.run_line_magic("load_ext", "uvmagic")
    yield Shell(made)
    InteractiveShell.clear_instance()


@pytest.fixture
def jupyter_kernel(empty: Folder) -> Iterator[Kernel]:
    """A real kernel of this interpreter, started in the empty folder as Jupyter does."""
    with Kernel("python3", empty.path) as kernel:
        yield kernel
