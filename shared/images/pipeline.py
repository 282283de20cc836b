"""The way of a picture: header, decode, resize, colours, encode. One pass, each stage on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from shared.images import animation
from shared.images.colours import to_srgb
from shared.images.decode import decode, resizable
from shared.images.encode import Animation, encode
from shared.images.formats import FORMATS, Format, OutputFormat
from shared.images.geometry import UPRIGHT, Box, Plan, Size, plan, seen_size, stored_box
from shared.images.limits import Limits
from shared.images.metadata import kept_exif
from shared.images.negotiation import ANIMATED, chosen_format
from shared.images.options import ProcessingOptions
from shared.images.receipt import Stages, pixel_bytes
from shared.images.scale import scale
from shared.images.source import colour_space, open_source, orientation_of

Frame = tuple[Image.Image, float]
"""And for how many milliseconds it is shown; 0 for a picture that does not move."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The result, and what it was made from."""

    content: bytes
    format: Format
    size: Size
    source_format: str
    source_size: Size
    frames: int
    stages: Stages
    peak_bytes: int
    """Of the source, the pixels and the result: as many as there were at once."""


def resize(
    source: bytes, options: ProcessingOptions, limits: Limits, accepted: Sequence[OutputFormat] = ()
) -> Picture:
    """Return the picture as the options say, upright and in sRGB; `accepted` are the formats for `auto`.

    Raises SourceUnreadable, SourceUnsupported, SourceTooManyPixels or ParametersInvalid; whatever the bytes,
    nothing else.
    """
    stages = Stages()
    with stages.timed("decode"):
        opened = _open(source, options, limits, accepted)
    frames, decoded_bytes = _resized(opened, stages)
    images = [image for image, _ in frames]
    with stages.timed("encode"):
        exif = kept_exif(opened.image) if options.keep_metadata else b""
        content = encode(images, opened.written, options, exif, _animation(opened, frames))
    held = sum(map(pixel_bytes, images))
    peak = len(source) + held + max(decoded_bytes, len(content))
    size = opened.plan.size
    return Picture(
        content, opened.written, size, opened.image.format or "", opened.seen, len(frames), stages, peak
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """A source of which the header is read, and what is to become of it."""

    image: Image.Image
    orientation: int
    seen: Size
    space: str
    is_animated: bool
    written: Format
    plan: Plan


def _open(
    source: bytes, options: ProcessingOptions, limits: Limits, accepted: Sequence[OutputFormat]
) -> _Opened:
    image = open_source(source, limits)
    orientation = orientation_of(image)
    seen = seen_size(image.size, orientation)
    moves = animation.is_animated(image, source)
    written = FORMATS[chosen_format(options.format, accepted, image.format or "", moves)]
    is_animated = moves and written.name in ANIMATED
    frames = animation.checked_frames(image, source, limits) if is_animated else 1
    planned = plan(seen, options)
    written.check_size(planned.size, frames)
    return _Opened(image, orientation, seen, colour_space(image), is_animated, written, planned)


def _resized(opened: _Opened, stages: Stages) -> tuple[list[Frame], int]:
    """Return the frames, and the most bytes that a decoded one took; one is decoded at a time."""
    frames: list[Frame] = []
    decoded_bytes = 0
    decoding = animation.read_frames(opened.image, resizable) if opened.is_animated else _still(opened)
    while True:
        with stages.timed("decode"):
            decoded = next(decoding, None)
        if decoded is None:
            return frames, decoded_bytes
        image, milliseconds = decoded
        decoded_bytes = max(decoded_bytes, pixel_bytes(image))
        with stages.timed("resize"):
            frames.append((_finished(image, opened), milliseconds))


def _still(opened: _Opened) -> Iterator[Frame]:
    crop, size = opened.plan.crop, opened.plan.size
    # What the whole picture would be scaled to.
    whole = round(opened.seen[0] * size[0] / crop.width), round(opened.seen[1] * size[1] / crop.height)
    yield decode(opened.image, seen_size(whole, opened.orientation)), 0.0


def _finished(decoded: Image.Image, opened: _Opened) -> Image.Image:
    """Return a frame cropped, resized, in sRGB and upright."""
    box = _decoded_box(decoded, opened)
    scaled = scale(decoded, box, seen_size(opened.plan.size, opened.orientation))
    coloured = to_srgb(scaled, opened.space)
    turn = UPRIGHT.get(opened.orientation)
    return coloured if turn is None else coloured.transpose(turn)


def _decoded_box(decoded: Image.Image, opened: _Opened) -> Box:
    """Return the crop in what was decoded, which a draft has made smaller."""
    box = stored_box(opened.plan.crop, opened.seen, opened.orientation)
    stored = seen_size(opened.seen, opened.orientation)
    x, y = decoded.width / stored[0], decoded.height / stored[1]
    return Box(box.left * x, box.top * y, box.width * x, box.height * y)


def _animation(opened: _Opened, frames: Sequence[Frame]) -> Animation | None:
    if not opened.is_animated:
        return None
    return Animation([milliseconds for _, milliseconds in frames], animation.plays_of(opened.image))
