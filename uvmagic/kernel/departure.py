"""What a kernel does that gives its place away: it hands over each request it has not begun.

Its own cell is ended as ever, reply and all. A cell that fails has those behind it refused by
ipykernel itself, as ever; what comes later goes to the successor.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LAST = "uvmagic_last_request"
"""The message that is put behind the requests of the old kernel: after it, none is left there."""
_DELIMITER = b"<IDS|MSG>"
"""What parts a message from the identities before it (Jupyter's wire protocol)."""


def message_type(frames: list[bytes]) -> str:
    """The type of a message as it comes over a socket; empty for what is none."""
    return _told(frames, 2, "msg_type")


def parent_session(frames: list[bytes]) -> str:
    """The session whose request a message answers; empty for what answers none."""
    return _told(frames, 3, "session")


def _told(frames: list[bytes], place: int, name: str) -> str:
    """What a header says: the message's own, 2 frames after the delimiter, or its parent's, 3."""
    try:
        return str(json.loads(frames[frames.index(_DELIMITER) + place])[name])
    except (ValueError, LookupError, TypeError):
        return ""


def depart(
    kernel: Any, hand_over: Callable[[list[bytes]], None], settled: Callable[[], None]
) -> None:
    """Let a kernel (of ipykernel 7) begin no further request.

    Args:
        kernel: the running kernel; called in its main thread, within a cell.
        hand_over: takes the frames of each request that it does not begin, in order.
        settled: called after the last of them, when `LAST` has come.
    """
    own = kernel.dispatch_shell

    async def dispatch_shell(msg: Any, /, subshell_id: str | None = None, **options: Any) -> None:
        frames = [bytes(frame.buffer) for frame in msg]
        kind = message_type(frames)
        is_own = (
            not kind  # one of ipykernel's own, to itself
            or subshell_id is not None
            or options.get("concurrent")  # belongs to the cell that is running still
            or (kernel._aborting and kind == "execute_request")
        )
        if kind == LAST:
            settled()
        elif is_own:
            await own(msg, subshell_id=subshell_id, **options)
        else:
            hand_over(frames)

    kernel.dispatch_shell = dispatch_shell
