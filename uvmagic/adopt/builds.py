"""Which build of torch a line chooses: by its version, conda's build string, or an index. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uvmagic.accelerator import present
from uvmagic.accelerator.choice import backend_of_url, chosen, index_url
from uvmagic.accelerator.drivers import Drivers
from uvmagic.adopt.lines import Ask, Conda, Index, Requires, without_credentials
from uvmagic.data import conda, torch
from uvmagic.errors import UsageError
from uvmagic.names import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvmagic.data.torch import Backend


def is_torch(ask: Ask) -> bool:
    """Whether a line asks for torch itself, by PyPI's name or conda's."""
    if isinstance(ask, Requires):
        return present.name_of(ask.requirement) == "torch"
    return isinstance(ask, Conda) and conda.renamed().get(normalise(ask.name)) == "torch"


def chosen_by(ask: Ask) -> Backend | None:
    """The build of torch that one thing chooses, if it does."""
    match ask:
        case Index(url):
            return backend_at(without_credentials(url))
        case Conda(name, version, build):
            kind = conda.accelerators().get(normalise(name))
            if kind not in (None, "build"):
                return backend_for(str(kind), version)[0]
            return of_build(name, build) if is_torch(ask) else None
        case Requires(requirement) if present.family([present.name_of(requirement)]):
            local = re.search(r"==\s*[^+;,\s]+\+([\w.]+)", requirement)
            return torch.backends().get(local[1]) if local else None
    return None


_PAGE = "/torch_stable.html"
"""PyTorch's one page of all its wheels, or of one build's."""


def backend_at(url: str) -> Backend | None:
    """The build whose index, or page, lies at a URL."""
    return backend_of_url(url.removesuffix(_PAGE))


def is_torchs(url: str) -> bool:
    """Whether a URL is an index or a page of PyTorch's, or of a mirror's."""
    official = index_url(next(iter(torch.backends().values())))[0].rpartition("/")[0]
    return backend_at(url) is not None or url == f"{official}{_PAGE}"


def of_build(name: str, build: str) -> Backend | None:
    """What the build string of conda's torch tells: `py3.10_cuda11.8_cudnn8.7.0_0`, `cpu_…`."""
    if normalise(name) == "pytorch-cpu" or re.match(r"(?:py[\d.]+_)?cpu_", build):
        return backend_for("cpu", "")[0]
    if spelled := re.search(r"cuda(\d+\.\d+)", build):
        return backend_for("cuda", spelled[1])[0]
    if packed := re.search(r"cuda(\d{2})(\d)", build):
        return backend_for("cuda", f"{packed[1]}.{packed[2]}")[0]
    return None


def backend_for(kind: str, constraint: str) -> tuple[Backend | None, str]:
    """The backend of a kind that a constraint means, or why there is none."""
    if kind == "cpu":
        return chosen("cpu", None, Drivers).backend, ""
    numbers = re.search(r"\d+\.\d+", constraint)
    if numbers is None:
        return None, "of which CUDA? Adopt it again with  --cuda 12.6  or  --cuda auto"
    try:
        return chosen(kind, numbers[0], Drivers).backend, ""
    except UsageError as error:
        return None, f"{error.message} {error.hint or ''} Adopt it again with  --cuda".strip()


def option(backend: Backend | None) -> str:
    """The option of `add` that chooses a backend."""
    if backend is None:
        return "another build of torch"
    return f"--{backend.kind}" + (f" {backend.version}" if backend.version else "")


def options(backend: Backend | None) -> Mapping[str, tuple[str, ...]]:
    """The options of a command that choose a backend."""
    if backend is None:
        return {}
    return {f"--{backend.kind}": (backend.version,) if backend.version else ()}
