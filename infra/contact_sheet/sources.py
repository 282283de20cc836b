"""One photograph in all the ways that files store it, each as Pillow writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageOps
from PIL.Image import Transpose

from infra.contact_sheet.profiles import ADOBE_RGB, DISPLAY_P3, LINEAR_GREY

ORIENTATION = 0x0112
UNDONE: Mapping[int, Transpose] = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}
"""How a camera stores what it then marks with an orientation."""

Written = tuple[str, Image.Image, dict[str, Any]]
"""A file's name, the picture, and what the writer is told."""


def orientations(photograph: Image.Image) -> Iterator[Written]:
    for ending in ("jpg", "png", "webp", "avif", "tif"):
        for orientation in range(1, 9):
            turn = UNDONE.get(orientation)
            stored = photograph if turn is None else photograph.transpose(turn)
            exif = Image.Exif()
            exif[ORIENTATION] = orientation
            yield f"orientation {orientation}.{ending}", stored, {"exif": exif}


def colours(photograph: Image.Image) -> Iterator[Written]:
    grey = photograph.convert("L")
    for name, profile in (("p3", DISPLAY_P3), ("adobe rgb", ADOBE_RGB)):
        for ending in ("jpg", "png", "webp", "avif", "tif"):
            yield f"{name}.{ending}", photograph, {"icc_profile": profile}
    yield "linear grey.jpg", grey, {"icc_profile": LINEAR_GREY}
    yield "grey.jpg", grey, {}
    yield "progressive.jpg", photograph, {"progressive": True}
    yield "cmyk.jpg", photograph.convert("CMYK"), {"quality": 95}
    yield "cmyk.tif", photograph.convert("CMYK"), {}
    yield "palette.bmp", photograph.quantize(), {}
    yield "palette.gif", photograph.quantize(), {}
    yield "lzw.tif", photograph, {"compression": "tiff_lzw"}
    yield "1 bit.png", photograph.convert("1"), {}


def transparency(photograph: Image.Image) -> Iterator[Written]:
    clear = with_alpha(photograph)
    for ending in ("png", "webp", "avif", "tif"):
        yield f"alpha.{ending}", clear, {}
    yield "palette with alpha.png", clear.quantize(), {}
    yield "one colour.png", keyed(clear), {"transparency": (255, 0, 255)}
    yield "grey with alpha.png", clear.convert("LA"), {}
    yield "alpha.gif", clear, {}


def animations(photograph: Image.Image) -> Iterator[Written]:
    turned = [ImageOps.mirror(photograph), ImageOps.invert(photograph)]
    for ending in ("gif", "webp", "png", "avif"):
        yield f"animation.{ending}", photograph, {"save_all": True, "append_images": turned}


def with_alpha(photograph: Image.Image) -> Image.Image:
    """Return an ellipse of it that fades out from the left to the right."""
    ellipse = Image.new("L", photograph.size)
    ImageDraw.Draw(ellipse).ellipse((0, 0, photograph.width - 1, photograph.height - 1), 255)
    fading = Image.linear_gradient("L").rotate(90).resize(photograph.size)
    clear = photograph.convert("RGBA")
    clear.putalpha(ImageChops.multiply(ellipse, fading.point(lambda value: min(255, 40 + value))))
    return clear


def keyed(clear: Image.Image) -> Image.Image:
    """Return what is at least half opaque on a colour that stands for transparency."""
    flat = Image.new("RGB", clear.size, (255, 0, 255))
    flat.paste(clear.convert("RGB"), mask=clear.getchannel("A").point(lambda value: 255 * (value > 127)))
    return flat


def ycck(content: bytes) -> bytes:
    """Return a CMYK JPEG's file as one in YCCK, where its bands are those of YCCK already.

    All that tells is the last byte of Adobe's segment (Adobe Technical Note 5116, 18).
    """
    at = content.index(b"Adobe") + len(b"Adobe") + 6
    return content[:at] + b"\2" + content[at + 1 :]


def ycck_bands(printed: Image.Image) -> Image.Image:
    """Return bands that are written as YCCK; Pillow's writer inverts what it is given."""
    *inks, black = printed.split()
    luminance = Image.merge("RGB", inks).convert("YCbCr").split()
    return Image.merge("CMYK", (*map(ImageOps.invert, luminance), black))
