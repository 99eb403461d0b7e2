"""Whether two PNG files show the same: by pixels, whatever their metadata says. Pure.

Enough of a decoder for what notebooks hold; Pillow would be a compiled dependency in every kernel's
environment for the sake of `rerun --compare`.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE = 4
"""By how much of 255 a channel may differ: what another processor's rounding makes of an edge."""
_LARGEST = 1 << 26
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Colour type → channels, of those that have no palette."""


@dataclass(frozen=True, slots=True)
class Png:
    """What of a PNG file is seen.

    Attributes:
        width, height: in pixels.
        layout: bit depth, colour type, compression, filter and interlace method.
        colours: palette and transparency.
        stream: its rows, decompressed and still filtered.
    """

    width: int
    height: int
    layout: bytes
    colours: bytes
    stream: bytes

    @property
    def channels(self) -> int:
        """Bytes of a pixel; 0 where pixels are not taken apart (palette, 16 bits, interlaced)."""
        depth, colour, _, _, interlace = self.layout
        return _CHANNELS.get(colour, 0) if (depth, interlace) == (8, 0) else 0


def read(data: bytes) -> Png | None:
    """Read a PNG file; None where it is none, is damaged, or is larger than 64 MiB unpacked."""
    chunks: dict[bytes, bytes] = {}
    position = len(_SIGNATURE)
    while position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        chunks[name] = chunks.get(name, b"") + data[position + 8 : position + 8 + length]
        position += length + 12
    header = chunks.get(b"IHDR", b"")
    if not data.startswith(_SIGNATURE) or len(header) != 13:
        return None
    unpacking = zlib.decompressobj()
    try:
        stream = unpacking.decompress(chunks.get(b"IDAT", b""), _LARGEST)
    except zlib.error:
        return None
    width, height = struct.unpack(">II", header[:8])
    colours = chunks.get(b"PLTE", b"") + chunks.get(b"tRNS", b"")
    made = Png(width, height, header[8:], colours, stream)
    is_whole = unpacking.eof and len(stream) == height * (1 + width * made.channels)
    return made if is_whole or (unpacking.eof and not made.channels) else None


def difference(saved: bytes, came: bytes) -> str | None:
    """How two PNG files differ to the eye, in a few words; None where they do not."""
    if saved == came:
        return None
    one, other = read(saved), read(came)
    if one is None or other is None:
        return "other bytes"
    if (one.width, one.height) != (other.width, other.height):
        return f"saved {one.width} × {one.height}, came {other.width} × {other.height} pixels"
    if one == other:
        return None
    if not one.channels or (one.layout, one.colours) != (other.layout, other.colours):
        return "other pixels"
    apart = _pixels_apart(one, other)
    return f"{apart} of {one.width * one.height} pixels differ" if apart else None


def _pixels_apart(one: Png, other: Png) -> int:
    apart = 0
    for row, its in zip(_rows(one), _rows(other), strict=True):
        if row != its:
            beyond = [abs(a - b) > TOLERANCE for a, b in zip(row, its, strict=True)]
            channels = (beyond[n :: one.channels] for n in range(one.channels))
            apart += sum(map(any, zip(*channels, strict=True)))
    return apart


def _rows(png: Png) -> Iterator[bytearray]:
    """The channels of the pixels of each row: its filter undone (PNG, 9.2)."""
    step, length = png.channels, png.width * png.channels
    above = bytearray(length)
    for start in range(0, len(png.stream), length + 1):
        row = bytearray(png.stream[start + 1 : start + 1 + length])
        match png.stream[start]:
            case 1:
                for i in range(step, length):
                    row[i] = (row[i] + row[i - step]) & 255
            case 2:
                row = bytearray((a + b) & 255 for a, b in zip(row, above, strict=True))
            case 3:
                for i in range(length):
                    left = row[i - step] if i >= step else 0
                    row[i] = (row[i] + (left + above[i]) // 2) & 255
            case 4:
                for i in range(length):
                    left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
                    row[i] = (row[i] + _paeth(left, above[i], corner)) & 255
        yield row
        above = row


def _paeth(left: int, above: int, corner: int) -> int:
    a, b, c = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    if a <= b and a <= c:
        return left
    return above if b <= c else corner
