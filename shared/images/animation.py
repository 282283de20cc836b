"""Animations: how many frames there are, each of them whole, and how long it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image

from shared.errors import Problem, SourceTooManyPixels, SourceUnreadable
from shared.images.limits import Limits
from shared.images.structure import gif

READ = frozenset(("GIF", "WEBP", "PNG", "AVIF"))
"""Pillow's names of the formats whose frames are an animation; those of a TIFF are pages."""
MAXIMUM_FRAMES = 2_000
LEAST_MILLISECONDS = 20.0
"""What is faster, or says nothing, browsers show for DEFAULT_MILLISECONDS."""
DEFAULT_MILLISECONDS = 100.0
MOST_MILLISECONDS = 65_535.0
"""The most that APNG can say."""


def is_animated(image: Image.Image, source: bytes) -> bool:
    """Return whether it has more than one frame, as far as its header tells."""
    if image.format == "GIF":
        # Pillow would read all of the second frame.
        return gif.count_frames(source, 1) > 1
    return image.format in READ and getattr(image, "is_animated", False)


def checked_frames(image: Image.Image, source: bytes, limits: Limits) -> int:
    """Return how many there are.

    Raises SourceTooManyPixels for more frames, or pixels of all frames together, than are decoded, and
    SourceUnreadable for frames that are not in the picture.
    """
    # Pillow takes as long to count those of a GIF as there are.
    frames = gif.count_frames(source, MAXIMUM_FRAMES) if image.format == "GIF" else _frames(image)
    if frames > MAXIMUM_FRAMES:
        raise SourceTooManyPixels(
            f"It has {frames} frames; at most {MAXIMUM_FRAMES} are decoded.",
            limit=MAXIMUM_FRAMES,
            actual=frames,
        )
    if image.format == "GIF":
        gif.check_frames(source, image.size)
    width, height = image.size
    limits.check_area(frames * width * height, f"It has {frames} frames of {width}x{height}")
    return frames


def read_frames(
    image: Image.Image, decode: Callable[[Image.Image], Image.Image]
) -> Iterator[tuple[Image.Image, float]]:
    """Yield each frame, decoded, and its milliseconds. Raises SourceUnreadable for one that is not there."""
    # The picture that an APNG shows where animations are not known may be none of its frames.
    first = 1 if image.info.get("default_image") else 0
    for number in range(first, _frames(image)):
        try:
            image.seek(number)
            image.load()
            frame = decode(image.copy())
        except Problem:
            raise
        except Exception as error:
            raise SourceUnreadable(f"Its frame {number} is cut off or broken.") from error
        yield frame, _milliseconds(image)


def _frames(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:
        raise SourceUnreadable("Its frames are cut off or broken.") from error


def _milliseconds(image: Image.Image) -> float:
    duration = float(image.info.get("duration") or 0)
    return min(duration, MOST_MILLISECONDS) if duration >= LEAST_MILLISECONDS else DEFAULT_MILLISECONDS


def plays_of(image: Image.Image) -> int:
    """Return how many times it is played; 0 for ever."""
    loop = image.info.get("loop")
    if image.format == "GIF":
        # It counts the repetitions.
        return 1 if loop is None else loop + 1 if loop else 0
    return int(loop or 0)
