"""Small files that say to be large: refused from what they say, in the memory of a small picture."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from tests.pictures import SIZE, encoded, png, quadrants
from tests.unit.images.child import outcomes
from tests.unit.images.files import LONG, chunk, grey, png_with, segment, tiff

PEAK_BYTES = 150_000_000
MANY, UNREADABLE = "source_too_many_pixels", "source_unreadable"
ZEROS = zlib.compress(bytes(200_000_000), 9)


def webp(width: int, height: int) -> bytes:
    """Return the header of a lossless WebP (RFC 9649, 3.4)."""
    data = b"\x2f" + (width - 1 | height - 1 << 14).to_bytes(4, "little") + bytes(20)
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def avif(width: int, height: int) -> bytes:
    source = bytearray(encoded(quadrants(), "AVIF"))
    struct.pack_into(">II", source, source.index(b"ispe") + 8, width, height)
    return bytes(source)


def bmp(width: int, height: int) -> bytes:
    source = bytearray(encoded(quadrants(), "BMP"))
    struct.pack_into("<ii", source, 18, width, height)
    return bytes(source)


def jpeg(width: int, height: int) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    scan = b"\1\1\0\0\x3f\0"
    return b"\xff\xd8" + segment(0xC0, frame) + segment(0xDA, scan) + bytes(100) + b"\xff\xd9"


def gif(screen: int, frames: int) -> bytes:
    source = bytearray(
        encoded(
            quadrants(),
            "GIF",
            save_all=True,
            append_images=[Image.new("RGB", SIZE, (n, 0, 0)) for n in range(frames)],
        )
    )
    struct.pack_into("<HH", source, 6, screen, screen)
    return bytes(source)


BOMBS = {
    "png": (png((50_000, 50_000), bytes(1000)), MANY),
    "png whose rows go on": (png((8, 8), bytes(100_000_000)), "8x8"),
    "png with a profile of zeros": (png_with(chunk(b"iCCP", b"x\0\0" + ZEROS)), UNREADABLE),
    "png with a text of zeros": (png_with(chunk(b"zTXt", b"x\0\0" + ZEROS)), UNREADABLE),
    "jpeg": (jpeg(65_500, 65_500), MANY),
    "webp": (webp(16_384, 16_384), MANY),
    "avif that is less than it says": (avif(60_000, 60_000), UNREADABLE),
    "gif": (gif(65_535, 1), MANY),
    "gif of many frames": (gif(6000, 40), MANY),
    "tiff": (tiff(grey(60_000, 60_000) | {273: (LONG, [8])}), MANY),
    "bmp": (bmp(60_000, 60_000), MANY),
    "bmp upside down": (bmp(60_000, -60_000), MANY),
}


def test_bombs_are_refused_in_the_memory_of_a_small_picture() -> None:
    found, peak = outcomes({name: source for name, (source, _) in BOMBS.items()}, "gif")
    assert found == {name: outcome for name, (_, outcome) in BOMBS.items()}
    assert peak < PEAK_BYTES
