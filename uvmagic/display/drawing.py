"""Progress drawn from a thread of its own, whatever the work is waiting for."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING

from uvmagic.display.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvmagic.display.pace import Moment
    from uvmagic.progress import Progress

_PATIENCE = 2.0
"""Seconds that the last drawing may take: a terminal may be stopped, or gone."""


class Drawing:
    """Draws the latest moment at most five times a second until it is ended.

    Args:
        draw: shows a moment, in another thread than the work's.
    """

    def __init__(self, draw: Callable[[Moment], None]) -> None:
        self._draw = draw
        # a SimpleQueue, for an interrupt may leave the locks of a Queue half released
        self._heard: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def hear(self, progress: Progress) -> None:
        """Take what is being done now; it is drawn unless something else follows at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._heard.put(progress)

    def end(self) -> None:
        """Draw nothing any more."""
        if self._thread is not None:
            self._heard.put(None)
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        pace = Pace()
        while True:
            with contextlib.suppress(queue.Empty):
                progress = self._heard.get(timeout=pace.wait(time.monotonic()))
                if progress is None:
                    return
                pace.hear(progress, time.monotonic())
            moment = pace.draw(time.monotonic())
            if moment is not None:
                with contextlib.suppress(OSError):  # nobody looks on any more
                    self._draw(moment)
