"""GIF: how many frames a file says to have (GIF89a, 18 to 26)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

from shared.errors import SourceUnreadable
from shared.images.limits import check_at_most
from shared.images.reader import MAXIMUM_READS

SIGNATURES = (b"GIF87a", b"GIF89a")
HEADER_BYTES, DESCRIPTOR_BYTES = 13, 10
EXTENSION, FRAME, END = 0x21, 0x2C, 0x3B
COMMENT, APPLICATION, LOOP = 0xFE, 0xFF, b"NETSCAPE2.0"
HAS_TABLE, TABLE_SIZE = 0x80, 0x07
PLACE = struct.Struct("<4H")
"""Of a frame in the picture: left, top, width, height."""


def count_frames(source: bytes, most: int) -> int:
    """Return the number of frames, counted up to one more than `most`, or to where the file is cut off."""
    return sum(1 for _ in islice(_frames(source), most + 1))


def check_frames(source: bytes, size: tuple[int, int]) -> None:
    """Raises SourceUnreadable for a frame that reaches beyond the picture, which Pillow would make larger."""
    for at in _frames(source):
        left, top, width, height = PLACE.unpack_from(source, at + 1)
        if left + width > size[0] or top + height > size[1]:
            raise SourceUnreadable(f"It is {size[0]}x{size[1]}, and has a frame that reaches beyond that.")


def _frames(source: bytes) -> Iterator[int]:
    """Yield where each frame begins that Pillow would find, up to where the file is cut off."""
    frames = parts = 0
    try:
        at = HEADER_BYTES + _table_bytes(source[10])
        while (kind := source[at]) != END:
            parts += 1
            check_at_most(MAXIMUM_READS, parts, "parts")
            if kind == FRAME:
                # The table of its colours, and a byte that says how the codes begin.
                after = at + DESCRIPTOR_BYTES + _table_bytes(source[at + 9]) + 1
                yield at
                frames, at = frames + 1, _after_blocks(source, after)
            elif kind == EXTENSION:
                at = _after_extension(source, at, is_first=not frames)
            else:
                at += 1
    except IndexError:
        pass


def _after_extension(source: bytes, at: int, is_first: bool) -> int:
    """Pillow takes what follows a first block that is empty, or one behind NETSCAPE, for more of them."""
    label, block = source[at + 1], at + 2
    if label == COMMENT:
        return _after_blocks(source, block)
    after = block + 1 + source[block]
    if label == APPLICATION and is_first and source[block] and source.startswith(LOOP, block + 1):
        after += 1 + source[after]
    return _after_blocks(source, after)


def _table_bytes(packed: int) -> int:
    return 3 * 2 ** ((packed & TABLE_SIZE) + 1) if packed & HAS_TABLE else 0


def _after_blocks(source: bytes, at: int) -> int:
    while length := source[at]:
        at += 1 + length
    return at + 1
