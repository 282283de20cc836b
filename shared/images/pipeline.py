"""The way of a picture: header, decode, resize, colours, encode. One pass, each stage on its own."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from functools import lru_cache
from threading import local

from cykooz_resizer import FilterType, ResizeAlg, ResizeOptions, Resizer
from PIL import Image, ImageCms, TiffTags, UnidentifiedImageError

from shared.errors import Problem, SourceUnreadable, SourceUnsupported
from shared.images import png_reader, png_writer
from shared.images.formats import FORMATS, READERS, WRITTEN_AS, Format, OutputFormat
from shared.images.geometry import UPRIGHT, Size, fit, seen_size
from shared.images.limits import MAXIMUM_EXIF_BYTES, MAXIMUM_PROFILE_BYTES, Limits
from shared.images.reader import CountedReader
from shared.images.receipt import Stages
from shared.images.structure import check_structure

# Pillow only warns up to twice this, and its error names no size: `Limits` judges the header instead.
Image.MAX_IMAGE_PIXELS = None

# It has a line for the log for each tag that is broken, be they thousands.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

ORIENTATION = 0x0112
"""The EXIF tag."""

SIGNATURE_BYTES = 16
"""As many as Pillow itself gives its readers to recognise a file by."""

DRAFT_SCALE = 2
"""JPEG is decoded to at least this times the target, so that the resize sets the sharpness."""

LANCZOS = ResizeOptions(resize_alg=ResizeAlg.convolution(FilterType.lanczos3))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
PROFILE_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
"""Pillow's mode for a profile's colour space."""

KEPT_PROFILE_BYTES = 2**20
"""Print profiles, which many pictures share and which take the longest to prepare, have some 650 KB."""
KEPT_PROFILES = 8

WHITE = (255, 255, 255)

_thread = local()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; a side left out follows from the other."""

    width: int | None
    height: int | None
    format: OutputFormat | None = None
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """The result, and what it was made from."""

    content: bytes
    format: Format
    size: Size
    source_format: str
    source_size: Size
    stages: Stages


def resize(source: bytes, request: Request, limits: Limits) -> Picture:
    """Return the picture resized to fit, upright and in sRGB.

    Raises SourceUnreadable, SourceUnsupported, SourceTooManyPixels or ParametersInvalid; whatever the bytes,
    nothing else.
    """
    stages = Stages()
    with stages.timed("decode"):
        image = _read_png(source, _open(source, limits))
        orientation = _orientation(image)
        source_format, source_size = image.format or "", seen_size(image.size, orientation)
        space = _colour_space(image)
        size = fit(source_size, request.width, request.height)
        written = FORMATS[request.format or WRITTEN_AS[source_format]]
        written.check_size(size)
        decoded = _decode(image, seen_size(size, orientation))
    with stages.timed("resize"):
        resized = _to_srgb(_scale(decoded, seen_size(size, orientation)), space)
        if orientation in UPRIGHT:
            resized = resized.transpose(UPRIGHT[orientation])
    with stages.timed("encode"):
        content = _encode(resized, written, request.quality)
    return Picture(content, written, size, source_format, source_size, stages)


def _open(source: bytes, limits: Limits) -> Image.Image:
    """Read the header, and no pixel."""
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
    return image


def _read_png(source: bytes, image: Image.Image) -> Image.Image:
    """Decode at once: Pillow would do so in search of its EXIF, and hide what is wrong with the pixels."""
    if image.format != "PNG":
        return image
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


def _orientation(image: Image.Image) -> int:
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


def _colour_space(image: Image.Image) -> str:
    """Return the mode of the source's colours alone, before transparency or the resizer's needs change it."""
    if image.mode == "CMYK":
        return "CMYK"
    return "L" if image.mode in ("1", "L", "LA", "I") or image.mode.startswith("I;16") else "RGB"


def _decode(image: Image.Image, target: Size) -> Image.Image:
    """Decode into a mode that the resizer takes."""
    try:
        image.draft(None, (target[0] * DRAFT_SCALE, target[1] * DRAFT_SCALE))
        _without_directories(image)
        image.load()
        return _resizable(image)
    except Problem:
        raise
    except Exception as error:
        # What the decoders raise depends on the bytes: OSError, SyntaxError, IndexError, struct.error.
        raise SourceUnreadable("It is cut off or broken.") from error


def _without_directories(image: Image.Image) -> None:
    """Pillow reads the EXIF of a TIFF as it decodes it, and makes an object of each number."""
    if image.format == "TIFF":
        exif = image.getexif()
        for tag in TiffTags.TAGS_V2_GROUPS:
            if tag in exif:
                del exif[tag]


def _resizable(image: Image.Image) -> Image.Image:
    match image.mode:
        case "RGBA" | "CMYK":
            return image
        case "I" | "I;16" | "I;16B" | "I;16L":
            # Scaled: a plain convert would clip every value above 255 to white.
            return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
        case _ if image.has_transparency_data:
            return image.convert("RGBA")
        case "RGB" | "L":
            return image
        case "1":
            return image.convert("L")
        case _:
            return image.convert("RGB")


def _scale(image: Image.Image, size: Size) -> Image.Image:
    if image.size == size:
        return image
    scaled = Image.new(image.mode, size)
    _resizer().resize_pil(image, scaled, LANCZOS)
    scaled.info = image.info
    return scaled


def _resizer() -> Resizer:
    """One a thread: a Resizer keeps its buffers, and is not safe to share."""
    if not hasattr(_thread, "resizer"):
        _thread.resizer = Resizer()
    resizer: Resizer = _thread.resizer
    return resizer


def _to_srgb(image: Image.Image, space: str) -> Image.Image:
    """Convert the colours by the source's own profile; after the resize, as there are fewer of them."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and len(profile) <= MAXIMUM_PROFILE_BYTES:
        try:
            return _convert(image, space, profile)
        except (ImageCms.PyCMSError, KeyError, OSError, ValueError):
            # A broken profile, or one of another colour space, says nothing about the colours.
            pass
    return image.convert("RGB") if image.mode == "CMYK" else image


def _convert(image: Image.Image, space: str, profile: bytes) -> Image.Image:
    mode, transform = _transform(profile)
    if mode != space and (space, mode) != ("L", "RGB"):
        raise ValueError("the profile is of another colour space")
    colours = transform.apply(image if image.mode == mode else image.convert(mode))
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    return colours.convert("L") if image.mode == "L" else colours


def _transform(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform]:
    """Return the mode that a profile is for, and its way to sRGB."""
    return (_kept_transform if len(profile) <= KEPT_PROFILE_BYTES else _new_transform)(profile)


def _new_transform(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform]:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = PROFILE_MODES[source.profile.xcolor_space.strip()]
    return mode, ImageCms.buildTransform(source, SRGB, mode, "RGB")


_kept_transform = lru_cache(KEPT_PROFILES)(_new_transform)
"""Making one takes longer than most pictures need of it; a camera's are all the same."""


def _encode(image: Image.Image, written: Format, quality: int | None) -> bytes:
    if written.name == "png" and image.mode in png_writer.COLOUR_TYPES:
        return png_writer.encode(image)
    output = io.BytesIO()
    options = dict(written.options)
    if written.quality is not None:
        options["quality"] = quality or written.quality
    _without_metadata(_flattened(image, written)).save(output, written.name, **options)
    return output.getvalue()


def _flattened(image: Image.Image, written: Format) -> Image.Image:
    if image.mode != "RGBA" or written.has_alpha:
        return image
    flat = Image.new("RGB", image.size, WHITE)
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _without_metadata(image: Image.Image) -> Image.Image:
    """Some writers put back what the reader left in `info`: profile, comment, EXIF."""
    image.info = {}
    return image
