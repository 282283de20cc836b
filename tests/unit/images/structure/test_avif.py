"""AVIF: the frames are as large as AV1 says, whatever the boxes around it say."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from PIL import Image

from infra.contact_sheet.profiles import SWAPPED
from shared.errors import Problem, SourceTooManyPixels, SourceUnreadable
from shared.images.limits import MAXIMUM_EXIF_BYTES, Limits
from shared.images.pipeline import resize
from shared.images.structure import check_structure
from shared.images.structure.avif import MAXIMUM_BOXES, MAXIMUM_TABLE_BYTES
from tests.pictures import (
    COLOURS,
    decoded,
    encoded,
    exif,
    furthest,
    half_transparent,
    means,
    options,
    quadrants,
)
from tests.unit.images.files import Item, avif, box, found_box, full_box

LIMITS = Limits(source_bytes=20_000_000, source_pixels=100_000)
SMALLER = options(width=16, height=None, format="png")

PLAIN = encoded(quadrants(), "AVIF")
LARGE = encoded(Image.new("RGB", (512, 512)), "AVIF")
"""More than twice as many pixels as are allowed."""
TILE = encoded(quadrants(size=(64, 64)), "AVIF")
SAID_TO_BE_SMALL = struct.pack(">II", 16, 16)
OF_A_TILE, OF_THE_GRID = (1, 2, 0x83), (4, 2)
"""Properties: size, depth, and for one that is decoded its codec, which is essential."""


def coded(source: bytes) -> bytes:
    """Return the AV1 of an AVIF of one item."""
    return found_box(source, b"mdat")[8:]


def lied(source: bytes) -> bytes:
    size = found_box(source, b"ispe")
    return source.replace(size, size[:12] + SAID_TO_BE_SMALL)


def grid(across: int, tile: bytes) -> bytes:
    """Return as many tiles across as down, all of them the same bytes."""
    count = across * across
    whole = struct.pack(">II", 64 * across, 64 * across)
    head = struct.pack(">BBBBHH", 0, 0, across - 1, across - 1, 64 * across, 64 * across)
    tiles: list[Item] = [(number, b"av01", tile, OF_A_TILE) for number in range(2, 2 + count)]
    references = box(b"dimg", struct.pack(f">HH{count}H", 1, count, *range(2, 2 + count)))
    return avif(TILE, [(1, b"grid", head, OF_THE_GRID), *tiles], [full_box(b"ispe", 0, whole)], references)


def film(size: tuple[int, int]) -> bytes:
    frames = [Image.new("RGBA", size, (number, 0, 0, 99)) for number in range(3)]
    return encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:])


def only_film(source: bytes) -> bytes:
    """Return it without the items that are there for those who know no films."""
    return source.replace(b"iloc", b"free").replace(b"iinf", b"free")


def with_items(count: int) -> Sequence[Item]:
    return [(1, b"av01", coded(PLAIN), OF_A_TILE), *[(2 + n, b"abcd", b"text", ()) for n in range(count)]]


VERSION, SIZES = 8, 12
"""Where they are in the box of places. Then come their number, and the id, file and parts of each."""


def located(at: int, value: bytes) -> bytes:
    """Return PLAIN with this in the box of its items' places."""
    places = found_box(PLAIN, b"iloc")
    return PLAIN.replace(places, places[:at] + value + places[at + len(value) :])


TOO_MANY_PIXELS = {
    "a picture larger than it says": lied(LARGE),
    "tiles larger than they say": grid(2, coded(encoded(Image.new("RGB", (256, 256)), "AVIF"))),
    "many tiles that are one": grid(9, coded(TILE)),
    "a film larger than it says": only_film(lied(film((512, 512)))),
}
UNREADABLE = {
    "boxes": avif(PLAIN, with_items(0), [box(b"free")] * MAXIMUM_BOXES),
    "boxes in boxes": box(b"ftyp", b"avif") + struct.pack(">I4sI", 10**6, b"meta", 0) * 2000,
    "a table": avif(PLAIN, with_items(0), references=box(b"cdsc", bytes(MAXIMUM_TABLE_BYTES))),
    "items": avif(PLAIN, with_items(MAXIMUM_TABLE_BYTES // 14)),
    "EXIF": avif(PLAIN, [*with_items(0), (9, b"Exif", bytes(MAXIMUM_EXIF_BYTES + 1), ())]),
    "items that are nowhere": located(SIZES, bytes(2) + b"\xff\xff"),
    "parts of items that are nowhere": located(SIZES, bytes(2) + b"\0\1" + bytes(4) + b"\xff\xff"),
    "stores of items": avif(PLAIN, with_items(0), more=[box(b"idat"), box(b"idat")]),
    "a store that is not there": located(VERSION, b"\1\0\0\0\x44\0\0\1\0\1\0\1"),
    "an index of parts": located(VERSION, b"\1\0\0\0\x44\4"),
    "tables of offsets in a track": film((16, 16)).replace(b"stss", b"stco"),
    "AV1 that is cut off": avif(PLAIN, [(1, b"av01", coded(PLAIN)[:6], OF_A_TILE)]),
}
REFUSED: list[tuple[type[Problem], bytes]] = [
    *[(SourceTooManyPixels, source) for source in TOO_MANY_PIXELS.values()],
    *[(SourceUnreadable, source) for source in UNREADABLE.values()],
]


@pytest.mark.parametrize("refusal, source", REFUSED, ids=[*TOO_MANY_PIXELS, *UNREADABLE])
@pytest.mark.usefixtures("_no_decoding")
def test_refused_without_decoding(refusal: type[Problem], source: bytes) -> None:
    with pytest.raises(refusal):
        resize(source, SMALLER, LIMITS)


def test_pixels_are_told_as_they_are() -> None:
    with pytest.raises(SourceTooManyPixels) as refusal:
        check_structure(lied(LARGE), LIMITS)
    # The colours and the transparency are a frame each.
    assert (refusal.value.limit, refusal.value.actual) == (200_000, 512 * 512)


def in_two_extents() -> bytes:
    """Return PLAIN with its AV1 in two parts: the head of the second lies in the first."""
    location = found_box(PLAIN, b"iloc")
    place, length = struct.unpack(">II", location[-8:])
    item = location[16:-10] + struct.pack(">HIIII", 2, place, 5, place + 5, length - 5)
    split = struct.pack(">I", len(location) + 8) + location[4:16] + item
    moved = PLAIN.replace(location, split)
    size = found_box(PLAIN, b"meta")[:4]
    return moved.replace(
        size + b"meta", struct.pack(">I", int.from_bytes(size, "big") + 8) + b"meta"
    ).replace(
        struct.pack(">IIII", place, 5, place + 5, length - 5),
        struct.pack(">IIII", place + 8, 5, place + 13, length - 5),
    )


READ = {
    "plain": PLAIN,
    "with everything": encoded(quadrants(), "AVIF", exif=exif(1, "text"), icc_profile=SWAPPED, xmp=b"<x/>"),
    "put together": avif(PLAIN, with_items(0)),
    "with many items": avif(PLAIN, with_items(500)),
    "a grid": grid(3, coded(TILE)),
    "two extents": in_two_extents(),
}


@pytest.mark.parametrize("source", READ.values(), ids=READ)
def test_read(source: bytes) -> None:
    limits = Limits(LIMITS.source_bytes, 192 * 192)
    assert resize(source, SMALLER, limits).source_size == decoded(source).size


def test_as_many_pixels_as_allowed_are_read_with_transparency() -> None:
    source = encoded(half_transparent(), "AVIF")
    assert resize(source, SMALLER, Limits(LIMITS.source_bytes, 64 * 48)).source_size == (64, 48)


def test_film_of_as_many_pixels_as_allowed_is_read() -> None:
    source = film((64, 48))
    first = options(32, None, "jpeg")
    assert resize(source, first, Limits(LIMITS.source_bytes, 64 * 48)).source_size == (64, 48)


def test_film_that_stays_one_is_counted_with_all_of_its_frames() -> None:
    source = film((64, 48))
    with pytest.raises(SourceTooManyPixels):
        resize(source, options(32, None, "webp"), Limits(LIMITS.source_bytes, 64 * 48))
    assert resize(source, options(32, None, "webp"), LIMITS).frames > 1


def test_picture_that_is_put_together_shows_what_it_did() -> None:
    picture = resize(avif(PLAIN, with_items(0)), SMALLER, LIMITS)
    assert furthest(means(decoded(picture.content)), COLOURS) <= 8
