"""What is no picture that is read here: refused, by the right name and before any work that can be spared."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from shared.errors import ParametersInvalid, SourceTooManyPixels, SourceUnreadable, SourceUnsupported
from shared.images.formats import FORMATS, Format
from shared.images.limits import MAXIMUM_SOURCE_PIXELS_A_SIDE, Limits
from shared.images.pipeline import resize
from shared.images.reader import MAXIMUM_READS
from tests.pictures import SIZE, decoded, encoded, options, png, quadrants
from tests.unit.images.files import LONG, grey, tiff

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
SMALLER = options(width=32, height=None)
PIXELS = SIZE[0] * SIZE[1]

# Noise, so that the pixels take up most of the file, as in a photograph.
NOISE = Image.merge("RGB", [Image.effect_noise(SIZE, 80).rotate(turn) for turn in (0, 90, 180)])
COMPLETE = {
    "jpeg": encoded(NOISE, "JPEG"),
    "jpeg progressive": encoded(NOISE, "JPEG", progressive=True),
    "png": encoded(NOISE, "PNG"),
    "webp": encoded(NOISE, "WEBP"),
    "avif": encoded(NOISE, "AVIF"),
    "gif": encoded(NOISE, "GIF"),
    "tiff": encoded(NOISE, "TIFF"),
    "tiff lzw": encoded(NOISE, "TIFF", compression="tiff_lzw"),
    "bmp": encoded(NOISE, "BMP"),
}
complete = pytest.mark.parametrize("source", COMPLETE.values(), ids=COMPLETE)


@complete
@pytest.mark.parametrize("percent", [1, 3, 5, 10, 25, 50, 75, 90, 98])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_picture_that_is_cut_off_is_unreadable(source: bytes, percent: int) -> None:
    # 16 bytes are enough to tell every format by: it is no other one that was sent, and it is not whole.
    start = source[: max(16, len(source) * percent // 100)]
    with pytest.raises(SourceUnreadable):
        resize(start, SMALLER, LIMITS)


def test_empty_picture_is_unreadable() -> None:
    with pytest.raises(SourceUnreadable) as refusal:
        resize(b"", SMALLER, LIMITS)
    assert (refusal.value.limit, refusal.value.actual) == (1, 0)


NO_PICTURES = {
    "a letter": b"x",
    "zeros": bytes(1000),
    "text": b"This is no picture. " * 50,
    "HTML": b"<!doctype html><title>Not found</title>",
    "JSON": b'{"source": "uploads/1"}',
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "PDF": encoded(quadrants(), "PDF"),
    "ZIP": b"PK\x05\x06" + bytes(18),
    "a picture after a line feed": b"\n" + COMPLETE["png"],
}


@pytest.mark.parametrize("source", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_unsupported(source: bytes) -> None:
    with pytest.raises(SourceUnsupported):
        resize(source, SMALLER, LIMITS)


PSD = b"8BPS" + struct.pack(">H6xHIIHHIIIH", 1, 3, 8, 8, 8, 3, 0, 0, 0, 0) + bytes(3 * 64)
OTHER_FORMATS = {
    **{name: encoded(quadrants(), name) for name in ("EPS", "ICO", "ICNS", "JPEG2000", "PPM", "PCX", "SGI")},
    **{name: encoded(quadrants(), name) for name in ("TGA", "DDS", "DIB", "QOI")},
    **{name: encoded(quadrants().convert("1"), name) for name in ("MSP", "XBM")},
    "PSD": PSD,
}


@pytest.mark.parametrize("name, source", OTHER_FORMATS.items(), ids=OTHER_FORMATS)
def test_every_other_format_is_unsupported(name: str, source: bytes) -> None:
    assert Image.open(BytesIO(source)).format == name, "Pillow itself knows it"
    with pytest.raises(SourceUnsupported):
        resize(source, SMALLER, LIMITS)


@pytest.mark.usefixtures("_no_decoding")
def test_large_header_is_refused_without_decoding() -> None:
    with pytest.raises(SourceTooManyPixels) as refusal:
        resize(png((50_000, 50_000)), SMALLER, LIMITS)
    assert (refusal.value.limit, refusal.value.actual) == (50_000_000, 2_500_000_000)


@complete
@pytest.mark.usefixtures("_no_decoding")
def test_one_pixel_too_many_is_refused_without_decoding(source: bytes) -> None:
    with pytest.raises(SourceTooManyPixels) as refusal:
        resize(source, SMALLER, Limits(LIMITS.source_bytes, PIXELS - 1))
    assert (refusal.value.limit, refusal.value.actual) == (PIXELS - 1, PIXELS)


@complete
def test_as_many_pixels_as_allowed_are_taken(source: bytes) -> None:
    picture = resize(source, SMALLER, Limits(LIMITS.source_bytes, PIXELS))
    assert decoded(picture.content).size == (32, 24)


TOO_LONG = MAXIMUM_SOURCE_PIXELS_A_SIDE + 1


@pytest.mark.parametrize("size", [(TOO_LONG, 1), (1, TOO_LONG)])
@pytest.mark.usefixtures("_no_decoding")
def test_side_that_is_too_long_is_refused_without_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(SourceTooManyPixels) as refusal:
        resize(png(size), SMALLER, LIMITS)
    assert (refusal.value.limit, refusal.value.actual) == (MAXIMUM_SOURCE_PIXELS_A_SIDE, TOO_LONG)


def bmp(width: int, height: int, compression: int, bits: int, data: bytes) -> bytes:
    """Return a BMP of two colours."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, 2, 0)
    start = 14 + len(header) + 8
    file = b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
    return file + header + bytes(4) + b"\xff" * 4 + data


@pytest.mark.parametrize("compression, bits", [(1, 8), (2, 4)])
@pytest.mark.usefixtures("_no_decoding")
def test_bmp_with_run_lengths_is_unsupported(compression: int, bits: int) -> None:
    end_of_row, end_of_picture = b"\0\0", b"\0\1"
    with pytest.raises(SourceUnsupported):
        resize(bmp(999, 1, compression, bits, b"\1\0" + end_of_row + end_of_picture), SMALLER, LIMITS)


def test_bmp_without_run_lengths_is_read() -> None:
    assert resize(bmp(4, 2, 0, 8, bytes(8)), SMALLER, LIMITS).source_size == (4, 2)


def gif_with(blocks: bytes) -> bytes:
    """Return a GIF with these before its picture, which its palette of 256 colours comes before."""
    after_palette = 13 + 3 * 256
    return COMPLETE["gif"][:after_palette] + blocks + COMPLETE["gif"][after_palette:]


PADDED = {
    "an extension in blocks of a byte": b"!\xfe" + b"\1x" * (MAXIMUM_READS // 2) + b"\0",
    "extensions": b"!\xfe\1x\0" * (MAXIMUM_READS // 4),
    "extensions without an end": b"!\xf9\0" + b"\1x" * (MAXIMUM_READS // 2) + b"\0",
    "padding": bytes(MAXIMUM_READS),
}


@pytest.mark.parametrize("padding", PADDED.values(), ids=PADDED)
def test_gif_of_too_many_parts_is_unreadable(padding: bytes) -> None:
    with pytest.raises(SourceUnreadable) as refusal:
        resize(gif_with(padding), SMALLER, LIMITS)
    assert refusal.value.limit is not None and refusal.value.actual == refusal.value.limit + 1


def test_gif_with_megabytes_of_metadata_is_read() -> None:
    profile = b"!\xff\x0bICCRGBG1012" + (b"\xff" + bytes(255)) * 16_500 + b"\0"
    assert resize(gif_with(profile), SMALLER, LIMITS).source_size == SIZE


@pytest.mark.usefixtures("_no_decoding")
def test_more_pixels_than_a_format_is_written_with_are_refused_without_decoding() -> None:
    with pytest.raises(ParametersInvalid) as refusal:
        resize(
            tiff(grey(5001, 5000) | {273: (LONG, [8])}),
            options(width=8192, height=None, format="png"),
            LIMITS,
        )
    assert (refusal.value.limit, refusal.value.actual) == (25_000_000, 25_005_000)


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_only_jpeg_is_written_with_as_many_pixels_as_there_are(written: Format) -> None:
    written.check_size((5000, 5000))
    if written.name == "jpeg":
        written.check_size((8192, 8192))
        return
    with pytest.raises(ParametersInvalid):
        written.check_size((5001, 5000))


def test_png_whose_pixels_are_damaged_is_no_picture() -> None:
    source = BytesIO()
    Image.effect_noise((300, 200), 80).convert("RGB").save(source, "PNG")
    damaged = bytearray(source.getvalue())
    damaged[damaged.index(b"IDAT") + 5000] ^= 0xFF
    with pytest.raises(SourceUnreadable):
        resize(bytes(damaged), options(100, None), LIMITS)
