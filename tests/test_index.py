"""The loopback index, shown to work by running the real uv against it."""

import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from index import Distribution, PackageIndex, sdist, wheel

JSON = "application/vnd.pypi.simple.v1+json"

IMPATIENT = {"UV_HTTP_RETRIES": "0"}
"""The environment in which uv takes the first failure for an answer."""


@pytest.fixture(scope="session")
def uv_bin() -> str:
    return os.environ.get("UV") or shutil.which("uv") or str(import_module("uv").find_uv_bin())


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with PackageIndex() as index:
        yield index


@dataclass(frozen=True)
class Project:
    """A uv project whose only index is the one on the loopback."""

    folder: Path
    uv_bin: str

    def depend(self, index: PackageIndex, *requirements: str) -> None:
        """Write the pyproject.toml."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "pyproject.toml").write_text(
            "[project]\n"
            'name = "demo"\n'
            'version = "0"\n'
            'requires-python = ">=3.11"\n'
            f"dependencies = {json.dumps(requirements)}\n"
            "[[tool.uv.index]]\n"
            'name = "loopback"\n'
            f'url = "{index.url}"\n'
            "default = true\n"
        )

    def uv(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run uv in the project, with a cache of its own and no configuration but the project's."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name != "VIRTUAL_ENV" and not name.startswith("UV_")
        }
        own = {
            "NO_PROXY": "127.0.0.1",
            "UV_CACHE_DIR": str(self.folder.parent / "cache"),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "XDG_CONFIG_HOME": str(self.folder.parent / "config"),
        }
        return subprocess.run(
            [self.uv_bin, *arguments],
            cwd=self.folder,
            env=inherited | own | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def succeed(self, *arguments: str, **variables: str) -> str:
        """Run uv, which must succeed; give what it printed."""
        done = self.uv(*arguments, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fail(self, *arguments: str, **variables: str) -> str:
        """Run uv, which must fail; give what it complained of."""
        done = self.uv(*arguments, **variables)
        assert done.returncode != 0, done.stderr
        return done.stderr

    def versions(self) -> dict[str, str]:
        """Give what is installed, by name."""
        listed = json.loads(self.succeed("pip", "list", "--format=json", UV_PYTHON=".venv"))
        return {each["name"]: each["version"] for each in listed}


@pytest.fixture
def project(tmp_path: Path, uv_bin: str) -> Project:
    return Project(tmp_path / "demo", uv_bin)


@pytest.fixture
def locked(project: Project, index: PackageIndex) -> Project:
    """Give a project that is locked, and that has everything yet to download."""
    index.add(wheel("greet", "1.0", padding=100_000))
    project.depend(index, "greet")
    project.succeed("lock")
    return project


def get(url: str, **headers: str) -> bytes:
    with urlopen(Request(url, headers=headers), timeout=10) as answer:
        body: bytes = answer.read()
    return body


# Wheels


def test_wheels_are_resolved_and_installed(project: Project, index: PackageIndex) -> None:
    index.add(
        wheel("Greet", "1.0", requires=["tone>=1"], extras={"loud": ["volume; os_name != ''"]}),
        wheel("tone", "0.9"),
        wheel("tone", "1.2"),
        wheel("tone", "1.3", requires_python=">=4"),
        wheel("volume", "3.0", modules={"volume.py": "LEVEL = 11\n"}),
        wheel("unwanted", "1.0"),
    )
    project.depend(index, "greet[loud]")

    project.succeed("lock")
    assert not any(path.endswith(".whl") for path in index.requests)
    assert "/files/tone-1.2-py3-none-any.whl.metadata" in index.requests

    project.succeed("sync")
    assert project.versions() == {"greet": "1.0", "tone": "1.2", "volume": "3.0"}
    seen = "import greet, volume; print(greet.__version__, volume.LEVEL)"
    assert project.succeed("run", "python", "-c", seen).split() == ["1.0", "11"]


def test_extras_are_left_out_unless_asked_for(project: Project, index: PackageIndex) -> None:
    index.add(wheel("greet", "1.0", extras={"loud": ["volume"]}), wheel("volume", "3.0"))
    project.depend(index, "greet")
    project.succeed("sync")
    assert project.versions() == {"greet": "1.0"}


def test_what_is_added_later_is_seen_at_once(locked: Project, index: PackageIndex) -> None:
    index.add(wheel("greet", "1.1"))
    locked.succeed("lock", "--upgrade")
    locked.succeed("sync")
    assert locked.versions() == {"greet": "1.1"}


def test_only_wheels_that_fit_are_taken(project: Project, index: PackageIndex) -> None:
    index.add(
        wheel("greet", "1.0", tag="py2.py3-none-any"), wheel("greet", "2.0", tag="py2-none-any")
    )
    project.depend(index, "greet")
    project.succeed("sync")
    assert project.versions() == {"greet": "1.0"}


@pytest.mark.parametrize("make", [wheel, sdist])
def test_the_same_arguments_make_the_same_bytes(make: Callable[[str, str], Distribution]) -> None:
    assert make("greet", "1.0") == make("greet", "1.0")


def test_a_record_is_true() -> None:
    made = wheel("greet", "1.0", padding=50_000)
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    record = files["greet-1.0.dist-info/RECORD"].decode().splitlines()
    rows = {path: (digest, size) for path, digest, size in (line.split(",") for line in record)}
    assert rows.pop("greet-1.0.dist-info/RECORD") == ("", "")
    del files["greet-1.0.dist-info/RECORD"]
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        assert rows.pop(path) == (f"sha256={digest}", str(len(data)))
    assert not rows
    assert len(gzip.compress(made.data)) > 50_000


# The simple API


class Links(HTMLParser):
    """The links of a page, as the entries that the JSON page would hold."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.entries: list[dict[str, object]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            return
        said = {key: value or "" for key, value in attrs}
        url, _, digest = said["href"].partition("#sha256=")
        self.entries.append({"url": url, "hashes": {"sha256": digest}})
        if requires_python := said.get("data-requires-python"):
            self.entries[-1]["requires-python"] = requires_python
        if metadata := said.get("data-core-metadata"):
            self.entries[-1]["core-metadata"] = {"sha256": metadata.removeprefix("sha256=")}

    def handle_data(self, data: str) -> None:
        if self.entries:
            self.entries[-1].setdefault("filename", data)


def test_html_and_json_say_the_same(index: PackageIndex) -> None:
    index.add(
        wheel("Greet.Kindly", "1.0+local", requires_python=">=3.8,<4"),
        sdist("greet_kindly", "0.9"),
        wheel("tone", "1.0"),
    )
    page = json.loads(get(f"{index.url}/greet-kindly/", Accept=JSON))
    sizes = [entry.pop("size") for entry in page["files"]]
    assert Links(get(f"{index.url}/Greet_Kindly/")).entries == page["files"]
    assert page["name"] == "greet-kindly"
    assert page["versions"] == ["0.9", "1.0+local"]

    host = index.url.removesuffix("/simple")
    for entry, size in zip(page["files"], sizes, strict=True):
        data = get(host + entry["url"])
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (entry["hashes"]["sha256"], size)
        if described := entry.get("core-metadata"):
            metadata = get(host + entry["url"] + ".metadata")
            assert hashlib.sha256(metadata).hexdigest() == described["sha256"]

    assert json.loads(get(f"{index.url}/", Accept=JSON))["projects"] == [
        {"name": "greet-kindly"},
        {"name": "tone"},
    ]
    listed = [entry["url"] for entry in Links(get(f"{index.url}/")).entries]
    assert listed == ["/simple/greet-kindly/", "/simple/tone/"]


def test_uv_reads_the_html(project: Project, index: PackageIndex) -> None:
    index.add(
        wheel("greet", "1.0", requires_python=">=3"), wheel("greet", "2.0", requires_python=">=4")
    )
    project.depend(index)
    project.succeed("venv")
    page = f"{index.url}/greet/"  # uv asks for JSON of an index, and for HTML of a list of links
    project.succeed(
        "pip", "install", "--no-index", "--find-links", page, "greet", UV_PYTHON=".venv"
    )
    assert project.versions() == {"greet": "1.0"}


@pytest.mark.parametrize(
    "path", ["/simple/none/", "/files/none.whl", "/files/none.whl.metadata", "/"]
)
def test_what_is_not_there_is_not_found(index: PackageIndex, path: str) -> None:
    with pytest.raises(HTTPError, match="404") as caught:
        get(index.url.removesuffix("/simple") + path)
    caught.value.close()
    assert index.requests == [path]


def test_a_password_is_needed(project: Project) -> None:
    with PackageIndex(password="sesame") as index:
        index.add(wheel("greet", "1.0"))
        project.depend(index, "greet")
        assert "401" in project.fail("lock")
        user = {"UV_INDEX_LOOPBACK_USERNAME": "ali"}
        assert "401" in project.fail("lock", **user, UV_INDEX_LOOPBACK_PASSWORD="barley")
        project.succeed("sync", **user, UV_INDEX_LOOPBACK_PASSWORD="sesame")
        assert project.versions() == {"greet": "1.0"}


# Source distributions


def test_an_sdist_builds(project: Project, index: PackageIndex) -> None:
    index.add(sdist("greet", "1.0", requires=["tone"]), wheel("tone", "1.2"))
    project.depend(index, "greet")
    project.succeed("sync")
    assert project.versions() == {"greet": "1.0", "tone": "1.2"}
    project.succeed("run", "python", "-c", "import greet")


def test_an_sdist_fails_to_build_but_resolves(project: Project, index: PackageIndex) -> None:
    index.add(sdist("greet", "1.0", build_seconds=0.3, build_error="the mould broke"))
    project.depend(index, "greet")
    project.succeed("lock")
    start = time.monotonic()
    assert "RuntimeError: the mould broke" in project.fail("sync")
    assert time.monotonic() - start > 0.3


# Faults


def test_a_drip_takes_its_time(locked: Project, index: PackageIndex) -> None:
    index.drip("*.whl", bytes_per_second=200_000)
    start = time.monotonic()
    locked.succeed("sync")
    assert time.monotonic() - start > 0.5


def test_a_delay_outlasts_patience(locked: Project, index: PackageIndex) -> None:
    index.delay("*/greet-1.0-*.whl", seconds=60)
    assert "timed out" in locked.fail("sync", **IMPATIENT, UV_HTTP_TIMEOUT="1")


def test_a_page_fails(project: Project, index: PackageIndex) -> None:
    index.fail("/simple/greet/", 503)
    project.depend(index, "greet")
    assert "503 Service Unavailable" in project.fail("lock", **IMPATIENT)


def test_a_page_lies(project: Project, index: PackageIndex) -> None:
    index.add(wheel("greet", "1.0"))
    index.lie("/simple/*", b"rubbish")
    project.depend(index, "greet")
    assert "unexpected JSON" in project.fail("lock", **IMPATIENT)


def test_a_file_fails_until_healed(locked: Project, index: PackageIndex) -> None:
    index.fail("*.whl", 503)
    assert "503 Service Unavailable" in locked.fail("sync", **IMPATIENT)
    index.heal()
    locked.succeed("sync")
    assert locked.versions() == {"greet": "1.0"}


def test_a_file_is_cut_short(locked: Project, index: PackageIndex) -> None:
    index.truncate("*.whl")
    assert "end of file before message length" in locked.fail("sync", **IMPATIENT)


def test_a_file_is_rubbish(locked: Project, index: PackageIndex) -> None:
    index.lie("*.whl", b"rubbish")
    assert "Failed to extract archive" in locked.fail("sync", **IMPATIENT)


def test_a_file_is_another(locked: Project, index: PackageIndex) -> None:
    index.lie("*.whl", wheel("greet", "1.0", padding=1).data)
    assert "Hash mismatch" in locked.fail("sync", **IMPATIENT)


def test_faults_add_up(locked: Project, index: PackageIndex) -> None:
    index.truncate("*.whl")
    index.delay("*", 0.3)
    start = time.monotonic()
    assert "end of file before message length" in locked.fail("sync", **IMPATIENT)
    assert time.monotonic() - start > 0.3


def test_leaving_waits_for_no_fault() -> None:
    before = threading.active_count()
    with PackageIndex() as index:
        index.add(wheel("greet", "1.0", padding=100_000))
        index.drip("*.whl", bytes_per_second=1)
        index.delay("/simple/*", 600)
        page = f"{index.url}/greet/"
        file = index.url.replace("simple", "files/greet-1.0-py3-none-any.whl")
        ended: list[str] = []

        def ask(url: str) -> None:
            with pytest.raises((OSError, HTTPException)):
                get(url)
            ended.append(url)

        clients = [threading.Thread(target=ask, args=(url,)) for url in (page, file)]
        for client in clients:
            client.start()
        while len(index.requests) < len(clients):
            time.sleep(0.01)
    for client in clients:
        client.join(5)
    assert set(ended) == {page, file}
    assert threading.active_count() == before
