"""From the bytes to pixels in a mode that the resizer takes."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, TiffTags

from shared.errors import Problem, SourceUnreadable
from shared.images import libtiff
from shared.images.geometry import Size

DRAFT_SCALE = 2
"""JPEG is decoded to at least this times the target, so that the resize sets the sharpness."""


def decode(image: Image.Image, target: Size) -> Image.Image:
    """Return the picture, of a JPEG no more than a scale to `target`, as stored, needs.

    Raises SourceUnreadable.
    """
    try:
        image.draft(None, (target[0] * DRAFT_SCALE, target[1] * DRAFT_SCALE))
        if image.format == "TIFF":
            libtiff.silence()
            _delete_directories(image)
        image.load()
        _let_go_of_decoder(image)
        return resizable(image)
    except Problem:
        raise
    except Exception as error:
        # What the decoders raise depends on the bytes: OSError, SyntaxError, IndexError, struct.error.
        raise SourceUnreadable("It is cut off or broken.") from error


def _delete_directories(tiff: Image.Image) -> None:
    """Pillow reads the EXIF of a TIFF as it decodes it, and makes an object of each number."""
    exif = tiff.getexif()
    for tag in TiffTags.TAGS_V2_GROUPS:
        if tag in exif:
            del exif[tag]


def _let_go_of_decoder(image: Image.Image) -> None:
    """Those of WebP and AVIF hold up to three times the pixels, for frames that nobody asks for."""
    if image.format in ("WEBP", "AVIF"):
        vars(image).update(_decoder=None, fp=None)


def resizable(image: Image.Image) -> Image.Image:
    """Return what is decoded in a mode that the resizer takes."""
    match image.mode:
        case "RGBA" | "CMYK":
            return image
        case "I" | "I;16" | "I;16B" | "I;16L":
            return _eight_bits(image)
        case _ if image.has_transparency_data:
            return image.convert("RGBA")
        case "RGB" | "L":
            return image
        case "1":
            return image.convert("L")
        case _:
            return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return 16 bits scaled: a plain convert would clip every value above 255 to white."""
    values = image.convert("I")
    grey = values.point(_to_eight_bits(), "L")
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey
    # One grey of a PNG may be transparent, and is meant in all of its 16 bits (PNG, 11.3.1.1).
    alpha = values.point([0 if value == transparent else 255 for value in range(2**16)], "L")
    return Image.merge("RGBA", (grey, grey, grey, alpha))


@lru_cache(1)
def _to_eight_bits() -> list[int]:
    return [(value * 255 + 32_767) // 65_535 for value in range(2**16)]
