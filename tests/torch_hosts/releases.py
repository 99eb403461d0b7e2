"""PyTorch's releases as tiny wheels: names, tags and requirements are like the real ones.

What they require is what uv read on PyPI; where PyTorch's own builds differ (`+cu118`, `+cpu`, …)
it is what their METADATA is known to say, the fault of 2.6.0+cu126 included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from index import wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from index import Distribution

_X86 = 'platform_system == "Linux" and platform_machine == "x86_64"'
_LINUX = 'platform_system == "Linux"'

_PYTHONS = ("cp310", "cp311", "cp312", "cp313")

_BOTH = ("manylinux_2_27_x86_64.manylinux_2_28_x86_64", "manylinux_2_27_aarch64")

_COMMON = (
    "filelock",
    "typing-extensions>=4.10.0",
    'setuptools ; python_version >= "3.12"',
    "networkx",
    "jinja2",
    "fsspec",
)


@dataclass(frozen=True)
class _Release:
    """What the builds of one release have in common."""

    torch: str
    torchvision: str
    torchaudio: str
    triton: str
    sympy: str
    requires_python: str


_RELEASES = (
    _Release("2.6.0", "0.21.0", "2.6.0", "3.2.0", "sympy==1.13.1", ">=3.9.0"),
    _Release("2.7.1", "0.22.1", "2.7.1", "3.3.1", "sympy>=1.13.3", ">=3.9.0"),
    _Release("2.9.1", "0.24.1", "2.9.1", "3.5.1", "sympy>=1.13.3", ">=3.10"),
)

_CU118 = {
    "cuda-nvrtc": "11.8.89",
    "cuda-runtime": "11.8.89",
    "cuda-cupti": "11.8.87",
    "cudnn": "9.1.0.70",
    "cublas": "11.11.3.6",
    "cufft": "10.9.0.58",
    "curand": "10.3.0.86",
    "cusolver": "11.4.1.48",
    "cusparse": "11.7.5.86",
    "nccl": "2.21.5",
    "nvtx": "11.8.86",
}
_CU124 = {
    "cuda-nvrtc": "12.4.127",
    "cuda-runtime": "12.4.127",
    "cuda-cupti": "12.4.127",
    "cudnn": "9.1.0.70",
    "cublas": "12.4.5.8",
    "cufft": "11.2.1.3",
    "curand": "10.3.5.147",
    "cusolver": "11.6.1.9",
    "cusparse": "12.3.1.170",
    "cusparselt": "0.6.2",
    "nccl": "2.21.5",
    "nvtx": "12.4.127",
    "nvjitlink": "12.4.127",
}
_CU126 = {
    "cuda-nvrtc": "12.6.77",
    "cuda-runtime": "12.6.77",
    "cuda-cupti": "12.6.80",
    "cudnn": "9.5.1.17",
    "cublas": "12.6.4.1",
    "cufft": "11.3.0.4",
    "curand": "10.3.7.77",
    "cusolver": "11.7.1.2",
    "cusparse": "12.5.4.2",
    "cusparselt": "0.6.3",
    "nccl": "2.21.5",
    "nvtx": "12.6.77",
    "nvjitlink": "12.6.85",
}
_CU128 = {
    "cuda-nvrtc": "12.8.93",
    "cuda-runtime": "12.8.90",
    "cuda-cupti": "12.8.90",
    "cudnn": "9.7.1.26",
    "cublas": "12.8.4.1",
    "cufft": "11.3.3.83",
    "curand": "10.3.9.90",
    "cusolver": "11.7.3.90",
    "cusparse": "12.5.8.93",
    "cusparselt": "0.6.3",
    "nccl": "2.26.2",
    "nvtx": "12.8.90",
    "nvjitlink": "12.8.93",
    "cufile": "1.13.1.3",
}
_NEWER = {"cudnn": "9.10.2.21", "cusparselt": "0.7.1", "nccl": "2.27.5", "nvshmem": "3.3.20"}

_NVIDIA: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("2.6.0", "cu118"): _CU118,
    ("2.6.0", "cu124"): _CU124,
    ("2.6.0", "cu126"): _CU126,
    ("2.7.1", "cu118"): _CU118,
    ("2.7.1", "cu126"): _CU126 | {"nccl": "2.26.2", "cufile": "1.11.1.6"},
    ("2.7.1", "cu128"): _CU128,
    ("2.9.1", "cu126"): _CU126 | _NEWER | {"cufile": "1.11.1.6"},
    ("2.9.1", "cu128"): _CU128 | _NEWER,
}
"""The libraries of each CUDA build: `nvidia-NAME-cuNN`, and which version it pins."""

_ON_PYPI = {"2.6.0": "cu124", "2.7.1": "cu126", "2.9.1": "cu128"}
"""The CUDA build that PyPI has of a release, there without a local version."""

_INTEL = {
    "intel-cmplr-lib-rt": "2025.2.1",
    "intel-sycl-rt": "2025.2.1",
    "intel-openmp": "2025.2.1",
    "intel-pti": "0.13.1",
}

_NEEDS = {
    "cudnn": ("cublas",),
    "cusolver": ("cublas", "nvjitlink", "cusparse"),
    "cusparse": ("nvjitlink",),
}
"""Which CUDA library needs which others, from CUDA 12 on."""

_TOOLKIT = {
    "cublas": {"cublas": "13.4.1.3", "cuda-nvrtc": "13.2.86"},
    "cudart": {"cuda-runtime": "13.2.86"},
    "cufft": {"cufft": "12.2.0.57", "nvjitlink": "13.2.86"},
    "cufile": {"cufile": "1.17.1.22"},
    "cupti": {"cuda-cupti": "13.2.86"},
    "cusolver": {"cusolver": "12.2.0.11", "cublas": "13.4.1.3", "cusparse": "12.7.10.12"},
    "cusparse": {"cusparse": "12.7.10.12", "nvjitlink": "13.2.86"},
    "nvjitlink": {"nvjitlink": "13.2.86"},
    "nvrtc": {"cuda-nvrtc": "13.2.86"},
    "nvtx": {"nvtx": "13.2.86"},
}
"""The extras of cuda-toolkit 13.2.2 that torch 2.15.0 asks for, and the libraries of each."""

_TOOLKIT_HAS = (
    'sys_platform == "linux" and (platform_machine == "x86_64" or platform_machine == "aarch64")'
    ' or sys_platform == "win32" and platform_machine == "AMD64"'
)
"""The systems that cuda-toolkit requires its libraries on."""

_CU13 = {"cudnn": "9.26.0.51", "cusparselt": "0.8.1", "nccl": "2.30.7", "nvshmem": "3.7.2"}

_PURE = {
    "filelock": "4.2.12",
    "fsspec": "2026.9.0",
    "jinja2": "3.1.6",
    "markupsafe": "3.0.4",
    "mpmath": "1.3.0",
    "networkx": "3.6.1",
    "numpy": "2.4.6",
    "pillow": "13.0.0",
    "setuptools": "84.2.1",
    "typing-extensions": "4.16.0",
    "cuda-pathfinder": "1.9.0",
}


@cache
def pypi() -> Sequence[Distribution]:
    """What PyPI has: CUDA 12 builds of the old releases, 2.15.0 with CUDA 13, all they need.

    Besides: carrier 1.0, which needs torch, and vision-carrier 1.0, which needs torchvision too.
    """
    carriers = wheel("carrier", "1.0", requires=["torch"], requires_python=">=3.9")
    vision = wheel("vision-carrier", "1.0", requires=["torch", "torchvision"])
    builds = (each for release in _RELEASES for each in _pypi_builds(release))
    return (*builds, *_newest(), *_support(), carriers, vision)


@cache
def pytorch(backend: str) -> Sequence[Distribution]:
    """What PyTorch's own index for a backend has, nothing for a backend that it has not."""
    made = tuple(each for release in _RELEASES for each in _own_builds(release, backend))
    if backend == "rocm6.4":
        made += _compiled("pytorch-triton-rocm", "3.5.1", ("manylinux_2_27_x86_64",))
    if backend == "xpu":
        platforms = ("manylinux_2_27_x86_64", "win_amd64")
        made += _compiled("pytorch-triton-xpu", "3.5.0", platforms)
    return (*made, *_support()) if made else ()


def _own_builds(release: _Release, backend: str) -> Iterator[Distribution]:
    """The builds of a release for a backend, if it was built for that."""
    requires = _requires(release, backend)
    if requires is None:
        return
    for python in _PYTHONS:
        for platform in _own_platforms(release, backend, python):
            said = requires
            if platform == "linux_aarch64":  # the fault of 2.6.0+cu126
                said = [each for each in requires if not each.startswith(("nvidia-", "triton"))]
            yield from _three(release, f"+{backend}", said, f"{python}-{python}-{platform}")
        if backend == "cpu":
            yield from _three(release, "", requires, f"{python}-none-macosx_11_0_arm64")


def _own_platforms(release: _Release, backend: str, python: str) -> Iterator[str]:
    old = release.torch == "2.6.0"
    yield "linux_x86_64" if old and backend != "cu126" else "manylinux_2_28_x86_64"
    if backend != "rocm6.4":
        yield "win_amd64"
    if backend == "cpu" or (backend in ("cu126", "cu128") and not old):
        yield "manylinux_2_28_aarch64"
    if backend == "cu126" and old and python == "cp312":
        yield "linux_aarch64"


def _requires(release: _Release, backend: str) -> Sequence[str] | None:
    """What torch requires in the build for a backend, None if there is no such build."""
    common = (*_COMMON, release.sympy)
    if libraries := _NVIDIA.get((release.torch, backend)):
        pinned = {f"nvidia-{name}-{backend[:4]}": version for name, version in libraries.items()}
        pinned["triton"] = release.triton
        return (*common, *(f"{name}=={version} ; {_X86}" for name, version in pinned.items()))
    if backend == "cpu":
        return common
    if release.torch != "2.9.1":
        return None
    if backend == "rocm6.4":
        return (*common, f"pytorch-triton-rocm==3.5.1 ; {_LINUX}")
    if backend == "xpu":
        intel = (f"{name}=={version}" for name, version in _INTEL.items())
        return (*common, *intel, f"pytorch-triton-xpu==3.5.0 ; {_LINUX}")
    return None


def _pypi_builds(release: _Release) -> Iterator[Distribution]:
    """The builds of a release on PyPI."""
    requires = _requires(release, _ON_PYPI[release.torch]) or ()
    x86 = "manylinux1_x86_64" if release.torch == "2.6.0" else "manylinux_2_28_x86_64"
    for python in _PYTHONS:
        for platform in (x86, "manylinux_2_28_aarch64", "win_amd64"):
            yield from _three(release, "", requires, f"{python}-{python}-{platform}")
        yield from _three(release, "", requires, f"{python}-none-macosx_11_0_arm64")


def _three(
    release: _Release, local: str, requires: Sequence[str], tag: str
) -> Iterator[Distribution]:
    """The torch of a release with this tag, and the torchvision and torchaudio that go with it."""
    make = partial(wheel, requires_python=release.requires_python, tag=tag)
    with_torch = [f"torch=={release.torch}"]
    yield make("torch", release.torch + local, requires=requires)
    yield make(
        "torchvision", release.torchvision + local, requires=["numpy", *with_torch, "pillow"]
    )
    yield make("torchaudio", release.torchaudio + local, requires=with_torch)


def _newest() -> Iterator[Distribution]:
    """The release that PyPI has of CUDA 13, and what came with it."""
    linux = 'sys_platform == "linux"'
    requires = (
        *_COMMON,
        "sympy>=1.13.3",
        f"cuda-toolkit[{','.join(_TOOLKIT)}]==13.2.2 ; {linux}",
        f"cuda-bindings>=13.0.3,<14 ; {linux}",
        *(f"nvidia-{name}-cu13=={version} ; {linux}" for name, version in _CU13.items()),
        f"triton~=3.9.0 ; {linux}",
    )
    platforms = (
        "manylinux_2_28_x86_64",
        "manylinux_2_28_aarch64",
        "macosx_14_0_arm64",
        "win_amd64",
    )
    make = partial(wheel, requires_python=">=3.11")
    for platform in platforms:
        for python in ("cp311", "cp312", "cp313"):
            tag = f"{python}-{python}-{platform}"
            yield make("torch", "2.15.0", requires=requires, tag=tag)
            yield make("torchaudio", "2.11.0", tag=tag)
        tag = f"py3-none-{platform}"
        with_torch = ["numpy", "torch>=2.14.0", "pillow"]
        yield make("torchvision", "0.29.2", requires=with_torch, tag=tag)


@cache
def _support() -> Sequence[Distribution]:
    """What the builds need, which PyPI and PyTorch's own index both have."""
    made = [wheel(name, version) for name, version in _PURE.items() if name != "jinja2"]
    made.append(wheel("jinja2", _PURE["jinja2"], requires=["markupsafe"]))
    made += [wheel("sympy", version, requires=["mpmath"]) for version in ("1.13.1", "1.14.0")]
    made += [wheel(name, version) for name, version in _INTEL.items()]
    for release in _RELEASES:
        made += _compiled("triton", release.triton, ("manylinux_2_27_x86_64",))
    made += _compiled("triton", "3.9.0", _BOTH)
    made += _compiled("cuda-bindings", "13.5.0", _BOTH, requires=["cuda-pathfinder"])
    twelve = {
        (name, version, backend[:4])
        for (_, backend), libraries in _NVIDIA.items()
        for name, version in libraries.items()
    }
    for name, version, cuda in sorted(twelve):
        needs = _NEEDS.get(name, ()) if cuda == "cu12" else ()
        made += _library(
            f"nvidia-{name}-{cuda}", version, [f"nvidia-{each}-{cuda}" for each in needs]
        )
    return (*made, *_thirteen())


def _thirteen() -> Iterator[Distribution]:
    """The libraries of CUDA 13, most of them without a number in their names."""
    libraries = {name: version for extra in _TOOLKIT.values() for name, version in extra.items()}
    for name, version in libraries.items():
        needs = [f"nvidia-{each}" for each in _NEEDS.get(name, ())]
        yield from _library(f"nvidia-{name}", version, needs)
    for name, version in _CU13.items():
        needs = ["nvidia-cublas"] if name == "cudnn" else []
        yield from _library(f"nvidia-{name}-cu13", version, needs)
    extras = {
        extra: [f"nvidia-{name}=={version}.* ; {_TOOLKIT_HAS}" for name, version in pinned.items()]
        for extra, pinned in _TOOLKIT.items()
    }
    yield wheel("cuda-toolkit", "13.2.2", extras=extras, tag="py2.py3-none-any")


def _library(name: str, version: str, requires: Sequence[str]) -> list[Distribution]:
    """A library of CUDA for the systems that NVIDIA builds it for."""
    platforms = ("manylinux2014_x86_64", "manylinux2014_aarch64", "win_amd64")
    tags = [f"py3-none-{platform}" for platform in platforms]
    return [wheel(name, version, requires=requires, tag=tag) for tag in tags]


def _compiled(
    name: str, version: str, platforms: Sequence[str], requires: Sequence[str] = ()
) -> tuple[Distribution, ...]:
    """A distribution that is built for each Python."""
    tags = [f"{python}-{python}-{platform}" for python in _PYTHONS for platform in platforms]
    return tuple(wheel(name, version, requires=requires, tag=tag) for tag in tags)
