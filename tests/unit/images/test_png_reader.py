"""What is plain is read by isal and libspng, as Pillow would; the rest, and what is damaged, by Pillow."""

from __future__ import annotations

import io
import struct
import zlib
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from infra.contact_sheet.profiles import SWAPPED
from shared.errors import SourceUnreadable
from shared.images import png_reader
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize
from tests.pictures import (
    decoded,
    encoded,
    exif,
    half_transparent,
    interlaced_png,
    quadrants,
    sixteen_bit_png,
)
from tests.unit.images.files import chunk, png_with

LIMITS = Limits(source_bytes=10_000_000, source_pixels=10_000_000)
COLOURS = {"L": 0, "RGB": 2, "RGBA": 6}
SIGNATURE = b"\x89PNG\r\n\x1a\n"
SMALL = encoded(quadrants(size=(12, 8)), "PNG")

stable = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), max_examples=300
)


def header(mode: str, size: tuple[int, int]) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, COLOURS[mode], 0, 0, 0))


def filtered(mode: str, size: tuple[int, int], seed: int, piece: int = 50) -> bytes:
    """Return a PNG of noise, each row by a filter of its own, in chunks of so many bytes."""
    random = Random(seed)
    stride = size[0] * len(Image.new(mode, (1, 1)).getbands())
    rows = b"".join(bytes((random.randrange(5),)) + random.randbytes(stride) for _ in range(size[1]))
    data = zlib.compress(rows)
    pixels = (chunk(b"IDAT", data[at : at + piece]) for at in range(0, len(data), piece))
    return b"".join((header(mode, size), *pixels, chunk(b"IEND")))


def read(source: bytes) -> Image.Image | None:
    return png_reader.decode(source, Image.open(io.BytesIO(source)))


@stable
@given(st.sampled_from(sorted(COLOURS)), st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**9))
def test_pixels_are_those_of_pillow(mode: str, width: int, height: int, seed: int) -> None:
    source = filtered(mode, (width, height), seed)
    image = read(source)
    assert image is not None and (image.mode, image.format) == (mode, "PNG")
    assert image.tobytes() == decoded(source).tobytes()


def test_profile_and_exif_are_as_pillow_has_them() -> None:
    source = encoded(quadrants(), "PNG", exif=exif(orientation=6), icc_profile=SWAPPED)
    image = read(source)
    assert image is not None
    assert image.getexif()[0x0112] == 6
    assert image.info["icc_profile"] == SWAPPED


@pytest.mark.parametrize(
    "behind", [chunk(b"tIME", bytes(7)), chunk(b"tEXt", b"date:create\0today")], ids=["time", "text"]
)
def test_time_and_text_may_stand_behind_the_pixels(behind: bytes) -> None:
    assert read(png_with(behind, after=True)) is not None


EXIF = exif(orientation=6)
EXIF_AS_TEXT = b"Raw profile type exif\0\nexif\n%8d\n" % (len(EXIF) + 6) + (b"Exif\0\0" + EXIF).hex().encode()
LEFT_TO_PILLOW = {
    "interlaced": interlaced_png(quadrants()),
    "16 bits": sixteen_bit_png(quadrants()),
    "palette": encoded(quadrants().quantize(8), "PNG"),
    "grey with transparency": encoded(half_transparent().convert("LA"), "PNG"),
    "one transparent colour": encoded(quadrants(), "PNG", transparency=(1, 2, 3)),
    "animation": encoded(quadrants(), "PNG", save_all=True, append_images=[quadrants().rotate(180)]),
    "EXIF behind the pixels": png_with(chunk(b"eXIf", EXIF), after=True),
    "EXIF as text behind the pixels": png_with(chunk(b"tEXt", EXIF_AS_TEXT), after=True),
    "no end": encoded(quadrants(), "PNG")[:-12],
    "pixels apart": png_with(chunk(b"tEXt", b"key\0value"), chunk(b"IDAT"), after=True),
}


@pytest.mark.parametrize("source", LEFT_TO_PILLOW.values(), ids=LEFT_TO_PILLOW)
def test_what_is_not_plain_is_left_to_pillow(source: bytes) -> None:
    assert read(source) is None
    assert resize(source, ProcessingOptions(width=32, height=32), LIMITS).source_format == "PNG"


@pytest.mark.parametrize("bit", range(8))
def test_with_any_bit_flipped_it_is_what_pillow_sees_or_left_to_pillow(bit: int) -> None:
    for at in range(len(SMALL)):
        damaged = SMALL[:at] + bytes([SMALL[at] ^ 1 << bit]) + SMALL[at + 1 :]
        try:
            image = read(damaged)
        except (OSError, SyntaxError, ValueError):
            # Pillow does not open it.
            continue
        if image is not None:
            assert image.tobytes() == decoded(damaged).tobytes()


def test_pixels_cut_off_anywhere_are_left_to_pillow() -> None:
    for length in range(SMALL.index(b"IDAT") + 4, len(SMALL) - 12):
        assert read(SMALL[:length]) is None


def test_wrong_checksum_of_the_pixels_is_unreadable_though_that_of_their_chunk_is_right() -> None:
    data = bytearray(zlib.compress(bytes((1 + 3 * 8) * 8)))
    data[-1] ^= 1
    source = header("RGB", (8, 8)) + chunk(b"IDAT", bytes(data)) + chunk(b"IEND")
    assert read(source) is None
    with pytest.raises(SourceUnreadable):
        resize(source, ProcessingOptions(width=8, height=8), LIMITS)


@pytest.mark.parametrize("rows", [7, 9], ids=["too few", "too many"])
def test_another_number_of_rows_is_left_to_pillow(rows: int) -> None:
    data = zlib.compress((b"\0" + bytes(range(24))) * rows)
    assert read(header("RGB", (8, 8)) + chunk(b"IDAT", data) + chunk(b"IEND")) is None


@pytest.mark.parametrize("mode", COLOURS)
@pytest.mark.parametrize("size", [(700, 200), (3, 60_000), (60_000, 3)], ids=str)
def test_pixels_of_many_bands_are_those_of_pillow(mode: str, size: tuple[int, int]) -> None:
    source = filtered(mode, size, seed=1, piece=10_000)
    image = read(source)
    assert image is not None and image.tobytes() == decoded(source).tobytes()
