"""TIFF: the first directory, which says in what strips or tiles the pixels lie (TIFF 6.0, 2 and 15)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.errors import SourceUnreadable, SourceUnsupported
from shared.images.limits import Limits, check_at_most

SIGNATURES = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")
"""All that Pillow takes, be they right or not."""
BIG_VERSION = ord("+")

MAXIMUM_ENTRIES = 4096
"""Cameras and maps make some hundred."""
MAXIMUM_NUMBER_BYTES = 2**20
"""Of all tags besides the blocks': Pillow makes an object of each number."""
MAXIMUM_BLOCKS = 2**18
"""A strip for each row of the tallest picture, in four planes; or tiles of 16x16 for 67 megapixels."""
SHARED_BLOCK_BYTES = 16 * 2**20
"""What they may have together beyond the file's length: those that are blank may be one and the same."""

NONE, JPEG = 1, 7
COMPRESSIONS = frozenset((NONE, 5, JPEG, 8, 32773, 32946, 34925, 50000))
"""Besides LZW, Deflate by its two numbers, PackBits, LZMA and Zstandard.

Not fax: libtiff prints a line to the log for each row that is broken, and says that all went well. It does so
for each strip and tile of YCbCr too, save those of JPEG.
"""
YCBCR, ONE_PLANE = 6, 1

WIDTH, HEIGHT, COMPRESSION, COLOURS, PLANES = 256, 257, 259, 262, 284
STRIP_OFFSETS, STRIP_BYTES = 273, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
OF_THE_PICTURE = frozenset((WIDTH, HEIGHT, COMPRESSION, COLOURS, PLANES, TILE_WIDTH, TILE_HEIGHT))
OF_EACH_BLOCK = frozenset((STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES))

INTEGERS: Mapping[int, str] = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""How a number is unpacked, by the type of its tag."""
NUMBER_BYTES: Mapping[int, int] = {
    3: 2,
    4: 4,
    5: 8,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""By the type of the tag; those that are not here are bytes and text, which are taken as they lie."""


@dataclass(frozen=True, slots=True)
class _Layout:
    first: int
    """Where the place of the first directory stands."""
    place: str
    count: str
    entry: str
    """Tag, type and number of values. Then come the values, or the place of them."""


CLASSIC = _Layout(4, "I", "H", "HHI")
BIG = _Layout(8, "Q", "Q", "HHQ")


@dataclass(frozen=True, slots=True)
class _Entry:
    tag: int
    type: int
    count: int
    at: int


def check(source: bytes, limits: Limits) -> None:
    """Raises SourceUnreadable, SourceUnsupported or SourceTooManyPixels."""
    tags = _structure(source)
    [compression], [colours] = tags.get(COMPRESSION, (NONE,)), tags.get(COLOURS, (None,))
    if compression not in COMPRESSIONS:
        raise SourceUnsupported(f"A TIFF of compression {compression} is not read.")
    is_plain_jpeg = compression == JPEG and tags.get(PLANES, (ONE_PLANE,)) == (ONE_PLANE,)
    if colours == YCBCR and compression != NONE and not is_plain_jpeg:
        raise SourceUnsupported(f"A TIFF of YCbCr by compression {compression} is not read.")
    for tag in (STRIP_BYTES, TILE_BYTES):
        total = sum(tags.get(tag, ()))
        check_at_most(len(source) + SHARED_BLOCK_BYTES, total, "bytes of strips or tiles")
    if WIDTH in tags and HEIGHT in tags:
        _check_size(tags, limits)


def _check_size(tags: Mapping[int, Sequence[int]], limits: Limits) -> None:
    """Tiles are decoded whole: those at the edges, or a single large one, are more than the picture."""
    [width], [height] = tags[WIDTH], tags[HEIGHT]
    limits.check_pixels((width, height))
    [across], [down] = tags.get(TILE_WIDTH, (width,)), tags.get(TILE_HEIGHT, (height,))
    if across and down:
        tiles = -(-width // across) * -(-height // down)
        check_at_most(MAXIMUM_BLOCKS, tiles, "tiles")
        limits.check_area(tiles * across * down, f"Its tiles are {tiles} of {across}x{down}")


def _structure(source: bytes) -> dict[int, tuple[int, ...]]:
    """Return the numbers of the tags that say how the pixels lie.

    One that is there twice, or is no whole number, might be one thing to Pillow and another to libtiff.
    """
    order = "<" if source[:2] == b"II" else ">"
    tags: dict[int, tuple[int, ...]] = {}
    others = 0
    for entry in _entries(source, order):
        if entry.tag not in OF_THE_PICTURE | OF_EACH_BLOCK:
            others += NUMBER_BYTES.get(entry.type, 0) * entry.count
            check_at_most(MAXIMUM_NUMBER_BYTES, others, "bytes of numbers in its tags")
            continue
        check_at_most(MAXIMUM_BLOCKS, entry.count, "strips or tiles")
        is_list = entry.tag in OF_EACH_BLOCK
        if entry.tag in tags or entry.type not in INTEGERS or not (is_list or entry.count == 1):
            raise SourceUnreadable(f"Its tag {entry.tag} is not valid.")
        tags[entry.tag] = struct.unpack_from(f"{order}{entry.count}{INTEGERS[entry.type]}", source, entry.at)
    return tags


def _entries(source: bytes, order: str) -> Iterator[_Entry]:
    if source.startswith(b"MM\0+"):
        raise SourceUnsupported("A BigTIFF is read in little-endian order alone.")
    layout = BIG if source[2] == BIG_VERSION else CLASSIC
    head = struct.Struct(order + layout.entry)
    place = struct.Struct(order + layout.place)
    [at] = place.unpack_from(source, layout.first)
    count = struct.Struct(order + layout.count)
    [entries] = count.unpack_from(source, at)
    check_at_most(MAXIMUM_ENTRIES, entries, "tags")
    at += count.size
    for _ in range(entries):
        tag, kind, values = head.unpack_from(source, at)
        at += head.size
        lies_elsewhere = values * NUMBER_BYTES.get(kind, 1) > place.size
        yield _Entry(tag, kind, values, place.unpack_from(source, at)[0] if lies_elsewhere else at)
        at += place.size
