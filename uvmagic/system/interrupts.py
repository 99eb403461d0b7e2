"""Holding an interrupt back while something must not be left half done."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """SIGINT during the block is told after it, as KeyboardInterrupt.

    Only a main thread gets signals; elsewhere there is nothing to hold back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def remember(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


class _Noted:
    """Whether SIGINT has come during `noted`, and whether it may raise at once."""

    pressed = False
    is_interruptible = False


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """SIGINT during the block is noted, and told where `raise_if_pressed` is called.

    An exception that may come between any two steps of Python's own, on the way out of a block too,
    leaves things half done; this one comes where it is waited for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        _Noted.pressed = True
        if _Noted.is_interruptible:
            raise KeyboardInterrupt

    _Noted.pressed = False
    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _Noted.pressed = False  # what is done is done


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within `noted`: a block that waits long for something, and leaves nothing half done."""
    _Noted.is_interruptible = True
    try:
        yield
    finally:
        _Noted.is_interruptible = False


def raise_if_pressed() -> None:
    """Raise KeyboardInterrupt if one was noted, once."""
    if _Noted.pressed and threading.current_thread() is threading.main_thread():
        _Noted.pressed = False
        raise KeyboardInterrupt
