"""What uv writes while it works → what it is doing now, and what it said in the end.

uv draws to a terminal: transient frames, each erased before the next, and lines that stay. Both
are for showing only; no decision is made from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COLUMNS = 400
"""Columns of the terminal that uv is given: wide enough that it wraps no message."""
_ERASE = "\x1b[2K"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]")
# A name is bounded and begins a word: one endless word must not take a time of its square.
_BAR = re.compile(
    r"(?<!\S)(\w\S{0,199})\s+-+\s+(\d+(?:\.\d+)?) ?([KMGT]?i?B)/(\d+(?:\.\d+)?) ?([KMGT]?i?B)"
)
_SPINNER = re.compile(r"^[⠀-⣿█░\s]+")
_TOLD_LATER = re.compile(r"(error|cause|hint|warning)\b", re.IGNORECASE)
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_STARTED = re.compile(r"^\s*Downloading (\S+)(?: \((\d+(?:\.\d+)?) ?([KMGT]?i?B)\))?")
_ENDED = re.compile(r"^\s*Downloaded (\S+)")
# What follows a name tells that it has come whole.
_BUILD = re.compile(r"(?<!\S)(Building|Built) +([\w.-]{1,200})(?=\s|==)")


@dataclass(frozen=True, slots=True)
class Progress:
    """One moment of uv's work.

    Attributes:
        activity: what it does, `Resolving dependencies`.
        done: bytes downloaded of the files under way.
        total: bytes of the files under way; 0 where nothing is downloaded.
        files: their distributions, the one with most to come first.
        building: the distributions that are being built meanwhile.
    """

    activity: str
    done: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    building: tuple[str, ...] = ()


@dataclass
class Transcript:
    """Everything uv wrote to stderr, fed in pieces as they come."""

    _lines: list[str] = field(default_factory=list)
    _tail: str = ""
    _sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    _built: dict[str, bool] = field(default_factory=dict)
    _activity: str = "Starting uv"

    def feed(self, text: str) -> None:
        """Take the next piece of output."""
        *complete, self._tail = (self._tail + text).split("\n")
        for raw in complete:
            self._note(raw, is_complete=True)
            self._note_ended(raw)
            line = _visible(raw)
            if line and not _is_transient(line):
                self._lines.append(line)
        frame = self._tail.rpartition(_ERASE)
        if frame[1] and len(self._tail) > 65536:  # what was erased will not be asked for again
            self._note(frame[0])
            self._tail = _ERASE + frame[2]

    def now(self) -> Progress:
        """What uv is doing at this moment."""
        self._note(self._tail)
        missing = {name: total - done for name, (done, total) in self._sizes.items()}
        under_way = [name for name in sorted(missing, key=missing.__getitem__) if missing[name]]
        building = tuple(name for name, is_built in self._built.items() if not is_built)
        if not under_way:
            return Progress("Building" if building else self._activity, building=building)
        return Progress(
            "Downloading",
            sum(done for done, _ in self._sizes.values()),
            sum(total for _, total in self._sizes.values()),
            tuple(reversed(under_way)),
            building,
        )

    def said(self) -> list[str]:
        """The lines that stayed, in order, without control characters."""
        last = _visible(self._tail)
        return [*self._lines, last] if last and not _is_transient(last) else list(self._lines)

    def error(self) -> str:
        """Uv's own error: the lines from the first that begins like one, else the last few."""
        lines = self.said()
        for index, line in enumerate(lines):
            if line.lstrip().startswith(("error:", "×", "Usage:")):
                return "\n".join(lines[index:])
        return "\n".join(lines[-12:])

    def _note(self, raw: str, *, is_complete: bool = False) -> None:
        """Learn activity, sizes and builds from a piece of output."""
        *whole, last = raw.split(_ERASE)
        for frame in whole:
            self._note_frame(frame, is_whole=True)
        self._note_frame(last + "\n" * is_complete, is_whole=False)
        line = _visible(raw)
        if started := _STARTED.match(line):
            if started[2]:
                self._sizes.setdefault(started[1], (0, _count(started[2], started[3])))
            self._activity = line.strip()
        elif _ENDED.match(line) or _BUILD.search(f"{line} "):
            pass  # the one is counted when its line is complete, the other is already
        else:
            words = _SPINNER.sub("", _CONTROL.sub("", raw.rpartition(_ERASE)[2])).strip()
            if words and not _BAR.search(words) and not _TOLD_LATER.match(words):
                self._activity = _activity(words)

    def _note_frame(self, frame: str, *, is_whole: bool) -> None:
        """Learn sizes and builds from what was drawn at once, or the part of it that has come."""
        plain = _CONTROL.sub(" ", _COLOUR.sub("", frame))  # a bar is of two colours
        drawn = set[str]()
        for match in _BAR.finditer(plain):
            name, done, done_unit, total, total_unit = match.groups()
            self._sizes[name] = (_count(done, done_unit), _count(total, total_unit))
            drawn.add(name)
        for match in _BUILD.finditer(plain):
            self._built[match[2]] = match[1] == "Built"
            drawn.add(match[2])
        if is_whole and "Preparing packages" in plain:  # what is over is drawn no more
            for name in self._sizes.keys() - drawn:
                self._sizes[name] = (self._sizes[name][1],) * 2
            self._built.update(dict.fromkeys(self._built.keys() - drawn, True))

    def _note_ended(self, raw: str) -> None:
        """Learn which downloads and builds are over from a complete line."""
        line = _visible(raw)
        ended = _ENDED.match(line)
        if line.startswith(("Prepared ", "Resolved ")):
            self._built.clear()
        over = [ended[1]] if ended else list(self._sizes) if line.startswith("Prepared ") else []
        for name in over:
            if name in self._sizes:
                self._sizes[name] = (self._sizes[name][1],) * 2


def _activity(words: str) -> str:
    if re.match(r"[+~-] ", words):
        return "Installing"
    counted = re.match(r"\[(\d+)/(\d+)\]", words)
    if counted:
        return f"Installing {counted[1]} of {counted[2]}"
    if re.fullmatch(r"\S+==\S+", words):
        return f"Resolving  {words}"
    return re.sub(r"\.\.\. ?|   .*", " ", words).strip()


def _visible(raw: str) -> str:
    """What is to be seen of a line: what came after the last erasing, or over it from the left."""
    frames = raw.rpartition(_ERASE)[2].rstrip("\r").split("\r")
    text = _CONTROL.sub("", frames[-1])
    while len(text) > COLUMNS and _is_transient(text[:COLUMNS]):
        text = text[COLUMNS:]  # a frame fills its row; an error may follow it without a line break
    return text.rstrip()


def _is_transient(line: str) -> bool:
    """Whether a line is a frame: a spinner, a bar of blocks, a download or the end of one."""
    return bool(re.match(r"[⠀-⣿█░]|-* *\d[\d.]* ?\w+/\d", line)) or bool(_BAR.search(line))


def _count(number: str, unit: str) -> int:
    return round(float(number) * _UNITS.get(unit, 1))
