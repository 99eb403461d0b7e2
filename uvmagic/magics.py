"""The notebook face: `%uv`, `%%uv` and `%uvmagic`, as IPython registers them.

Every kernel of uvmagic's pays for this at its start, so it imports only what IPython has loaded
already; the first call imports `cell`, and all that is behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Bool, Enum

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from uvmagic.outcome import Outcome

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
