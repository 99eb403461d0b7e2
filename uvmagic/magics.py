"""The notebook face: `%uv`, `%%uv` and `%uvmagic`, as IPython registers them.

Every kernel of uvmagic's pays for this at its start, so it imports only what IPython has loaded
already; the first call imports `cell`, and all that is behind it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Bool, Enum, Unicode

from uvmagic import assist

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from uvmagic.outcome import Outcome

_UNTIL_IDLE = 0.2
"""Seconds from loading on after which a kernel has answered what a front end asks at its start."""
_KINDS = ("line", "cell")
_OURS = ("uv", "uvmagic")


@magics_class
class UvMagics(Magics):
    """`%uv` over the uv package manager; `%config UvMagics` shows its settings."""

    auto_register = Bool(
        True, help="Whether a project's first change from a notebook makes it a kernel."
    ).tag(config=True)
    auto_move = Enum(
        ("unless-variables", "always", "never"),
        "unless-variables",
        help="When a change of the project moves a notebook into it that runs elsewhere.",
    ).tag(config=True)
    display = Enum(
        ("rich", "text", "none"),
        "rich",
        help="How outcomes are shown: rich (HTML, and text), text, or none (errors alone).",
    ).tag(config=True)
    default_mirror = Unicode(
        help="Where torch's wheels come from if a call has no --mirror and the project none: nju, "
        "sjtu, aliyun, or a URL; empty for PyTorch's own index.",
    ).tag(config=True)

    @no_var_expand
    @line_cell_magic
    def uv(self, line: str, cell: str | None = None) -> Outcome | None:
        """%uv WORD …   add, remove, sync, lock, init, bundle, kernel, and all that uv knows.

        %uv --help tells more.
        """
        return self._run(line, cell)

    @no_var_expand
    @line_cell_magic
    def uvmagic(self, line: str, cell: str | None = None) -> Outcome | None:
        """%uvmagic is %uv, by a name that nothing else takes."""
        return self._run(line, cell)

    def _run(self, line: str, cell: str | None) -> Outcome | None:
        from uvmagic.cell import run

        return run(self, line, cell)


# --- loading and unloading ---------------------------------------------------------------------

_replaced: WeakKeyDictionary[InteractiveShell, dict[str, dict[str, Any]]] = WeakKeyDictionary()
"""For each shell, the magics that ours took the place of, by kind and name."""


def load(shell: InteractiveShell) -> None:
    """Register the magics; what they replace is remembered. Loading twice is loading once."""
    if shell in _replaced:
        return
    registered = shell.magics_manager.magics
    _replaced[shell] = {
        kind: {name: registered[kind][name] for name in _OURS if name in registered[kind]}
        for kind in _KINDS
    }
    for name in _OURS:  # what `%uv?` shows, made when it is asked for (IPython's oinspect.getdoc)
        getattr(UvMagics, name).getdoc = _overview
    shell.register_magics(UvMagics)
    assist.install(shell)
    kernel = getattr(shell, "kernel", None)
    if kernel is not None and not hasattr(kernel, "io_loop"):  # it starts, and a user waits for it
        timer = threading.Timer(_UNTIL_IDLE, _when_idle, (kernel, _import_words))
        timer.daemon = True
        timer.start()
    else:
        _import_words()


def _import_words() -> None:
    """What a call of any word needs, so that the first does not wait for it: 15 ms."""
    import html  # noqa: F401

    import uvmagic.data.uv
    import uvmagic.display.html
    import uvmagic.grammar
    import uvmagic.outcome
    import uvmagic.project
    import uvmagic.system.environment
    import uvmagic.system.host  # noqa: F401


def _when_idle(kernel: Any, call: Callable[[], None]) -> None:
    loop = getattr(kernel, "io_loop", None)
    if loop is not None:  # else it has not started in that time, and the first call imports
        loop.add_callback(call)


def _overview() -> str:
    from uvmagic import grammar

    return grammar.help_text()


def unload(shell: InteractiveShell) -> None:
    """Take the magics away and put back what they replaced."""
    before = _replaced.pop(shell, None)
    if before is None:
        return
    manager = shell.magics_manager
    for kind in _KINDS:
        for name in _OURS:
            manager.magics[kind].pop(name, None)
        manager.magics[kind].update(before[kind])
    own = manager.registry.pop(UvMagics.__name__, None)
    if own in shell.configurables:
        shell.configurables.remove(own)
    assist.remove(shell)
