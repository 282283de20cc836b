"""GIF: how many frames a file says to have (GIF89a, 18 to 26)."""

from __future__ import annotations

SIGNATURES = (b"GIF87a", b"GIF89a")
HEADER_BYTES, DESCRIPTOR_BYTES = 13, 10
EXTENSION, FRAME = 0x21, 0x2C
HAS_TABLE, TABLE_SIZE = 0x80, 0x07


def count_frames(source: bytes, most: int) -> int:
    """Return the number of frames, counted up to one more than `most`, or to where the file is cut off."""
    frames, at = 0, HEADER_BYTES
    try:
        at += _table_bytes(source[10])
        while frames <= most:
            kind = source[at]
            if kind == FRAME:
                frames += 1
                # The table of its colours, and a byte that says how the codes begin.
                at += DESCRIPTOR_BYTES + _table_bytes(source[at + 9]) + 1
            elif kind == EXTENSION:
                at += 2
            else:
                break
            at = _after_blocks(source, at)
    except IndexError:
        pass
    return frames


def _table_bytes(packed: int) -> int:
    return 3 * 2 ** ((packed & TABLE_SIZE) + 1) if packed & HAS_TABLE else 0


def _after_blocks(source: bytes, at: int) -> int:
    while length := source[at]:
        at += 1 + length
    return at + 1
