"""The kernel in the place of one that cannot start: it says why, and `%uv …` cells can mend it.

Other cells are not run: they would run in the wrong environment.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp

from uvmagic.kernel.move import hindrance
from uvmagic.kernel.spec import REASON

_OURS = ("%uv", "%%uv", "%load_ext uvmagic", "%config UvMagics")
_LEAVES = ("exit", "quit", "exit()", "quit()")
"""How one leaves a console."""


def is_ours(code: str) -> bool:
    """Whether a cell is uvmagic's alone: its lines are `%uv …`, comments or blank."""
    if code.lstrip().startswith("%%uv") or code.strip() in _LEAVES:
        return True
    lines = [line.strip() for line in code.splitlines()]
    return all(not line or line.startswith(("#", *_OURS)) for line in lines)


class FallbackKernel(IPythonKernel):
    """Runs `%uv …` and explains itself in all other cells."""

    async def do_execute(
        self, code: str, silent: bool, *arguments: Any, **options: Any
    ) -> dict[str, Any]:
        """Run a cell that is uvmagic's; answer any other with the reason, as an error."""
        if silent or is_ours(code):
            run: Any = super().do_execute
            done: dict[str, Any] = await run(code, silent, *arguments, **options)
            return done
        told = json.loads(os.environ[REASON])
        error = {
            "ename": "KernelRefused",
            "evalue": told["message"],
            "traceback": [
                _explained(told["message"], told["hint"], can_move=hindrance(self) is None)
            ],
        }
        send: Any = self.send_response
        send(self.iopub_socket, "error", error)
        return {"status": "error", "execution_count": self.execution_count, **error}


def _explained(message: str, hint: str | None, *, can_move: bool) -> str:
    mend = f"\n→ {hint or '%uv sync  tries again.'}"
    then = (
        "The cell after that runs in the project."
        if can_move
        else "Then restart the kernel: it will run in the project."
    )
    return f"{message}{mend}\n→ {then} Until then only  %uv …  cells run here."


if __name__ == "__main__":
    IPKernelApp.launch_instance(
        kernel_class=FallbackKernel, extra_extensions=["uvmagic"], log_level="ERROR"
    )
