"""What torch's family is, what it computes on, and where its wheels lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from uvmagic.data.tables import rows, table


@dataclass(frozen=True, slots=True)
class AcceleratorKind:
    """A kind of accelerator: `cuda`, `rocm`, `xpu` or `cpu`.

    Attributes:
        name: as the option that chooses it is spelled.
        marker: where its index is asked; elsewhere the packages come from PyPI.
        needs_linux: its wheels must exist for Linux on x86_64.
    """

    name: str
    marker: str
    needs_linux: bool


@dataclass(frozen=True, slots=True)
class Backend:
    """What a build of torch computes on: one index of wheels.

    Attributes:
        name: as in the index's URL and the wheels' local versions, `cu126`.
        kind: the name of an `AcceleratorKind`.
        version: of CUDA or ROCm, else None.
        linux_driver: the oldest NVIDIA driver that runs it on Linux; None for what is not CUDA.
        windows_driver: the same on Windows.
        is_automatic: `auto` may choose it.
    """

    name: str
    kind: str
    version: str | None = None
    linux_driver: str | None = None
    windows_driver: str | None = None
    is_automatic: bool = False

    def driver(self, platform: str) -> str | None:
        """The oldest NVIDIA driver that runs it on a platform, as `sys.platform` spells it."""
        return self.windows_driver if platform == "win32" else self.linux_driver


@dataclass(frozen=True, slots=True)
class TorchPackage:
    """A package of torch's family.

    Attributes:
        name: normalised.
        kinds: the kinds of backends whose index it is taken from.
        follows_torch: its wheels are built for one release of torch, on one backend.
    """

    name: str
    kinds: frozenset[str]
    follows_torch: bool = False

    @property
    def is_companion(self) -> bool:
        """Whether only one kind's torch needs it."""
        return len(self.kinds) == 1


@dataclass(frozen=True, slots=True)
class Mirror:
    """A place that has torch's indexes: `url` has the field `{backend}`.

    Attributes:
        name: what `--mirror` calls it.
        url: of a backend's index.
        format: as in `[[tool.uv.index]]`: `simple`, or `flat` for one page with all files.
        source: where it is described.
    """

    name: str
    url: str
    format: str
    source: str


@cache
def kinds() -> dict[str, AcceleratorKind]:
    """The kinds of accelerators, by name."""
    return {kind.name: kind for kind in rows(AcceleratorKind, table("accelerators")["kinds"])}


@cache
def backends() -> dict[str, Backend]:
    """The backends that uv knows, by name, in its order: the newest of a kind first."""
    return {backend.name: backend for backend in rows(Backend, table("accelerators")["backends"])}


@cache
def family() -> tuple[TorchPackage, ...]:
    """The packages that come from a backend's index; of every kind where a row names none."""
    listed = table("accelerators")["packages"]
    return rows(
        TorchPackage, ({**row, "kinds": frozenset(row.get("kinds", kinds()))} for row in listed)
    )


@cache
def mirrors() -> dict[str, Mirror]:
    """The places that have torch's indexes, by name; `official` is pytorch's own."""
    return {mirror.name: mirror for mirror in rows(Mirror, table("mirrors")["mirrors"])}


@cache
def amd_backends() -> dict[str, tuple[str, ...]]:
    """AMD's GPU architectures, in uv's order, and the names of the backends built for each."""
    return {row["architecture"]: tuple(row["backends"]) for row in table("accelerators")["amd"]}


@cache
def intel_gpu() -> tuple[int, int]:
    """How an Intel GPU is told on the PCI bus: its vendor, and the first byte of its class."""
    row = table("accelerators")["intel"]
    return int(row["vendor"], 16), int(row["base_class"], 16)
