"""PyTorch's index and its mirrors: the pages that they list wheels on, right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from html import escape
from http import HTTPStatus
from io import BytesIO
from urllib.parse import quote
from zipfile import ZipFile

from index import Distribution
from index.server import Answer, Imitation, Request

from . import releases

_Change = Callable[[Distribution], Distribution | None]
"""What a mirror makes of a file: another one under the same name, or None to have it not."""


class TorchIndex(Imitation):
    """PyTorch's index at one address: for each backend a page per project, all in HTML.

    A `flat` one is a folder as a web server lists it: one page with all files of a backend, no
    hashes, and no metadata beside the files.

    To order a fault: `/…/BACKEND/NAME/` is a project's page, `/…/BACKEND/FILENAME` is a file and
    `/…/BACKEND/FILENAME.metadata` its metadata. What else is wrong with a mirror has methods of
    its own here; all of it adds up, until `heal`.
    """

    def __init__(self, address: str, *, flat: bool = False, missing: int = 404) -> None:
        super().__init__()
        self.host, _, root = address.partition("/")
        self._root = f"/{root}"
        self._flat = flat
        self._missing = missing
        self._changes: list[_Change] = []

    def url(self, backend: str) -> str:
        """The address of a backend's index, to give an installer."""
        return f"https://{self.host}{self._root}/{backend}"

    def windows_only(self) -> None:
        """Have only the wheels for Windows, and those that any system takes."""
        self._change(lambda file: file if _fits(file, "win_amd64") else None)

    def without(self, version: str) -> None:
        """Have no torch of this version."""
        self._change(lambda file: None if _is_torch(file, version) else file)

    def tampered(self, version: str) -> None:
        """Have other bytes, and so another hash, under the names of torch's wheels."""
        self._change(lambda file: _other_bytes(file) if _is_torch(file, version) else file)

    def inconsistent(self) -> None:
        """Say nothing of nvidia in the metadata of torch for any but x86_64 Linux."""
        self._change(
            lambda file: file if _fits(file, "linux_x86_64") else _lacking(file, "nvidia-")
        )

    def incomplete(self, *libraries: str) -> None:
        """Say nothing of these `nvidia-…` in the metadata of torch for x86_64 Linux."""
        lacking = [f"nvidia-{name}" for name in libraries or ("cudnn", "nccl")]
        self._change(lambda file: _lacking(file, *lacking) if _fits(file, "linux_x86_64") else file)

    def without_metadata(self) -> None:
        """Serve no metadata beside the files: who wants it has to read it in them."""
        self._change(lambda file: replace(file, metadata=None))

    def heal(self) -> None:
        """Forget all faults, and be right again."""
        super().heal()
        self._changes.clear()

    def _change(self, change: _Change) -> None:
        self._changes.append(change)

    def find(self, request: Request) -> Answer:
        """Give a page, a file or its metadata."""
        if not request.path.startswith(f"{self._root}/"):
            return Answer(self._missing)
        backend, _, name = request.path.removeprefix(f"{self._root}/").strip("/").partition("/")
        files = {file.filename: file for file in self._files(backend)}
        if file := files.get(name):
            return Answer(HTTPStatus.OK, file.data, ranges=True)
        described = files.get(name.removesuffix(".metadata"))
        if described and described.metadata is not None:
            return Answer(HTTPStatus.OK, described.metadata)
        if self._flat:
            found = list(files.values()) if not name else []
        else:
            found = [file for file in files.values() if file.project == name]
        return self._page(backend, found) if found else Answer(self._missing)

    def _files(self, backend: str) -> Iterable[Distribution]:
        """What there is of a backend, after all changes."""
        for file in releases.pytorch(backend):
            changed: Distribution | None = replace(file, metadata=None) if self._flat else file
            for change in self._changes.copy():
                changed = changed and change(changed)
            if changed:
                yield changed

    def _page(self, backend: str, files: Sequence[Distribution]) -> Answer:
        links = [f"    {self._anchor(backend, file)}<br/>" for file in files]
        lines = ["<!DOCTYPE html>", "<html>", "  <body>", *links, "  </body>", "</html>"]
        return Answer(HTTPStatus.OK, "\n".join(lines).encode(), "text/html")

    def _anchor(self, backend: str, file: Distribution) -> str:
        attributes = {"href": f"{self._root}/{backend}/{quote(file.filename)}"}
        if not self._flat:
            attributes["href"] += f"#sha256={file.sha256}"
            if file.requires_python is not None:
                attributes["data-requires-python"] = file.requires_python
        if file.metadata_sha256 is not None:
            attributes["data-dist-info-metadata"] = f"sha256={file.metadata_sha256}"
            attributes["data-core-metadata"] = f"sha256={file.metadata_sha256}"
        written = " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items())
        return f"<a {written}>{file.filename}</a>"


def official() -> TorchIndex:
    """PyTorch's own index, which forbids what it has not."""
    return TorchIndex("download.pytorch.org/whl", missing=403)


def nju() -> TorchIndex:
    """The mirror of Nanjing University."""
    return TorchIndex("mirror.nju.edu.cn/pytorch/whl")


def sjtu() -> TorchIndex:
    """The mirror of Shanghai Jiao Tong University."""
    return TorchIndex("mirror.sjtu.edu.cn/pytorch-wheels")


def aliyun() -> TorchIndex:
    """The mirror of Aliyun, a folder of files."""
    return TorchIndex("mirrors.aliyun.com/pytorch-wheels", flat=True)


def _is_torch(file: Distribution, version: str) -> bool:
    return file.project == "torch" and file.version.partition("+")[0] == version


def _fits(file: Distribution, platform: str) -> bool:
    """Whether the file is for this platform, be it by a tag like manylinux_2_28_x86_64 or any."""
    ours, arch = platform.split("_", 1)
    tag = file.filename.removesuffix(".whl").rpartition("-")[2]
    return tag == "any" or (ours in tag and tag.endswith(arch))


def _other_bytes(file: Distribution) -> Distribution:
    """The file with a remark in its archive."""
    data = BytesIO(file.data)
    with ZipFile(data, "a") as archive:
        archive.comment = b"not what it was"
    return replace(file, data=data.getvalue())


def _lacking(file: Distribution, *names: str) -> Distribution:
    """The file with metadata that does not require what starts so, if it is a torch."""
    if file.project != "torch" or file.metadata is None:
        return file
    lacking = tuple(f"Requires-Dist: {name}".encode() for name in names)
    lines = file.metadata.splitlines(keepends=True)
    return replace(file, metadata=b"".join(x for x in lines if not x.startswith(lacking)))
