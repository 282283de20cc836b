"""Sizes, as `(width, height)` in pixels, and how a picture is turned upright."""

from __future__ import annotations

from collections.abc import Mapping

from PIL.Image import Transpose

from shared.images.limits import MAXIMUM_OUTPUT_PIXELS_A_SIDE

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


def seen_size(stored: Size, orientation: int) -> Size:
    """Return the size as seen; given that, the size as stored: it is its own inverse."""
    return (stored[1], stored[0]) if orientation in LYING else stored


def fit(source: Size, width: int | None, height: int | None) -> Size:
    """Return the largest size inside the box with the source's shape, never larger than the source.

    A side left out is bounded by what may be asked for. Both sides are at least 1.
    """
    box = width or MAXIMUM_OUTPUT_PIXELS_A_SIDE, height or MAXIMUM_OUTPUT_PIXELS_A_SIDE
    scale = min(1.0, box[0] / source[0], box[1] / source[1])
    return max(1, round(source[0] * scale)), max(1, round(source[1] * scale))
