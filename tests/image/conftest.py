"""Engines with stand-ins for the base images, and one project whose bundles they build.

Both are made once: whatever is bundled from the project stands on the same environment, which an
engine makes for the first of its images and takes from its cache for the others.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, TypeVar

import pytest
from conftest import Folder, find_real_uv
from containers import PYTHON, Engine, fast_folder, make_root
from docker import Docker
from podman import Podman

from image.studies import code, own_world, succeed, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_AnEngine = TypeVar("_AnEngine", bound=Engine)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for all that the engines have, in memory where there is room."""
    folder = fast_folder() or tmp_path_factory.mktemp("images")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def root(images: Path) -> Path:
    """The file system that the stand-ins are made of."""
    return make_root(images)


@pytest.fixture(scope="session")
def podman(request: pytest.FixtureRequest, images: Path) -> Iterator[Podman]:
    """Podman and buildah with the stand-ins."""
    yield from _with_stand_ins(Podman, request, images)


@pytest.fixture(scope="session")
def docker(request: pytest.FixtureRequest, images: Path) -> Iterator[Docker]:
    """Docker with the stand-ins."""
    yield from _with_stand_ins(Docker, request, images)


@pytest.fixture(params=["podman", "docker"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the engines."""
    found: Engine = request.getfixturevalue(request.param)
    return found


def _with_stand_ins(
    kind: type[_AnEngine], request: pytest.FixtureRequest, images: Path
) -> Iterator[_AnEngine]:
    lacking = kind.missing()
    if lacking and "CI" not in os.environ:
        pytest.skip(f"images cannot be built here: no {', '.join(lacking)}")
    root = request.getfixturevalue("root")
    engine = kind(images / kind.__name__.lower())
    try:
        engine.make_stand_ins(root, find_real_uv())
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A project with six, and a notebook with a module, a table and an error that is expected."""
    made = Folder(tmp_path_factory.mktemp("project"))
    with own_world(tmp_path_factory):
        succeed(made, "init", "--python", PYTHON)
        succeed(made, "add", "six", "--python", PYTHON)
    (made.path / "helper.py").write_text("answer = 42\n")
    (made.path / "data").mkdir()
    (made.path / "data" / "table.csv").write_text("eight\n8\n")
    write(
        made.path / "study.ipynb",
        code("%load_ext uvmagic"),
        code("%uv add six"),
        code("divisor = 2", "parameters"),
        code("1 / 0", "raises-exception"),
        code(
            "import os, sys, helper, six\n"
            "dividend = int(open('data/table.csv').read().split()[1])\n"
            "print('quotient', dividend / divisor, 'as', os.getuid(), sys.prefix, helper.answer)"
        ),
    )
    return made


@pytest.fixture(scope="session")
def study(project: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the project's notebook; a test that edits it takes a copy."""
    bundle = tmp_path_factory.mktemp("bundles") / "study-bundle"
    with own_world(tmp_path_factory):
        succeed(project, "bundle", "study.ipynb", "-o", str(bundle))
    return bundle
