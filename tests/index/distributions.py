"""Tiny wheels and source distributions, as bytes: the same arguments give the same bytes."""

import base64
import gzip
import hashlib
import io
import random
import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

_EPOCH = (2020, 1, 1, 0, 0, 0)
"""The date of every member of a zip archive."""

_EPOCH_SECONDS = 1_577_836_800
"""The same moment as a tar archive says it."""


@dataclass(frozen=True)
class Distribution:
    """One file that an index offers, and what the index says about it.

    `metadata` is what the index serves beside the file (PEP 658), or None where it serves none.
    `uploaded` is when it came there (RFC 3339), or None where the index does not tell.
    """

    filename: str
    data: bytes
    metadata: bytes | None
    requires_python: str | None
    uploaded: str | None = None

    @property
    def project(self) -> str:
        """The normalized name of the project, by the filename."""
        return normalized(self._stem[0])

    @property
    def version(self) -> str:
        """The version of the project, by the filename."""
        return self._stem[1]

    @property
    def sha256(self) -> str:
        """The digest of the file, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def metadata_sha256(self) -> str | None:
        """The digest of the metadata served beside the file, in hexadecimal, if there is any."""
        return None if self.metadata is None else hashlib.sha256(self.metadata).hexdigest()

    @property
    def _stem(self) -> list[str]:
        return self.filename.removesuffix(".tar.gz").split("-")


def normalized(name: str) -> str:
    """Give the one spelling of a project's name that indexes go by (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wheel(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    extras: Mapping[str, Sequence[str]] = {},
    tag: str = "py3-none-any",
    modules: Mapping[str, str] | None = None,
    padding: int = 0,
) -> Distribution:
    """Make a wheel that installs.

    `modules` maps paths within the wheel to source text; left out, the wheel holds one package,
    named after the project, that knows its `__version__`. `padding` is a number of bytes that no
    compression shrinks, kept in that package as data, so that a download takes its time.
    """
    metadata = _metadata("2.1", name, version, requires, requires_python, extras)
    return Distribution(
        filename=f"{_underscored(name)}-{version}-{tag}.whl",
        data=_zip(_wheel_files(name, version, metadata, tag, modules, padding)),
        metadata=metadata,
        requires_python=requires_python,
    )


def sdist(
    name: str,
    version: str,
    *,
    build_error: str | None = None,
    build_seconds: float = 0,
    requires: Sequence[str] = (),
) -> Distribution:
    """Make a source distribution that carries its own build backend, so a build needs no network.

    Building sleeps for `build_seconds` and then raises `RuntimeError(build_error)`, if there is
    one, or gives the wheel that `wheel(name, version, requires=requires)` would hold. Nothing in
    the metadata is dynamic: an installer may resolve without building.
    """
    metadata = _metadata("2.2", name, version, requires)
    contents = _wheel_files(name, version, metadata)
    settings = {
        "WHEEL": f"{_underscored(name)}-{version}-py3-none-any.whl",
        "SECONDS": build_seconds,
        "ERROR": build_error,
    }
    backend = "".join(f"{key} = {value!r}\n" for key, value in settings.items()) + _BACKEND
    root = f"{_underscored(name)}-{version}"
    files = {
        "PKG-INFO": metadata,
        "pyproject.toml": _PYPROJECT.encode(),
        "backend.py": backend.encode(),
        **{f"contents/{path}": data for path, data in contents.items()},
    }
    return Distribution(
        filename=f"{root}.tar.gz",
        data=_tar_gz({f"{root}/{path}": data for path, data in files.items()}),
        metadata=None,
        requires_python=None,
    )


_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

_BACKEND = '''

import time
import zipfile
from pathlib import Path


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Zip what lies in `contents`, which is a wheel unpacked."""
    time.sleep(SECONDS)
    if ERROR is not None:
        raise RuntimeError(ERROR)
    contents = Path(__file__).with_name("contents")
    with zipfile.ZipFile(Path(wheel_directory, WHEEL), "w") as archive:
        for path in sorted(contents.rglob("*")):
            archive.write(path, path.relative_to(contents))
    return WHEEL
'''


def _underscored(name: str) -> str:
    """Give the project's name as filenames and packages spell it."""
    return normalized(name).replace("-", "_")


def _metadata(
    metadata_version: str,
    name: str,
    version: str,
    requires: Sequence[str],
    requires_python: str | None = None,
    extras: Mapping[str, Sequence[str]] = {},
) -> bytes:
    """Give the text of a METADATA or PKG-INFO file."""
    fields = [("Metadata-Version", metadata_version), ("Name", name), ("Version", version)]
    if requires_python is not None:
        fields.append(("Requires-Python", requires_python))
    fields += [("Requires-Dist", requirement) for requirement in requires]
    for extra, requirements in extras.items():
        fields.append(("Provides-Extra", extra))
        fields += [("Requires-Dist", _only_for(extra, each)) for each in requirements]
    return "".join(f"{key}: {value}\n" for key, value in fields).encode()


def _only_for(extra: str, requirement: str) -> str:
    """Give the requirement, asked for only where the extra is."""
    wanted, _, marker = requirement.partition(";")
    condition = f'extra == "{extra}"'
    if marker:
        condition = f"({marker.strip()}) and {condition}"
    return f"{wanted.strip()} ; {condition}"


def _wheel_files(
    name: str,
    version: str,
    metadata: bytes,
    tag: str = "py3-none-any",
    modules: Mapping[str, str] | None = None,
    padding: int = 0,
) -> dict[str, bytes]:
    """Give what a wheel holds, RECORD included: path to contents."""
    package = _underscored(name)
    if modules is None:
        modules = {f"{package}/__init__.py": f'__version__ = "{version}"\n'}
    files = {path: source.encode() for path, source in modules.items()}
    if padding:
        files[f"{package}/padding.bin"] = random.Random(padding).randbytes(padding)
    info = f"{package}-{version}.dist-info"
    files[f"{info}/METADATA"] = metadata
    files[f"{info}/WHEEL"] = _wheel_file(tag)
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    return files


def _wheel_file(tag: str) -> bytes:
    """Give the text of a WHEEL file; a compressed tag is written out, one line to each."""
    tags = product(*(part.split(".") for part in tag.split("-")))
    fields = [
        ("Wheel-Version", "1.0"),
        ("Generator", "loopback-index"),
        ("Root-Is-Purelib", "true" if tag.endswith("-none-any") else "false"),
        *(("Tag", "-".join(each)) for each in tags),
    ]
    return "".join(f"{key}: {value}\n" for key, value in fields).encode()


def _record(files: Mapping[str, bytes], itself: str) -> bytes:
    """Give the text of a RECORD file over these files, and over itself, unhashed."""

    def line(path: str, data: bytes) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        return f"{path},sha256={digest},{len(data)}\n"

    lines = [line(path, data) for path, data in sorted(files.items())]
    return "".join([*lines, f"{itself},,\n"]).encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Give an archive of these files, stored as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in _in_order(files):
            member = zipfile.ZipInfo(path, _EPOCH)
            member.external_attr = 0o100644 << 16
            archive.writestr(member, data)
    return buffer.getvalue()


def _tar_gz(files: Mapping[str, bytes]) -> bytes:
    """Give a gzipped tar archive of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in _in_order(files):
            member = tarfile.TarInfo(path)
            member.size, member.mtime = len(data), _EPOCH_SECONDS
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=_EPOCH_SECONDS)


def _in_order(files: Mapping[str, bytes]) -> Iterable[tuple[str, bytes]]:
    """Give the files by path, those of the `.dist-info` last, as the wheel format recommends."""
    return sorted(files.items(), key=lambda item: (".dist-info/" in item[0], item[0]))
