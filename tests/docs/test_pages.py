"""What the documentation shows is what happens: its cells and commands are run, page by page."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from index import PackageIndex, wheel
from kernels import Kernel

from docs.pages import DOCS, Block, blocks, differs, output_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Folder
    from torch_hosts.fixtures import TorchHosts

network = pytest.mark.network
heavy = pytest.mark.heavy


@dataclass(frozen=True)
class Reader:
    """Somebody who follows a page.

    Attributes:
        folder: where the notebook lies that its cells are typed into; the commands are run there.
        kernel: what runs the cells; None for a page that has none.
    """

    folder: Path
    kernel: Kernel | None

    def follow(self, name: str) -> dict[Block, str]:
        """Do what a page says. Gives what each of its cells and commands has printed."""
        page = blocks((DOCS / name).read_text(encoding="utf-8"))
        # one that is shown to fail is deleted again
        cells = [b for b in page if b.is_run and b.language == "python" and b.remark != "fails"]
        (self.folder / "study.ipynb").write_text(_notebook(cells), encoding="utf-8")
        printed: dict[Block, str] = {}
        for block in page:
            if block.title:
                self._file(block)
            elif block.is_run:
                printed[block] = self._run(block)
        return printed

    def _run(self, block: Block) -> str:
        if block.language == "python":
            assert self.kernel is not None
            cell = self.kernel.run(block.text)
            text, went_well = cell.text, cell.status == "ok"
        else:
            done = subprocess.run(
                ["bash", "-e", "-c", block.text],
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            text, went_well = done.stdout, done.returncode == 0
            text += "" if went_well else done.stderr  # else it is how far it got
        assert went_well is (block.remark != "fails"), f"{block.text}\n{text}"
        return text

    def _file(self, block: Block) -> None:
        file = self.folder / block.title
        if not file.exists():
            file.write_text(f"{block.text}\n", encoding="utf-8")
            return
        assert differs(f"…\n{block.text}\n…", file.read_text(encoding="utf-8")) is None, block


def _notebook(cells: list[Block]) -> str:
    """A notebook as a front end saves it before its cells are run."""
    made: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": block.remark.split()[1:]} if block.remark[:4] == "tag:" else {},
            "execution_count": None,
            "outputs": [],
            "source": block.text,
        }
        for number, block in enumerate(cells)
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def check(name: str, reader: Reader, *, update: bool) -> None:
    """Follow a page, and see that it prints what it shows; or have the page show what it prints."""
    printed = reader.follow(name)
    file = DOCS / name
    text = file.read_text(encoding="utf-8")
    page, lines, wrong = blocks(text), text.splitlines(), []
    for block in reversed(page):
        shown = output_of(block, page) if block in printed else None
        line = differs(shown.text, printed[block]) if shown else None
        if shown and line:
            wrong.append(f"docs/{name}:{shown.start + 1} shows\n  {line}\n{printed[block]}")
            lines[shown.start : shown.end] = printed[block].strip("\n").splitlines()
    if update and wrong:
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert not wrong or update, "\n\n".join(reversed(wrong))


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether pages are to be brought up to date: `--snapshot-update`."""
    return bool(request.config.option.update_snapshots)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reader's home, in which uv's cache is that of the tests."""
    cache = os.environ.get("UV_CACHE_DIR") or os.path.expanduser("~/.cache/uv")  # noqa: PTH111
    monkeypatch.setenv("UV_CACHE_DIR", cache)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def study(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A new notebook in a new folder, open in Jupyter, with PyPI to be reached."""
    folder = home / "study"
    folder.mkdir()
    yield from _reading(folder, monkeypatch)


def _reading(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "study.ipynb"))
    with Kernel("python3", folder) as kernel:
        assert kernel.run("%load_ext uvmagic").status == "ok"
        monkeypatch.delenv("JPY_SESSION_NAME")  # it is the kernel's alone
        yield Reader(folder, kernel)


@network
@heavy
def test_the_tutorial(study: Reader, update: bool) -> None:
    check("tutorial.md", study, update=update)


@network
@heavy
def test_out_of_conda(study: Reader, update: bool) -> None:
    check("how-to/out-of-conda.md", study, update=update)


@pytest.fixture
def with_torch(
    torch_hosts: TorchHosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    """A notebook in a project, with PyTorch's index and its mirrors to be reached."""
    monkeypatch.setenv("HOME", str(tmp_path))
    yield from _reading(torch_hosts.folder.path, monkeypatch)


@heavy
@pytest.mark.parametrize("page", ["how-to/cuda-and-mirrors.md", "how-to/gpu-server.md"])
def test_torch(page: str, with_torch: Reader, update: bool) -> None:
    assert with_torch.kernel is not None
    # the index of this world has no ipykernel
    with_torch.kernel.run("%config UvMagics.auto_register = False")
    check(page, with_torch, update=update)


@pytest.mark.parametrize("page", ["how-to/offline.md", "how-to/jupyterhub.md"])
def test_in_a_shell(
    page: str,
    folder: Folder,
    index: PackageIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    update: bool,
) -> None:
    index.add(wheel("numpy", "2.4.6"), wheel("pandas", "3.1.1", requires=["numpy"]))
    index.add(wheel("scipy", "1.17.1"))
    monkeypatch.setenv("PREFIX", str(tmp_path / "hub"))
    check(page, Reader(folder.path, None), update=update)
