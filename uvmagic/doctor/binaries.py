"""The uv binaries of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvmagic.doctor.facts import UvFacts
from uvmagic.errors import UvUnavailable
from uvmagic.system.uv import all_on_path, conda_environment_of, find_uv

if TYPE_CHECKING:
    from uvmagic.system.host import Host
    from uvmagic.system.uv import Uv


def uv_facts(host: Host) -> tuple[Uv | None, UvFacts]:
    """The uv to use, None where there is none, and what is known of all of them."""
    on_path = tuple(all_on_path(host.environ))
    try:
        uv = find_uv(host.environ)
    except UvUnavailable as error:
        return None, UvFacts(refusal=(error.message, error.hint or ""), on_path=on_path)
    return uv, UvFacts(uv.path, uv.version, None, on_path, conda_environment_of(uv.path))
