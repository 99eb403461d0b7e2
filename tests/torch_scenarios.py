"""Projects with torch of every kind, and what each platform is to get of them, told by hand.

Each is a pyproject.toml as one writes it by hand, for the real uv to lock against the imitated
hosts.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from index import Distribution, sdist, wheel
from torch_hosts import releases
from torch_locks import X86_LINUX, Locker, Source, pyproject

from uvmagic.accelerator import repair
from uvmagic.accelerator.audit import Build
from uvmagic.data.torch import mirrors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Told = tuple[Build, str]
"""A build and its toolkit's version."""
Four = tuple[Told | None, Told | None, Told | None, Told | None]
"""What Linux x86-64, Linux ARM64, Windows and macOS get; None where the lock is not for one."""

CPU, XPU, ROCM = (Build.CPU, ""), (Build.XPU, ""), (Build.ROCM, "6.4")
NONE, NO_WHEEL, OWN = (Build.ABSENT, ""), (Build.NO_WHEEL, ""), (Build.OWN, "")


def cuda(version: str) -> Told:
    return Build.CUDA, version


def bare(version: str) -> Told:
    return Build.BARE, version


CU118: Four = (cuda("11.8"), NO_WHEEL, cuda("11.8"), CPU)
CU124: Four = (cuda("12.4"), NO_WHEEL, cuda("12.4"), CPU)
CU126: Four = (cuda("12.6"), cuda("12.6"), cuda("12.6"), CPU)
CU128: Four = (cuda("12.8"), cuda("12.8"), cuda("12.8"), CPU)
NEWEST: Four = (cuda("13.2"), cuda("13.2"), CPU, NO_WHEEL)
"""PyPI's 2.15.0: its wheels for macOS ask for 14, and uv plans for a Mac with 13."""
TRAPPED: Four = (bare("12.6"), cuda("12.6"), cuda("12.6"), CPU)
CU124_BARE: Four = (bare("12.4"), NO_WHEEL, cuda("12.4"), CPU)
CU124_WINDOWS_ONLY: Four = (NO_WHEEL, NO_WHEEL, cuda("12.4"), CPU)
ON_CPU: Four = (CPU, CPU, CPU, CPU)
OWN_ONE: Four = (OWN, OWN, OWN, OWN)
NO_WHEEL_AT_ALL: Four = (NO_WHEEL, NO_WHEEL, NO_WHEEL, NO_WHEEL)
NO_TORCH: Four = (NONE, NONE, NONE, NONE)
REFUSED: Four = (None, None, None, None)

ON_X86 = f"; {X86_LINUX}"
CORE = (
    f"nvidia-cuda-runtime-cu12==12.6.77 {ON_X86}",
    f"nvidia-cudnn-cu12==9.5.1.17 {ON_X86}",
    f"nvidia-cublas-cu12==12.6.4.1 {ON_X86}",
)
NCCL = f"nvidia-nccl-cu12==2.21.5 {ON_X86}"
ARM_TAG, X86_TAG, WINDOWS_TAG = (
    f"cp311-cp311-{platform}"
    for platform in ("manylinux_2_28_aarch64", "manylinux_2_28_x86_64", "win_amd64")
)


def torch(version: str, *requires: str, tag: str = X86_TAG) -> Distribution:
    return wheel("torch", version, requires=requires, tag=tag)


@dataclass(frozen=True)
class Scenario:
    """A project, the world that it is locked in, and what comes of it.

    Attributes:
        id: in a few words.
        project: pyproject.toml.
        gets: what each platform gets.
        python: the version of Python that locks and installs.
        extras: of the project, chosen.
        groups: likewise.
        offers: what PyPI has besides.
        before: what comes to pass before the lock that counts: faults of mirrors, other locks.
        options: of the `uv lock` that counts.
        files: further files of the project, by path.
        at: the folder of the project that is installed, and `root` its name.
        lacks: what x86-64 Linux lacks by torch's own metadata alone.
        bundled: torch has its libraries within it.
        pythons: the ones that a platform without a wheel has some for.
    """

    id: str
    project: str
    gets: Four
    python: str = "3.11"
    extras: Sequence[str] = ()
    groups: Sequence[str] = ()
    offers: Sequence[Distribution] = ()
    before: Callable[[Locker], object] = lambda _: None
    options: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    at: str = "."
    root: str = "project"
    lacks: Sequence[str] = ()
    bundled: bool = False
    pythons: Sequence[str] = ()


def official(backend: str, *names: str, **where: str) -> Source:
    return Source.at("official", backend, *names, **where)


def torch_at(place: str, backend: str, version: str, python: str = ">=3.11") -> str:
    """The usual project: torch from a backend's index."""
    return pyproject(f"torch=={version}", sources=[Source.at(place, backend)], python=python)


FROM_PYPI = [
    Scenario("pypi-2.6.0", pyproject("torch==2.6.0"), (cuda("12.4"), CPU, CPU, CPU)),
    Scenario("pypi-2.7.1", pyproject("torch==2.7.1"), (cuda("12.6"), CPU, CPU, CPU)),
    Scenario("pypi-2.9.1", pyproject("torch==2.9.1"), (cuda("12.8"), CPU, CPU, CPU)),
    Scenario("pypi-2.15.0-has-cuda-13-behind-a-toolkit", pyproject("torch==2.15.0"), NEWEST),
    Scenario("pypi-newest", pyproject("torch"), NEWEST),
    Scenario(
        "pypi-2.6.0-for-3.12",
        pyproject("torch==2.6.0", python=">=3.12"),
        (cuda("12.4"), CPU, CPU, CPU),
        python="3.12",
    ),
    Scenario(
        "pypi-2.7.1-for-3.12",
        pyproject("torch==2.7.1", python=">=3.12"),
        (cuda("12.6"), CPU, CPU, CPU),
        python="3.12",
    ),
    Scenario(
        "pypi-2.9.1-for-3.12",
        pyproject("torch==2.9.1", python=">=3.12"),
        (cuda("12.8"), CPU, CPU, CPU),
        python="3.12",
    ),
    Scenario(
        "pypi-2.15.0-for-3.12", pyproject("torch==2.15.0", python=">=3.12"), NEWEST, python="3.12"
    ),
    Scenario(
        "pypi-2.15.0-for-3.13", pyproject("torch==2.15.0", python=">=3.13"), NEWEST, python="3.13"
    ),
    Scenario(
        "pypi-lowest",
        pyproject("torch>=2.6", settings='resolution = "lowest-direct"'),
        (cuda("12.4"), CPU, CPU, CPU),
    ),
]

FROM_THE_OFFICIAL_INDEX = [
    Scenario("cu118-2.6.0", torch_at("official", "cu118", "2.6.0"), CU118),
    Scenario(
        "cu118-2.7.1-for-3.12",
        torch_at("official", "cu118", "2.7.1", ">=3.12"),
        CU118,
        python="3.12",
    ),
    Scenario("cu124-2.6.0", torch_at("official", "cu124", "2.6.0"), CU124),
    Scenario(
        "cu124-2.6.0-for-3.12",
        torch_at("official", "cu124", "2.6.0", ">=3.12"),
        CU124,
        python="3.12",
    ),
    Scenario("cu126-2.7.1", torch_at("official", "cu126", "2.7.1"), CU126),
    Scenario(
        "cu126-2.7.1-for-3.12",
        torch_at("official", "cu126", "2.7.1", ">=3.12"),
        CU126,
        python="3.12",
    ),
    Scenario(
        "cu126-2.9.1-for-3.13",
        torch_at("official", "cu126", "2.9.1", ">=3.13"),
        CU126,
        python="3.13",
    ),
    Scenario("cu128-2.7.1", torch_at("official", "cu128", "2.7.1"), CU128),
    Scenario(
        "cu128-2.9.1-for-3.12",
        torch_at("official", "cu128", "2.9.1", ">=3.12"),
        CU128,
        python="3.12",
    ),
    Scenario("cpu-2.6.0", torch_at("official", "cpu", "2.6.0"), ON_CPU),
    Scenario(
        "cpu-2.7.1-for-3.12", torch_at("official", "cpu", "2.7.1", ">=3.12"), ON_CPU, python="3.12"
    ),
    Scenario(
        "cpu-index-for-macos-too",
        pyproject("torch==2.9.1", sources=[official("cpu", marker="")]),
        ON_CPU,
    ),
    Scenario(
        "rocm6.4-2.9.1",
        pyproject(
            "torch==2.9.1",
            "pytorch-triton-rocm ; sys_platform == 'linux'",
            sources=[
                official("rocm6.4", "torch", "pytorch-triton-rocm", marker="sys_platform=='linux'")
            ],
        ),
        (ROCM, NO_WHEEL, CPU, CPU),
    ),
    Scenario(
        "xpu-2.9.1",
        pyproject(
            "torch==2.9.1",
            "pytorch-triton-xpu ; sys_platform == 'linux'",
            sources=[official("xpu", "torch", "pytorch-triton-xpu")],
        ),
        (XPU, NO_WHEEL, XPU, CPU),
    ),
    Scenario(
        # macOS asks it first too, whatever the source's marker says, and it has none for macOS
        "an-index-for-everything",
        torch_at("official", "cu126", "2.7.1").replace("explicit = true", "explicit = false"),
        (cuda("12.6"), cuda("12.6"), cuda("12.6"), NO_WHEEL),
    ),
    Scenario(
        "without-metadata-beside-the-wheels",
        torch_at("official", "cu126", "2.7.1"),
        CU126,
        before=lambda locker: locker.hosts.official.without_metadata(),
    ),
    Scenario(
        "cuda-for-linux-only",
        pyproject("torch==2.7.1", sources=[official("cu126", marker="sys_platform == 'linux'")]),
        (cuda("12.6"), cuda("12.6"), CPU, CPU),
    ),
    Scenario(
        "cuda-for-x86-64-linux-only",
        pyproject("torch==2.6.0", sources=[official("cu126", marker=X86_LINUX)]),
        (cuda("12.6"), CPU, CPU, CPU),
    ),
    Scenario(
        "cuda-for-linux-and-cpu-for-windows",
        pyproject(
            "torch==2.7.1",
            sources=[
                official("cu126", marker="sys_platform == 'linux'"),
                official("cpu", marker="sys_platform == 'win32'"),
            ],
        ),
        (cuda("12.6"), cuda("12.6"), CPU, CPU),
    ),
    Scenario(
        "cpu-for-linux-and-cuda-for-windows",
        pyproject(
            "torch==2.9.1",
            sources=[
                official("cu128", marker="sys_platform == 'win32'"),
                official("cpu", marker="sys_platform == 'linux'"),
            ],
        ),
        (CPU, CPU, cuda("12.8"), CPU),
    ),
    Scenario(
        "torchvision-and-torchaudio-with-it",
        pyproject(
            "torch==2.7.1",
            "torchvision==0.22.1",
            "torchaudio==2.7.1",
            sources=[official("cu126", "torch", "torchvision", "torchaudio")],
        ),
        CU126,
    ),
    Scenario(
        "torch-by-torchvision", pyproject("torchvision==0.22.1"), (cuda("12.6"), CPU, CPU, CPU)
    ),
]

OF_2_6_0 = next(
    repair.requirements(file.metadata or b"")
    for file in releases.pytorch("cu126")
    if file.filename.startswith("torch-2.6.0+cu126-cp312-cp312-manylinux_2_28_x86_64")
)

THE_TRAP = [
    Scenario(
        "trap-2.6.0-for-3.12",
        torch_at("official", "cu126", "2.6.0", ">=3.12"),
        TRAPPED,
        python="3.12",
    ),
    Scenario(
        "trap-2.6.0-for-3.12-alone",
        torch_at("official", "cu126", "2.6.0", ">=3.12,<3.13"),
        TRAPPED,
        python="3.12",
    ),
    Scenario(
        "trap-2.6.0-for-3.12-seen-by-3.13",
        torch_at("official", "cu126", "2.6.0", ">=3.12"),
        (bare("12.6"), NO_WHEEL, cuda("12.6"), CPU),
        python="3.13",
        pythons=("3.12",),
    ),
    Scenario(
        "trap-stays-when-torch-is-locked-again",
        torch_at("official", "cu126", "2.6.0", ">=3.12"),
        TRAPPED,
        python="3.12",
        before=lambda locker: locker.lock(),
        options=("-P", "torch"),
    ),
    Scenario(
        "trap-stays-where-only-x86-64-linux-is-meant",
        pyproject(
            "torch==2.6.0",
            sources=[official("cu126", marker="")],
            python=">=3.12",
            settings=f'environments = ["{X86_LINUX}"]',
        ),
        (bare("12.6"), None, None, None),
        python="3.12",
    ),
    Scenario(
        "trap-in-an-extra",
        pyproject(
            sources=[official("cu126")],
            python=">=3.12",
            tables='[project.optional-dependencies]\ngpu = ["torch==2.6.0"]',
        ),
        TRAPPED,
        python="3.12",
        extras=("gpu",),
    ),
    Scenario(
        "trap-in-a-group",
        pyproject(
            sources=[official("cu126")],
            python=">=3.12",
            tables='[dependency-groups]\ntrain = ["torch==2.6.0"]',
        ),
        TRAPPED,
        python="3.12",
        groups=("train",),
    ),
    Scenario(
        "trap-by-a-package-that-needs-torch",
        pyproject(
            "carrier",
            "torch",
            sources=[official("cu126")],
            python=">=3.12",
            settings='constraint-dependencies = ["torch<2.7"]',
        ),
        TRAPPED,
        python="3.12",
    ),
    Scenario(
        "no-trap-for-3.11",
        torch_at("official", "cu126", "2.6.0"),
        (cuda("12.6"), NO_WHEEL, cuda("12.6"), CPU),
        pythons=("3.12",),
    ),
    Scenario(
        "no-trap-for-3.11-seen-by-3.12",
        torch_at("official", "cu126", "2.6.0"),
        CU126,
        python="3.12",
    ),
    Scenario(
        "no-trap-for-3.13",
        torch_at("official", "cu126", "2.6.0", ">=3.13"),
        (cuda("12.6"), NO_WHEEL, cuda("12.6"), CPU),
        python="3.13",
    ),
    Scenario(
        "no-trap-where-pyproject-tells-uv-the-metadata",
        torch_at("official", "cu126", "2.6.0", ">=3.12")
        + f"""
[[tool.uv.dependency-metadata]]
name = "torch"
version = "2.6.0+cu126"
requires-dist = {json.dumps(OF_2_6_0)}
""",
        CU126,
        python="3.12",
    ),
    Scenario(
        "trap-where-pyproject-tells-uv-a-part-of-the-metadata",
        torch_at("official", "cu126", "2.6.0", ">=3.12")
        + f"""
[[tool.uv.dependency-metadata]]
name = "torch"
version = "2.6.0+cu126"
requires-dist = {json.dumps(CORE)}
""",
        CU126,
        python="3.12",
        lacks=tuple(
            f"nvidia-{name}-cu12"
            for name in (
                "cuda-cupti",
                "cuda-nvrtc",
                "cufft",
                "curand",
                "cusolver",
                "cusparse",
                "cusparselt",
                "nccl",
                "nvjitlink",
                "nvtx",
            )
        ),
    ),
]

# --- mirrors ---


def sticky(locker: Locker) -> None:
    """Lock at a mirror that has only Windows's wheels, which say nothing of nvidia."""
    locker.hosts.nju.windows_only()
    locker.hosts.nju.inconsistent()
    locker.hosts.official.inconsistent()
    locker.write({"pyproject.toml": torch_at("nju", "cu124", "2.6.0")})
    locker.lock()


def healed_after_windows_only(locker: Locker) -> None:
    locker.hosts.nju.windows_only()
    locker.lock()
    locker.hosts.nju.heal()


def healed_after_inconsistent(locker: Locker) -> None:
    locker.hosts.sjtu.inconsistent()
    locker.lock()
    locker.hosts.sjtu.heal()


def healed_after_incomplete(locker: Locker) -> None:
    locker.hosts.nju.incomplete("nccl", "cufft")
    locker.lock()
    locker.hosts.nju.heal()


MIRRORS = [
    Scenario("nju", torch_at("nju", "cu126", "2.7.1"), CU126),
    Scenario("sjtu", torch_at("sjtu", "cu126", "2.7.1"), CU126),
    Scenario("aliyun", torch_at("aliyun", "cu126", "2.7.1"), CU126),
    Scenario("nju-for-3.12", torch_at("nju", "cu126", "2.9.1", ">=3.12"), CU126, python="3.12"),
    Scenario("aliyun-cpu", torch_at("aliyun", "cpu", "2.9.1"), ON_CPU),
    Scenario(
        # of a flat index, uv reads the first file of all, and that is for Python 3.10
        "aliyun-has-not-the-trap",
        torch_at("aliyun", "cu126", "2.6.0", ">=3.12"),
        CU126,
        python="3.12",
    ),
    Scenario(
        "nju-with-windows-only",
        torch_at("nju", "cu124", "2.6.0"),
        CU124_WINDOWS_ONLY,
        before=lambda locker: locker.hosts.nju.windows_only(),
    ),
    Scenario(
        "aliyun-with-windows-only",
        torch_at("aliyun", "cu126", "2.7.1"),
        (NO_WHEEL, NO_WHEEL, cuda("12.6"), CPU),
        before=lambda locker: locker.hosts.aliyun.windows_only(),
    ),
    Scenario(
        "sjtu-inconsistent",
        torch_at("sjtu", "cu126", "2.7.1"),
        TRAPPED,
        before=lambda locker: locker.hosts.sjtu.inconsistent(),
    ),
    Scenario(
        "sjtu-inconsistent-where-the-first-file-is-for-x86-64",
        torch_at("sjtu", "cu124", "2.6.0"),
        CU124,
        before=lambda locker: locker.hosts.sjtu.inconsistent(),
    ),
    Scenario(
        "nju-incomplete",
        torch_at("nju", "cu124", "2.6.0"),
        CU124_BARE,
        before=lambda locker: locker.hosts.nju.incomplete("cuda-runtime"),
    ),
    Scenario(
        "nju-incomplete-in-cublas-alone",
        torch_at("nju", "cu118", "2.6.0"),
        (bare("11.8"), NO_WHEEL, cuda("11.8"), CPU),
        before=lambda locker: locker.hosts.nju.incomplete("cublas"),
    ),
    Scenario(
        "nju-incomplete-in-cudnn-alone",
        torch_at("nju", "cu118", "2.6.0"),
        (bare("11.8"), NO_WHEEL, cuda("11.8"), CPU),
        before=lambda locker: locker.hosts.nju.incomplete("cudnn"),
    ),
    Scenario(
        "nju-incomplete-where-the-first-file-is-for-arm",
        torch_at("nju", "cu126", "2.7.1"),
        CU126,
        before=lambda locker: locker.hosts.nju.incomplete("cudnn", "cublas", "cuda-runtime"),
    ),
    Scenario(
        "nju-incomplete-of-what-another-library-needs",
        torch_at("nju", "cu124", "2.6.0"),
        CU124,
        before=lambda locker: locker.hosts.nju.incomplete("cublas"),
    ),
    Scenario("sticky-lock", torch_at("official", "cu124", "2.6.0"), CU124_BARE, before=sticky),
    Scenario(
        "sticky-lock-refreshed",
        torch_at("official", "cu124", "2.6.0"),
        CU124_BARE,
        before=sticky,
        options=("--refresh",),
    ),
    Scenario(
        "sticky-lock-healed-by-locking-torch-anew",
        torch_at("official", "cu124", "2.6.0"),
        CU124,
        before=sticky,
        options=("-P", "torch"),
    ),
    Scenario(
        "same-index-without-the-sticky-lock",
        torch_at("official", "cu124", "2.6.0"),
        CU124,
        before=lambda locker: locker.hosts.official.inconsistent(),
    ),
    Scenario(
        "healed-mirror-locked-again",
        torch_at("nju", "cu124", "2.6.0"),
        CU124_WINDOWS_ONLY,
        before=healed_after_windows_only,
    ),
    Scenario(
        "healed-mirror-with-torch-locked-anew",
        torch_at("nju", "cu124", "2.6.0"),
        CU124,
        before=healed_after_windows_only,
        options=("-P", "torch"),
    ),
    Scenario(
        "healed-inconsistent-mirror-locked-again",
        torch_at("sjtu", "cu126", "2.7.1"),
        TRAPPED,
        before=healed_after_inconsistent,
    ),
    Scenario(
        "healed-inconsistent-mirror-with-torch-locked-anew",
        torch_at("sjtu", "cu126", "2.7.1"),
        CU126,
        before=healed_after_inconsistent,
        options=("-P", "torch", "--refresh"),
    ),
    Scenario(
        "healed-incomplete-mirror-locked-again",
        torch_at("nju", "cu124", "2.6.0"),
        CU124,
        before=healed_after_incomplete,
        lacks=("nvidia-cufft-cu12", "nvidia-nccl-cu12"),
    ),
]

# --- several torches, extras, groups, workspaces ---

BY_PYTHON = pyproject(
    "torch==2.6.0 ; python_full_version < '3.12'",
    "torch==2.7.1 ; python_full_version >= '3.12'",
    sources=[official("cu126")],
)
NO_TRAP_BY_PYTHON = pyproject(
    "torch==2.7.1 ; python_full_version < '3.12'",
    "torch==2.6.0 ; python_full_version >= '3.12'",
    sources=[official("cu126")],
)
TWO_BACKENDS = pyproject(
    sources=[official("cpu", extra="cpu"), official("cu126", extra="cu126")],
    settings='conflicts = [[{ extra = "cpu" }, { extra = "cu126" }]]',
    tables="""
[project.optional-dependencies]
cpu = ["torch==2.7.1"]
cu126 = ["torch==2.7.1"]
""",
)
THREE_BACKENDS = pyproject(
    sources=[
        official("cpu", "torch", "torchvision", extra="cpu"),
        official("cu126", "torch", "torchvision", extra="cu126"),
        official("cu128", "torch", "torchvision", extra="cu128"),
    ],
    settings='conflicts = [[{ extra = "cpu" }, { extra = "cu126" }, { extra = "cu128" }]]',
    python=">=3.12",
    tables="""
[project.optional-dependencies]
cpu = ["torch==2.9.1", "torchvision"]
cu126 = ["torch==2.6.0", "torchvision"]
cu128 = ["torch==2.9.1", "torchvision"]
""",
)
TWO_GROUPS = pyproject(
    sources=[official("cpu", group="local"), official("cu128", group="server")],
    settings='conflicts = [[{ group = "local" }, { group = "server" }]]',
    tables="""
[dependency-groups]
local = ["torch==2.9.1"]
server = ["torch==2.9.1"]
""",
)
TRAIN = pyproject(
    "filelock",
    sources=[official("cu126")],
    tables="""
[project.optional-dependencies]
gpu = ["torch==2.7.1"]

[dependency-groups]
dev = ["torch==2.7.1"]
train = ["project[gpu]"]
all = [{ include-group = "dev" }]
""",
)


def narrowed(locker: Locker) -> None:
    """Lock for Windows only, where the index's wheels for it say nothing of nvidia."""
    locker.hosts.official.windows_only()
    locker.hosts.official.inconsistent()
    text = pyproject(
        "torch==2.6.0",
        sources=[official("cu124")],
        settings="environments = [\"sys_platform == 'win32'\"]",
    )
    locker.write({"pyproject.toml": text})
    locker.lock()
    locker.hosts.official.heal()
    locker.hosts.official.inconsistent()


SEVERAL = [
    Scenario(
        "two-by-python-the-older",
        BY_PYTHON,
        (cuda("12.6"), NO_WHEEL, cuda("12.6"), CPU),
        pythons=("3.12",),
    ),
    Scenario("two-by-python-the-newer", BY_PYTHON, CU126, python="3.12"),
    Scenario("two-by-python-2.7.1-for-the-older", NO_TRAP_BY_PYTHON, CU126),
    Scenario(
        # the project is for 3.11 too, so that uv reads a wheel for that
        "two-by-python-2.6.0-for-3.12-is-no-trap",
        NO_TRAP_BY_PYTHON,
        CU126,
        python="3.12",
    ),
    Scenario(
        "two-by-python-that-pypi-chose-the-older",
        pyproject("torch", python=">=3.10"),
        (cuda("12.8"), CPU, CPU, CPU),
        python="3.10",
    ),
    Scenario(
        "two-by-python-that-pypi-chose-the-newer", pyproject("torch", python=">=3.10"), NEWEST
    ),
    Scenario("two-extras-the-cpu", TWO_BACKENDS, ON_CPU, extras=("cpu",)),
    Scenario("two-extras-the-gpu", TWO_BACKENDS, CU126, extras=("cu126",)),
    Scenario("two-extras-neither", TWO_BACKENDS, NO_TORCH),
    Scenario("two-extras-both", TWO_BACKENDS, REFUSED, extras=("cpu", "cu126")),
    Scenario("three-extras-the-cpu", THREE_BACKENDS, ON_CPU, python="3.12", extras=("cpu",)),
    Scenario("three-extras-the-trapped", THREE_BACKENDS, TRAPPED, python="3.12", extras=("cu126",)),
    Scenario("three-extras-the-right", THREE_BACKENDS, CU128, python="3.12", extras=("cu128",)),
    Scenario("two-groups-the-cpu", TWO_GROUPS, ON_CPU, groups=("local",)),
    Scenario("two-groups-the-gpu", TWO_GROUPS, CU128, groups=("server",)),
    Scenario("a-group-that-is-not-chosen", TRAIN, NO_TORCH),
    Scenario("the-dev-group", TRAIN, CU126, groups=("dev",)),
    Scenario("a-group-that-takes-an-extra", TRAIN, CU126, groups=("train",)),
    Scenario("a-group-that-takes-a-group", TRAIN, CU126, groups=("all",)),
    Scenario("an-extra", TRAIN, CU126, extras=("gpu",)),
    Scenario("torch-by-another-package", pyproject("carrier"), NEWEST),
    Scenario(
        "torch-and-torchvision-by-another-package",
        pyproject("vision-carrier", settings='constraint-dependencies = ["torch==2.9.1"]'),
        (cuda("12.8"), CPU, CPU, CPU),
    ),
    Scenario(
        "torch-by-another-package-and-listed-for-its-index",
        pyproject("carrier", "torch==2.7.1", sources=[official("cu126")]),
        CU126,
    ),
    Scenario(
        "torch-by-another-package-passes-by-the-index",
        pyproject("carrier", sources=[official("cu126")]),
        NEWEST,
    ),
    Scenario(
        "torch-by-another-package-and-constrained-for-its-index",
        pyproject(
            "carrier",
            sources=[official("cu126")],
            settings='constraint-dependencies = ["torch==2.7.1"]',
        ),
        CU126,
    ),
    Scenario("no-torch", pyproject("filelock", "sympy"), NO_TORCH),
    Scenario(
        "torch-for-windows-only",
        pyproject("torch==2.7.1 ; sys_platform == 'win32'"),
        (NONE, NONE, CPU, NONE),
    ),
    Scenario(
        "cuda-for-windows-only",
        pyproject("torch==2.7.1 ; sys_platform == 'win32'", sources=[official("cu126")]),
        (NONE, NONE, cuda("12.6"), NONE),
    ),
    Scenario(
        "environments-of-windows",
        pyproject(
            "torch==2.7.1",
            sources=[official("cu126")],
            settings="environments = [\"sys_platform == 'win32'\"]",
        ),
        (None, None, cuda("12.6"), None),
    ),
    Scenario(
        "environments-of-linux",
        pyproject(
            "torch==2.7.1",
            sources=[official("cu126")],
            settings="environments = [\"sys_platform == 'linux'\"]",
        ),
        (cuda("12.6"), cuda("12.6"), None, None),
    ),
    Scenario(
        "environments-of-windows-widened-later",
        pyproject("torch==2.6.0", sources=[official("cu124")]),
        CU124_BARE,
        before=narrowed,
    ),
    Scenario(
        "required-environments",
        pyproject(
            "torch==2.7.1",
            sources=[official("cu126")],
            settings=f'required-environments = ["{X86_LINUX}"]',
        ),
        CU126,
    ),
]


MEMBER = pyproject(
    "torch==2.7.1",
    sources=[official("cu126")],
    name="member",
    tables='[dependency-groups]\ndev = ["torchvision"]',
).partition("[[tool.uv.index]]\nurl")[0]
PACKAGED = """
[build-system]
requires = []
build-backend = "none"
"""
WORKSPACE = pyproject(
    "filelock",
    settings='workspace = { members = ["member"] }',
)
NAMELESS = WORKSPACE.partition("[tool.uv]")[2]

WORKSPACES = [
    Scenario("workspace-its-root", WORKSPACE, NO_TORCH, files={"member/pyproject.toml": MEMBER}),
    Scenario(
        "workspace-its-member",
        WORKSPACE,
        CU126,
        files={"member/pyproject.toml": MEMBER},
        at="member",
        root="member",
    ),
    Scenario(
        "workspace-a-member-that-is-a-package",
        WORKSPACE,
        CU126,
        files={"member/pyproject.toml": MEMBER + PACKAGED},
        at="member",
        root="member",
        groups=("dev",),
    ),
    Scenario(
        "workspace-a-root-that-needs-its-member",
        pyproject(
            "member",
            sources=[Source("{ workspace = true }", ["member"])],
            settings='workspace = { members = ["member"] }',
        ),
        CU126,
        files={"member/pyproject.toml": MEMBER},
    ),
    Scenario(
        "workspace-without-a-root-project",
        f"[tool.uv]{NAMELESS}",
        CU126,
        files={"member/pyproject.toml": MEMBER},
    ),
    Scenario(
        "workspace-with-a-trapped-member",
        pyproject(settings='workspace = { members = ["member"] }', python=">=3.12"),
        TRAPPED,
        python="3.12",
        files={
            "member/pyproject.toml": MEMBER.replace("2.7.1", "2.6.0")
            .replace(">=3.11", ">=3.12")
            .replace("torchvision", "filelock")
        },
        at="member",
        root="member",
    ),
]

# --- other torches than PyTorch's ---


def unpacked(locker: Locker) -> None:
    """Put a torch that only its build tells the version of into the project's folder."""
    archive = sdist("torch", "2.7.1+own", requires=["filelock"])
    with tarfile.open(fileobj=io.BytesIO(archive.data)) as files:
        for member in files:
            content = files.extractfile(member)
            if content is not None:
                place = locker.hosts.folder.path / member.name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content.read())


def saved(locker: Locker) -> None:
    """Put a wheel of torch into the project's folder."""
    file = torch("2.7.1+own", "filelock", tag="py3-none-any")
    (locker.hosts.folder.path / file.filename).write_bytes(file.data)


OWN_FOLDER = """
[project]
name = "torch"
version = "2.7.1"
requires-python = ">=3.11"
dependencies = ["filelock"]

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
THIS_PYTHON = f"3.{sys.version_info.minor}"
WHEEL_URL = (
    mirrors()["official"].url.format(backend="cu126")
    + "/torch-2.7.1%2Bcu126-cp311-cp311-manylinux_2_28_x86_64.whl"
)
OLD_WINDOWS = torch("2.1.2+cu118", "filelock", tag=WINDOWS_TAG)
FIRST_BARE = [torch("2.2.0+cu118", "filelock", tag=tag) for tag in (X86_TAG, WINDOWS_TAG)]
TOOLKIT = "cuda-toolkit[{}]==13.2.2 ; sys_platform == 'linux'"
CUDNN_13 = "nvidia-cudnn-cu13==9.26.0.51 ; sys_platform == 'linux'"
NEEDS_13 = (TOOLKIT.format("cublas,cudart"), CUDNN_13)

TWO_MIRRORS = pyproject(
    sources=[
        Source.at("nju", "cu124", extra="here"),
        Source.at("sjtu", "cu124", extra="there"),
    ],
    settings='conflicts = [[{ extra = "here" }, { extra = "there" }]]',
    tables="""
[project.optional-dependencies]
here = ["torch==2.6.0"]
there = ["torch==2.6.0"]
""",
)

OTHERS = [
    Scenario(
        "own-from-a-url",
        pyproject(
            "torch",
            sources=[Source(f'{{ url = "{WHEEL_URL}", marker = "{X86_LINUX}" }}')],
            python=">=3.11,<3.12",
        ),
        (OWN, cuda("13.2"), CPU, NO_WHEEL),
    ),
    Scenario(
        "own-from-a-wheel",
        pyproject("torch", sources=[Source('{ path = "torch-2.7.1+own-py3-none-any.whl" }')]),
        OWN_ONE,
        before=saved,
    ),
    Scenario(
        "own-from-a-folder",
        pyproject("torch", sources=[Source('{ path = "own" }')]),
        OWN_ONE,
        files={"own/pyproject.toml": OWN_FOLDER},
    ),
    Scenario(
        "own-from-a-folder-editable",
        pyproject("torch", sources=[Source('{ path = "own", editable = true }')]),
        OWN_ONE,
        files={"own/pyproject.toml": OWN_FOLDER},
    ),
    Scenario(
        "own-from-a-folder-whose-build-tells-the-version",
        pyproject("torch", sources=[Source('{ path = "torch-2.7.1+own" }')]),
        OWN_ONE,
        python=THIS_PYTHON,  # it runs the build
        before=unpacked,
        files={
            "torch-2.7.1+own/pyproject.toml": OWN_FOLDER.replace(
                'version = "2.7.1"', 'dynamic = ["version"]'
            )
        },
    ),
    Scenario(
        "own-from-an-index",
        pyproject("torch==2.7.1+own"),
        ((Build.OWN, "own"), NO_WHEEL, NO_WHEEL, NO_WHEEL),
        offers=[torch("2.7.1+own", "filelock")],
    ),
    Scenario(
        "own-for-another-abi",
        pyproject("torch==2.7.1+cpu.cxx11.abi"),
        ((Build.OWN, "cpu.cxx11.abi"), NO_WHEEL, NO_WHEEL, NO_WHEEL),
        offers=[torch("2.7.1+cpu.cxx11.abi", "filelock")],
    ),
    Scenario(
        "own-built-from-source",
        pyproject("torch==2.5.9"),
        OWN_ONE,
        offers=[sdist("torch", "2.5.9", requires=["filelock"])],
    ),
    Scenario(
        "old-with-its-libraries-within",
        pyproject("torch==2.1.2+cu118"),
        (cuda("11.8"), NO_WHEEL, cuda("11.8"), NO_WHEEL),
        offers=[torch("2.1.2+cu118", "filelock"), OLD_WINDOWS],
        bundled=True,
    ),
    Scenario(
        "old-of-pypi-with-its-libraries-within",
        pyproject("torch==1.12.1"),
        (cuda(""), NO_WHEEL, NO_WHEEL, NO_WHEEL),
        offers=[torch("1.12.1", "typing-extensions")],
        bundled=True,
    ),
    Scenario(
        "old-of-pypi-with-libraries",
        pyproject("torch==2.1.2"),
        (cuda("12.6"), NO_WHEEL, NO_WHEEL, NO_WHEEL),
        offers=[torch("2.1.2", *CORE)],
    ),
    Scenario(
        "the-first-release-that-brings-no-libraries",
        pyproject("torch==2.2.0+cu118"),
        (bare("11.8"), NO_WHEEL, cuda("11.8"), NO_WHEEL),
        offers=FIRST_BARE,
    ),
    Scenario(
        "triton-alone-is-no-library",
        pyproject("torch==2.7.0+cu126"),
        (bare("12.6"), NO_WHEEL, NO_WHEEL, NO_WHEEL),
        offers=[torch("2.7.0+cu126", f"triton==3.3.1 {ON_X86}")],
    ),
    Scenario(
        "the-first-file-lacks-one-library",
        pyproject("torch==2.7.0+cu126"),
        (cuda("12.6"), cuda("12.6"), NO_WHEEL, NO_WHEEL),
        offers=[torch("2.7.0+cu126", *CORE, tag=ARM_TAG), torch("2.7.0+cu126", *CORE, NCCL)],
        lacks=("nvidia-nccl-cu12",),
    ),
    Scenario(
        "the-first-file-has-one-library-more",
        pyproject("torch==2.7.0+cu126"),
        (cuda("12.6"), cuda("12.6"), NO_WHEEL, NO_WHEEL),
        offers=[torch("2.7.0+cu126", *CORE, NCCL, tag=ARM_TAG), torch("2.7.0+cu126", *CORE)],
    ),
    Scenario(
        "the-project-overrides-a-library-away",
        pyproject(
            "torch==2.7.1",
            sources=[official("cu126")],
            settings="override-dependencies = [\"nvidia-cudnn-cu12 ; sys_platform == 'win32'\"]",
        ),
        TRAPPED,
    ),
    Scenario(
        "cuda-13-of-pytorchs-own-index",
        pyproject("torch==2.10.0+cu132"),
        (cuda("13.2"), cuda("13.2"), NO_WHEEL, NO_WHEEL),
        offers=[torch("2.10.0+cu132", *NEEDS_13, tag=tag) for tag in (ARM_TAG, X86_TAG)],
    ),
    Scenario(
        "cuda-13-trapped",
        pyproject("torch==2.10.0+cu132"),
        (bare("13.2"), cuda("13.2"), NO_WHEEL, NO_WHEEL),
        offers=[torch("2.10.0+cu132", tag=ARM_TAG), torch("2.10.0+cu132", *NEEDS_13)],
    ),
    Scenario(
        "cuda-13-with-a-part-of-the-toolkit",
        pyproject("torch==2.10.0+cu132"),
        (bare("13.2"), NO_WHEEL, NO_WHEEL, NO_WHEEL),
        offers=[torch("2.10.0+cu132", TOOLKIT.format("cudart"))],
    ),
    Scenario(
        "cuda-13-of-pypi-trapped",
        pyproject("torch==2.14.1"),
        (bare(""), CPU, NO_WHEEL, NO_WHEEL),
        offers=[torch("2.14.1", tag=ARM_TAG), torch("2.14.1", *NEEDS_13)],
    ),
    Scenario(
        "beside-another-packages-cuda-12",
        pyproject("torch==2.15.0", f"nvidia-cuda-runtime-cu12==12.6.77 {ON_X86}"),
        NEWEST,
    ),
    Scenario(
        "beside-another-packages-cuda-11",
        pyproject("torch==2.7.1", f"nvidia-cuda-runtime-cu11==11.8.89 {ON_X86}"),
        (cuda("12.6"), CPU, CPU, CPU),
    ),
    Scenario(
        "bare-beside-another-packages-cuda-11",
        pyproject(
            "torch==2.7.0+cu126",
            *(f"nvidia-{name}-cu11 {ON_X86}" for name in ("cuda-runtime", "cudnn", "cublas")),
        ),
        (bare("12.6"), cuda("12.6"), NO_WHEEL, NO_WHEEL),
        offers=[torch("2.7.0+cu126", tag=ARM_TAG), torch("2.7.0+cu126", *CORE)],
    ),
    Scenario(
        "one-build-at-two-mirrors-the-whole-one",
        TWO_MIRRORS,
        CU124,
        before=lambda locker: locker.hosts.nju.windows_only(),
        extras=("there",),
    ),
]

NO_WHEELS = [
    Scenario(
        "pypi-2.15.0-on-3.14",
        pyproject("torch==2.15.0"),
        NO_WHEEL_AT_ALL,
        python="3.14",
        pythons=("3.11", "3.12", "3.13"),
    ),
    Scenario(
        "cu126-2.7.1-on-3.14",
        torch_at("official", "cu126", "2.7.1"),
        NO_WHEEL_AT_ALL,
        python="3.14",
        pythons=("3.11", "3.12", "3.13"),
    ),
]

SCENARIOS = [
    *FROM_PYPI,
    *FROM_THE_OFFICIAL_INDEX,
    *THE_TRAP,
    *MIRRORS,
    *SEVERAL,
    *WORKSPACES,
    *OTHERS,
    *NO_WHEELS,
]
