"""uv's own plan for a machine, and the walk's beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from conftest import find_real_uv

from uvmagic.errors import UsageError
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.reach import preferring, reached
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PLATFORMS = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "x86_64-pc-windows-msvc",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
)
PYTHON = ".".join(map(str, sys.version_info[:3]))
"""Of the interpreter that runs the tests: uv plans for one that it finds."""


def uv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run uv in a folder, in a world without a Mac's settings."""
    environ = {key: os.environ[key] for key in os.environ if key != "MACOSX_DEPLOYMENT_TARGET"}
    return subprocess.run(
        [find_real_uv(), *arguments],
        cwd=folder,
        env={**environ, "UV_PROJECT_ENVIRONMENT": str(folder / "never-made")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def lock(folder: Path, *options: str) -> None:
    """Have uv lock the project in a folder."""
    done = uv(folder, "lock", "--python", sys.executable, *options)
    assert done.returncode == 0, done.stderr


def check(
    folder: Path,
    *,
    root: str = "project",
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    at: str = ".",
) -> dict[str, dict[str, str | None] | None]:
    """Assert that the walk equals uv's plan on every platform, and give the plans.

    And that what the project reaches on any machine holds it all, and is all that it needs.

    Args:
        folder: where uv.lock lies.
        root: the name of the project.
        extras: of the project.
        groups: of the project.
        at: where in the folder the project is.
    """
    lockfile = Lockfile((folder / "uv.lock").read_text())
    own = {group for package in lockfile.packages(root) for group in package.groups}
    needed = (
        reached(lockfile, root, with_groups=True)
        if own.issuperset(groups) and lockfile.packages(root)
        else set()
    )
    narrowed = Lockfile(preferring(lockfile, needed))
    plans = {}
    for platform in PLATFORMS:
        plan = planned(folder / at, platform, extras, groups)
        closure = walked(lockfile, platform, root, extras, groups)
        if plan is not None and closure is not None:
            # uv tells no version of what it is to build from a folder or a lone archive
            closure = {n: v if plan.get(n, v) else None for n, v in closure.items()}
        assert closure == plan, f"{platform}, {extras=}, {groups=}"
        plans[platform] = plan
        if needed:
            known = {(package.name, package.version) for package in needed}
            again = walked(narrowed, platform, root, extras, groups)
            assert again == walked(lockfile, platform, root, extras, groups)
            assert known.issuperset((again or {}).items())
    return plans


def planned(
    folder: Path, platform: str, extras: Sequence[str] = (), groups: Sequence[str] = ()
) -> dict[str, str | None] | None:
    """What uv would install from a project's lock, name → version; None where it refuses."""
    call = ["sync", "--frozen", "--dry-run", "--no-default-groups", "--output-format", "json"]
    call += ["--python-platform", platform, "--python", sys.executable]
    call += [option for extra in extras for option in ("--extra", extra)]
    call += [option for group in groups for option in ("--group", group)]
    done = uv(folder, *call)
    if done.returncode != 0:
        assert done.returncode == 2, done.stderr
        assert not any(odd in done.stderr for odd in ("parse", "Usage:", "panicked")), done.stderr
        return None
    changes = json.loads(done.stdout)["sync"]["changes"]
    return {change["name"]: change.get("version") for change in changes}


def walked(
    lockfile: Lockfile,
    platform: str,
    root: str,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> dict[str, str | None] | None:
    """What the walk says that uv would install, in the same form."""
    target = Target(platform, PYTHON)
    try:
        closure = walk(lockfile, target, root=root, extras=extras, groups=groups)
    except UsageError:
        return None
    if closure.excluded or closure.lacking:
        return None
    return {name: one.version for name, one in closure.packages.items()}
