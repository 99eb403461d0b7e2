"""The uv binaries of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uvmagic.errors import UvUnavailable
from uvmagic.system.uv import all_on_path, conda_environment_of, find_uv

if TYPE_CHECKING:
    from pathlib import Path

    from uvmagic.system.host import Host
    from uvmagic.system.uv import Uv


@dataclass(frozen=True, slots=True)
class UvFacts:
    """The uv binaries of this machine.

    Attributes:
        path: of the one that is used; empty where there is none.
        version: likewise.
        refusal: why there is none, and what to do.
        on_path: every one on PATH, the first first; links to one file are told once.
        conda: the conda environment that the used one belongs to, None for none.
    """

    path: str = ""
    version: str = ""
    refusal: tuple[str, str] | None = None
    on_path: tuple[Path, ...] = ()
    conda: Path | None = None


def uv_facts(host: Host) -> tuple[Uv | None, UvFacts]:
    """The uv to use, None where there is none, and what is known of all of them."""
    on_path = tuple(all_on_path(host.environ))
    try:
        uv = find_uv(host.environ)
    except UvUnavailable as error:
        return None, UvFacts(refusal=(error.message, error.hint or ""), on_path=on_path)
    return uv, UvFacts(uv.path, uv.version, None, on_path, conda_environment_of(uv.path))
