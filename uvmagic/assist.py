"""Tab and Shift-Tab in a cell, and `%uv add?`: help where IPython and its kernel ask for it.

An error in here is nobody's affair who only looks for help: it gives none.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from uvmagic.grammar.completion import Completion
    from uvmagic.grammar.cursor import Place

_ASKED = re.compile(r"(?P<before>\s*%uv(?:magic)?)\s+(?P<call>[^\n]*?)\s*\?{1,2}\s*")


def install(shell: InteractiveShell) -> None:
    """Complete, inspect and explain calls of uvmagic's in a shell, and in its kernel."""
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(matcher)
    shell.input_transformers_cleanup.append(as_help)
    kernel = _kernel(shell)
    if kernel is not None:
        kernel.do_inspect = inspecting(kernel.do_inspect)


def remove(shell: InteractiveShell) -> None:
    """Leave nothing of that."""
    if shell.Completer is not None and matcher in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(matcher)
    if as_help in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(as_help)
    kernel = _kernel(shell)
    ours = kernel is not None and vars(kernel).get("do_inspect")
    if getattr(ours, "__module__", "") == __name__:  # else somebody has put another in its place
        del kernel.do_inspect


def _kernel(shell: InteractiveShell) -> Any:
    return getattr(shell, "kernel", None)


# --- Tab ----------------------------------------------------------------------------------------


class _NoneOfOthers(list[SimpleCompletion]):
    """No completion, where IPython is to find none of its own: it asks only for the length."""

    def __len__(self) -> int:
        return 1


@context_matcher(priority=1000, identifier="uvmagic")  # type: ignore[untyped-decorator]
def matcher(context: CompletionContext) -> SimpleMatcherResult:
    """What may stand at the cursor (IPython calls this); on a line of uvmagic's nothing else."""
    cell, above = context.full_text, context.full_text.split("\n")[: context.cursor_line]
    cursor = sum(len(line) + 1 for line in above) + context.cursor_position
    place = _place(cell, cursor)
    if place is None or place.cursor <= 0:
        return {"completions": [], "suppress": False}
    listed, typed = list[SimpleCompletion](), ""
    with contextlib.suppress(Exception):
        found = _completed(place)
        listed = [SimpleCompletion(one.text, type=one.kind) for one in found.candidates]
        typed = cell[cursor - (found.end - found.start) : cursor]
    return {
        "completions": listed or _NoneOfOthers(),
        "matched_fragment": typed,
        "ordered": True,
        "suppress": True,
    }


def _completed(place: Place) -> Completion:
    from uvmagic.grammar.completion import complete
    from uvmagic.offers import Offers
    from uvmagic.system.host import current_folder

    facts = Offers(current_folder(), os.environ)
    return complete(place.text, place.cursor, facts, place.given)


# --- Shift-Tab, and `?` -------------------------------------------------------------------------


def inspecting(inspect: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel's `do_inspect` that knows the help of the word in a line of uvmagic's.

    IPython's own is told a name alone, and not the line that it is in.
    """

    def do_inspect(code: str, cursor_pos: int, *arguments: Any, **options: Any) -> Any:
        place = _place(code, cursor_pos)
        with contextlib.suppress(Exception):
            if place is not None:
                from uvmagic.grammar import help_of_call

                data = {"text/plain": help_of_call(place.tokens())}
                return {"status": "ok", "found": True, "data": data, "metadata": {}}
        return inspect(code, cursor_pos, *arguments, **options)

    return do_inspect


def as_help(lines: list[str]) -> list[str]:
    """A cell that is nothing but `%uv add?` as the call for that help (IPython calls this).

    IPython itself would look for an object of the name `add`.
    """
    match = _ASKED.fullmatch("".join(lines))
    if match is None:
        return lines
    with contextlib.suppress(Exception):
        from uvmagic.grammar import called, tokenise

        name, _ = called(tokenise(match["call"]))
        return [f"{match['before']} {name} --help\n"]
    return lines


def _place(cell: str, cursor: int) -> Place | None:
    if "%uv" in cell:  # in most it is not, and nothing is imported for them
        with contextlib.suppress(Exception):
            from uvmagic.grammar.cursor import call_at

            return call_at(cell, cursor)
    return None
