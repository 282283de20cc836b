"""JPEG: how many segments and scans are read. What cameras, Photoshop and mozjpeg write is far below."""

from __future__ import annotations

import struct

import pytest

from infra.contact_sheet.profiles import SWAPPED
from shared.errors import SourceUnreadable
from shared.images.geometry import Size
from shared.images.limits import MAXIMUM_EXIF_BYTES, Limits
from shared.images.pipeline import resize
from shared.images.reader import MAXIMUM_READS
from shared.images.structure.jpeg import MAXIMUM_SCANS, MAXIMUM_SEGMENTS
from tests.pictures import COLOURS, SIZE, decoded, encoded, exif, furthest, means, options, quadrants
from tests.unit.images.files import jpeg_with, segment

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
SMALLER = options(width=32, height=None, format="png")

APP1, APP2, APP5 = 0xE1, 0xE2, 0xE5
SCAN, END = b"\xff\xda", b"\xff\xd9"
PROGRESSIVE = encoded(quadrants(), "JPEG", progressive=True)
SCANS = PROGRESSIVE.count(SCAN)


def with_scans(count: int) -> bytes:
    """Return a progressive JPEG of so many scans, the last of its own again and again."""
    last = PROGRESSIVE[PROGRESSIVE.rindex(SCAN) : -len(END)]
    return PROGRESSIVE[: -len(END)] + last * (count - SCANS) + END


def one_component_a_scan(count: int) -> bytes:
    """Return a baseline JPEG of 8x8 and so many scans, none of which holds a bit."""
    frame = struct.pack(">BHHB", 8, 8, 8, 3) + bytes((1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0))
    tables = [segment(0xC4, bytes((kind, 1, *bytes(15), 0))) for kind in (0x00, 0x10)]
    scans = [segment(0xDA, bytes((1, 1 + number % 3, 0, 0, 63, 0))) for number in range(count)]
    start = b"\xff\xd8" + segment(0xDB, bytes((0, *(1,) * 64))) + segment(0xC0, frame)
    return start + b"".join(tables + scans) + END


def assert_is_read(source: bytes) -> None:
    picture = resize(source, SMALLER, LIMITS)
    assert picture.source_size == SIZE
    assert furthest(means(decoded(picture.content)), COLOURS) <= 8


TOO_MUCH = {
    "segments": jpeg_with(*[segment(APP5)] * MAXIMUM_SEGMENTS),
    "segments of EXIF": jpeg_with(*[segment(APP1, b"Exif\0\0" + bytes(20))] * MAXIMUM_SEGMENTS),
    "restarts before the first scan": jpeg_with(*[b"\xff\xd0"] * MAXIMUM_SEGMENTS),
    "EXIF": jpeg_with(*[segment(APP1, b"Exif\0\0" + bytes(65_000))] * 17),
    "padding": jpeg_with(b"\xff" * MAXIMUM_READS),
    "scans": with_scans(MAXIMUM_SCANS + 1),
    "scans behind what looks like an end": with_scans(MAXIMUM_SCANS + 1).replace(
        SCAN, segment(APP5, END) + SCAN
    ),
    "scans of one component": one_component_a_scan(MAXIMUM_SCANS + 1),
    "segments between scans": PROGRESSIVE.replace(SCAN, segment(APP5) * MAXIMUM_SEGMENTS + SCAN),
}


@pytest.mark.parametrize("source", TOO_MUCH.values(), ids=TOO_MUCH)
@pytest.mark.usefixtures("_no_decoding")
def test_more_than_is_read_is_refused_without_decoding(source: bytes) -> None:
    with pytest.raises(SourceUnreadable) as refusal:
        resize(source, SMALLER, LIMITS)
    assert refusal.value.limit is not None and isinstance(refusal.value.actual, int)
    assert refusal.value.actual > refusal.value.limit


@pytest.mark.parametrize("count", [SCANS, MAXIMUM_SCANS])
def test_progressive_is_read(count: int) -> None:
    assert resize(with_scans(count), SMALLER, LIMITS).source_size == SIZE


@pytest.mark.parametrize("count", [3, MAXIMUM_SCANS])
def test_scans_of_one_component_are_read(count: int) -> None:
    assert resize(one_component_a_scan(count), SMALLER, LIMITS).source_size == (8, 8)


def test_what_follows_the_end_is_not_looked_at() -> None:
    # A second picture, or the film of a moving one.
    assert_is_read(PROGRESSIVE + SCAN * 1000)


def test_profile_of_many_segments_is_read() -> None:
    step = -(-len(SWAPPED) // 255)
    parts = [SWAPPED[at : at + step] for at in range(0, len(SWAPPED), step)]
    marked = [
        b"ICC_PROFILE\0" + bytes((number, len(parts))) + part for number, part in enumerate(parts, start=1)
    ]
    picture = resize(jpeg_with(*(segment(APP2, part) for part in marked)), SMALLER, LIMITS)
    assert len(parts) > 190
    assert furthest(means(decoded(picture.content)), [colour[::-1] for colour in COLOURS]) <= 8


def test_metadata_of_megabytes_is_read() -> None:
    extended = [segment(APP1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(65_000))] * 100
    tags = exif(orientation=1, description="x" * 30_000)
    assert_is_read(jpeg_with(segment(APP1, tags), *extended))
    assert 2 * len(tags) < MAXIMUM_EXIF_BYTES


def test_padding_between_segments_is_read() -> None:
    assert_is_read(jpeg_with(b"\xff" * 1000, segment(APP5), bytes(1000)))


@pytest.mark.parametrize("size", [(65_500, 8), (8, 65_500)])
def test_panorama_is_read(size: Size) -> None:
    source = encoded(quadrants(size=size), "JPEG")
    assert resize(source, options(width=1, height=None), LIMITS).source_size == size
