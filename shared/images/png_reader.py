"""PNG as it is read: what is plain, by libspng. The rest is left to Pillow, and so is what is damaged."""

from __future__ import annotations

from PIL import Image
from zlib_ng import zlib_ng

from shared.images import spng
from shared.images.structure.png import AROUND, HEADER, SIGNATURE, Chunk, chunks

PLAIN = {bytes((8, colours, 0, 0, 0)): mode for colours, mode in ((0, "L"), (2, "RGB"), (6, "RGBA"))}
"""Pillow's mode, by what a header says after the size: 8 bits, the colours, not interlaced."""
BEGIN, AT_KIND = len(SIGNATURE) + AROUND + 13, 24
"""Where the header ends, and where it says so."""

NOT_PLAIN = frozenset((b"tRNS", b"acTL", b"fcTL", b"fdAT", b"CgBI"))
"""Transparency that is no channel; animations; Apple's own."""
HARMLESS = frozenset((b"tIME", b"tEXt"))
"""Behind the pixels, where else EXIF may stand."""
EXIF_AS_TEXT = b"Raw profile"

MAXIMUM_DATA_CHUNKS = 2**16
"""Of the pixels; writers fill at least 8 KiB."""


def decode(source: bytes, header: Image.Image) -> Image.Image | None:
    """Return the picture, with what Pillow has read of it so far; None where Pillow has to read the rest."""
    mode = PLAIN.get(source[AT_KIND : AT_KIND + 5])
    pixels = _pixels(source) if mode is not None and mode == header.mode else None
    if pixels is None:
        return None
    try:
        decoded = spng.decode(pixels, header.width * header.height * len(header.getbands()))
    except spng.SpngError:
        return None
    image = Image.frombuffer(header.mode, header.size, decoded, "raw", header.mode, 0, 1)
    image.info, image.format = header.info, header.format
    return image


def _pixels(source: bytes) -> bytes | None:
    """Return a file of the header and the pixels alone; None where that would not do, or is not whole."""
    view = memoryview(source)
    data: list[memoryview] = []
    is_behind = False
    for chunk in chunks(source):
        if chunk.kind == b"IDAT" and not is_behind:
            data.append(view[chunk.start : chunk.start + chunk.length])
        elif chunk.kind in NOT_PLAIN or chunk.kind == b"IDAT":
            return None
        elif data:
            is_behind = True
            if chunk.kind == b"IEND":
                return _joined(source, data)
            if chunk.kind not in HARMLESS or source.startswith(EXIF_AS_TEXT, chunk.start):
                return None
        if len(data) > MAXIMUM_DATA_CHUNKS or (data and not _is_whole(view, chunk)):
            return None
    return None


def _is_whole(view: memoryview, chunk: Chunk) -> bool:
    end = chunk.start + chunk.length
    return zlib_ng.crc32(view[chunk.start - 4 : end]) == int.from_bytes(view[end : end + 4], "big")


def _joined(source: bytes, data: list[memoryview]) -> bytes:
    head = HEADER.pack(sum(map(len, data)), b"IDAT")
    return b"".join((source[:BEGIN], head, *data, bytes(4), HEADER.pack(0, b"IEND"), bytes(4)))
