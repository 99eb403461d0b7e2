"""A project with torch for several machines is well on each of them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from torch_calls import done

if TYPE_CHECKING:
    import pytest
    from torch_hosts.fixtures import TorchHosts

TORCH = {"torch-incomplete", "environment-behind", "environment-extra", "lock-behind", "driver-old"}


def test_the_extra_of_this_machine_is_what_a_sync_installs(
    torch_hosts: TorchHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    folder = torch_hosts.folder
    done(folder, "add", "torch==2.7.1", "--cuda", "126", "--cpu")
    folder.pyproject.write_text(f"{folder.pyproject.read_text()}\n# so that uv is asked\n")
    told = json.loads(folder.uvmagic("doctor", "--json").stdout)
    assert {finding["id"] for finding in told["findings"]} & TORCH == set()
    card = folder.uvmagic("status").stdout
    assert "accelerator" in card
    assert "cu126: torch 2.7.1: CUDA 12.6 on Linux x86-64" in card.replace("+cu126", "")
