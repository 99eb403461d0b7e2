"""What the tests share: a real uv, a loopback index, projects, a shell, kernels.

Nothing here reaches beyond this machine; tests that need PyPI are marked `network`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from index import PackageIndex, sdist, wheel
from kept import Kept
from kernels import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from uvmagic.outcome import Outcome

pytest_plugins = ["torch_hosts.fixtures"]


_PATH = os.pathsep.join(
    [
        sysconfig.get_path("scripts"),
        str(Path(sys.base_prefix) / "bin"),
        os.environ.get("PATH", os.defpath),
    ]
)
"""With the Python below this environment's first of all: uv takes the first that it finds.

That is often a script (pyenv's shim), of which uv remembers nothing: 0.15 s for each call.
"""


@pytest.fixture(autouse=True)
def _own_world(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_own_world(tmp_path, tmp_path_factory.getbasetemp(), monkeypatch)


def enter_own_world(folder: Path, common: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine takes part, and no folder of its user is written to."""
    for name in list(os.environ):
        if name.startswith(("UV_", "JUPYTER_", "JPY_", "CONDA_")) and name != "UV_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    # else all that a kernel imports, or uvmagic itself, is compiled anew at each start
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("UV", find_real_uv())
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / "jupyter" / "data"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder / "jupyter" / "config"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "jupyter" / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "jupyter" / "ipython"))
    monkeypatch.setenv("UVMAGIC_CACHE_DIR", str(common / "uvmagic-cache"))
    monkeypatch.setenv("PATH", _PATH)
    (folder / "jupyter").mkdir()


def find_real_uv() -> str:
    """The uv that runs the tests: `uv run` tells it in UV; else the one on PATH."""
    found = os.environ.get("UV") or shutil.which("uv")
    if not found:
        pytest.fail("the tests need uv: pip install uv")
    return found


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What takes long to make, made once a run: for all tests, in whichever worker they are."""
    base = tmp_path_factory.getbasetemp()
    return Kept((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "kept")


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


def uvmagic_command(*arguments: str) -> list[str]:
    """The command line of `uvmagic …` with this interpreter."""
    return [sys.executable, "-m", "uvmagic", *arguments]


@dataclass(frozen=True)
class Folder:
    """A project's folder, and uvmagic run in it from a shell.

    Attributes:
        path: the folder.
        command: makes the command line of `uvmagic …`.
    """

    path: Path
    command: Callable[..., list[str]] = uvmagic_command

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
            self.command(*arguments),
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
            self.command(*arguments),
            cwd=self.path,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


@pytest.fixture
def cache(tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A uv cache of the test's own, that knows no distribution.

    It knows this machine's Pythons, which a uv with an empty cache asks for their versions, one
    process each: that takes it longer than all the rest of an `add` from the loopback.
    """
    path = tmp_path / "cache"
    monkeypatch.setenv("UV_CACHE_DIR", str(path))
    kept.copy("pythons", path, _find_pythons)
    return path


def _find_pythons(cache: Path) -> None:
    command = [find_real_uv(), "python", "find", "--no-project", "--cache-dir", str(cache)]
    for wanted in (["--system", ">=3.11"], [sys.executable]):
        subprocess.run([*command, *wanted], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def folder(
    tmp_path: Path, index: PackageIndex, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Folder:
    """A project without requirements that knows only the loopback index; also the current folder.

    Its uv cache is its own, and uv does not retry, so that faults show at once.
    """
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


@pytest.fixture
def capable(empty: Folder, kept: Kept) -> Folder:
    """A project, in the empty folder, that lacks nothing to be a kernel, and is none yet.

    It is a copy of what `init` and `kernel install` have made: locked, installed, compiled. Making
    it takes four runs of uv that ask PyPI, and builds uvmagic twice. Needs PyPI.
    """
    kept.copy("capable", empty.path, make_capable)
    done = empty.uvmagic("sync")
    assert done.returncode == 0, done.stderr
    return empty


def make_capable(path: Path) -> None:
    """Make such a project in an empty folder."""
    folder, elsewhere = Folder(path), str(path.parent / "jupyter")
    for call in (["init"], ["kernel", "install"]):
        done = folder.uvmagic(*call, JUPYTER_DATA_DIR=elsewhere)
        assert done.returncode == 0, done.stderr
    shutil.rmtree(path / ".uvmagic")  # it tells where the project was made


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


@pytest.fixture
def older_python(monkeypatch: pytest.MonkeyPatch) -> str:
    """A Python too old for uvmagic, `3.8`, the first on PATH; there need be none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    on_path = [Path(folder) for folder in os.get_exec_path()]
    for minor in (8, 9, 10):
        for folder in [*on_path, *sorted(pyenv.glob(f"versions/3.{minor}.*/bin"))]:
            python = folder / f"python3.{minor}"
            command = [str(python), "-c", "import venv"]
            if python.exists() and subprocess.run(command, capture_output=True).returncode == 0:
                monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
                return f"3.{minor}"
    pytest.skip("no Python 3.8, 3.9 or 3.10 is here")
