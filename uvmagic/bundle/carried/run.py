"""Runs the bundle's notebook, as papermill's command does, and tells how it goes.

A bundle carries this file; it needs nothing but papermill. Each cell is told on stdout as it ends;
one that raises, on stderr, with its source, and the exit status is 1. Another command than the
notebook's is run as it is, `docker run IMAGE python`, or the server that Binder starts.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from papermill import execute  # type: ignore[import-untyped]
from papermill.cli import papermill  # type: ignore[import-untyped]
from papermill.engines import NBClientEngine, papermill_engines  # type: ignore[import-untyped]
from papermill.exceptions import PapermillExecutionError  # type: ignore[import-untyped]


class TellingEngine(NBClientEngine):  # type: ignore[misc]
    """papermill's own engine, which tells each code cell that has ended."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        """Execute a notebook; `nb_man` is papermill's manager of its state."""
        cells = [id(cell) for cell in nb_man.nb.cells if cell.cell_type == "code"]
        complete, start, began = nb_man.cell_complete, nb_man.cell_start, {}

        def cell_start(cell: Any, *arguments: Any, **keywords: Any) -> None:
            began[id(cell)] = time.monotonic()
            start(cell, *arguments, **keywords)

        def cell_complete(cell: Any, *arguments: Any, **keywords: Any) -> None:
            complete(cell, *arguments, **keywords)
            if id(cell) in cells:
                seconds = time.monotonic() - began.get(id(cell), time.monotonic())
                place = cells.index(id(cell)) + 1
                print(f"cell {place} of {len(cells)}: {seconds:.1f} s", flush=True)

        nb_man.cell_start, nb_man.cell_complete = cell_start, cell_complete
        return super().execute_managed_notebook(nb_man, kernel_name, **options)


def raise_for_execution_errors(nb: Any, output_path: str) -> None:
    """As papermill's own, but a cell may raise what it is expected to raise.

    `raises-exception` marks such a cell; of one saved with an error the bundle says with which.
    """
    if any(map(_is_unexpected, nb.cells)):
        _raise_for_execution_errors(nb, output_path)


_raise_for_execution_errors = execute.raise_for_execution_errors


def _is_unexpected(cell: Any) -> bool:
    raised = [o["ename"] for o in cell.get("outputs", ()) if o["output_type"] == "error"]
    if cell.metadata.get("papermill", {}).get("exception"):
        return True  # papermill stopped there
    if "raises-exception" not in cell.metadata.get("tags", ()):
        return bool(raised)
    told = cell.metadata.get("uvmagic")
    expected = told.get("raises") if isinstance(told, dict) else None
    return any(name != expected for name in raised) if expected else False


def main() -> None:
    """Run with papermill's own arguments; a command after those of the image runs in its place."""
    if command := _command(sys.argv[1:]):
        os.execvp(command[0], command)  # noqa: S606 - what the caller of the container asks for
    papermill_engines.register("telling", TellingEngine)
    execute.raise_for_execution_errors = raise_for_execution_errors
    arguments = ["--engine", "telling", "--no-progress-bar", "--log-level", "ERROR"]
    try:
        papermill.main([*arguments, *sys.argv[1:]], prog_name="run", standalone_mode=True)
    except PapermillExecutionError as error:
        print(f"In [{error.exec_count}]:\n{error.source}\n", file=sys.stderr)
        print("\n".join(error.traceback), file=sys.stderr)
        sys.exit(1)


def _command(arguments: list[str]) -> list[str]:
    """What follows `[--OPTION VALUE]… NOTEBOOK OUTPUT`, where that is no option of papermill's."""
    rest, files = arguments, 0
    while rest and files < 2:
        is_option = rest[0].startswith("-")
        rest, files = rest[1 + is_option :], files + (not is_option)
    return rest if rest and not rest[0].startswith("-") else []


if __name__ == "__main__":
    main()
