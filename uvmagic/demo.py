"""`uvmagic demo`: the whole story on a scratch project, with nothing but uv and PyPI.

The quickstart notebook is run as its reader would: in Jupyter's own kernel up to its first
`%uv add`, then, the project's kernel chosen, from top to bottom. Then the bundle that its last
cell made is rerun from nothing.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmagic import grammar
from uvmagic import notebook as notebooks
from uvmagic.data.notebooks import quickstart
from uvmagic.errors import CellRaised, UsageError
from uvmagic.kernel import registry
from uvmagic.outcome import Outcome
from uvmagic.progress import Progress
from uvmagic.rerun import flow as rerun_flow
from uvmagic.system.host import Host, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

    from uvmagic.grammar import Command

_BAR = 40
"""Characters of the longest bar in the picture."""


def demo(command: Command, host: Host) -> Outcome:
    """Make a scratch project in a new folder, run the story there, and show where time went.

    The kernel is registered in the scratch folder, not among the user's.

    Raises:
        UsageError: the folder that is named exists and is not empty.
        CellRaised: a cell of the story failed; the folder stays to look at.
    """
    folder = _scratch_folder(command, host)
    file = folder / "quickstart.ipynb"
    shutil.copy(quickstart(), file)
    story = notebooks.read(file)
    adding = next(n for n, cell in enumerate(story.cells) if cell.source.startswith("%uv add"))
    began = time.monotonic()
    with _own_jupyter(folder.parent / "jupyter"):
        host.reporter.progress(Progress("In Jupyter's kernel: %uv init, %uv add"))
        first = run_cells(story, folder, last=adding)
        in_jupyter = time.monotonic()
        kernel = next(k for k in registry.installed() if k.project == folder.resolve())
        host.reporter.progress(Progress("In the project's kernel: all cells, %uv bundle"))
        second = run_cells(story, folder, kernel=kernel.name)
        file.write_bytes(notebooks.to_bytes(second))
        in_project = time.monotonic()
        call = grammar.parse(["rerun", "quickstart-bundle", "-p", "half_life", "20"])
        rerun_flow.rerun(call, dataclasses.replace(host, cwd=folder))
    ended = time.monotonic()
    steps = [
        *_steps("Jupyter's kernel", first, in_jupyter - began),
        *_steps("the project's kernel", second, in_project - in_jupyter),
        ("from nothing: uvmagic rerun", ended - in_project),
    ]
    return Outcome(
        "demo",
        f"A notebook became a project, a kernel and a bundle, and reran: {ended - began:.0f} s.",
        facts=(
            ("project", shorten(folder)),
            ("kernel", kernel.display_name),
            ("bundle", shorten(folder / "quickstart-bundle")),
            ("rerun", shorten(folder / "quickstart-rerun.ipynb")),
        ),
        listing=tuple(_picture(steps)),
        next_steps=(
            f"Look at {shorten(file)}; remove {shorten(folder.parent)} when you have seen enough.",
        ),
        data={"seconds": {name: round(seconds, 3) for name, seconds in steps}},
    )


_QUIETLY = ["--IPKernelApp.log_level=ERROR", "--UvMagics.auto_move=never"]
"""A pass for each kernel, so that each is timed: the notebook stays where it is."""


def _steps(kernel: str, executed: NotebookNode, seconds: float) -> list[tuple[str, float]]:
    """How long the cells of one run took, `%uv` cells each, the rest together; in seconds."""
    magic: list[tuple[str, float]] = []
    others = 0.0
    for cell in (cell for cell in executed.cells if cell.cell_type == "code"):
        took = notebooks.seconds(cell)
        if cell.source.startswith("%uv"):
            magic.append((f"  {cell.source.partition('.')[0]}", took))
        else:
            others += took
    start = seconds - others - sum(took for _, took in magic)
    return [(f"{kernel}: its start", start), *magic, ("  the other cells", others)]


def _picture(steps: list[tuple[str, float]]) -> list[str]:
    """Where the time went: a bar for each step, to one scale."""
    longest = max(seconds for _, seconds in steps)
    width = max(len(name) for name, _ in steps)
    return [
        f"{name:<{width}} {seconds:6.2f} s  {'█' * round(_BAR * seconds / longest)}"
        for name, seconds in steps
    ]


def run_cells(
    story: NotebookNode, folder: Path, *, last: int | None = None, kernel: str = "python3"
) -> NotebookNode:
    """Execute a notebook's cells in a real kernel.

    Args:
        story: the notebook; it is not changed.
        folder: where the kernel runs.
        last: the index of the last cell to run; all by default.
        kernel: the kernel's name; `python3` is this interpreter's own.

    Returns:
        The executed copy.

    Raises:
        CellRaised: naming the cell and what it raised.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    made = copy.deepcopy(story)
    made.cells = made.cells[: None if last is None else last + 1]
    client = NotebookClient(
        made,
        kernel_name=kernel,
        resources={"metadata": {"path": str(folder)}},
        timeout=300,
        extra_arguments=_QUIETLY,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        number, told = notebooks.first_error(made) or (0, str(error))
        raise CellRaised(f"Cell {number} of the story raised {told}") from error
    return made


def _scratch_folder(command: Command, host: Host) -> Path:
    if not command.positionals:
        above = Path(tempfile.mkdtemp(prefix="uvmagic-demo-"))
    else:
        above = host.cwd / command.positionals[0]
        if above.exists() and any(above.iterdir()):
            raise UsageError(f"{above} is not empty.", "Name a folder that does not exist yet.")
    folder = above / "quickstart"
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def _own_jupyter(folder: Path) -> Iterator[None]:
    """Jupyter's and IPython's folders inside the scratch folder, the user's left alone."""
    own: dict[str, Any] = {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    folder.mkdir()
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
