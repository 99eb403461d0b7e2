"""`%uv add` in a cell beside what else adds a distribution: IPython's own magic, bare uv, juv."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from index import PackageIndex, wheel
from kernels import Kernel

from benchmarks.measure import Figure, compared, figure, in_turn, project, timed, uv
from benchmarks.peers import peers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernels import Cell

SHELL, OURS, IPYTHONS, JUV = "uv add, in a shell", "uvmagic", "IPython's own", "juv add"
_SPEC = "beside-peers"


def add_against_peers(runs: int) -> dict[str, Figure]:
    """One more distribution for a project of 30, warm.

    The two cells run in kernels of one environment, one with uvmagic loaded. juv's notebook lists
    the same 30 and carries their lock: `juv add` writes both, and installs nothing. Then, in the
    cells, a distribution that no index has.
    """
    base = [f"base{n}" for n in range(30)]
    _install_kernelspec()
    with PackageIndex() as index, tempfile.TemporaryDirectory() as scratch:
        index.add(*(wheel(name, "1.0") for name in base), wheel("new", "1.0"))
        folders = {
            kind: project(Path(scratch) / kind.split()[0], index, *base)
            for kind in (SHELL, OURS, IPYTHONS)
        }
        notebook = _notebook_of_juv(Path(scratch), index, base)
        as_it_was = notebook.read_bytes()
        with Kernel(_SPEC, folders[OURS]) as ours, Kernel(_SPEC, folders[IPYTHONS]) as ipythons:
            ours.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
            kernels = {OURS: ours, IPYTHONS: ipythons}

            def undo() -> None:
                for folder in folders.values():
                    uv(folder, "remove", "new")  # which fails where it is not
                if b"new" not in notebook.read_bytes():
                    raise RuntimeError("juv has added nothing")
                notebook.write_bytes(as_it_was)

            times = in_turn(
                {
                    SHELL: lambda: timed(lambda: uv(folders[SHELL], "add", "new")),
                    OURS: lambda: timed(lambda: ours.run("%uv add new")),
                    IPYTHONS: lambda: timed(lambda: ipythons.run("%uv add new")),
                    JUV: lambda: timed(lambda: _juv(notebook.parent, "add", "n.ipynb", "new")),
                },
                runs,
                undo,
            )
            added = {kind: kernel.run("%uv add new") for kind, kernel in kernels.items()}
            failed = {kind: kernel.run("%uv add nowhere") for kind, kernel in kernels.items()}
    return {
        **{kind: figure(taken) for kind, taken in times.items()},
        **{f"{kind}, over {SHELL}": compared(times[SHELL], times[kind]) for kind in kernels},
        "saved in the notebook, bytes": {kind: _size(cell) for kind, cell in added.items()},
        "failed adds that stop Run All, of 1": {
            kind: float(cell.status == "error") for kind, cell in failed.items()
        },
    }


def _size(cell: Cell) -> float:
    """Bytes of the outputs that a notebook would save."""
    return len(json.dumps(cell.outputs, ensure_ascii=False).encode())


def _install_kernelspec() -> None:
    python = str(peers().jupyter / "bin" / "python")
    command = [python, "-m", "ipykernel", "install", "--user", "--name", _SPEC]
    subprocess.run(command, check=True, capture_output=True)


def _notebook_of_juv(folder: Path, index: PackageIndex, requirements: Sequence[str]) -> Path:
    _juv(folder, "init", "n.ipynb", "--python", sys.executable)
    _juv(folder, "add", "n.ipynb", *requirements, "--default-index", index.url)
    _juv(folder, "lock", "n.ipynb")
    return folder / "n.ipynb"


def _juv(folder: Path, *arguments: str) -> None:
    command = [peers().program("juv"), *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
