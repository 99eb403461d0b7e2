"""Progress is drawn five times a second at most, its last state always, with an honest speed."""

from __future__ import annotations

import itertools
import threading
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.display.drawing import Drawing
from uvmagic.display.pace import INTERVAL, Moment, Pace
from uvmagic.progress import Progress

MIB = 2**20
PROGRESSES = st.sampled_from(
    [
        Progress("Resolving"),
        Progress("Building", building=("a",)),
        Progress("Downloading", 1 * MIB, 9 * MIB, ("a",)),
        Progress("Downloading", 5 * MIB, 9 * MIB, ("a",)),
        Progress("Installing"),
    ]
)
EVENTS = st.lists(
    st.tuples(st.floats(0, 2, allow_subnormal=False), PROGRESSES), min_size=1, max_size=30
)


class Drawn(NamedTuple):
    """A moment, when it was drawn, and what had been heard last by then."""

    at: float
    moment: Moment
    heard: Progress


def drawn(events: list[tuple[float, Progress]], patience: float = 5.0) -> list[Drawn]:
    """What the thread draws if these are heard, each so many seconds after the one before."""
    pace, found, now, last = Pace(), list[Drawn](), 0.0, events[0][1]
    for after, progress in [*events, (patience, None)]:
        until = now + after
        while (wait := pace.wait(now)) is not None and now + wait < until:
            now += wait
            moment = pace.draw(now)
            if moment is not None:
                found.append(Drawn(now, moment, last))
            elif wait == 0.0:
                now += 1e-9  # a float that does not quite reach what it is to be
        now = until
        if progress is not None:
            pace.hear(progress, now)
            last = progress
    return found


@given(EVENTS)
def test_two_drawings_are_never_closer_than_a_fifth_of_a_second(
    events: list[tuple[float, Progress]],
) -> None:
    times = [one.at for one in drawn(events)]
    assert all(after - before >= INTERVAL - 1e-6 for before, after in itertools.pairwise(times))


@given(EVENTS)
def test_what_is_drawn_is_what_was_heard_last_and_the_last_is_drawn_soon(
    events: list[tuple[float, Progress]],
) -> None:
    found = drawn(events)
    assert all(one.moment.progress == one.heard for one in found)
    ended = sum(after for after, _ in events)
    shown = [one for one in found if one.at <= ended + INTERVAL + 1e-6]
    assert shown[-1].moment.progress == events[-1][1]


def test_what_is_over_at_once_does_not_flash() -> None:
    pace = Pace()
    pace.hear(Progress("Looking"), 7.0)
    assert pace.draw(7.1) is None
    assert pace.wait(7.1) == pytest.approx(0.1)
    assert pace.draw(7.25) == Moment(Progress("Looking"))


def test_nothing_is_drawn_before_something_is_heard() -> None:
    assert Pace().wait(1.0) is None
    assert Pace().draw(1.0) is None


def test_what_goes_on_for_long_tells_for_how_long() -> None:
    seconds = [one.moment.seconds for one in drawn([(0.0, Progress("Resolving"))], 10.0)]
    assert seconds == sorted(seconds)
    assert seconds[-1] == 9
    assert len(seconds) == 10  # once a second, where nothing else is heard


def test_what_begins_anew_is_not_said_to_go_on_already() -> None:
    found = drawn([(0.0, Progress("Resolving")), (8.0, Progress("Installing"))], 1.0)
    assert (found[-1].moment.progress.activity, found[-1].moment.seconds) == ("Installing", 0)


# --- speed ----------------------------------------------------------------------------------------


def downloading(rate: float, seconds: float) -> list[tuple[float, Progress]]:
    steps = range(round(seconds / INTERVAL))
    return [(INTERVAL, Progress("Downloading", round(n * INTERVAL * rate), 2**40)) for n in steps]


@given(st.floats(1, 2**33))
def test_a_steady_download_has_its_speed(rate: float) -> None:
    for one in drawn(downloading(rate, 8), 0.0):
        if one.moment.speed is not None:
            assert abs(one.moment.speed - rate) <= 0.01 * rate + 3
    assert drawn(downloading(rate, 8), 0.0)[-1].moment.speed is not None


def test_a_download_that_stands_still_slows_down_to_nothing() -> None:
    speeds = [one.moment.speed for one in drawn(downloading(MIB, 5), 10.0) if one.at > 5.1]
    assert speeds[-1] == 0
    assert speeds == sorted(speeds, key=lambda speed: -(speed or 0))


def test_a_second_download_does_not_inherit_the_speed_of_the_first() -> None:
    first = [(0.2, Progress("Downloading", n * MIB, 90 * MIB)) for n in range(90)]
    assert drawn([*first, (0.2, Progress("Downloading", 0, 5 * MIB))], 0.1)[-1].moment.speed is None


@given(EVENTS)
def test_a_speed_is_none_or_a_number_of_bytes(events: list[tuple[float, Progress]]) -> None:
    for one in drawn(events):
        assert one.moment.speed is None or one.moment.speed >= 0
        assert one.moment.speed is None or one.moment.progress.total > 0


# --- the thread -----------------------------------------------------------------------------------


class Screen:
    """Remembers what is drawn, and lets a test wait for it."""

    def __init__(self) -> None:
        self.shown: list[Progress] = []
        self._changed = threading.Condition()

    def draw(self, moment: Moment) -> None:
        with self._changed:
            self.shown.append(moment.progress)
            self._changed.notify_all()

    def waits_for(self, progress: Progress) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: progress in self.shown, timeout=60)


def test_the_last_of_many_is_drawn_although_nothing_follows_and_nothing_after_the_end() -> None:
    screen = Screen()
    drawing = Drawing(screen.draw)
    for number in range(1000):
        drawing.hear(Progress(f"{number}"))
    assert screen.waits_for(Progress("999"))
    assert len(screen.shown) < 20
    drawing.end()
    drawing.hear(Progress("too late"))
    drawing.end()
    assert Progress("too late") not in screen.shown


def test_a_terminal_that_is_gone_stops_nothing() -> None:
    tried = threading.Event()

    def draw(_moment: Moment) -> None:
        tried.set()
        raise BrokenPipeError

    drawing = Drawing(draw)
    drawing.hear(Progress("a"))
    assert tried.wait(60)
    drawing.end()


def test_one_that_never_heard_anything_ends_too() -> None:
    Drawing(lambda _: None).end()
