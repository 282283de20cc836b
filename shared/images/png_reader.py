"""PNG as it is read: what is plain, by isal and libspng; the rest, and what is damaged, is left to Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from isal import igzip_lib
from PIL import Image
from zlib_ng import zlib_ng

from shared.images import spng
from shared.images.png_writer import file_of
from shared.images.structure.png import Chunk, chunks

PLAIN = {bytes((8, colours, 0, 0, 0)): mode for colours, mode in ((0, "L"), (2, "RGB"), (6, "RGBA"))}
"""Pillow's mode, by what a header says after the size: 8 bits, the colours, not interlaced."""
AT_DEPTH = 24
"""Where it says so."""

NOT_PLAIN = frozenset((b"tRNS", b"acTL", b"fcTL", b"fdAT", b"CgBI"))
"""Transparency that is no channel; animations; Apple's own."""
HARMLESS = frozenset((b"tIME", b"tEXt"))
"""Behind the pixels, where else EXIF may stand."""
EXIF_AS_TEXT = b"Raw profile"

MAXIMUM_DATA_CHUNKS = 2**16
"""Of the pixels; writers fill at least 8 KiB."""
PIECE_BYTES = 2**16
"""Inflated at a time."""
BAND_BYTES = 2**17
"""Of rows at a time, so that they stay in the processor's cache from one stage to the next."""

INFLATE_ERROR = cast(type[Exception], igzip_lib.error)
NOT_COMPRESSED = 0
UNFILTERED = b"\0"
"""What stands before a row."""


def decode(source: bytes, header: Image.Image) -> Image.Image | None:
    """Return the picture, with what Pillow has read of it so far; None where Pillow has to read the rest."""
    if PLAIN.get(source[AT_DEPTH : AT_DEPTH + 5]) != header.mode:
        return None
    data = _data(source)
    if data is None:
        return None
    try:
        image = _pixels(_Inflated(data), header.mode, header.size)
    except (INFLATE_ERROR, spng.SpngError, EOFError):
        return None
    image.info, image.format = header.info, header.format
    return image


def _data(source: bytes) -> list[memoryview] | None:
    """Return what the pixels' chunks hold; None where one of any kind would not do, or is not whole."""
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
                return data
            if chunk.kind not in HARMLESS or source.startswith(EXIF_AS_TEXT, chunk.start):
                return None
        if len(data) > MAXIMUM_DATA_CHUNKS or (data and not _is_whole(view, chunk)):
            return None
    return None


def _is_whole(view: memoryview, chunk: Chunk) -> bool:
    end = chunk.start + chunk.length
    return zlib_ng.crc32(view[chunk.start - 4 : end]) == int.from_bytes(view[end : end + 4], "big")


class _Inflated:
    """Raises EOFError where there is less than is asked for, and igzip_lib.error where it is damaged."""

    def __init__(self, data: list[memoryview]) -> None:
        self._pieces = _pieces(data)
        self._inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)

    def take(self, length: int) -> bytes:
        parts = []
        while length:
            parts.append(self._some(length))
            length -= len(parts[-1])
        return b"".join(parts)

    def end(self) -> None:
        """Read the checksum behind it all. Raises EOFError where there are more bytes."""
        while not self._inflater.eof:
            if self._some(1):
                raise EOFError

    def _some(self, length: int) -> bytes:
        piece: bytes | memoryview = b""
        if self._inflater.needs_input:
            piece = next(self._pieces, b"")
            if not piece:
                raise EOFError
        return self._inflater.decompress(piece, length)


def _pieces(data: list[memoryview]) -> Iterator[memoryview]:
    for each in data:
        for at in range(0, len(each), PIECE_BYTES):
            yield each[at : at + PIECE_BYTES]


def _pixels(inflated: _Inflated, mode: str, size: tuple[int, int]) -> Image.Image:
    """Undo the filters.

    They refer to the row above: so each band is a PNG that begins with the last row of the band before.
    """
    image = Image.new(mode, size)
    width, height = size
    row = width * len(image.getbands())
    rows = max(1, BAND_BYTES // (row + 1))
    pixels, above = bytearray((rows + 1) * row), bytearray(row)
    for top in range(0, height, rows):
        rows = min(rows, height - top)
        filtered = b"".join((UNFILTERED, above, inflated.take(rows * (row + 1))))
        file = file_of(mode, (width, rows + 1), zlib_ng.compress(filtered, NOT_COMPRESSED))
        spng.decode(file, pixels, (rows + 1) * row)
        band = pixels[row : (rows + 1) * row]
        image.paste(Image.frombuffer(mode, (width, rows), band, "raw", mode, 0, 1), (0, top))
        above = band[-row:]
    inflated.end()
    return image
