"""AV1: how many pixels the frames of a bitstream have (AV1 Bitstream and Decoding Process, 5.3, 5.5, 5.9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.images.limits import check_at_most

MAXIMUM_UNITS = 2**14
"""Of all streams. One has some four, or where its tiles are a unit each, at most 4096 more."""

SEQUENCE_HEADER = 1
FRAME_HEADERS = frozenset((3, 6, 7))
HEADER_BYTES = 512
"""Longer than any header."""
KEY_FRAME, SWITCH_FRAME = 0, 3
SELECT = 2
"""Each frame says it for itself."""


@dataclass(frozen=True, slots=True)
class _Sequence:
    pixels: int
    most_pixels: int
    """What a frame may say of itself, by the bits that its size has."""
    is_reduced: bool = True
    time_bits: int = 0
    id_bits: int = 0
    screen_content: int = SELECT
    integer_motion: int = SELECT


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int = 1) -> int:
        """Raises IndexError at the end."""
        self._left -= count
        if self._left < 0:
            raise IndexError("a header is cut off")
        return self._value >> self._left & (1 << count) - 1

    def skip_uvlc(self) -> None:
        zeros = 0
        while not self.take():
            zeros += 1
        if zeros < 32:
            self.take(zeros)


def coded_pixels(streams: Iterable[bytes]) -> int:
    """Return the pixels of all frames of all streams together. Raises IndexError or SourceUnreadable.

    Each counts as the largest up to it, which one that is shown again, or has its size from another, may be.
    """
    total = units = 0
    for stream in streams:
        sequence, largest = None, 0
        for kind, header in _units(stream):
            units += 1
            check_at_most(MAXIMUM_UNITS, units, "units of AV1")
            if kind == SEQUENCE_HEADER:
                sequence = _sequence(_Bits(header))
            elif kind in FRAME_HEADERS and sequence is not None:
                largest = max(largest, _frame_pixels(sequence, _Bits(header)))
                total += largest
    return total


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        head = data[at]
        at += 2 if head & 0b100 else 1
        size = len(data) - at
        if head & 0b10:
            size, at = _leb128(data, at)
        yield head >> 3 & 0b1111, data[at : at + min(size, HEADER_BYTES)]
        at += size


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            break
    return value, at


def _sequence(bits: _Bits) -> _Sequence:
    bits.take(3 + 1)
    is_reduced = bool(bits.take())
    time_bits = 0
    if is_reduced:
        bits.take(5)
    else:
        time_bits = _operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    pixels = (bits.take(width_bits) + 1) * (bits.take(height_bits) + 1)
    if is_reduced:
        return _Sequence(pixels, pixels)
    id_bits = bits.take(4) + bits.take(3) + 3 if bits.take() else 0
    bits.take(1 + 2 + 4)
    if bits.take():
        bits.take(2)
    screen_content = SELECT if bits.take() else bits.take()
    integer_motion = SELECT if not screen_content or bits.take() else bits.take()
    most_pixels = 1 << width_bits + height_bits
    return _Sequence(pixels, most_pixels, False, time_bits, id_bits, screen_content, integer_motion)


def _operating_points(bits: _Bits) -> int:
    """Skip what comes before the size. Return how many bits a frame that is shown has for its time."""
    delay_bits = time_bits = 0
    if bits.take():
        bits.take(64)
        is_regular = bits.take()
        if is_regular:
            bits.skip_uvlc()
        if bits.take():
            delay_bits = bits.take(5) + 1
            bits.take(32 + 5)
            time_bits = (bits.take(5) + 1) * (1 - is_regular)
    has_display_delays = bits.take()
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take()
        if delay_bits and bits.take():
            bits.take(2 * delay_bits + 1)
        if has_display_delays and bits.take():
            bits.take(4)
    return time_bits


def _frame_pixels(sequence: _Sequence, bits: _Bits) -> int:
    """Return 0 for a frame that is shown again."""
    if sequence.is_reduced:
        return sequence.pixels
    if bits.take():
        return 0
    kind, is_shown = bits.take(2), bits.take()
    bits.take(sequence.time_bits if is_shown else 1)
    if kind != SWITCH_FRAME and not (kind == KEY_FRAME and is_shown):
        bits.take()
    bits.take()
    has_screen_content = bits.take() if sequence.screen_content == SELECT else sequence.screen_content
    if has_screen_content and sequence.integer_motion == SELECT:
        bits.take()
    bits.take(sequence.id_bits)
    says_its_size = kind == SWITCH_FRAME or bits.take()
    return sequence.most_pixels if says_its_size else sequence.pixels
