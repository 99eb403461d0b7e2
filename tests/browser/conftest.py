"""A newcomer's machine: a home with uvmagic's clone and a Jupyter of its own; and a browser on it.

All tests share one server and one browser; each has a folder and pages of its own. They are of the
package, not of the session: while Playwright runs, no other test of this process may run an event
loop.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import find_real_uv
from index import PackageIndex, wheel
from playwright.sync_api import sync_playwright
from servers import Server, running_server

from browser.lab import KERNEL, Cell, Notebook, Open, TakePicture, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "images"
_CHROMIUM = "/usr/bin/chromium"
_TOKEN = "only-for-the-tests"
_SIZE: ViewportSize = {"width": 900, "height": 2400}
"""Of the window: so high that no cell that a test looks at is out of sight."""
_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
    "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
}
"""It asks for no news, and is dark where the system is."""
_CLONE = ("pyproject.toml", "uv.lock", "README.md", "LICENSE", "CHANGELOG.md", "notebooks")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--take-pictures",
        action="store_true",
        help=f"write the pictures of the documentation anew, in {PICTURES.relative_to(ROOT)}",
    )


@dataclass(frozen=True)
class Home:
    """A user's home folder.

    Attributes:
        path: the folder.
        environ: the environment variables of who is logged in there.
    """

    path: Path
    environ: dict[str, str]

    @property
    def jupyter(self) -> Path:
        """The environment that JupyterLab and uvmagic are installed in."""
        return self.path / "jupyter"

    def kernel(self, name: str, display_name: str, **environ: str) -> None:
        """Register a kernel of Jupyter's environment that has environment variables of its own."""
        folder = self.path / ".local/share/jupyter/kernels" / name.replace(" ", "-")
        folder.mkdir(parents=True)
        python = str(self.jupyter / "bin" / "python")
        spec = {
            "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": display_name,
            "language": "python",
            "env": environ,
        }
        (folder / "kernel.json").write_text(json.dumps(spec))


@pytest.fixture(scope="package")
def home() -> Iterator[Home]:
    """A home where uvmagic was cloned, and installed beside JupyterLab and uv, as README says.

    No shell has activated that environment: uv is found beside its Python, and nowhere else. What
    was downloaded once for this machine's own user need not be again.
    """
    uv = find_real_uv()
    path = Path(tempfile.mkdtemp(prefix="home-"))
    clone, jupyter = path / "uvmagic", path / "jupyter"
    clone.mkdir()
    for name in (*_CLONE, "uvmagic"):
        there = ROOT / name
        (shutil.copytree if there.is_dir() else shutil.copy)(there, clone / name)
    kept = {name: os.environ[name] for name in ("LANG", "SSL_CERT_FILE") if name in os.environ}
    pythons = str(Path(sys.base_prefix) / "bin")
    environ = {**kept, "HOME": str(path), "PATH": os.pathsep.join([pythons, os.defpath])}
    cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True)
    (path / ".cache").mkdir()
    (path / ".cache" / "uv").symlink_to(cache.stdout.strip())
    subprocess.run(
        [
            *(uv, "sync", "--quiet", "--locked", "--no-editable", "--python", sys.executable),
            *("--no-default-groups", "--group", "jupyter"),
        ],
        cwd=clone,
        env={**environ, "UV_PROJECT_ENVIRONMENT": str(jupyter)},
        check=True,
    )
    (jupyter / "bin" / "uv").symlink_to(uv)
    settings = path / ".jupyter" / "labconfig" / "default_setting_overrides.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(_SETTINGS))
    yield Home(path, environ)
    shutil.rmtree(path)


@pytest.fixture(scope="package")
def lab(home: Home) -> Iterator[Server]:
    """JupyterLab, started in the home folder."""
    program = [str(home.jupyter / "bin" / "jupyter"), "lab"]
    with running_server(home.path, program, token=_TOKEN, environ=home.environ) as running:
        yield running


@pytest.fixture(scope="package")
def context() -> Iterator[BrowserContext]:
    """Chromium, which loads JupyterLab once; where there is none, all is skipped, but for CI."""
    if not Path(_CHROMIUM).exists() and "CI" not in os.environ:
        pytest.skip(f"no page can be looked at here: no {_CHROMIUM}")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=_CHROMIUM,
            args=["--no-sandbox"],  # root has none
        ) as browser,
        browser.new_context(viewport=_SIZE) as made,
    ):
        yield made


@pytest.fixture
def page(context: BrowserContext, lab: Server, tmp_path: Path) -> Iterator[Page]:
    """A window; what it showed last is kept for who looks into a failure."""
    with context.new_page() as made:
        yield made
        made.screenshot(path=tmp_path / "last.png")
    for session in lab.ask("sessions"):
        lab.ask(f"sessions/{session['id']}", method="DELETE")


@pytest.fixture
def open_notebook(page: Page, lab: Server, home: Home) -> Open:
    """Opens a new notebook in a folder of the home, which is made where it is not there."""

    def open_there(folder: str, kernel: str = KERNEL) -> Notebook:
        (home.path / folder).mkdir(exist_ok=True)
        address = f"http://{lab.address}/lab/tree/{folder}?reset&token={_TOKEN}"
        return opened(page, address, home.path / folder, kernel)

    return open_there


@pytest.fixture
def picture(request: pytest.FixtureRequest, tmp_path: Path) -> TakePicture:
    """Takes a picture of what lies below each other: for the documentation, if asked to."""
    folder = PICTURES if request.config.getoption("--take-pictures", default=False) else tmp_path

    def take(notebook: Notebook, name: str, *seen: Cell | Locator, dark: bool = False) -> None:
        elements = [part.element if isinstance(part, Cell) else part for part in seen]
        for shade in ("light", "dark") if dark else ("light",):
            notebook.look(shade)
            file = folder / f"{name}{'-dark' if shade == 'dark' else ''}.png"
            notebook.photograph(file, *elements)
        notebook.look("light")

    return take


@pytest.fixture
def own_index(home: Home, index: PackageIndex, tmp_path: Path) -> Callable[..., str]:
    """Registers a kernel whose packages come from the loopback index, and gives its name."""

    def register(name: str, **environ: str) -> str:
        cache = {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0"}
        home.kernel(name, f"Python ({name})", **{"UV_DEFAULT_INDEX": index.url, **cache, **environ})
        return f"Python ({name})"

    return register


@pytest.fixture
def slow_line(own_index: Callable[..., str], index: PackageIndex) -> str:
    """The name of a kernel for which scipy takes half a minute to come."""
    index.add(wheel("scipy", "1.17.0", padding=36_000_000))
    index.drip("*.whl", bytes_per_second=1_200_000)
    return own_index("slow line")
