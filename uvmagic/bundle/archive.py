"""A bundle as one file: the same bundle gives the same bytes, wherever and whenever."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

from uvmagic.bundle import contents

if TYPE_CHECKING:
    from pathlib import Path


def packed(folder: Path, name: str) -> bytes:
    """A bundle's folder as a gzipped tar file, with one folder at its top.

    Nothing goes in that differs between two machines: no times, owners, permissions or order.

    Args:
        folder: the bundle.
        name: the folder's name in the archive.
    """
    written = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=written, mode="wb", filename="", mtime=0) as compressed,
        # the format is named, for Python's default one may change
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in sorted(contents.files_below(folder)):
            member = tarfile.TarInfo(f"{name}/{file.relative_to(folder).as_posix()}")
            member.size, member.mode = file.stat().st_size, 0o644
            with file.open("rb") as content:
                archive.addfile(member, content)
    return written.getvalue()
