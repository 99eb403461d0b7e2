"""`%uv` in a kernel whose environment cannot have uvmagic: its Python or its packages are older.

Each call is handed to the uvmagic of another interpreter, the one that made the kernel, as in a
shell. `kernel.spec` has this module found and loaded there, so it runs on any Python that ipykernel
runs on, and needs nothing but the standard library: annotations are quoted for that.
"""

import contextlib
import importlib
import shlex
import subprocess
import sys

PYTHON = ""
"""The interpreter that has uvmagic; set at the kernel's start."""


class Failed(Exception):
    """A call that failed: what it said stands above, so there is no traceback."""

    def _render_traceback_(self) -> "list[str]":
        return [str(self)]


def load_ipython_extension(shell: "object") -> None:
    """Let `%uv`, `%%uv` and `%uvmagic` be handed over in this shell (IPython calls this)."""
    for name in ("uv", "uvmagic"):
        shell.register_magic_function(_hand_over, "line_cell", name)  # type: ignore[attr-defined]


def _hand_over(line: str, cell: "str | None" = None) -> None:
    """%uv WORD …   is answered by the uvmagic that made this kernel; %uv --help tells more."""
    tokens, text = shlex.split(line), ""
    word = next((token for token in tokens if not token.startswith("-")), "")
    if cell is not None and word == "add":
        lines = (each.partition(" #")[0].strip() for each in cell.splitlines())
        tokens += [each for each in lines if each and not each.startswith("#")]
    elif cell is not None:
        tokens, text = [*tokens, "-"], cell
    status = _called([PYTHON, "-P", "-m", "uvmagic", *tokens], text)
    importlib.invalidate_caches()
    if status != 0:
        raise Failed(f"uvmagic ended with status {status}.")


def _called(command: "list[str]", text: str) -> int:
    """Run a command with a text as its input, show its output as it comes, and give its status."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, universal_newlines=True
        )
    except OSError as error:
        raise Failed(
            f"The uvmagic of this kernel is gone ({error}): run  uvmagic kernel install  again."
        ) from None
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        with contextlib.suppress(BrokenPipeError):  # it has ended, and says why
            process.stdin.write(text)
            process.stdin.close()
        try:
            for line in process.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
        except KeyboardInterrupt:  # it has reached uvmagic too, which undoes what it began
            sys.stdout.write(process.stdout.read())
            raise
    return process.returncode
