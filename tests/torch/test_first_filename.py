"""Of a version's wheels uv reads one: the first by name whose tag fits the project's Pythons.

That is why a lock may lack what torch needs on Linux; in what order, and in which spelling, an
index lists the wheels does not matter. Seen of uv 0.13.9; the day that this fails, the audit is
still right, and the advice that uvmagic gives may be mended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from index import Distribution, PackageIndex, wheel
from index.pages import HTML, JSON
from index.server import Answer, Request

from uvmagic.accelerator import audit
from uvmagic.accelerator.audit import LINUX, Build
from uvmagic.lockfile import Lockfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TAGS = (
    "cp310-cp310-manylinux_2_28_x86_64",
    "cp311-cp311-manylinux_2_28_aarch64",
    "cp311-cp311-manylinux_2_28_x86_64",
    "cp311-cp311-win_amd64",
)
"""By name. The first is for a Python that the project is not for: the second is the one read."""
LIBRARIES = [f"nvidia-{name}-cu12" for name in ("cuda-runtime", "cudnn", "cublas")]


class OrderedIndex(PackageIndex):
    """An index that lists torch's wheels in a given order, every page in one spelling only.

    Attributes:
        order: the tags of the wheels.
        spelling: the content type.
    """

    order: Sequence[str] = ()
    spelling = JSON

    def find(self, request: Request) -> Answer:
        answer = super().find(replace(request, accept=self.spelling))
        if request.path != "/simple/torch/":
            return answer
        if self.spelling == HTML:
            lines = answer.body.decode().splitlines()
            first = next(n for n, line in enumerate(lines) if "<a " in line)
            lines[first:-2] = sorted(lines[first:-2], key=self._place)
            return replace(answer, body="\n".join(lines).encode())
        page = json.loads(answer.body)
        page["files"].sort(key=lambda file: self._place(file["filename"]))
        return replace(answer, body=json.dumps(page).encode())

    def _place(self, text: str) -> int:
        return next((n for n, tag in enumerate(self.order) if tag in text), len(self.order))


def torch(tag: str, *, is_bare: bool, requires_python: str | None = None) -> Distribution:
    return wheel(
        "torch",
        "2.7.1+cu126",
        requires=[] if is_bare else LIBRARIES,
        requires_python=requires_python,
        tag=tag,
    )


@pytest.fixture
def ordered() -> Iterator[OrderedIndex]:
    with OrderedIndex() as made:
        made.add(*(wheel(name, "12.6") for name in LIBRARIES))
        yield made


def locked(index: OrderedIndex, folder: Path) -> Lockfile:
    """What uv locks for a project that needs torch, with a cache that knows nothing."""
    (folder / "pyproject.toml").write_text(
        f"""\
[project]
name = "project"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["torch"]

[[tool.uv.index]]
url = "{index.url}"
default = true
"""
    )
    done = subprocess.run(
        [os.environ["UV"], "lock", "--python", sys.executable],
        cwd=folder,
        env={**os.environ, "UV_CACHE_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Lockfile((folder / "uv.lock").read_text())


def read(index: OrderedIndex) -> set[str]:
    """The tags of the wheels of torch whose metadata was asked for."""
    return {
        tag for tag in TAGS if any(each.endswith(f"{tag}.whl.metadata") for each in index.requests)
    }


def build(lockfile: Lockfile) -> Build:
    """What x86-64 Linux gets with Python 3.11."""
    verdicts = audit.builds(lockfile, "3.11", root="project")
    return next(each.build for each in verdicts if each.target.platform == LINUX)


@pytest.mark.parametrize("spelling", [HTML, JSON], ids=["html", "json"])
@pytest.mark.parametrize(
    "order", list(permutations(range(len(TAGS)))), ids=lambda order: "".join(map(str, order))
)
def test_the_first_name_is_read_in_whatever_order_an_index_lists_the_wheels(
    ordered: OrderedIndex, tmp_path: Path, order: Sequence[int], spelling: str
) -> None:
    ordered.order, ordered.spelling = [TAGS[n] for n in order], spelling
    ordered.add(*(torch(tag, is_bare=tag == TAGS[1]) for tag in TAGS))
    lockfile = locked(ordered, tmp_path)
    assert read(ordered) == {TAGS[1]}
    assert build(lockfile) is Build.BARE


@pytest.mark.parametrize(
    ("bare", "expected"), [(0, Build.CUDA), (1, Build.BARE), (2, Build.CUDA), (3, Build.CUDA)]
)
def test_only_the_first_name_decides(
    ordered: OrderedIndex, tmp_path: Path, bare: int, expected: Build
) -> None:
    ordered.order = TAGS[::-1]
    ordered.add(*(torch(tag, is_bare=tag == TAGS[bare]) for tag in TAGS))
    assert build(locked(ordered, tmp_path)) is expected


def test_it_is_the_tag_that_tells_for_which_pythons_a_wheel_is(
    ordered: OrderedIndex, tmp_path: Path
) -> None:
    ordered.add(torch(TAGS[1], is_bare=True, requires_python="<3.11"))
    ordered.add(*(torch(tag, is_bare=False) for tag in TAGS[2:]))
    lockfile = locked(ordered, tmp_path)
    assert read(ordered) == {TAGS[1]}
    assert build(lockfile) is Build.BARE


def test_the_pages_are_in_the_order_that_was_asked_for(ordered: OrderedIndex) -> None:
    """Else the orders above would all be one."""
    ordered.add(*(torch(tag, is_bare=False) for tag in TAGS))
    ordered.order = [TAGS[n] for n in (2, 0, 3, 1)]
    for ordered.spelling in (HTML, JSON):
        page = ordered.find(Request("/simple/torch/")).body.decode()
        assert sorted(TAGS, key=page.index) == ordered.order
