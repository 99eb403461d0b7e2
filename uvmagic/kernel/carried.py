"""A notebook that carries its own requirements, as a script does (PEP 723): juv writes such ones.

Its environment is the one that uv makes for a script. uv knows scripts by their path alone, so
while it works one stands beside the notebook, hidden: relative sources stay right there.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmagic.errors import ProjectInvalid, UvFailed
from uvmagic.kernel import support
from uvmagic.project import parse_requirement
from uvmagic.system.environment import Environment
from uvmagic.system.files import write_atomically
from uvmagic.system.host import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BLOCK = re.compile(r"(?m)^# /// script$\s(?P<content>(?:^#(?:| .*)$\s)+)^# ///$")
"""The block of a script, from PEP 723's own expression for all types of blocks."""


def requirements_of(notebook: Path) -> tuple[str, str | None] | None:
    """What a notebook carries: its block's TOML, and its lock where it has one; None for nothing.

    Args:
        notebook: the file; one that cannot be read carries nothing.

    Raises:
        ProjectInvalid: several cells have a block.
    """
    try:
        told: Any = json.loads(notebook.read_bytes())
    except (OSError, ValueError):
        return None
    cells = [cell for cell in told.get("cells", ()) if cell.get("cell_type") == "code"]
    texts = ("".join(cell.get("source", ())) for cell in cells)
    blocks = [block for text in texts for block in _BLOCK.finditer(f"{text.rstrip()}\n")]
    if len(blocks) > 1:
        raise ProjectInvalid(
            f"{notebook.name} has {len(blocks)} blocks of requirements.", "Keep one of them."
        )
    lock = told.get("metadata", {}).get("uv.lock")  # as juv writes it
    for block in blocks:
        lines = block["content"].splitlines()
        return "\n".join(line[2:] for line in lines), lock if isinstance(lock, str) else None
    return None


def environment(notebook: Path, environ: Mapping[str, str]) -> Environment | None:
    """The environment of what a notebook carries, brought up to date; None for nothing carried.

    Args:
        notebook: the notebook.
        environ: the kernel's environment variables.

    Raises:
        ProjectInvalid: what it carries cannot be read.
        UvUnavailable, UvFailed: uv cannot make the environment.
        FilesUnwritable: nothing can be written beside the notebook.
    """
    carried = requirements_of(notebook)
    if carried is None:
        return None
    from uvmagic.system.uv import environment_for_uv, find_uv

    uv = find_uv(environ)
    block, lock = carried
    with _script(notebook, as_kernel(block, notebook), lock) as script:
        result = uv.run(
            ["sync", "--script", str(script), "--output-format", "json", "-q"],
            cwd=notebook.parent,
            environ=environment_for_uv(environ),
        )
    if result.returncode != 0:
        raise UvFailed(
            f"uv cannot make what {notebook.name} asks for.\n{result.transcript.error()}",
            "Mend the cell with its requirements, then restart the kernel.",
        )
    return Environment(Path(json.loads(result.stdout)["sync"]["environment"]["path"]))


def as_kernel(block: str, notebook: Path) -> str:
    """A block's TOML with what a kernel needs besides.

    Raises:
        ProjectInvalid: it is no TOML, or its dependencies are no list.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        told: Any = tomlkit.parse(block)
        asked = told.setdefault("dependencies", [])
        names = {found.name.lower() for entry in asked if (found := parse_requirement(str(entry)))}
        asked.extend(name for name in ("ipykernel",) if name not in names)
        if "uvmagic" not in names:
            _add_uvmagic(told, asked)
    except (TOMLKitError, AttributeError, TypeError) as error:
        raise ProjectInvalid(
            f"The requirements in {shorten(notebook)} cannot be read: {error}",
            "Mend the cell that begins with  # /// script",
        ) from error
    return tomlkit.dumps(told)


def _add_uvmagic(told: Any, asked: Any) -> None:
    """This same uvmagic, for the Pythons that it runs on."""
    origin = support.origin_of_uvmagic()
    requirement = "uvmagic" if origin.folder else f"{origin.requirement} "  # a URL ends at a space
    asked.append(f"{requirement}; {support.python_marker()}")
    if origin.folder:
        sources = told
        for table in ("tool", "uv", "sources"):
            sources = sources.setdefault(table, {})
        mode = {"editable": True} if origin.is_editable else {}
        sources["uvmagic"] = {"path": str(origin.folder), **mode}


@contextlib.contextmanager
def _script(notebook: Path, block: str, lock: str | None) -> Iterator[Path]:
    """A script with a block, and its lock, beside a notebook; gone afterwards."""
    script = notebook.with_name(f".{notebook.stem}.uvmagic.py")
    lock_file = script.with_name(f"{script.name}.lock")
    lines = "".join(f"# {line}".rstrip() + "\n" for line in block.splitlines())
    try:
        write_atomically(script, f"# /// script\n{lines}# ///\n".encode())
        if lock is not None:
            write_atomically(lock_file, lock.encode())
        yield script
    finally:
        for file in (script, lock_file):
            file.unlink(missing_ok=True)
