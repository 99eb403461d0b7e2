"""`%uv` in a bundle whose environment cannot have uvmagic: its Python or its packages are older.

A bundle carries this file, and its kernel loads it. As ever in a bundle nothing is changed: what
`%uv add` asks for must be there, which this tells by name alone; other words are passed over.
"""

import re
import shlex

try:
    from importlib.metadata import PackageNotFoundError, version
except ImportError:  # Python 3.7
    from importlib_metadata import PackageNotFoundError, version  # type: ignore

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class EnvironmentFixed(Exception):
    """The bundle lacks what a cell asks for."""

    def _render_traceback_(self) -> "list[str]":
        return [str(self)]


def load_ipython_extension(shell: "object") -> None:
    """Let `%uv`, `%%uv` and `%uvmagic` check in this shell (IPython calls this)."""
    for name in ("uv", "uvmagic"):
        shell.register_magic_function(_check, "line_cell", name)  # type: ignore[attr-defined]


def _check(line: str, cell: "str | None" = None) -> None:
    """%uv add NAME …   checks that the bundle has it; nothing is ever changed here."""
    tokens = shlex.split(line)
    word = tokens[0] if tokens else ""
    if word != "add":
        print(f"This is a bundle, its environment is fixed: %uv {word} was not run.")
        return
    asked = [*tokens[1:], *(each.partition("#")[0].strip() for each in (cell or "").splitlines())]
    there, lacking = [], []
    for name in filter(None, map(_NAME.match, asked)):
        try:
            there.append(f"{name[0]} {version(name[0])}")
        except PackageNotFoundError:
            lacking.append(name[0])
    if lacking:
        raise EnvironmentFixed(
            f"The bundle's environment does not have what this cell asks for: {', '.join(lacking)}."
        )
    print(f"In the bundle's environment: {', '.join(there)}.")
