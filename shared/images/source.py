"""The source, as far as its header: what it is, and whether it may be decoded."""

from __future__ import annotations

import warnings

# Each plugin registers its reader: asked for one that is not there, Pillow would load all of its forty.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from shared.errors import Problem, SourceUnreadable, SourceUnsupported
from shared.images import png_reader
from shared.images.formats import READERS
from shared.images.limits import MAXIMUM_EXIF_BYTES, Limits
from shared.images.reader import CountedReader
from shared.images.structure import check_structure

# Pillow only warns up to twice this, and its error names no size: `Limits` judges the header instead.
Image.MAX_IMAGE_PIXELS = None

# It has a line for the log for each tag that is broken, be they thousands.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

ORIENTATION = 0x0112
"""The EXIF tag."""

SIGNATURE_BYTES = 16
"""As many as Pillow itself gives its readers to recognise a file by."""


def open_source(source: bytes, limits: Limits) -> Image.Image:
    """Read the header, and no pixel but those of a PNG that the header lets pass.

    Raises SourceUnreadable, SourceUnsupported or SourceTooManyPixels.
    """
    if not source:
        raise SourceUnreadable("There is no picture: the body is empty.", limit=1, actual=0)
    try:
        check_structure(source, limits)
        image = Image.open(CountedReader(source), formats=READERS)
    except Problem:
        raise
    except UnidentifiedImageError:
        if _begins_as_one_of_ours(source):
            raise SourceUnreadable("Its header is cut off or broken.") from None
        raise SourceUnsupported(f"The formats read are {', '.join(READERS)}.") from None
    except Exception as error:
        raise SourceUnreadable("Its header is cut off or broken.") from error
    limits.check_pixels(image.size)
    if any(tile.codec_name == "bmp_rle" for tile in image.tile):
        # Pillow decodes it in Python, pixel by pixel.
        raise SourceUnsupported("A BMP with run lengths is not read.")
    return _read_png(source, image) if image.format == "PNG" else image


def _read_png(source: bytes, image: Image.Image) -> Image.Image:
    """Decode at once: Pillow would do so in search of its EXIF, and hide what is wrong with the pixels."""
    try:
        decoded = png_reader.decode(source, image)
        if decoded is None:
            image.load()
    except Exception as error:
        raise SourceUnreadable("It is cut off or broken.") from error
    return decoded or image


def _begins_as_one_of_ours(source: bytes) -> bool:
    """Ask Pillow's readers about the first bytes alone."""
    signatures = (Image.OPEN[reader][1] for reader in READERS)
    return any(accepts is not None and accepts(source[:SIGNATURE_BYTES]) for accepts in signatures)


def orientation_of(image: Image.Image) -> int:
    """Return its EXIF orientation; 1 where it has none."""
    if image.format == "TIFF":
        # Pillow turns it while decoding, and gives the size as seen.
        return 1
    if len(image.info.get("exif", b"")) > MAXIMUM_EXIF_BYTES:
        return 1
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:
        # Broken metadata is no reason to refuse a picture that can be seen.
        return 1


def colour_space(image: Image.Image) -> str:
    """Return the mode of the source's colours alone, before transparency or the resizer's needs change it."""
    if image.mode == "CMYK":
        return "CMYK"
    return "L" if image.mode in ("1", "L", "LA", "I") or image.mode.startswith("I;16") else "RGB"
