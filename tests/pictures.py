"""Pictures for the tests, made here so that what each shows is known; and how two are compared."""

from __future__ import annotations

import io
import math
import random
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import ExifTags, Image, ImageChops, ImageStat

from shared.images.options import ProcessingOptions, RequestedFormat

Colour = tuple[int, ...]

SIZE = (64, 48)
COLOURS: Sequence[Colour] = ((200, 60, 40), (40, 160, 80), (60, 80, 200), (230, 220, 210))
GREYS: Sequence[Colour] = tuple((grey, grey, grey) for grey in (10, 90, 170, 250))
BLACK_AND_WHITE: Sequence[Colour] = ((0, 0, 0), (255, 255, 255), (255, 255, 255), (0, 0, 0))

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The passes of an interlaced PNG: first column, first row, columns between, rows between (PNG, 8.1)."""


def options(
    width: int | None,
    height: int | None = None,
    format: RequestedFormat | None = None,
    quality: int | None = None,
    **others: Any,
) -> ProcessingOptions:
    given = {"width": width, "height": height, "format": format, "quality": quality, **others}
    return ProcessingOptions(**given)


def quadrants(colours: Sequence[Colour] = COLOURS, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return four fields, each in its colour: top left, top right, bottom left, bottom right."""
    width, height = size[0] // 2, size[1] // 2
    image = Image.new("RGB", size)
    for place, colour in enumerate(colours):
        left, top = place % 2 * width, place // 2 * height
        image.paste(colour, (left, top, left + width, top + height))
    return image


def noise(size: tuple[int, int]) -> Image.Image:
    """Return what no format makes small; the same each time."""
    return Image.frombytes("RGB", size, random.Random(0).randbytes(size[0] * size[1] * 3))


def half_transparent(colour: Colour = COLOURS[0], size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a picture that is transparent black on its left and of this colour on its right."""
    image = Image.new("RGBA", size)
    image.paste((*colour, 255), (size[0] // 2, 0, *size))
    return image


def sixteen_bit_grey() -> Image.Image:
    """Return the GREYS, each in 16 bits."""
    return quadrants(GREYS).convert("L").convert("I").point(lambda value: value * 257).convert("I;16")


def encoded(image: Image.Image, name: str, **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, name, **options)
    return output.getvalue()


def decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def exif(orientation: int, description: str = "") -> bytes:
    """Return EXIF with this orientation; with a description, also with a place."""
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    if description:
        tags[ExifTags.Base.ImageDescription] = description
        place = tags.get_ifd(ExifTags.IFD.GPSInfo)
        place.update({ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (47.0, 22.0, 7.0)})
    return tags.tobytes()


def png(size: tuple[int, int], rows: bytes = b"", depth: int = 8, interlaced: bool = False) -> bytes:
    """Return a PNG in RGB of these filtered rows; without any, little more than a header."""
    header = struct.pack(">IIBBBBB", *size, depth, 2, 0, 0, interlaced)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def interlaced_png(image: Image.Image) -> bytes:
    """Return what Pillow reads, and does not write."""
    width, height = image.size
    pixels = image.tobytes()
    rows = b""
    for left, top, across, down in ADAM7:
        for y in range(top, height, down):
            places = ((y * width + x) * 3 for x in range(left, width, across))
            rows += b"\0" + b"".join(pixels[place : place + 3] for place in places)
    return png(image.size, rows, interlaced=True)


def sixteen_bit_png(image: Image.Image) -> bytes:
    """Return a PNG of 16 bits a channel, which Pillow does not write either."""
    width, height = image.size
    pixels = image.tobytes()
    rows = (pixels[y * width * 3 : (y + 1) * width * 3] for y in range(height))
    wide = (b"".join(bytes((value, value)) for value in row) for row in rows)
    return png(image.size, b"".join(b"\0" + row for row in wide), depth=16)


def means(image: Image.Image) -> list[Colour]:
    """Return the mean colour of the middle of each quadrant, away from its edges."""
    rgb = image.convert("RGB")
    width, height = rgb.width // 2, rgb.height // 2
    right, bottom = width - width // 4, height - height // 4
    corners = [(x * width, y * height) for y in (0, 1) for x in (0, 1)]
    fields = [rgb.crop((x + width // 4, y + height // 4, x + right, y + bottom)) for x, y in corners]
    return [tuple(round(mean) for mean in ImageStat.Stat(field).mean) for field in fields]


def pixels(image: Image.Image) -> list[Colour]:
    """Return red, green, blue and alpha of every pixel, row by row."""
    values = image.convert("RGBA").tobytes()
    return [tuple(values[place : place + 4]) for place in range(0, len(values), 4)]


def furthest(some: Sequence[Sequence[int]], others: Sequence[Sequence[int]]) -> int:
    """Return the largest difference between two lists of colours, in any channel."""
    pairs = zip(some, others, strict=True)
    return max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))


def psnr(image: Image.Image, reference: Image.Image) -> float:
    """Return the peak signal-to-noise ratio, in dB."""
    squares = [rms**2 for rms in ImageStat.Stat(ImageChops.difference(image, reference)).rms]
    return 10 * math.log10(255**2 / (sum(squares) / len(squares)))
