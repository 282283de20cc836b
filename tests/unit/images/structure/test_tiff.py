"""TIFF: what its strips and tiles come to, which may be far more than the picture."""

from __future__ import annotations

import struct
import zlib

import pytest

from shared.errors import Problem, SourceTooManyPixels, SourceUnreadable, SourceUnsupported
from shared.images.limits import Limits
from shared.images.pipeline import resize
from shared.images.structure.tiff import MAXIMUM_ENTRIES, MAXIMUM_NUMBER_BYTES, SHARED_BLOCK_BYTES
from tests.pictures import SIZE, decoded, encoded, exif, furthest, means, options, quadrants
from tests.unit.images.files import BLOCKS_AT, LONG, LONG8, RATIONAL, SHORT, Tag, grey, tiff

LIMITS = Limits(source_bytes=20_000_000, source_pixels=1_000_000)
SMALLER = options(width=8, height=None)

DEFLATE, LZW, FAX, FAX_3, FAX_4, OLD_JPEG, JPEG = 8, 5, 2, 3, 4, 6, 7
COMPRESSION, COLOURS_TAG, PLANES, RESOLUTION, EXIF = 259, 262, 284, 282, 34665
OFFSETS, ROWS, LENGTHS = 273, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_LENGTHS = 322, 323, 324, 325


def strips(count: int, length: int, rows: int = 1) -> dict[int, Tag]:
    """Return the tags of so many strips that are all the same bytes."""
    return {OFFSETS: (LONG, [BLOCKS_AT] * count), ROWS: (LONG, [rows]), LENGTHS: (LONG, [length] * count)}


def tiles(size: tuple[int, int], count: int, length: int) -> dict[int, Tag]:
    return {
        TILE_WIDTH: (LONG, [size[0]]),
        TILE_HEIGHT: (LONG, [size[1]]),
        TILE_OFFSETS: (LONG, [BLOCKS_AT] * count),
        TILE_LENGTHS: (LONG, [length] * count),
    }


def tiled(picture: tuple[int, int], tile: tuple[int, int], count: int) -> bytes:
    data = zlib.compress(bytes(tile[0] * tile[1]))
    return tiff(grey(*picture, DEFLATE) | tiles(tile, count, len(data)), data)


TOO_MANY_PIXELS = {
    "a tile far larger than the picture": tiled((16, 16), (2048, 2048), 1),
    "tiles far wider than the picture": tiled((16, 64), (65_536, 16), 4),
    "a side": tiff(grey(65_536, 1) | strips(1, 65_536), bytes(65_536)),
}
UNREADABLE = {
    "tags": tiff([*grey(16, 16).items(), *[(50_000 + tag, (SHORT, [0])) for tag in range(MAXIMUM_ENTRIES)]]),
    "numbers": tiff(
        grey(16, 16) | strips(1, 256, 16) | {RESOLUTION: (RATIONAL, [1] * (MAXIMUM_NUMBER_BYTES // 8 + 1))},
        bytes(256),
    ),
    "strips": tiff(grey(16, 16) | {OFFSETS: (LONG, [BLOCKS_AT] * 300_000)}, bytes(256)),
    "tiles": tiled((800, 800), (1, 1), 1),
    "bytes of strips": tiff(grey(16, 1000, DEFLATE) | strips(1000, SHARED_BLOCK_BYTES // 900), bytes(20_000)),
    "bytes of tiles": tiff(
        grey(16, 16_000, DEFLATE) | tiles((16, 16), 1000, SHARED_BLOCK_BYTES // 900), bytes(20_000)
    ),
    "two widths": tiff([*(grey(16, 16) | strips(1, 256, 16)).items(), (256, (LONG, [2048]))], bytes(256)),
    "a width of fractions": tiff(
        grey(16, 16) | strips(1, 256, 16) | {TILE_WIDTH: (RATIONAL, [2048])}, bytes(256)
    ),
    "two compressions in one": tiff(
        grey(16, 16) | strips(1, 256, 16) | {COMPRESSION: (SHORT, [1, FAX])}, bytes(256)
    ),
    "a directory beyond its end": b"II*\0" + struct.pack("<I", 2**32 - 1) + bytes(64),
}
UNSUPPORTED = {
    **{
        f"compression {number}": tiff(grey(16, 16, number) | strips(1, 256, 16), bytes(256))
        for number in (FAX, FAX_3, FAX_4, OLD_JPEG, 32771, 32809, 34676, 34677, 50001, 65535)
    },
    "group 4 of Pillow": encoded(quadrants().convert("1"), "TIFF", compression="group4"),
    "YCbCr by Deflate": tiff(
        grey(16, 16, DEFLATE) | strips(1, 256, 16) | {COLOURS_TAG: (SHORT, [6])}, bytes(256)
    ),
    "YCbCr by JPEG in three planes": tiff(
        grey(16, 16, JPEG) | strips(1, 256, 16) | {COLOURS_TAG: (SHORT, [6]), PLANES: (SHORT, [2])},
        bytes(256),
    ),
    "a BigTIFF of big-endian order": b"MM\0+" + struct.pack(">HHQ", 8, 0, 16) + bytes(64),
}
REFUSED: list[tuple[type[Problem], bytes]] = [
    *[(SourceTooManyPixels, source) for source in TOO_MANY_PIXELS.values()],
    *[(SourceUnreadable, source) for source in UNREADABLE.values()],
    *[(SourceUnsupported, source) for source in UNSUPPORTED.values()],
]


@pytest.mark.parametrize("refusal, source", REFUSED, ids=[*TOO_MANY_PIXELS, *UNREADABLE, *UNSUPPORTED])
@pytest.mark.usefixtures("_no_decoding")
def test_refused_without_decoding(refusal: type[Problem], source: bytes) -> None:
    with pytest.raises(refusal):
        resize(source, SMALLER, LIMITS)


def test_tiles_that_are_too_many_pixels_are_told_as_they_are() -> None:
    with pytest.raises(SourceTooManyPixels) as refusal:
        resize(TOO_MANY_PIXELS["a tile far larger than the picture"], SMALLER, LIMITS)
    assert (refusal.value.limit, refusal.value.actual) == (1_000_000, 2048 * 2048)


ROW = zlib.compress(bytes(16))
READ = {
    "a strip a row": tiff(grey(16, 1000, DEFLATE) | strips(1000, len(ROW)), ROW),
    "a strip that says to have more rows than there are": tiff(
        grey(16, 16) | strips(1, 256, 2**32 - 1), bytes(256)
    ),
    "strips without their lengths": tiff(
        grey(16, 16) | {OFFSETS: (LONG, [BLOCKS_AT]), ROWS: (SHORT, [16])}, bytes(256)
    ),
    "a tile": tiled((16, 16), (16, 16), 1),
    "a tile of 256, as maps have them": tiled((100, 50), (256, 256), 1),
    "tiles beyond the edges": tiled((100, 50), (64, 64), 2),
    "tiles that are one": tiled((800, 800), (16, 16), 2500),
    "a hundred tags more": tiff(
        [
            *(grey(16, 16) | strips(1, 256, 16)).items(),
            *[(50_000 + tag, (SHORT, [tag])) for tag in range(100)],
        ],
        bytes(256),
    ),
    **{
        name: encoded(quadrants(), "TIFF", compression=name)
        for name in (
            "raw",
            "tiff_lzw",
            "tiff_adobe_deflate",
            "tiff_deflate",
            "packbits",
            "lzma",
            "zstd",
            "jpeg",
        )
    },
    "YCbCr by JPEG": encoded(quadrants().convert("YCbCr"), "TIFF", compression="jpeg"),
    "many strips of Pillow": encoded(quadrants(), "TIFF", compression="tiff_lzw", strip_size=200),
    "BigTIFF": encoded(quadrants(), "TIFF", big_tiff=True),
    "several pages": encoded(quadrants(), "TIFF", save_all=True, append_images=[quadrants()] * 3),
}


@pytest.mark.parametrize("source", READ.values(), ids=READ)
def test_read(source: bytes) -> None:
    expected = decoded(source)
    picture = resize(source, options(width=expected.width, height=None, format="png"), LIMITS)
    assert decoded(picture.content).convert("RGB").tobytes() == expected.convert("RGB").tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_one_with_exif_is_turned_upright(orientation: int) -> None:
    source = encoded(quadrants(), "TIFF", exif=exif(orientation, "a description"))
    picture = resize(source, options(width=32, height=None, format="png"), LIMITS)
    assert picture.source_size == decoded(source).size
    assert furthest(means(decoded(picture.content)), means(decoded(source))) <= 4


def test_numbers_of_its_exif_are_not_read() -> None:
    """Pillow would make an object of each."""
    many = struct.pack("<HHHII", 1, 0x9204, RATIONAL, 2**17, BLOCKS_AT)
    tags = grey(*SIZE) | strips(1, SIZE[0] * SIZE[1], SIZE[1]) | {EXIF: (LONG, [BLOCKS_AT + 2**20])}
    source = tiff(tags, bytes(2**20) + many + bytes(8))
    assert resize(source, SMALLER, LIMITS).source_size == SIZE


def test_offset_of_64_bits_beyond_its_end_is_unreadable() -> None:
    tags = grey(16, 16) | {OFFSETS: (LONG8, [2**63]), LENGTHS: (LONG, [256])}
    with pytest.raises(SourceUnreadable):
        resize(tiff(tags, bytes(256)), SMALLER, LIMITS)
