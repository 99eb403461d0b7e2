"""Wheels that a bundle carries."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest
from index import wheel

from uvmagic.bundle.local import LocalDistribution
from uvmagic.bundle.wheels import build_wheels, told, wheel_of_metadata
from uvmagic.errors import BundleRefused
from uvmagic.system.host import Host
from uvmagic.system.uv import Uv

if TYPE_CHECKING:
    from pathlib import Path

    from uvmagic.progress import Progress


class Silent:
    def progress(self, progress: Progress) -> None:
        pass

    def write(self, stream: str, text: str) -> None:
        pass


def carried(stage: Path, *local: LocalDistribution) -> dict[str, str]:
    """What a bundle carries that needs no building."""
    return build_wheels(stage, local, Uv("no-such-uv", "0"), Host(stage, os.environ, Silent()))


def put_wheel(folder: Path, *requires: str) -> Path:
    made = wheel("core", "0.3", requires=requires)
    (folder / made.filename).write_bytes(made.data)
    return folder / made.filename


def test_a_wheel_is_copied_as_it_is(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    stage.mkdir()
    source = put_wheel(tmp_path, "six>=1", "x @ https://x.org/x.whl")
    found = carried(stage, LocalDistribution("core", source))
    assert found == {"core": "wheels/core-0.3-py3-none-any.whl"}
    assert (stage / found["core"]).read_bytes() == source.read_bytes()


def test_a_wheel_that_names_a_place_on_this_machine_is_refused_by_name(tmp_path: Path) -> None:
    source = put_wheel(tmp_path, "six", "plain @ file:///somewhere/plain")
    with pytest.raises(BundleRefused, match="core asks for plain by its place on this machine"):
        carried(tmp_path, LocalDistribution("core", source))


@pytest.mark.parametrize("name", ["gone", "gone.whl", "gone.tar.gz", "empty"])
def test_a_source_that_is_there_no_more_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleRefused, match=r"core was installed from .* and is there no more"):
        carried(tmp_path, LocalDistribution("core", tmp_path / name))


def test_a_wheel_of_metadata_alone_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    text = "Metadata-Version: 2.1\nName: a-b\nVersion: 0.3\nRequires-Dist: six\n"
    local = LocalDistribution("a-b", tmp_path, text)
    made = wheel_of_metadata(local, tmp_path)
    assert made.name == "a_b-0.3-py3-none-any.whl"
    with zipfile.ZipFile(made) as archive:
        assert archive.read("a_b-0.3.dist-info/METADATA").decode() == text
    content = made.read_bytes()
    assert wheel_of_metadata(local, tmp_path).read_bytes() == content


def test_wheels_are_told_by_name_and_version() -> None:
    paths = ["wheels/my_lib-2.0+x-py3-none-any.whl", "wheels/core-0.3-cp311-cp311-linux.whl"]
    assert told(paths) == "core 0.3, my-lib 2.0+x"
