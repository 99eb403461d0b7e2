"""Which moment of progress is drawn when, and how fast bytes come. Pure: time is handed in."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from uvmagic.progress import Progress

INTERVAL = 0.2
"""Seconds between two drawings: five a second is what an eye can follow."""
_WINDOW = 3.0
"""Seconds over which a speed is the mean: shorter it jumps, longer it lags."""
_AGAIN = 1.0
"""Seconds after which the same is drawn again: its speed, and how long it takes, are others."""
_FIRST_SPEED = 0.5
"""Seconds of a download before which its speed is a guess."""


class Moment(NamedTuple):
    """What is drawn.

    Attributes:
        progress: what is being done.
        speed: bytes a second; None where that is not known.
        seconds: whole ones since this began to be done.
    """

    progress: Progress
    speed: float | None = None
    seconds: int = 0


class Pace:
    """Hears moments as often as they come, and draws at most five a second; the last is drawn.

    What is over before it would be drawn once is not drawn: it would flash.
    """

    def __init__(self) -> None:
        self._heard: Progress | None = None
        self._is_new = False
        self._began = 0.0
        self._drawn_at = 0.0
        self._bytes: deque[tuple[float, int]] = deque()

    def hear(self, progress: Progress, now: float) -> None:
        """Take what is being done now."""
        if self._heard is None:
            self._drawn_at = now
        if self._heard is None or progress.activity != self._heard.activity:
            self._began = now
        self._is_new |= progress != self._heard
        self._heard = progress
        if not progress.total or (self._bytes and progress.done < self._bytes[-1][1]):
            self._bytes.clear()  # what is downloaded now is something else
        if progress.total:
            self._bytes.append((now, progress.done))

    def wait(self, now: float) -> float | None:
        """Seconds until there is something to draw; None before anything was heard."""
        if self._heard is None:
            return None
        return max(0.0, self._drawn_at + (INTERVAL if self._is_new else _AGAIN) - now)

    def draw(self, now: float) -> Moment | None:
        """The moment to draw, once it is time; None before."""
        if self._heard is None or self.wait(now):
            return None
        self._is_new, self._drawn_at = False, now
        return Moment(self._heard, self._speed(now), int(now - self._began))

    def _speed(self, now: float) -> float | None:
        """The mean over the last seconds; what was heard last still holds."""
        while len(self._bytes) > 1 and self._bytes[1][0] <= now - _WINDOW:
            self._bytes.popleft()
        if not self._bytes:
            return None
        (since, before), (_, last) = self._bytes[0], self._bytes[-1]
        seconds = now - max(since, now - _WINDOW)
        return (last - before) / seconds if seconds >= _FIRST_SPEED else None
