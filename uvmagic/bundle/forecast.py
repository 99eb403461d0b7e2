"""How large an image will be, told from the lock before anything is built. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.accelerator.audit import download_size
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from uvmagic.lockfile import Lockfile
    from uvmagic.lockfile.walk import Closure

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
        image: bytes of the whole image, about; None where the base's are not known.
    """

    distributions: int
    download: int
    installed: int
    untold: int
    image: int | None

    def told(self) -> str:
        """The forecast in a few words."""
        untold = f" and {self.untold} whose size is not told" if self.untold else ""
        image = "" if self.image is None else f"; image about {in_bytes(self.image)}"
        named = "distribution" if self.distributions == 1 else "distributions"
        return (
            f"{self.distributions} {named}, {in_bytes(self.download)} to fetch{untold}, "
            f"about {in_bytes(self.installed)} installed{image}"
        )


def forecast(
    lockfile: Lockfile,
    closure: Closure,
    *,
    known: Mapping[tuple[str, str], int],
    in_base: Collection[str] = (),
    base: int | None = None,
) -> Forecast:
    """What an image will fetch and hold.

    Args:
        lockfile: of the bundle.
        closure: what its target installs from it.
        known: (normalised name, version) → bytes of the files of what is installed here.
        in_base: the names that the base image has already.
        base: bytes of the base image without these; None where that is not known.
    """
    sizes: dict[tuple[str, str], int] = {}
    for name, one in closure.packages.items():
        size = download_size(lockfile, name, one.version or "", closure.target)
        if size is not None:
            sizes[(name, one.version or "")] = size
    both = sizes.keys() & known.keys()
    fetched = sum(sizes[each] for each in both)
    ratio = sum(known[each] for each in both) / fetched if fetched else _UNPACKED
    unpacked = {each: known.get(each, int(size * ratio)) for each, size in sizes.items()}
    added = [each for each in sizes if each[0] not in in_base]
    count = sum(
        "editable" not in one.source and name not in in_base
        for name, one in closure.packages.items()
    )
    return Forecast(
        count,
        sum(sizes[each] for each in added),
        sum(unpacked[each] for each in added),
        max(count - len(added), 0),
        None if base is None else base + sum(unpacked.values()),
    )
