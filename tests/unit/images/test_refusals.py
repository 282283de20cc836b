"""What is no picture that is read here: refused, by the right name and before any work that can be spared."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from shared.errors import SourceTooManyPixels, SourceUnreadable, SourceUnsupported
from shared.images.limits import Limits
from shared.images.pipeline import Request, resize
from tests.pictures import SIZE, decoded, encoded, png, quadrants

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
SMALLER = Request(width=32, height=None)
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


@pytest.fixture
def _no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Image.Image) -> None:
        pytest.fail("it was decoded")

    for reader in _with_subclasses(Image.Image):
        monkeypatch.setattr(reader, "load", fail)


def _with_subclasses(reader: type[Image.Image]) -> list[type[Image.Image]]:
    return [reader, *(below for one in reader.__subclasses__() for below in _with_subclasses(one))]


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
