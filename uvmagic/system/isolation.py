"""Uv without what the user has set for this machine, except for how it reaches the network."""

from __future__ import annotations

import contextlib
import re
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from uvmagic.system.settings import config_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TRANSPORT = (
    "UV",
    "UV_CACHE_DIR",
    "UV_CONCURRENT_*",
    "UV_HTTP_*",
    "UV_INDEX_*_PASSWORD",
    "UV_INDEX_*_USERNAME",
    "UV_INSECURE_HOST",
    "UV_KEYRING_PROVIDER",
    "UV_LINK_MODE",
    "UV_LOCK_TIMEOUT",
    "UV_NATIVE_TLS",
    "UV_OFFLINE",
    "UV_PYTHON_*",
    "UV_REQUEST_TIMEOUT",
    "UV_SYSTEM_CERTS",
)
"""Variables of uv's that no lock depends on (docs.astral.sh/uv/reference/environment)."""

_TRANSPORT_KEYS = (
    "allow-insecure-host",
    "cache-dir",
    "concurrent-builds",
    "concurrent-downloads",
    "concurrent-installs",
    "http-proxy",
    "https-proxy",
    "keyring-provider",
    "link-mode",
    "native-tls",
    "no-proxy",
    "offline",
    "python-downloads",
    "python-install-mirror",
    "python-preference",
    "system-certs",
)
"""The same in uv.toml (docs.astral.sh/uv/reference/settings)."""


@contextlib.contextmanager
def isolated(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """An environment in which uv resolves as it would on any other machine.

    Neither environment variables nor the user's or the system's uv.toml choose what is locked; the
    cache, certificates, proxies and the like stay.
    """
    with tempfile.TemporaryDirectory(prefix="uvmagic-config-") as folder:
        user, system = Path(folder) / "user" / "uv", Path(folder) / "system" / "uv"
        for place in (user, system):
            place.mkdir(parents=True)
        (user / "uv.toml").write_text(tomlkit.dumps(_transport(environ)), encoding="utf-8")
        # It is found first, so that uv looks for no other one.
        (system / "uv.toml").write_text("", encoding="utf-8")
        kept = {k: v for k, v in environ.items() if not k.startswith("UV_") or _is_transport(k)}
        yield {
            **kept,
            "XDG_CONFIG_HOME": str(user.parent),
            "XDG_CONFIG_DIRS": str(system.parent),
            "APPDATA": str(user.parent),
            "PROGRAMDATA": str(system.parent),
        }


def is_offline(environ: Mapping[str, str]) -> bool:
    """Whether this machine's settings keep uv from the network."""
    told = environ.get("UV_OFFLINE", "").lower() not in ("", "0", "false", "no", "off")
    return told or bool(_transport(environ).get("offline"))


def _is_transport(variable: str) -> bool:
    patterns = (re.escape(name).replace(r"\*", ".+") for name in _TRANSPORT)
    return any(re.fullmatch(pattern, variable) for pattern in patterns)


def _transport(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the user's and the system's uv.toml say about transport, the user's first."""
    merged: dict[str, Any] = {}
    for file in reversed(config_files(environ)):
        try:
            settings = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
            continue  # uv itself has said so, or will
        merged |= {key: settings[key] for key in _TRANSPORT_KEYS if key in settings}
    return merged
