"""A bundle that takes what only a team has, and leaves behind what only its author has.

It stands on the team's own base image and takes a distribution from the team's private index, whose
password lies, with other secrets, where a project has them: none may be in the bundle or its image.

The secrets are put together here, so that none is in this repository.
"""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from conftest import Folder
from containers import PYTHON
from index import PackageIndex, wheel

from image.studies import code, own_world, shown, succeed, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from containers import Engine

pytestmark = [pytest.mark.network, pytest.mark.heavy, pytest.mark.timeout(600)]

GITHUB = "ghp" + "_" + "k7Vq2ZtR9xWb4LmN8sYd1FcG6hJp3AeU5oTi"
AWS = "AKIA" + "Q3EGRT7YHB2KLM5N"
KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"
REMOTE, INDEX, ENVIRONMENT = "sw0rdf1sh", "m4ckerel", "p1lchard"
CANARIES = (
    *(canary.encode() for canary in (GITHUB, AWS, KEY, REMOTE, INDEX, ENVIRONMENT)),
    base64.b64encode(f"someone:{INDEX}".encode()),  # as HTTP has it
)
MARK = b"a mark that is to be found"


@dataclass(frozen=True)
class Team:
    """A bundle, and the environment of whoever may use the index."""

    bundle: Path
    environ: dict[str, str]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The bundle of a project of the team, with secrets beside and in its notebook."""
    project = Folder(tmp_path_factory.mktemp("team"))
    bundle = tmp_path_factory.mktemp("bundles") / "team-bundle"
    with PackageIndex(password=INDEX) as index, own_world(tmp_path_factory):
        index.add(wheel("alpha", "1.0"))
        netrc = _plant(project.path)
        environ = {"NETRC": str(netrc), "TEAM_TOKEN": ENVIRONMENT}
        succeed(project, "init", "--python", PYTHON)
        with project.pyproject.open("a") as pyproject:
            pyproject.write(
                f'\n[[tool.uv.index]]\nname = "team"\nurl = "{index.url}"\nexplicit = true\n'
                '\n[tool.uv.sources]\nalpha = { index = "team" }\n'
            )
        succeed(project, "add", "alpha", "--python", PYTHON, **environ)
        write(
            project.path / "study.ipynb",
            code("divisor = 2", "parameters"),
            code("import alpha, sys", printed=f"{GITHUB}\n"),
            code(f"print('quotient', 8 / divisor, 'in', sys.prefix)  # {MARK.decode()}"),
        )
        options = ["--base", "team/base:2026", "--no-compile", "-o", str(bundle)]
        succeed(project, "bundle", "study.ipynb", *options, **environ)
        yield Team(bundle, environ)


def _plant(folder: Path) -> Path:
    """Lay secrets where projects have them. Gives the file with the index's password."""
    (folder / ".env").write_text(f"TOKEN={GITHUB}\nAWS_ACCESS_KEY_ID={AWS}\n")
    key = f"-----BEGIN {'PRIVATE'} KEY-----\n{KEY}\n-----END {'PRIVATE'} KEY-----\n"
    (folder / "id_ed25519").write_text(key)
    (folder / ".git").mkdir()
    remote = f"https://someone:{REMOTE}" + "@example.org/team.git"
    (folder / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {remote}\n')
    (folder / "unused.py").write_text(f"KEY = '{AWS}'\n")
    netrc = folder / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login someone password {INDEX}\n")
    return netrc


def test_it_stands_on_the_teams_base_and_no_secret_is_in_its_image(
    team: Team, engine: Engine, tmp_path: Path
) -> None:
    text = (team.bundle / "Dockerfile").read_text()
    assert "FROM team/base:2026 AS environment" in text
    assert "--compile-bytecode" not in text
    environ = {**team.environ, **engine.at_hand(tmp_path / "bin", team.bundle / "Dockerfile")}
    here, executed = Folder(tmp_path), tmp_path / "executed.ipynb"
    call = ["rerun", str(team.bundle), "--engine", engine.programs[0], "-o", str(executed)]
    succeed(here, *call, "-p", "divisor", "4", **environ)
    assert "quotient 2.0 in /app/.venv" in shown(executed)
    image = engine("images", "--quiet", "localhost/uvmagic-study").stdout.strip()
    assert engine.shell(image, "id -u") == "1000\n"

    saved = tmp_path / "image.tar"
    engine("save", "--output", str(saved), image)
    bundled = [path for path in team.bundle.rglob("*") if path.is_file()]
    marked = []
    for path, content in (found for file in (saved, *bundled) for found in _everything(file)):
        searched = path.encode() + content
        assert [canary for canary in CANARIES if canary in searched] == [], path
        marked += [path] if MARK in searched else []
    assert len(marked) == 2, "what is in the bundle and in its image is found"


def _everything(file: Path) -> Iterator[tuple[str, bytes]]:
    """A file; in the place of an archive all that is in it: layers, their files, wheels' files."""
    yield from _unpacked(str(file), file.read_bytes())


def _unpacked(path: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = [(name, packed.read(name)) for name in packed.namelist()]
    elif content.startswith(b"\x1f\x8b"):
        members = [("unpacked", gzip.decompress(content))]
    elif content[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            members = [(member.name, _content(archive, member)) for member in archive]
    else:
        yield path, content
        return
    for name, member in members:
        yield from _unpacked(f"{path}/{name}", member)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """What a member holds: a link, where it leads."""
    file = archive.extractfile(member) if member.isreg() else None
    return member.linkname.encode() if file is None else file.read()
