"""What uv draws → what it is doing, and what it said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.display.pace import Moment
from uvmagic.display.text import moment
from uvmagic.progress import Progress, Transcript
from uvmagic.wording import in_bytes

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

ERASE = "\r\x1b[2K"
BAR = "------------------------------"
PIECES = (
    "Using CPython 3.11.7 interpreter at: /usr/bin/python3\r\n"
    "Creating virtual environment at: .venv\r\n",
    "⠋ Resolving dependencies...          ",
    f"{ERASE}⠙ Resolving dependencies...          ",
    f"{ERASE}⠙ project==1                         ",
    f"{ERASE}⠙ heavy==1.0                         ",
    f"{ERASE}⠙                                    {ERASE}",
    "Resolved 4 packages in 19ms\r\n",
    "⠋ Preparing packages... (0/0)           ",
    f"{ERASE}⠙ Preparing packages... (0/3)           ",
    f"alpha                {BAR}     0 B/934 B              ",
    f"\x1b[1A{ERASE}\x1b[1B{ERASE}\x1b[1A⠙ Preparing packages... (0/3)          ",
    f"alpha                {BAR}   934 B/934 B              ",
    f"heavy                {BAR} 23.85 KiB/4.77 MiB         ",
    f"heavier              {BAR}     0 B/8.58 MiB           ",
    f"\x1b[3A{ERASE}\x1b[1B{ERASE}\x1b[1B{ERASE}\x1b[3A⠙ Preparing packages... (1/3)      ",
    f"heavy                {BAR} 4.11 MiB/4.77 MiB          ",
    f"heavier              {BAR} 125.00 KiB/8.58 MiB        ",
    f"\x1b[2A{ERASE}\x1b[1B{ERASE}\x1b[2A⠙ Preparing packages... (2/3)      ",
    f"heavier              {BAR} 7.42 MiB/8.58 MiB          ",
    f"\x1b[1A{ERASE}\x1b[1B{ERASE}\x1b[1A⠙ Preparing packages... (2/3)           ",
    f"{ERASE}Prepared 3 packages in 31ms\r\n",
    "░░░░░░░░░░░░░░░░░░░░ [0/3] Installing wheels...        ",
    f"{ERASE}██████░░░░░░░░░░░░░░ [1/3] heavy==1.0        ",
    f"{ERASE}████████████████████ [3/3] alpha==1.0        ",
    f"{ERASE}Installed 3 packages in 2ms\r\n ",
    "+ alpha==1.0\r\n + heavier==1.0\r\n + heavy==1.0\r\n",
)
"""What uv 0.13.9 wrote to a terminal for `uv add`, in the pieces that came; padding shortened."""

PAD = " " * 300
BUILDING = "   \x1b[36m\x1b[1mBuilding\x1b[0m\x1b[39m {}\x1b[2m==1.0\x1b[0m" + PAD
BUILT = BUILDING.replace("Building", "   Built")
PREPARING = f"⠙ Preparing packages... (0/2){PAD}"
UP = f"\x1b[2A{ERASE}\x1b[1B{ERASE}\x1b[1B{ERASE}\x1b[2A"
BUILDS = (
    f"⠋ Preparing packages... (0/2){PAD}",
    f"{ERASE}{BUILDING.format('lib')}{PREPARING}",
    f"{UP}{BUILDING.format('lib')}{BUILDING.format('lib-two')}{PREPARING}",
    f"{UP}{BUILT.format('lib')}{BUILDING.format('lib-two')}{PREPARING}",
    f"{UP}{BUILDING.format('lib-two')}{PREPARING}",
    f"{ERASE}Prepared 2 packages in 3.22s\r\n",
)
"""What uv 0.13.9 draws while it builds: each row is padded to the terminal's width."""

DOWNLOADED = 17
"""The first of the pieces after which a file has come whole and its bar is drawn no more."""

OTHERS = (
    "Downloading numpy (16.0MiB)\n",
    "Downloading num (1.0KiB)\n",
    " Downloaded numpy\n",
    "   Building lib @ file:///lib\n",
    "      Built lib @ file:///lib\n",
    "warning: something is odd\n",
    "error: nothing fits\n  × because\n",
    "\x1b]0;title\x07",
    "\x1b[32mgreen\x1b[0m\n",
    "\t\x00\x07\x7f",
    "\ufffd",
    "\n",
)


def fed(*pieces: str) -> Transcript:
    transcript = Transcript()
    for piece in pieces:
        transcript.feed(piece)
    return transcript


@st.composite
def chunked(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A text of uv's kind, and the same in pieces."""
    parts = draw(st.lists(st.sampled_from(PIECES + BUILDS + OTHERS) | st.text(max_size=3)))
    text = "".join(parts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)))))
    ends = [*cuts, len(text)]
    return text, [text[begin:end] for begin, end in zip([0, *cuts], ends, strict=True)]


@given(chunked())
def test_the_pieces_in_which_it_comes_make_no_difference(texts: tuple[str, list[str]]) -> None:
    text, pieces = texts
    whole, parts = fed(text), fed(*pieces)
    assert parts.said() == whole.said()
    assert parts.error() == whole.error()
    assert parts.now() == whole.now()


@given(chunked())
def test_asking_what_it_does_now_changes_nothing_of_what_it_said(
    texts: tuple[str, list[str]],
) -> None:
    text, pieces = texts
    asked = Transcript()
    for piece in pieces:
        asked.feed(piece)
        assert asked.now() == asked.now()
        asked.error()
    assert asked.said() == fed(text).said()


@given(chunked())
def test_what_it_said_has_no_control_characters_and_no_frames(
    texts: tuple[str, list[str]],
) -> None:
    text, _ = texts
    for line in fed(text).said():
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line)
        assert line.strip()
        assert not re.match("[⠀-⣿█░]", line)


def test_frames_without_end_are_taken_as_they_are_when_they_come_one_by_one() -> None:
    frames = [f"{ERASE}⠙ Preparing packages... (0/{n}){' ' * 350}" for n in range(400)]
    bars = [f"heavy {BAR} {n}.0 KiB/400.0 KiB" for n in range(400)]
    pieces = [part for both in zip(frames, bars, strict=True) for part in both]
    whole, parts = fed("".join(pieces)), fed(*pieces)
    assert parts.now() == whole.now() == Progress("Downloading", 399 * 1024, 400 * 1024, ("heavy",))
    assert parts.said() == whole.said() == []


def test_the_moments_of_a_real_add_read_well(snapshot: SnapshotAssertion) -> None:
    transcript, moments = Transcript(), list[str]()
    for piece in PIECES[:DOWNLOADED]:
        transcript.feed(piece)
        told = moment(Moment(transcript.now()))
        if moments[-1:] != [told]:
            moments.append(told)
    assert "\n".join(moments) == snapshot


def test_what_stays_of_a_real_add_reads_well(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(fed(*PIECES).said()) == snapshot


def test_downloads_are_over_once_uv_has_prepared_its_packages() -> None:
    installing = PIECES.index("░░░░░░░░░░░░░░░░░░░░ [0/3] Installing wheels...        ")
    assert fed(*PIECES[: installing + 1]).now() == Progress("Installing 0 of 3")


def test_a_half_line_that_was_asked_about_counts_no_other_download_as_done() -> None:
    transcript = fed("Downloading pandas (1.0MiB)\nDownloading pandas-stubs (1.0MiB)\n")
    transcript.feed(" Downloaded pandas")
    transcript.now()
    transcript.feed("-stubs\n")
    assert transcript.now().files == ("pandas",)


@pytest.mark.parametrize(
    ("text", "activity"),
    [
        ("", "Starting uv"),
        ("⠋ Resolving dependencies...      ", "Resolving dependencies"),
        (f"⠋ Resolving{ERASE}⠙ pandas==2.1  ", "Resolving  pandas==2.1"),
        ("██░░ [1/3] Installing wheels...", "Installing 1 of 3"),
        (" + pandas==2.1\n", "Installing"),
        (" - pandas==2.1\n", "Installing"),
        ("Resolved 4 packages in 19ms\r\n", "Resolved 4 packages in 19ms"),
        ("⠋ Preparing packages... (1/3)     ", "Preparing packages (1/3)"),
    ],
)
def test_the_last_frame_tells_the_activity(text: str, activity: str) -> None:
    assert fed(text).now() == Progress(activity)


def test_downloads_are_added_up_the_one_with_most_to_come_first() -> None:
    bars = f"a {BAR} 1.0 KiB/2.0 KiB b {BAR} 1.0 KiB/4.0 KiB c {BAR} 1.0 KiB/1.0 KiB"
    assert fed(bars).now() == Progress("Downloading", 3 * 1024, 7 * 1024, ("b", "a"))


def test_a_download_whose_bar_is_gone_has_come_though_no_frame_showed_it_whole() -> None:
    frame = "⠙ Preparing packages... (0/2)   "
    bars = (f"a {BAR} 1.0 KiB/2.0 KiB   ", f"b {BAR} 1.0 KiB/4.0 KiB   ")
    drawn = fed(frame + "".join(bars), f"{ERASE}{frame}{bars[1]}")
    assert drawn.now().files == ("b", "a")  # the second frame may not be whole yet
    drawn.feed(f"{ERASE}{frame}")
    assert drawn.now() == Progress("Downloading", 3 * 1024, 6 * 1024, ("b",))


def test_a_bar_of_two_colours_is_one_bar() -> None:
    """As uv draws it in each kernel of ipykernel's, which sets FORCE_COLOR for all it starts."""
    bar = (
        "\x1b[2mheavy    \x1b[0m \x1b[32m------\x1b[30m\x1b[2m------\x1b[0m\x1b[0m 1.0 KiB/2.0 KiB"
    )
    assert fed(bar).now() == Progress("Downloading", 1024, 2048, ("heavy",))


def test_a_download_without_a_bar_counts_from_its_first_line_to_its_last() -> None:
    begun = fed("Downloading numpy (16.0MiB)\n")
    assert begun.now() == Progress("Downloading", 0, 16 * 2**20, ("numpy",))
    begun.feed(" Downloaded numpy\n")
    assert begun.now().files == ()


@pytest.mark.parametrize(
    "raw",
    [
        f"odd {BAR} 1.2.3 B/4 B",
        f"odd {BAR} . B/. B",
        "Downloading odd (1.2.3 KiB)\n",
    ],
)
def test_numbers_that_are_none_are_no_reason_to_stop(raw: str) -> None:
    assert isinstance(fed(raw).now(), Progress)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Resolved 1 package\nerror: no\n  cause: why\n", "error: no\n  cause: why"),
        ("  × No solution found\n  ╰─▶ why\n", "  × No solution found\n  ╰─▶ why"),
        ("⠋ Resolving...\r\x1b[2Kerror: no\r\n", "error: no"),
        ("Usage: uv add\n\nFor more information", "Usage: uv add\nFor more information"),
        ("".join(f"{n}\n" for n in range(20)), "\n".join(map(str, range(8, 20)))),
        ("", ""),
        ("error: cut in the mid", "error: cut in the mid"),
    ],
)
def test_the_error_is_what_follows_the_first_line_that_begins_like_one(
    text: str, error: str
) -> None:
    assert fed(text).error() == error


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (3.4 * 2**20, "3.4 MiB"),
        (2**30, "1.0 GiB"),
        (5000 * 2**30, "5000.0 GiB"),
    ],
)
def test_bytes_are_told_in_the_largest_unit_that_fits(count: float, text: str) -> None:
    assert in_bytes(count) == text


@given(st.integers(0, 2**45))
def test_bytes_as_told_are_near_the_number(count: int) -> None:
    number, unit = in_bytes(count).split(" ")
    size = 1024 ** ["B", "KiB", "MiB", "GiB"].index(unit)
    assert abs(float(number) * size - count) <= 0.051 * size


@pytest.mark.parametrize("count", [2**20 - 1, 2**30 - 1])
def test_no_number_of_bytes_is_told_as_1024_of_a_unit(count: int) -> None:
    assert not in_bytes(count).startswith("1024")


# --- builds ---------------------------------------------------------------------------------------


def test_what_is_being_built_is_told_by_name() -> None:
    told = [fed(*BUILDS[:end]).now() for end in range(1, len(BUILDS) + 1)]
    assert [(now.activity, now.building) for now in told] == [
        ("Preparing packages (0/2)", ()),
        ("Building", ("lib",)),
        ("Building", ("lib", "lib-two")),
        ("Building", ("lib-two",)),
        ("Building", ("lib-two",)),
        ("Prepared 2 packages in 3.22s", ()),
    ]


@pytest.mark.parametrize("cut", range(1, 40))
def test_half_a_name_is_no_other_build(cut: int) -> None:
    drawn = BUILDING.format("lib-two")
    transcript = fed(drawn[:cut])
    transcript.now()
    transcript.feed(drawn[cut:])
    assert transcript.now().building == ("lib-two",)


def test_without_a_terminal_a_build_has_a_line_for_its_begin_and_one_for_its_end() -> None:
    begun = fed("   Building lib @ file:///lib\n")
    assert begun.now() == Progress("Building", building=("lib",))
    begun.feed("      Built lib @ file:///lib\n")
    assert begun.now().building == ()


def test_what_is_built_while_others_are_downloaded_is_told_beside() -> None:
    pieces = (f"{BUILDING.format('lib')}{PREPARING}", f"heavy {BAR} 1.0 KiB/4.0 KiB")
    assert fed(*pieces).now() == Progress("Downloading", 1024, 4096, ("heavy",), ("lib",))
