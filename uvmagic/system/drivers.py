"""Finding what this machine can compute on, where uv looks for it and in its order."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from uvmagic.accelerator.drivers import PLACES, Drivers, Found, numbers
from uvmagic.data import torch
from uvmagic.errors import UsageError
from uvmagic.system.process import started

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 5.0
"""Seconds that a program may take; nvidia-smi takes one or two where it must wake the driver."""


def detect(environ: Mapping[str, str], root: Path = Path("/")) -> Drivers:
    """What this machine has, of each kind, and where that was found.

    What cannot be read, or says nothing sensible, is not there. Where /sys and /proc are not, as
    on Windows, that leaves the variables and the programs.

    Args:
        environ: the environment variables: uv's own, and PATH for the programs.
        root: the folder that holds `sys` and `proc`.

    Raises:
        UsageError: a variable of uv's has a malformed value.
        Interrupted: by the user, while a program ran.
    """
    found = [one for one in (_nvidia(environ, root), _amd(environ), _intel(root)) if one]
    return Drivers(tuple(sorted(found, key=lambda one: not one.where.startswith("UV_"))))


def _nvidia(environ: Mapping[str, str], root: Path) -> Found | None:
    variable, module, process, program = PLACES["cuda"]
    told = environ.get(variable, "").strip()
    if told and not numbers(told):
        raise UsageError(
            f"The environment variable {variable} is {told!r}, which is no version of a driver.",
            "As in 550.144.03; without it the driver is looked for.",
        )
    return (
        _driver(told, variable)
        or _driver(_content(root, module), module)
        or _driver(_kernel_module(_content(root, process)), process)
        or _driver(
            _said(program, "--query-gpu=driver_version", "--format=csv,noheader", environ=environ),
            program,
        )
    )


def _driver(text: str, where: str) -> Found | None:
    """A driver whose version is the first line of a text: nvidia-smi says one for each GPU."""
    version = text.partition("\n")[0].strip()
    return Found("cuda", version, where) if numbers(version) else None


def _kernel_module(text: str) -> str:
    """The version in `NVRM version: NVIDIA … Kernel Module …  550.144.03  Release Build …`."""
    match = re.search(r" {2}(\S+) {2}", text.partition("\n")[0])
    return match[1] if match else ""


def _amd(environ: Mapping[str, str]) -> Found | None:
    """The first in uv's order of the architectures; one that uv does not know only if alone."""
    variable, program = PLACES["rocm"]
    known = list(torch.amd_backends())
    told = environ.get(variable, "").strip()
    if told and told not in known:
        raise UsageError(
            f"The environment variable {variable} is {told!r}, which uv does not know.",
            f"Known are {', '.join(known)}; without it the GPU is looked for.",
        )
    if told:
        return Found("rocm", told, variable)
    listed = set(_said(program, environ=environ).split()) - {"gfx000"}  # that is the processor
    strange = sorted(one for one in listed if re.fullmatch(r"gfx[0-9a-f]+", one))
    named = [*(one for one in known if one in listed), *strange]
    return Found("rocm", named[0], program) if named else None


def _intel(root: Path) -> Found | None:
    (where,) = PLACES["xpu"]
    with contextlib.suppress(OSError):
        for device in sorted((root / where[1:]).iterdir()):
            vendor, classes = (_number(_content(device, f"/{n}")) for n in ("vendor", "class"))
            if (vendor, classes >> 16) == torch.intel_gpu():
                return Found("xpu", device.name, where)
    return None


def _number(text: str) -> int:
    """A number as the kernel writes it, `0x030000`; 0 for anything else."""
    try:
        return int(text, 16)
    except ValueError:
        return 0


def _content(root: Path, where: str) -> str:
    """The text of a file below a root; empty where it cannot be read."""
    try:
        return (root / where[1:]).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _said(program: str, *arguments: str, environ: Mapping[str, str]) -> str:
    """What a program on PATH says; empty when it is not there, fails, or takes too long."""
    path = shutil.which(program, path=environ.get("PATH", ""))
    if path is None:
        return ""
    try:
        with started(
            [path, *arguments],
            env=dict(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                said, _ = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                _kill(process)
                return ""
            return said.decode(errors="replace") if process.returncode == 0 else ""
    except OSError:
        return ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that hangs, and what it started. One stuck in its driver is left behind."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
