"""From pixels to bytes, one picture or the frames of an animation."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from shared.errors import ParametersInvalid
from shared.images import png_writer
from shared.images.formats import Format
from shared.images.options import ProcessingOptions

OPAQUE_FROM = 128
"""GIF has no half transparency: what is at least as opaque as this is opaque."""
GIF_COLOURS = 255
"""Besides the one that is transparent."""


@dataclass(frozen=True, slots=True)
class Animation:
    durations: Sequence[float]
    """Of each frame, in milliseconds."""
    plays: int
    """How many times; 0 for ever."""


def encode(
    frames: Sequence[Image.Image],
    written: Format,
    options: ProcessingOptions,
    exif: bytes = b"",
    animation: Animation | None = None,
) -> bytes:
    """Return the picture in this format, of at most `max_bytes`.

    Raises ParametersInvalid where that cannot be.
    """
    prepared = [_prepared(frame, written, options) for frame in _of_one_mode(frames)]
    described = {"exif": exif} if exif and written.has_exif else {}
    extra = _animated(prepared, written, animation) if animation else {}

    def at(quality: int | None) -> bytes:
        if written.name == "png" and animation is None:
            return png_writer.encode(prepared[0], **described)
        return _saved(prepared[0], written, quality, extra | described)

    quality = (options.quality or written.quality) if written.quality else None
    content = at(quality)
    if options.max_bytes is None or len(content) <= options.max_bytes:
        return content
    return _fitting(at, quality, options.max_bytes, len(content))


def _fitting(at: Callable[[int], bytes], quality: int | None, limit: int, length: int) -> bytes:
    """Return the picture of the best quality that fits; bytes grow with the quality."""
    best: bytes | None = None
    lowest, highest = 1, (quality or 1) - 1
    while lowest <= highest:
        middle = (lowest + highest) // 2
        content = at(middle)
        length = min(length, len(content))
        if len(content) <= limit:
            best, lowest = content, middle + 1
        else:
            highest = middle - 1
    if best is None:
        raise ParametersInvalid(
            f"max_bytes: it has at least {length} bytes in this size and format.", limit=limit, actual=length
        )
    return best


def _saved(image: Image.Image, written: Format, quality: int | None, extra: dict[str, Any]) -> bytes:
    output = io.BytesIO()
    chosen = {} if quality is None else {"quality": quality}
    image.save(output, written.name, **written.options, **chosen, **extra)
    return output.getvalue()


def _of_one_mode(frames: Sequence[Image.Image]) -> Sequence[Image.Image]:
    """One frame may be grey, another have transparency; a writer takes the first one's mode for all."""
    modes = {frame.mode for frame in frames}
    if len(modes) == 1:
        return frames
    return [frame.convert("RGBA" if "RGBA" in modes else "RGB") for frame in frames]


def _prepared(image: Image.Image, written: Format, options: ProcessingOptions) -> Image.Image:
    if image.mode == "RGBA" and written.name == "gif":
        return _with_one_transparent_colour(image, options.background_colour)
    is_flat = image.mode != "RGBA" or written.has_alpha
    prepared = image if is_flat else _flattened(image, options.background_colour)
    # Some writers put back what the reader left there: profile, comment, EXIF.
    prepared.info = {}
    return prepared


def _flattened(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    flat = Image.new("RGB", image.size, background)
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _with_one_transparent_colour(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    palette = _flattened(image, background).quantize(GIF_COLOURS)
    transparent = image.getchannel("A").point([255] * OPAQUE_FROM + [0] * (256 - OPAQUE_FROM))
    palette.paste(GIF_COLOURS, mask=transparent)
    palette.info["transparency"] = GIF_COLOURS
    return palette


def _animated(frames: Sequence[Image.Image], written: Format, animation: Animation) -> dict[str, Any]:
    extra: dict[str, Any] = {
        "save_all": True,
        "append_images": frames[1:],
        "duration": [round(duration) for duration in animation.durations],
    }
    if written.name != "gif":
        return extra | {"loop": animation.plays}
    # GIF counts the repetitions, and where it says nothing there is none. Each frame is whole.
    loop = {} if animation.plays == 1 else {"loop": max(0, animation.plays - 1)}
    return extra | loop | {"disposal": 2, "optimize": False}
