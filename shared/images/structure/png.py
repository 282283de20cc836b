"""PNG: the chunks, without what they hold (PNG, 5.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from shared.images.limits import check_at_most

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAXIMUM_CHUNKS = 1024
"""Besides those of the pixels. Writers make some dozens; Pillow keeps each."""
MAXIMUM_CHUNK_BYTES = 16 * 2**20
"""Of those together, as much as before the first scan of a JPEG."""
MAXIMUM_TEXTS = 128
"""That may be compressed. ImageMagick makes some thirty; Pillow inflates up to a megabyte of each."""

PIXELS = frozenset((b"IDAT", b"fcTL", b"fdAT"))
TEXTS = frozenset((b"zTXt", b"iTXt"))
PROFILE, END = b"iCCP", b"IEND"
HEADER = struct.Struct(">I4s")
AROUND = 12
"""Bytes of a chunk's length, type and check."""


class Chunk(NamedTuple):
    kind: bytes
    start: int
    """Where its data begin."""
    length: int


def chunks(source: bytes) -> Iterator[Chunk]:
    """Yield what says to be a chunk; the last may be cut off."""
    at = len(SIGNATURE)
    while at + HEADER.size <= len(source):
        length, kind = HEADER.unpack_from(source, at)
        yield Chunk(kind, at + HEADER.size, length)
        at += AROUND + length


def check(source: bytes) -> None:
    """Raises SourceUnreadable."""
    count, size, texts, profiles = 0, 0, 0, 0
    for kind, _, length in chunks(source):
        if kind == END:
            return
        if kind not in PIXELS:
            count, size = count + 1, size + length
            texts, profiles = texts + (kind in TEXTS), profiles + (kind == PROFILE)
            check_at_most(MAXIMUM_CHUNKS, count, "chunks")
            check_at_most(MAXIMUM_CHUNK_BYTES, size, "bytes of chunks")
            check_at_most(MAXIMUM_TEXTS, texts, "compressed texts")
            check_at_most(1, profiles, "colour profile")
