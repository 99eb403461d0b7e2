"""bundle.json: written, read, and compared with the files."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.bundle import manifest
from uvmagic.bundle.manifest import Manifest
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

TEXT = st.text()
MANIFESTS = st.builds(
    Manifest, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=3)
)


def of(**files: str) -> Manifest:
    return Manifest("a.ipynb", "3.12", "0.13.9", "0.1.0", "any", "cpu", "00", dict(files))


@given(MANIFESTS)
def test_what_was_written_is_read(written: Manifest) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / manifest.FILE).write_bytes(written.to_bytes())
        read = manifest.read(Path(folder))
    assert read == written
    assert read.to_bytes() == written.to_bytes()


def test_a_manifest_reads_well(snapshot: SnapshotAssertion) -> None:
    assert of(**{"größe.csv": "0f", "a.ipynb": "f0"}).to_bytes().decode() == snapshot


def test_a_bundle_as_it_was_made_is_not_altered(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_bytes(b"1,2\n")
    (tmp_path / "added.csv").write_bytes(b"not of the bundle")
    digest = hashlib.sha256(b"1,2\n").hexdigest()
    assert of(**{"data/a.csv": digest}).altered(tmp_path) == []


def test_files_that_changed_or_are_gone_are_told_by_path(tmp_path: Path) -> None:
    for name, content in (("same", b"1"), ("changed", b"2"), ("emptied", b"")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    digest = hashlib.sha256(b"1").hexdigest()
    listed = of(same=digest, changed=digest, emptied=digest, gone=digest, folder=digest)
    assert listed.altered(tmp_path) == ["changed", "emptied", "gone", "folder"]


def test_the_digest_of_a_file_is_its_sha256_and_nothing_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert manifest.sha256(tmp_path / "a") == hashlib.sha256(b"content").hexdigest()
    assert manifest.sha256(tmp_path / "b") == ""


def content(**changes: Any) -> bytes:
    return json.dumps({**json.loads(of().to_bytes()), **changes}).encode()


def test_the_content_that_the_next_tests_spoil_is_a_good_one(tmp_path: Path) -> None:
    (tmp_path / manifest.FILE).write_bytes(content())
    assert manifest.read(tmp_path) == of()


SPOILED: dict[str, bytes | None] = {
    "no file": None,
    "empty": b"",
    "cut": content()[:-5],
    "no text": b"\xff",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "an empty object": b"{}",
    "the schema alone": b'{"schema": 1}',
    "files in a list": content(files=["a"]),
    "a digest that is no text": content(files={"a": 1}),
    "a notebook that is no text": content(notebook=1),
    "no python": content(python=None),
    "a key too many": content(novelty="x"),
}


@pytest.mark.parametrize("found", SPOILED.values(), ids=SPOILED)
def test_a_folder_without_a_manifest_that_can_be_read_is_no_bundle(
    tmp_path: Path, found: bytes | None
) -> None:
    if found is not None:
        (tmp_path / manifest.FILE).write_bytes(found)
    with pytest.raises(BundleRefused, match="is not a bundle") as caught:
        manifest.read(tmp_path)
    assert str(tmp_path) in caught.value.message


def test_a_bundle_of_a_newer_uvmagic_is_told_from_no_bundle(tmp_path: Path) -> None:
    (tmp_path / manifest.FILE).write_bytes(content(schema=2, novelty="x"))
    with pytest.raises(BundleRefused, match="was made by a newer uvmagic") as caught:
        manifest.read(tmp_path)
    assert caught.value.hint == "Update uvmagic and try again."
