"""The machine that this is, as uv names it and as a lock is walked for it."""

from __future__ import annotations

import dataclasses
import platform
import sys

from uvmagic.accelerator.audit import LINUX
from uvmagic.lockfile.target import Target

_PLATFORMS = {
    ("linux", "x86_64"): LINUX,
    ("linux", "aarch64"): "aarch64-manylinux_2_28",
    ("win32", "AMD64"): "x86_64-pc-windows-msvc",
    ("darwin", "arm64"): "aarch64-apple-darwin",
    ("darwin", "x86_64"): "x86_64-apple-darwin",
}


def own_platform() -> str | None:
    """This machine as uv's --python-platform names it; None for one that torch is not built for."""
    return _PLATFORMS.get((sys.platform, platform.machine()))


def own_target(python: str) -> Target | None:
    """This machine with some Python; None where it is of a kind that torch is not built for."""
    found = own_platform()
    if found is None:
        return None
    target = Target(found, python)
    macos = platform.mac_ver()[0].partition(".")[0]
    return dataclasses.replace(target, macos=int(macos)) if macos else target
