"""Sizes, as `(width, height)` in pixels, what of a picture is cropped, and how it is turned upright."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PIL.Image import Transpose

from shared.images.limits import MAXIMUM_OUTPUT_PIXELS_A_SIDE
from shared.images.options import ProcessingOptions

Size = tuple[int, int]

UPRIGHT: Mapping[int, Transpose] = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation (Exif 3.0, 4.6.5.1.6); 1, and any other value, is upright."""

LYING = frozenset((5, 6, 7, 8))
"""The orientations whose stored width is the height that is seen."""
MIRRORED = {"horizontally": frozenset((2, 3, 6, 7)), "vertically": frozenset((3, 4, 7, 8))}
"""Those whose first column, or row, is seen as the last, once what is lying stands."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in its pixels and parts of them."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is taken of the source, as it is seen, and the size that this is given."""

    crop: Box
    size: Size


def seen_size(stored: Size, orientation: int) -> Size:
    """Return the size as seen; given that, the size as stored: it is its own inverse."""
    return (stored[1], stored[0]) if orientation in LYING else stored


def stored_box(seen: Box, size: Size, orientation: int) -> Box:
    """Return where in the stored picture a part is that is seen in one of `size`, as seen."""
    left = size[0] - seen.left - seen.width if orientation in MIRRORED["horizontally"] else seen.left
    top = size[1] - seen.top - seen.height if orientation in MIRRORED["vertically"] else seen.top
    if orientation in LYING:
        return Box(top, left, seen.height, seen.width)
    return Box(left, top, seen.width, seen.height)


def plan(source: Size, options: ProcessingOptions) -> Plan:
    """Return what imgproxy would do with a source that is seen in this size.

    - Without `enlarge` no side is scaled up, and `dpr` counts only as far as that allows.
    - `fill` crops to the box; of a source that is smaller than the box, what there is. `fill-down` then keeps
      the shape of the box, and `force` always does.
    - No side of the result is longer than 8192 pixels: it is scaled down to that, in the same shape.
    """
    scale, dpr = _scales(source, options)
    scaled = source[0] * scale[0], source[1] * scale[1]
    result = _cropped(scaled, options, dpr)
    cap = min(1.0, MAXIMUM_OUTPUT_PIXELS_A_SIDE / max(result))
    size = max(1, round(result[0] * cap)), max(1, round(result[1] * cap))
    return Plan(_crop(source, (result[0] / scale[0], result[1] / scale[1]), options.gravity), size)


def _scales(source: Size, options: ProcessingOptions) -> tuple[tuple[float, float], float]:
    """Return the scale of each axis, and the pixels of the device for each asked for."""
    asked = [side / of for side, of in zip((options.width, options.height), source, strict=True) if side]
    if options.resizing_type == "force" and len(asked) == 2:
        x, y = asked
    else:
        most = max if options.resizing_type in ("fill", "fill-down") else min
        x = y = most(asked, default=1.0)
    dpr = options.dpr
    if not options.enlarge:
        beyond = max(1.0, x, y)
        x, y = x / beyond, y / beyond
        dpr = min(dpr, 1 / max(x, y))
    return (x * dpr, y * dpr), dpr


def _cropped(scaled: tuple[float, float], options: ProcessingOptions, dpr: float) -> tuple[float, float]:
    if options.resizing_type not in ("fill", "fill-down") or not (options.width and options.height):
        return scaled
    box = options.width * dpr, options.height * dpr
    if options.resizing_type == "fill-down":
        shrink = min(1.0, scaled[0] / box[0], scaled[1] / box[1])
        return box[0] * shrink, box[1] * shrink
    return min(scaled[0], box[0]), min(scaled[1], box[1])


def _crop(source: Size, size: tuple[float, float], gravity: str) -> Box:
    width, height = min(source[0], size[0]), min(source[1], size[1])
    x = 0.0 if "west" in gravity else 1.0 if "east" in gravity else 0.5
    y = 0.0 if "north" in gravity else 1.0 if "south" in gravity else 0.5
    return Box((source[0] - width) * x, (source[1] - height) * y, width, height)
