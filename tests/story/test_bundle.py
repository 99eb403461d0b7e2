"""Bundles made and rerun for real, against PyPI."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tarfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from conftest import Folder

if TYPE_CHECKING:
    from kept import Kept

pytestmark = [pytest.mark.network, pytest.mark.heavy]


def write_notebook(path: Path, *sources: str, parameters: str | None = None) -> None:
    """A notebook with these code cells; the one that says `parameters` is tagged so."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
        if cell.source == parameters:
            cell.metadata["tags"] = ["parameters"]
        cell["outputs"] = [
            nbformat.v4.new_output("stream", text="an output of an earlier run\n")  # type: ignore[no-untyped-call]
        ]
    spec = {"name": "uvmagic-somewhere-else", "display_name": "x", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})  # type: ignore[no-untyped-call]
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def texts(path: Path) -> list[str]:
    """What each cell of an executed notebook shows, as plain text."""
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return [
        "".join(
            o.get("text", "") or o.get("data", {}).get("text/plain", "") or o.get("evalue", "")
            for o in cell.outputs
        )
        for cell in notebook.cells
    ]


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder and its sha256."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def study(empty: Folder, kept: Kept) -> Folder:
    """A project with six, a notebook, a local package, a data file and a dev group."""
    kept.copy("study", empty.path, _make_study)
    (empty.path / "helpers").mkdir()
    (empty.path / "helpers" / "__init__.py").write_text("from helpers.inner import answer\n")
    (empty.path / "helpers" / "inner.py").write_text("answer = 42\n")
    (empty.path / "unused.py").write_text("raise SystemExit('never imported')\n")
    (empty.path / "data").mkdir()
    (empty.path / "data" / "table.csv").write_text("a,b\n1,2\n")
    write_notebook(
        empty.path / "study.ipynb",
        "%load_ext uvmagic",
        "%uv init",
        "%uv add six  # said here",
        "%uv add --dev iniconfig",
        "alpha = 1",
        "import six, helpers\nprint(helpers.answer, six.__version__, alpha)",
        "import os\nprint('links', os.stat(six.__file__).st_nlink)",
        "print(open('data/table.csv').read())",
        "%uv remove six",
        "%uv bundle study.ipynb",
        parameters="alpha = 1",
    )
    return empty


def _make_study(path: Path) -> None:
    for call in (["init"], ["add", "six"], ["add", "--dev", "iniconfig"]):
        assert Folder(path).uvmagic(*call).returncode == 0


def test_a_bundle_reruns_from_nothing_with_parameters(study: Folder, tmp_path: Path) -> None:
    before = digests(study.path)
    made = study.uvmagic("bundle", "study.ipynb", "--include", "data/*.csv", "--json")
    assert made.returncode == 0, made.stderr
    bundle = study.path / "study-bundle"

    untouched = {k: v for k, v in digests(study.path).items() if not k.startswith("study-bundle")}
    assert untouched == before

    present = set(digests(bundle))
    assert {"helpers/__init__.py", "helpers/inner.py", "data/table.csv", "study.ipynb"} <= present
    assert "unused.py" not in present
    assert json.loads(made.stdout)["files"] == sorted(present)

    pyproject = tomllib.loads((bundle / "pyproject.toml").read_text())
    assert set(pyproject["dependency-groups"]) == {"rerun"}
    lock = tomllib.loads((bundle / "uv.lock").read_text())
    locked = {package["name"]: package.get("version") for package in lock["package"]}
    assert {"ipykernel", "papermill", "uvmagic", "six"} <= set(locked)
    assert "iniconfig" not in locked
    source = tomllib.loads(study.lock.read_text())
    versions = {p["name"]: p.get("version") for p in source["package"]}
    assert locked["six"] == versions["six"]

    elsewhere = tmp_path / "another machine"
    bundle.rename(elsewhere)
    done = study.uvmagic("rerun", str(elsewhere), "-p", "alpha", "7", "-o", "again.ipynb")
    assert done.returncode == 0, done.stderr
    shown = "\n".join(texts(study.path / "again.ipynb"))
    assert "In the bundle's environment: six" in shown
    assert "%uv init was not run" in shown
    assert "%uv remove was not run" in shown
    assert "%uv bundle was not run" in shown
    assert "development requirements stayed behind" in shown
    assert f"42 {versions['six']} 7" in shown
    assert "1,2" in shown
    links = re.search(r"links (\d+)", shown)
    assert links is not None
    assert int(links[1]) > 1, "the environment is hard links into uv's cache"
    assert digests(elsewhere).keys() == present, "rerun leaves the bundle as it is"


def test_a_bundle_reruns_with_nothing_but_uv(study: Folder, uv: str, tmp_path: Path) -> None:
    assert study.uvmagic("bundle", "study.ipynb", "--include", "data").returncode == 0
    bundle = tmp_path / "elsewhere"
    (study.path / "study-bundle").rename(bundle)
    told = (bundle / "README.md").read_text()
    call = next(line.split() for line in told.splitlines() if line.endswith("rerun ."))
    assert call[0] == "uvx"
    done = subprocess.run(
        [uv, "tool", "run", *call[1:]],
        cwd=bundle,
        env={"HOME": str(tmp_path / "home"), "PATH": str(Path(uv).parent) + ":/usr/bin:/bin"}
        | {k: v for k, v in os.environ.items() if k.startswith("SSL") or k == "UV_CACHE_DIR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no cell raised" in done.stdout
    assert (bundle / "study-rerun.ipynb").exists()


def test_the_same_input_gives_the_same_bytes(study: Folder) -> None:
    for name, environ in (("one", {"PYTHONHASHSEED": "1"}), ("two", {"PYTHONHASHSEED": "2"})):
        made = study.uvmagic("bundle", "study.ipynb", "-o", name, **environ, TZ="Asia/Tokyo")
        assert made.returncode == 0, made.stderr
    assert digests(study.path / "one") == digests(study.path / "two")


def test_what_the_notebook_reads_goes_along(study: Folder) -> None:
    (study.path / "data").mkdir(exist_ok=True)
    (study.path / "data" / "a b.csv").write_text("40,2")
    (study.path / "unread.csv").write_text("1,2")
    read = "text = open('data/a b.csv').read(); print(sum(map(int, text.split(','))))"
    write_notebook(study.path / "reads.ipynb", read, "open('out.txt', 'w').write('x')")
    made = study.uvmagic("bundle", "reads.ipynb", "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    files = told["files"]
    assert told["image"].endswith(": slim Debian with Python, all else is in the lock")
    amount = r"[\d.]+ [KM]iB"
    size = rf"\d+ distributions?, {amount} to fetch, about {amount} installed; image about {amount}"
    assert re.fullmatch(size, told["size"])
    planned = study.uvmagic("bundle", "reads.ipynb", "--dry-run", "--json")
    assert re.fullmatch(size, json.loads(planned.stdout)["size"])
    assert "data/a b.csv" in files
    assert "unread.csv" not in files
    assert study.uvmagic("rerun", "reads-bundle").returncode == 0
    assert texts(study.path / "reads-rerun.ipynb")[0] == "42\n"


def test_an_archive_is_the_same_bytes_wherever_it_is_made(study: Folder, tmp_path: Path) -> None:
    (study.path / "größe 1.csv").write_text("1,2")
    made = []
    for place, zone, seed in (("here", "Asia/Tokyo", "1"), ("there", "America/Lima", "2")):
        archive = tmp_path / f"{place}.tar.gz"
        options = ["-o", f"{place}/study-bundle", "--include", "*.csv", "--archive", str(archive)]
        done = study.uvmagic("bundle", "study.ipynb", *options, TZ=zone, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        assert f"archive {archive}" in " ".join(done.stdout.split())
        made.append(archive.read_bytes())
        os.utime(study.path / "größe 1.csv", (0, 0))
    assert made[0] == made[1]
    with tarfile.open(tmp_path / "here.tar.gz") as archive_file:
        unpacked = {}
        for member in archive_file:
            content = archive_file.extractfile(member)
            assert content is not None
            digest = hashlib.sha256(content.read()).hexdigest()
            unpacked[member.name.removeprefix("study-bundle/")] = digest
    assert unpacked == digests(study.path / "here" / "study-bundle")
    refused = study.uvmagic("bundle", "study.ipynb", "--archive", "study.zip")
    assert refused.returncode == 2
    assert "ends in .tar.gz" in refused.stderr


def test_bundling_again_replaces_a_bundle_and_nothing_else(study: Folder) -> None:
    bundle = study.path / "study-bundle"
    assert study.uvmagic("bundle", "study.ipynb").returncode == 0
    assert study.uvmagic("bundle", "study.ipynb", "--keep-outputs").returncode == 0
    assert "earlier run" in (bundle / "study.ipynb").read_text()
    (bundle / "thesis.txt").write_text("three years of work")
    refused = study.uvmagic("bundle", "study.ipynb")
    assert refused.returncode == 1
    assert "thesis.txt" in refused.stderr
    assert (bundle / "thesis.txt").read_text() == "three years of work"


def test_a_cell_that_raises_is_named_and_the_copy_is_written(study: Folder) -> None:
    write_notebook(study.path / "fails.ipynb", "x = 1", "1 / 0", "print('never')")
    assert study.uvmagic("bundle", "fails.ipynb").returncode == 0
    done = study.uvmagic("rerun", "fails-bundle")
    assert done.returncode == 1
    assert "cell 2 raised ZeroDivisionError: division by zero" in done.stderr
    assert "Traceback" not in done.stderr
    assert "ZeroDivisionError" in (study.path / "fails-rerun.ipynb").read_text()


def test_what_the_environment_lacks_fails_by_name(study: Folder) -> None:
    write_notebook(study.path / "lacks.ipynb", "%load_ext uvmagic", "%uv add six colorama")
    assert study.uvmagic("bundle", "lacks.ipynb").returncode == 0
    done = study.uvmagic("rerun", "lacks-bundle")
    assert done.returncode == 1
    assert "EnvironmentFixed" in done.stderr
    assert "colorama: is not installed" in done.stderr
    assert "six:" not in done.stderr


def test_magics_work_in_a_bundle_without_load_ext(study: Folder) -> None:
    write_notebook(study.path / "bare.ipynb", "%uv add six", "import six")
    assert study.uvmagic("bundle", "bare.ipynb").returncode == 0
    done = study.uvmagic("rerun", "bare-bundle")
    assert done.returncode == 0, done.stderr
    assert "In the bundle's environment: six" in texts(study.path / "bare-rerun.ipynb")[0]


def test_a_notebook_that_knows_nothing_of_uvmagic_gets_none(study: Folder) -> None:
    write_notebook(study.path / "plain.ipynb", "import six\nprint(six.PY3)")
    assert study.uvmagic("bundle", "plain.ipynb").returncode == 0
    assert "uvmagic" not in (study.path / "plain-bundle" / "uv.lock").read_text()
    done = study.uvmagic("rerun", "plain-bundle")
    assert done.returncode == 0, done.stderr
    assert texts(study.path / "plain-rerun.ipynb") == ["True\n"]


def test_an_altered_bundle_says_so(study: Folder) -> None:
    assert study.uvmagic("bundle", "study.ipynb", "--include", "data").returncode == 0
    (study.path / "study-bundle" / "data" / "table.csv").write_text("changed")
    done = study.uvmagic("rerun", "study-bundle")
    assert done.returncode == 0, done.stderr
    assert "Not as bundled any more: data/table.csv" in done.stdout


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("../secret.txt", "'..' is not taken"),
        ("/etc/hostname", "absolute path"),
        ("way_out.txt", "a link that leads out of the project"),
        ("nothing*", "matches no file"),
        ("pyproject.toml", "the bundle has a pyproject.toml of its own"),
        ("pipe", "not a regular file"),
    ],
)
def test_what_may_not_go_in_is_refused_by_name(
    study: Folder, tmp_path: Path, pattern: str, told: str
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (study.path / "way_out.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(study.path / "pipe")
    refused = study.uvmagic("bundle", "study.ipynb", "--include", pattern)
    assert refused.returncode == 1
    assert told in refused.stderr
    assert pattern.removesuffix("*") in refused.stderr
    assert not (study.path / "study-bundle").exists()


def test_a_notebook_outside_any_project_is_refused(empty: Folder) -> None:
    write_notebook(empty.path / "alone.ipynb", "1")
    refused = empty.uvmagic("bundle", "alone.ipynb")
    assert refused.returncode == 1
    assert "belongs to no project" in refused.stderr
    assert "uvmagic init" in refused.stderr


def test_a_lock_that_is_out_of_date_is_refused(study: Folder) -> None:
    text = study.pyproject.read_text().replace('"six>=', '"colorama",\n    "six>=')
    study.pyproject.write_text(text)
    refused = study.uvmagic("bundle", "study.ipynb")
    assert refused.returncode == 1
    assert "not up to date" in refused.stderr
    assert not (study.path / "study-bundle").exists()


def test_a_packaged_project_goes_along_as_a_wheel(study: Folder) -> None:
    text = study.pyproject.read_text()
    study.pyproject.write_text(
        text + '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )
    (study.path / "src" / "empty").mkdir(parents=True)
    (study.path / "src" / "empty" / "__init__.py").write_text("flavour = 'packaged'\n")
    assert study.uvmagic("sync").returncode == 0
    write_notebook(study.path / "packed.ipynb", "import empty\nprint(empty.flavour)")
    made = study.uvmagic("bundle", "packed.ipynb")
    assert made.returncode == 0, made.stderr
    done = study.uvmagic("rerun", "packed-bundle")
    assert done.returncode == 0, done.stderr
    assert texts(study.path / "packed-rerun.ipynb") == ["packaged\n"]


PROJECT = """[project]
name = "{name}"
version = "0.3"
requires-python = ">=3.11"
dependencies = {dependencies}
"""
BUILT = """
[build-system]
requires = ["uv_build"]
build-backend = "uv_build"
"""


@pytest.fixture
def workspace(empty: Folder) -> Folder:
    """A workspace: a root, the members `study`, `core` and, no package, `base`; and `libs/plain`.

    `study` asks for `core`, which asks for `base` and by its path for `plain`. Its notebook reads
    what lies at the root.
    """

    def write(place: str, text: str) -> None:
        file = empty.path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def project(place: str, name: str, *dependencies: str, more: str = "") -> None:
        text = PROJECT.format(name=name, dependencies=json.dumps(dependencies))
        write(f"{place}/pyproject.toml", text + more)

    def source(name: str, says: str) -> str:
        return f"\n[tool.uv.sources]\n{name} = {{ {says} }}\n"

    members = '[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    settings = '[tool.uv]\nconstraint-dependencies = ["six<1.17"]\n'
    shared = source("base", "workspace = true") + "core = { workspace = true }\n"
    project(".", "root", more=members + settings + shared)
    project("packages/study", "study", "core", "six")
    plain = source("plain", 'path = "../../libs/plain", editable = true')
    project("packages/core", "core", "base", "plain", more=BUILT + plain)
    project("packages/base", "base", "iniconfig", more="[tool.uv]\npackage = false\n")
    project("libs/plain", "plain", more=BUILT)
    write("packages/core/src/core/__init__.py", "import plain\nanswer = plain.half * 2\n")
    write("libs/plain/src/plain/__init__.py", "half = 21\n")
    write("tools/helpers.py", "from deeper import name\n")
    write("tools/deeper.py", "name = 'helped'\n")
    write("data/table.csv", "1,2\n")
    write("data/large.bin", "")
    os.truncate(empty.path / "data" / "large.bin", 60_000_000)
    (empty.path.parent / "outside.csv").write_text("3,4\n")
    notebooks = empty.path / "packages" / "study" / "notebooks"
    notebooks.mkdir()
    write_notebook(
        notebooks / "study.ipynb",
        "import sys\nfrom pathlib import Path\nROOT = Path('../../..').resolve()",
        "sys.path.append(str(ROOT / 'tools'))\nimport core, helpers, iniconfig, six",
        "print(core.answer, helpers.name, (ROOT / 'data' / 'table.csv').read_text())",
        "%uv add core",
        "%uv add six==1.16.0 iniconfig",
        "def never():\n    return open('../../../../outside.csv'), open(ROOT / 'data/large.bin')",
    )
    return empty


def test_a_member_of_a_workspace_is_bundled_with_all_that_it_needs(
    workspace: Folder, tmp_path: Path
) -> None:
    study = workspace.path / "packages" / "study"
    synced = workspace.uvmagic("sync", "--package", "study")
    assert synced.returncode == 0, synced.stderr
    before = digests(workspace.path)
    notebook = "packages/study/notebooks/study.ipynb"
    planned = workspace.uvmagic("bundle", notebook, "--dry-run")
    assert "Would be built to wheels: base, core, plain, uvmagic." in planned.stdout
    refused = workspace.uvmagic("bundle", notebook, "-o", "packages/bundle")
    assert refused.returncode == 1
    assert "packages/bundle would become a member of the workspace" in refused.stderr
    made = workspace.uvmagic("bundle", notebook, "-o", str(tmp_path / "bundle"))
    assert made.returncode == 0, made.stderr
    assert digests(workspace.path) == before
    assert re.search(
        r"Built to wheels: base 0\.3, core 0\.3, plain 0\.3, uvmagic \S+\.", made.stdout
    )
    assert "../../../../outside.csv is read, and lies outside the project" in made.stdout
    assert "data/large.bin (57.2 MiB) is read, and too large to go unasked" in made.stdout

    bundle = tmp_path / "bundle"
    listed = json.loads((bundle / "bundle.json").read_text())
    assert listed["notebook"] == notebook
    of_project = {notebook, "data/table.csv", "tools/deeper.py", "tools/helpers.py"}
    generated = {"wheels", "kernels", ".devcontainer"}
    taken = {path for path in listed["files"] if path.split("/")[0] not in generated}
    assert {path for path in taken if "/" in path} == of_project
    pyproject = tomllib.loads((bundle / "pyproject.toml").read_text())
    assert pyproject["project"]["dependencies"] == ["core", "six"]
    assert pyproject["tool"]["uv"]["constraint-dependencies"] == ["six<1.17"]

    done = workspace.uvmagic("rerun", str(bundle), "-o", "again.ipynb")
    assert done.returncode == 0, done.stderr
    shown = texts(workspace.path / "again.ipynb")
    assert shown[2] == "42 helped 1,2\n\n"
    assert "In the bundle's environment: core 0.3" in shown[3]
    assert "six 1.16.0" in shown[4]

    for module in ("tools/helpers.py", "tools/deeper.py"):
        (workspace.path / module).rename(tmp_path / Path(module).name)
    write_notebook(study / "far.ipynb", "sys.path.append('../../..')\nimport helpers")
    refused = workspace.uvmagic("bundle", "packages/study/far.ipynb")
    assert refused.returncode == 1
    assert f"helpers is imported from {tmp_path}" in refused.stderr

    text = workspace.pyproject.read_text()
    workspace.pyproject.write_text("[tool" + text.partition("[tool")[2])
    write_notebook(workspace.path / "root.ipynb", "1")
    refused = workspace.uvmagic("bundle", "root.ipynb")
    assert refused.returncode == 1
    assert "lies in the root of a workspace" in refused.stderr
