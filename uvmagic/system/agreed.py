"""The state of a project's files and environment, and whether uv's word on it still holds.

A kernel waits for this at every start (`kernel.launcher`): hence the lightest modules alone, and
paths as text. `agreement` and `environment` say the same to everybody else.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys

from uvmagic.names import normalise

TYPE_CHECKING = False  # typing itself takes 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = ".uvmagic"
"""The folder in a project's root where uvmagic keeps its own; it ignores itself for git."""
FILE = os.path.join(FOLDER, "agreed.json")  # noqa: PTH118  pathlib takes 3 ms
"""Where the state is remembered, from a project's root on."""
_DIST_INFO = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)\.dist-info")


def site_packages(environment: str) -> str | None:
    """Where an environment's distributions lie, None without an environment."""
    if sys.platform == "win32":
        return _folder(environment, "Lib", "site-packages")
    try:
        pythons = sorted(os.listdir(os.path.join(environment, "lib")))  # noqa: PTH118, PTH208
    except OSError:
        return None
    found = (_folder(environment, "lib", name, "site-packages") for name in pythons)
    return next((path for path in found if path), None)


def _folder(*parts: str) -> str | None:
    path = os.path.join(*parts)  # noqa: PTH118
    return path if os.path.isdir(path) else None  # noqa: PTH112


def installed(environment: str) -> dict[str, str]:
    """An environment's distributions: normalised name → version. Empty without one."""
    folder = site_packages(environment)
    matches = map(_DIST_INFO.fullmatch, os.listdir(folder) if folder else ())  # noqa: PTH208
    return {normalise(m["name"]): m["version"] for m in matches if m}


def python_version(environment: str) -> str | None:
    """The version of an environment's Python, `3.12.4`, or None without one."""
    config = _content(os.path.join(environment, "pyvenv.cfg")) or b""  # noqa: PTH118
    match = re.search(rb"^version(?:_info)? = (\d+\.\d+\.\d+)", config, re.MULTILINE)
    return match[1].decode() if match else None


def state(files: Iterable[str], environment: str) -> bytes:
    """What changes when a file or a distribution of the environment does, as JSON."""
    contents = {file: _content(file) for file in files}
    facts = [str(python_version(environment))]
    facts += [f"{name}=={version}" for name, version in installed(environment).items()]
    told = {file: _digest(content) for file, content in contents.items() if content is not None}
    told[environment] = _digest("\n".join(sorted(facts)).encode())
    return json.dumps(told, sort_keys=True).encode()


def environment_of(folder: str) -> str | None:
    """The environment of the project that a folder belongs to, if its state is the remembered one.

    None too where that cannot be told so simply: for a workspace, whose members may be new.
    """
    root = os.path.realpath(folder)
    while not os.path.isfile(os.path.join(root, "pyproject.toml")):  # noqa: PTH113, PTH118
        above = os.path.dirname(root)  # noqa: PTH120
        if above == root:
            return None
        root = above
    files = [os.path.join(root, name) for name in ("pyproject.toml", "uv.lock")]  # noqa: PTH118
    environment = os.path.join(root, ".venv")  # noqa: PTH118
    remembered = _content(os.path.join(root, FILE))  # noqa: PTH118
    is_so = remembered is not None and remembered == state(files, environment)
    return environment if is_so else None


def _content(file: str) -> bytes | None:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123
            return stream.read()
    except OSError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
