"""What a picture says besides its pixels: never passed on, and no reason to refuse it when broken."""

from __future__ import annotations

import struct
from typing import get_args

import pytest
from PIL import ExifTags, PngImagePlugin

from infra.contact_sheet.profiles import SWAPPED
from shared.images.formats import OutputFormat
from shared.images.limits import MAXIMUM_EXIF_BYTES, Limits
from shared.images.pipeline import resize
from tests.pictures import COLOURS, SIZE, decoded, encoded, exif, furthest, means, options, quadrants

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
SMALLER = options(width=32, height=None, format="png")
CANARY = "where-it-was-taken"
XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{CANARY}</x:xmpmeta>".encode()
METADATA = {
    "exif",
    "xmp",
    "icc_profile",
    "comment",
    "photoshop",
    "Raw profile type exif",
    "XML:com.adobe.xmp",
}
"""What Pillow's readers call it in `info`."""


def _text() -> PngImagePlugin.PngInfo:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", CANARY)
    text.add_text("Comment", CANARY, zip=True)
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return text


TAGS = exif(orientation=1, description=CANARY)
EVERYTHING = {"exif": TAGS, "xmp": XMP, "icc_profile": SWAPPED}
SOURCES = {
    "jpeg": encoded(quadrants(), "JPEG", comment=CANARY, **EVERYTHING),
    "png": encoded(quadrants(), "PNG", pnginfo=_text(), exif=TAGS, icc_profile=SWAPPED),
    "webp": encoded(quadrants(), "WEBP", **EVERYTHING),
    "avif": encoded(quadrants(), "AVIF", **EVERYTHING),
    "gif": encoded(quadrants(), "GIF", comment=CANARY),
    "tiff": encoded(quadrants(), "TIFF", exif=TAGS, icc_profile=SWAPPED),
}
sources = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
outputs = pytest.mark.parametrize("output", get_args(OutputFormat))
widths = pytest.mark.parametrize("width", [32, 64], ids=["smaller", "same size"])


@sources
def test_sources_have_the_metadata_that_is_looked_for(source: bytes) -> None:
    image = decoded(source)
    tags, text = image.getexif(), getattr(image, "text", {})
    assert CANARY in f"{dict(tags)} {text} {image.info}"
    assert image.format == "GIF" or tags.get_ifd(ExifTags.IFD.GPSInfo)


@sources
@outputs
@widths
def test_no_metadata_is_passed_on(source: bytes, output: OutputFormat, width: int) -> None:
    content = resize(source, options(width, None, output), LIMITS).content
    image = decoded(content)
    assert CANARY.encode() not in content
    assert not image.info.keys() & METADATA
    assert not image.getexif()
    assert not getattr(image, "text", {})


BROKEN_EXIF = {
    "no header": b"Exif\0\0" + b"?" * 40,
    "only a header": b"Exif\0\0MM\0*",
    "offset beyond its end": b"Exif\0\0MM\0*\xff\xff\xff\xff",
    "more tags than bytes": b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
    "empty": b"Exif\0\0",
}


@pytest.mark.parametrize("tags", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_exif_is_no_reason_to_refuse(name: str, tags: bytes) -> None:
    source = encoded(quadrants(), name, exif=tags)
    picture = resize(source, SMALLER, LIMITS)
    assert picture.source_size == SIZE
    assert furthest(means(decoded(picture.content)), COLOURS) <= 8


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_exif_of_avif_is_no_reason_to_refuse() -> None:
    # Pillow writes none that is broken, so it is broken where it lies.
    source = encoded(quadrants(), "AVIF", exif=TAGS)
    start = source.index(b"MM\0*") + 4
    picture = resize(source[:start] + b"\xff" * 4 + source[start + 4 :], SMALLER, LIMITS)
    assert furthest(means(decoded(picture.content)), COLOURS) <= 8


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_exif_of_megabytes_is_not_looked_at(name: str) -> None:
    tags = exif(orientation=6) + bytes(MAXIMUM_EXIF_BYTES)
    assert resize(encoded(quadrants(), name, exif=tags), SMALLER, LIMITS).source_size == SIZE


SHORT, LONG, ASCII = 3, 4, 2
NO_ORIENTATION = {
    "none": struct.pack(">HI4x", SHORT, 0),
    "0": struct.pack(">HIHxx", SHORT, 1, 0),
    "9": struct.pack(">HIHxx", SHORT, 1, 9),
    "large": struct.pack(">HII", LONG, 1, 2**32 - 1),
    "a word": struct.pack(">HI4s", ASCII, 4, b"six"),
}


@pytest.mark.parametrize("value", NO_ORIENTATION.values(), ids=NO_ORIENTATION)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_orientation_that_is_none_turns_nothing(name: str, value: bytes) -> None:
    tags = b"Exif\0\0MM\0*" + struct.pack(">IHH", 8, 1, ExifTags.Base.Orientation) + value + bytes(4)
    picture = resize(encoded(quadrants(), name, exif=tags), SMALLER, LIMITS)
    assert furthest(means(decoded(picture.content)), COLOURS) <= 8
