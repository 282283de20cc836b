"""AVIF: where its AV1 lies (ISO/IEC 14496-12 and 23008-12).

libavif believes the size that the boxes give until it has decoded; then it scales what came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from shared.errors import SourceUnreadable
from shared.images.limits import MAXIMUM_EXIF_BYTES, Limits, check_at_most
from shared.images.structure.av1 import coded_pixels

SIGNATURE = b"ftyp"

MAXIMUM_BOXES = 4096
"""Each property and item is one, and a grid of 1024 tiles has some 2000. As many items, and parts of them."""
MAXIMUM_TABLE_BYTES = 2**16
"""Of some 3000 items or 16,000 frames. libavif looks each row up from the start, or the end, of a table."""
SHARED_BYTES = 16 * 2**20
"""What the items may have together beyond the file's length: tiles that are blank may be one and the same."""
PLANES = 2
"""Colours and transparency are a frame each."""

CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"stsd": 8, b"av01": 78} | dict.fromkeys(
    (b"moov", b"trak", b"mdia", b"minf", b"stbl"), 0
)
"""With the bytes before the boxes inside."""
TABLES = frozenset((b"iloc", b"iinf", b"iref", b"ipma", b"stco", b"co64", b"stsc", b"stsz", b"stts", b"stss"))
CHUNK_OFFSETS = {b"stco": 4, b"co64": 8}
"""With the bytes of each."""

Extents = list[tuple[int, int]]
"""Where the parts of something lie in the file, and how long they are."""


class _Box(NamedTuple):
    kind: bytes
    start: int
    end: int


class _Numbers:
    def __init__(self, source: bytes, at: int) -> None:
        self._source, self.at = source, at

    def take(self, size: int) -> int:
        """Raises IndexError at the end."""
        self.at += size
        if self.at > len(self._source):
            raise IndexError("a box is cut off")
        return int.from_bytes(self._source[self.at - size : self.at], "big")


def check(source: bytes, limits: Limits) -> None:
    """Raises IndexError, SourceUnreadable or SourceTooManyPixels."""
    boxes = []
    for box in _boxes(source, 0, len(source)):
        boxes.append(box)
        check_at_most(MAXIMUM_BOXES, len(boxes), "boxes")
        if box.kind in TABLES:
            check_at_most(MAXIMUM_TABLE_BYTES, box.end - box.start, "bytes in a table")
    # An animation is in the items too; only one of both is decoded.
    for coded in (list(_items(source, boxes)), list(_first_samples(source, boxes))):
        size = sum(length for extents in coded for _, length in extents)
        check_at_most(len(source) + SHARED_BYTES, size, "bytes of AV1")
        pixels = coded_pixels(_join(source, extents) for extents in coded)
        limits.check_area(pixels, f"Its frames have {pixels} pixels in all", PLANES)


def _boxes(source: bytes, at: int, end: int) -> Iterator[_Box]:
    """Yield every box, the one around others before them."""
    while at + 8 <= end:
        numbers = _Numbers(source, at)
        size, kind = numbers.take(4), source[at + 4 : at + 8]
        numbers.take(4)
        if size == 1:
            size = numbers.take(8)
        box = _Box(kind, numbers.at, min(end, at + size) if size else end)
        yield box
        if kind in CONTAINERS:
            yield from _boxes(source, box.start + CONTAINERS[kind], box.end)
        elif kind == b"iinf":
            yield from _boxes(source, box.start + (8 if source[box.start] else 6), box.end)
        at = max(box.start, box.end)


def _items(source: bytes, boxes: Sequence[_Box]) -> Iterator[Extents]:
    """Yield where the AV1 of each picture lies, be it a tile, the transparency or a preview."""
    kinds = {_kind(source, box) for box in boxes if box.kind == b"infe"}
    stores = [box.start for box in boxes if box.kind == b"idat"]
    check_at_most(1, len(stores), "store of items")
    for box in boxes:
        if box.kind == b"iloc":
            for item, extents in _locations(source, box, stores):
                if (item, b"Exif") in kinds:
                    check_at_most(MAXIMUM_EXIF_BYTES, sum(length for _, length in extents), "bytes of EXIF")
                if (item, b"av01") in kinds:
                    yield extents


def _kind(source: bytes, box: _Box) -> tuple[int, bytes]:
    numbers = _Numbers(source, box.start)
    version = numbers.take(4) >> 24
    item = numbers.take(4 if version == 3 else 2)
    numbers.take(2)
    return item, source[numbers.at : numbers.at + 4]


def _locations(source: bytes, box: _Box, stores: Sequence[int]) -> Iterator[tuple[int, Extents]]:
    numbers = _Numbers(source, box.start)
    version, sizes = numbers.take(4) >> 24, numbers.take(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    if version > 0 and index_size > 0:
        raise SourceUnreadable("Its items have an index, which is not read.")
    wide = 4 if version == 2 else 2
    items, parts = numbers.take(wide), 0
    check_at_most(MAXIMUM_BOXES, items, "items")
    for _ in range(items):
        item = numbers.take(wide)
        in_store = version > 0 and numbers.take(2) == 1
        numbers.take(2)
        base = numbers.take(base_size) + (stores[0] if in_store else 0)
        count = numbers.take(2)
        parts += count
        check_at_most(MAXIMUM_BOXES, parts, "parts of items")
        yield item, [(base + numbers.take(offset_size), numbers.take(length_size)) for _ in range(count)]


def _first_samples(source: bytes, boxes: Sequence[_Box]) -> Iterator[Extents]:
    """Yield where the first frame of each track of an animation lies: no other is decoded."""
    tracks: list[dict[bytes, _Box]] = []
    for box in boxes:
        if box.kind == b"trak":
            tracks.append({})
        elif tracks and box.kind in (b"av01", b"stsz", *CHUNK_OFFSETS):
            check_at_most(1, (box.kind in tracks[-1]) + 1, "box of a kind in a track")
            tracks[-1][box.kind] = box
    for track in tracks:
        if b"av01" in track and b"stsz" in track:
            yield from _first_sample(source, track)


def _first_sample(source: bytes, track: Mapping[bytes, _Box]) -> Iterator[Extents]:
    sizes = _Numbers(source, track[b"stsz"].start + 4)
    size_of_all, count = sizes.take(4), sizes.take(4)
    size = size_of_all or (sizes.take(4) if count else 0)
    for kind in CHUNK_OFFSETS.keys() & track.keys():
        offsets = _Numbers(source, track[kind].start + 4)
        if offsets.take(4):
            yield [(offsets.take(CHUNK_OFFSETS[kind]), size)]


def _join(source: bytes, extents: Extents) -> bytes:
    return b"".join(source[start : start + length] for start, length in extents)
