"""What a machine can compute on, as it was found: the value that `system.drivers` makes."""

from __future__ import annotations

import re
from dataclasses import dataclass

LABELS = {"cuda": "NVIDIA driver", "rocm": "AMD GPU", "xpu": "Intel GPU"}
"""What is found of each kind of accelerator."""

PLACES = {
    "cuda": (
        "UV_CUDA_DRIVER_VERSION",
        "/sys/module/nvidia/version",
        "/proc/driver/nvidia/version",
        "nvidia-smi",
    ),
    "rocm": ("UV_AMD_GPU_ARCHITECTURE", "rocm_agent_enumerator"),
    "xpu": ("/sys/bus/pci/devices",),
}
"""Where it is looked for, in uv's order (crates/uv-torch/src/accelerator.rs)."""


@dataclass(frozen=True, slots=True)
class Found:
    """An accelerator that was found.

    Attributes:
        kind: a key of `LABELS`.
        value: the driver's version, the GPU's architecture, its address on the PCI bus.
        where: one of its `PLACES`.
    """

    kind: str
    value: str
    where: str

    def __str__(self) -> str:
        return f"{LABELS[self.kind]} {self.value} ({self.where})"


@dataclass(frozen=True, slots=True)
class Drivers:
    """What a machine has: at most one of each kind, the one first that uv would take."""

    found: tuple[Found, ...] = ()

    def of(self, kind: str) -> Found | None:
        """What was found of a kind, else None."""
        return next((found for found in self.found if found.kind == kind), None)


def numbers(version: str | None) -> tuple[int, ...]:
    """A version such as `580.65.06` as what it compares by; empty for anything else."""
    if version is None or not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", version):
        return ()
    return tuple(int(part) for part in version.split("."))
