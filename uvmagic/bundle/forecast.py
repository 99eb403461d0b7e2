"""How large an image will be, told from the lock before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.accelerator.audit import LINUX, download_size
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk
from uvmagic.progress import in_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from uvmagic.lockfile import Lockfile

_UNPACKED = 3.5
"""How many times its wheel a distribution is when installed, where none here tells it better."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a bundle's image will hold on top of its base.

    Attributes:
        distributions: how many.
        download: bytes of their wheels, as far as the index tells.
        installed: bytes of their files, about.
        untold: how many have no size in the lock.
    """

    distributions: int
    download: int
    installed: int
    untold: int

    def told(self) -> str:
        """The forecast in a few words."""
        untold = f" and {self.untold} whose size is not told" if self.untold else ""
        return (
            f"{self.distributions} distributions, {in_bytes(self.download)} to fetch{untold}, "
            f"about {in_bytes(self.installed)} installed"
        )


def forecast(
    lockfile: Lockfile,
    *,
    root: str,
    python: str,
    groups: Collection[str],
    known: Mapping[tuple[str, str], int],
) -> Forecast:
    """What Linux on x86-64 will fetch and hold.

    Args:
        lockfile: of the bundle.
        root: the project's name.
        python: Python's version, `3.12.4`.
        groups: what is installed besides.
        known: (normalised name, version) → bytes of the files of what is installed here.

    Raises:
        ProjectInvalid: the lock is not one that uv wrote.
    """
    target = Target(LINUX, python)
    packages = walk(lockfile, target, root=root, groups=groups).packages
    sizes: dict[tuple[str, str], int] = {}
    for name, one in packages.items():
        size = download_size(lockfile, name, one.version or "", target)
        if size is not None:
            sizes[(name, one.version or "")] = size
    both = sizes.keys() & known.keys()
    fetched = sum(sizes[each] for each in both)
    ratio = sum(known[each] for each in both) / fetched if fetched else _UNPACKED
    installed = sum(known.get(each, int(size * ratio)) for each, size in sizes.items())
    count = sum("editable" not in one.source for one in packages.values())
    return Forecast(count, sum(sizes.values()), installed, max(count - len(sizes), 0))
