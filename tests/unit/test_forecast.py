"""How large an image will be, from the lock alone."""

from __future__ import annotations

from typing import Any

from uvmagic.accelerator.audit import LINUX
from uvmagic.bundle.forecast import Forecast, forecast
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk

LOCK = """version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "p"
version = "1"
source = { virtual = "." }
dependencies = [
    { name = "a" },
    { name = "b" },
    { name = "onwindows", marker = "sys_platform == 'win32'" },
]

[package.dev-dependencies]
rerun = [
    { name = "c" },
]
dev = [
    { name = "d" },
]
"""
PACKAGE = """
[[package]]
name = "{name}"
version = "1.0"
source = {{ registry = "https://index.invalid/simple" }}
wheels = [
    {{ url = "https://index.invalid/{name}-1.0-py3-none-any.whl", hash = "sha256:00"{size} }},
]
"""


def lock(**sizes: int | None) -> Lockfile:
    blocks = [
        PACKAGE.format(name=name, size=f", size = {size}" if size is not None else "")
        for name, size in sizes.items()
    ]
    return Lockfile(LOCK + "".join(blocks))


def of(lockfile: Lockfile, known: dict[tuple[str, str], int], **base: Any) -> Forecast:
    closure = walk(lockfile, Target(LINUX, "3.12.4"), root="p", groups=["rerun"])
    return forecast(lockfile, closure, known=known, **base)


def test_what_linux_installs_is_summed_and_nothing_else() -> None:
    made = of(lock(a=100, b=200, c=300, d=5000, onwindows=7000), {})
    assert (made.distributions, made.download, made.untold) == (3, 600, 0)
    assert made.installed == 2100  # three and a half times the wheels


def test_what_is_installed_here_tells_its_size_and_the_others_ratio() -> None:
    known = {("a", "1.0"): 500, ("b", "9.9"): 1}  # another version tells nothing
    made = of(lock(a=100, b=200, c=300, d=1, onwindows=1), known)
    assert made.installed == 500 + 5 * (200 + 300)


def test_a_size_that_the_index_does_not_tell_is_said() -> None:
    made = of(lock(a=2**20, b=None, c=None, d=1, onwindows=1), {})
    assert made.told() == (
        "3 distributions, 1.0 MiB to fetch and 2 whose size is not told, about 3.5 MiB installed"
    )


def test_what_the_base_has_is_not_fetched_and_is_in_the_image() -> None:
    lockfile = lock(a=100, b=None, c=300, d=1, onwindows=1)
    made = of(lockfile, {}, in_base={"a"}, base=5000)
    assert (made.distributions, made.download, made.untold) == (2, 300, 1)
    assert made.installed == 1050
    assert made.image == 5000 + 350 + 1050
    assert made.told().endswith("about 1.0 KiB installed; image about 6.2 KiB")
