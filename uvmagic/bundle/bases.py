"""What a bundle's image stands on: chosen by what is locked, or by `--base`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import Version

from uvmagic.accelerator.audit import Build
from uvmagic.data.images import base_image
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvmagic.accelerator.audit import Verdict
    from uvmagic.data.images import BaseImage
    from uvmagic.lockfile.walk import Closure

_CUDNN = re.compile(r"nvidia-cudnn(-cu\d+)?")
"""NVIDIA's distribution of cuDNN; the names of later ones tell no CUDA."""
_LOCAL = ("directory", "editable", "path", "virtual")
"""Sources of a lock that a bundle carries, as a wheel or as files."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a lock asks of the image that it is installed in.

    Attributes:
        torch: torch's version without its local part, where it computes by CUDA; else empty.
        cuda: the version of CUDA that it is built for, `12.6`; empty where that is not told.
        cudnn: the major version of cuDNN; likewise.
        with_torch: torch, and what only torch needs: what an image with torch has already.
        from_source: what has no wheel, and is built when it is installed.
        against_torch: those of `from_source` that need torch.
    """

    torch: str = ""
    cuda: str = ""
    cudnn: str = ""
    with_torch: frozenset[str] = frozenset()
    from_source: tuple[str, ...] = ()
    against_torch: tuple[str, ...] = ()

    @classmethod
    def of(cls, closure: Closure, verdict: Verdict) -> Needs:
        """What a lock asks, told by what Linux installs from it and by the verdict on its torch."""
        sourced = sorted(
            package.name
            for package in closure.files
            if not set(package.source) & set(_LOCAL)
            and not any(closure.target.accepts(f"{name}.whl") for name in package.wheel_names())
        )
        needed = cls(from_source=tuple(name for name in sourced if name != "torch"))
        if verdict.build is not Build.CUDA:
            return needed
        cudnn = [one.version for name, one in closure.packages.items() if _CUDNN.fullmatch(name)]
        return replace(
            needed,
            torch=Version(verdict.version).public,
            cuda=verdict.toolkit,
            cudnn=str(Version(cudnn[0]).major) if cudnn and cudnn[0] else "",
            with_torch=closure.only_through("torch"),
            against_torch=tuple(
                name for name in needed.from_source if "torch" in closure.below(name)
            ),
        )


@dataclass(frozen=True, slots=True)
class Base:
    """The images that a bundle's image is made of.

    Attributes:
        kind: `uv`, `pytorch`, or `own` for one of the user's.
        builder: the reference of the image that the environment is made in.
        final: that of the image that runs the notebook.
        uv: that of uv's own image, which others get uv from.
        why: why it is these, in a line.
        has: the locked distributions that `final` has already.
        torch: the version of torch among them.
    """

    kind: str
    builder: str
    final: str
    uv: str
    why: str
    has: frozenset[str] = frozenset()
    torch: str = ""

    def pinned(self, digest: Callable[[str], str | None]) -> Base:
        """The same images, each by its digest where that can be told, its tag beside it."""

        def pin(reference: str) -> str:
            found = None if "@" in reference else digest(reference)
            return f"{reference}@{found}" if found else reference

        # a tool is asked once for an image that has two parts
        known = {each: pin(each) for each in {self.builder, self.final, self.uv}}
        return replace(
            self, builder=known[self.builder], final=known[self.final], uv=known[self.uv]
        )


def choose(asked: str | None, needs: Needs, *, uv: str, python: str) -> Base:
    """The base of a bundle.

    Args:
        asked: `uv`, `pytorch`, or a reference of the user's own; None to choose by what is locked.
        needs: what the lock asks of it.
        uv: uv's version.
        python: Python's minor version, `3.12`.

    Raises:
        BundleRefused: PyTorch's image is asked for, and no such image has what is locked.
    """
    if asked not in (None, "uv", "pytorch"):
        assert asked is not None
        return Base("own", asked, asked, _uv_image(uv, python), "named in the call")
    has_image = bool(needs.torch and needs.cuda and needs.cudnn)
    if asked == "pytorch" and not has_image:
        raise BundleRefused(
            "PyTorch's images have a torch for CUDA, and "
            + ("the lock does not tell which." if needs.torch else "none is locked."),
            "--base uv  takes torch from the lock, whatever it computes on.",
        )
    if asked == "pytorch" or (asked is None and has_image and needs.against_torch):
        return _of_pytorch(needs, uv=uv, python=python)
    return _of_uv(needs, uv=uv, python=python)


def _uv_image(uv: str, python: str) -> str:
    """An image that has uv; its Python is the one given, where there is such an image."""
    row = base_image("uv")
    there = max(python, min(row.debian, key=Version), key=Version)
    return row.builder.format(uv=uv, python=there, debian=_debian(row, there))


def _debian(row: BaseImage, python: str) -> str:
    """The release of Debian that images of a Python stand on."""
    releases = (
        debian for oldest, debian in row.debian.items() if Version(python) >= Version(oldest)
    )
    found = next(releases, None)
    if found is None:
        raise BundleRefused(
            f"uv has no image of Python {python}.",
            f"--base IMAGE  stands it on another, and uv brings Python {python} along.",
        )
    return found


def _of_uv(needs: Needs, *, uv: str, python: str) -> Base:
    row = base_image("uv")
    versions = {"uv": uv, "python": python, "debian": _debian(row, python)}
    libraries = "; CUDA's libraries come as packages, the driver is the host's"
    why = row.why + (libraries if needs.torch else "") + _compiled(needs.from_source)
    return Base(
        "uv",
        (row.compiler if needs.from_source else row.builder).format(**versions),
        row.final.format(**versions),
        _uv_image(uv, python),
        why,
    )


def _of_pytorch(needs: Needs, *, uv: str, python: str) -> Base:
    row = base_image("pytorch")
    versions = {"torch": needs.torch, "cuda": needs.cuda, "cudnn": needs.cudnn}
    return Base(
        "pytorch",
        (row.compiler if needs.from_source else row.builder).format(**versions),
        row.final.format(**versions),
        _uv_image(uv, python),
        row.why.format(**versions) + _compiled(needs.from_source),
        needs.with_torch,
        needs.torch,
    )


def _compiled(names: tuple[str, ...]) -> str:
    """Why the environment is made in an image with a compiler; empty where it needs none."""
    return f"; a compiler builds {', '.join(names)}, which has no wheel" if names else ""
