"""A package index on the loopback, for the real uv, with faults to order.

Example:
    with PackageIndex() as index:
        index.add(wheel("greet", "1.0", requires=["tone>=1"]), wheel("tone", "1.2"))
        index.drip("*.whl", bytes_per_second=50_000)
        ...  # run uv against index.url
"""

from .distributions import Distribution, sdist, wheel
from .server import PackageIndex

__all__ = ["Distribution", "PackageIndex", "sdist", "wheel"]
