"""Loading and unloading the extension in a real IPython shell."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from conftest import Shell

HEAVY = {
    "jupyter_client",
    "nbclient",
    "nbformat",
    "packaging",
    "rich",
    "tomlkit",
    "tomllib",
    "uvmagic.app",
    "uvmagic.change",
    "uvmagic.bundle",
    "uvmagic.kernel",
}


def owner_of(shell: Shell, name: str, kind: str = "line") -> str:
    magic = shell.ip.magics_manager.magics[kind][name]
    return str(magic.__self__.__class__.__name__)


def test_the_built_in_uv_is_replaced_on_load_and_given_back_on_unload(shell: Shell) -> None:
    assert owner_of(shell, "uv") == "UvMagics"
    assert owner_of(shell, "uv", "cell") == "UvMagics"
    shell.run("%unload_ext uvmagic")
    assert owner_of(shell, "uv") == "PackagingMagics"
    assert "uv" not in shell.ip.magics_manager.magics["cell"]
    assert "uvmagic" not in shell.ip.magics_manager.magics["line"]


def test_loading_again_after_unloading_works(shell: Shell) -> None:
    shell.run("%unload_ext uvmagic")
    shell.run("%load_ext uvmagic")
    assert owner_of(shell, "uv") == "UvMagics"
    shell.run("%unload_ext uvmagic")
    assert owner_of(shell, "uv") == "PackagingMagics"


def test_loading_twice_and_reloading_leave_one_set_of_magics(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%load_ext uvmagic")
    assert "already loaded" in capsys.readouterr().out
    shell.run("%reload_ext uvmagic")
    ours = [c for c in shell.ip.configurables if type(c).__name__ == "UvMagics"]
    assert len(ours) == 1
    shell.run("%unload_ext uvmagic")
    assert owner_of(shell, "uv") == "PackagingMagics"


def test_pip_before_uv_leaves_uv_ours(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("%pip --version")  # IPython 9.17.0 took %uv back at this moment
    assert owner_of(shell, "uv") == "UvMagics"
    capsys.readouterr()
    shell.run("%uv --help")
    assert "uvmagic WORD" in capsys.readouterr().out


def test_uvmagic_is_the_same_magic_by_another_name(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%uvmagic add --help")
    by_alias = capsys.readouterr().out
    shell.run("%uv add --help")
    assert capsys.readouterr().out == by_alias != ""


def test_settings_are_shown_and_set_by_config(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%config UvMagics")
    assert "UvMagics.auto_register" in capsys.readouterr().out
    shell.run("%config UvMagics.auto_register = False")
    (ours,) = (c for c in shell.ip.configurables if type(c).__name__ == "UvMagics")
    assert getattr(ours, "auto_register") is False  # noqa: B009


def test_jupyter_finds_the_shell_face() -> None:
    command = [sys.executable, "-m", "jupyter", "uvmagic", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("uvmagic ")


def test_loading_imports_nothing_heavy() -> None:
    code = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "uvmagic")
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "uvmagic.magics" in loaded
    heavy = {
        name
        for name in loaded
        for unwanted in HEAVY
        if name == unwanted or name.startswith(unwanted + ".")
    }
    assert heavy == set()
