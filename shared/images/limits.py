"""What is refused before any pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import SourceTooManyPixels, SourceUnreadable

LARGEST_EXACT = 2**53 - 1
"""Above it two readers of JSON may read two numbers (RFC 8259, 6)."""

MAXIMUM_OUTPUT_PIXELS_A_SIDE = 8192

MAXIMUM_SOURCE_PIXELS_A_SIDE = 65_535
"""The most that JPEG and GIF can say. The resizer's tables grow with a side, whatever the other one is."""

MAXIMUM_EXIF_BYTES = 2**20
"""Sixteen times what a JPEG's segment holds; Pillow makes an object of each number in it."""

MAXIMUM_PROFILE_BYTES = 4 * 2**20
"""Twice the largest profiles that printers come with."""


@dataclass(frozen=True, slots=True)
class Limits:
    source_bytes: int
    source_pixels: int

    def check_pixels(self, size: tuple[int, int]) -> None:
        """Raises SourceTooManyPixels for a source whose header says `(width, height)`."""
        width, height = size
        self.check_area(width * height, f"It is {width}x{height}")
        if max(size) > MAXIMUM_SOURCE_PIXELS_A_SIDE:
            raise SourceTooManyPixels(
                f"It is {width}x{height}; at most {MAXIMUM_SOURCE_PIXELS_A_SIDE} pixels a side are decoded.",
                limit=MAXIMUM_SOURCE_PIXELS_A_SIDE,
                actual=max(size),
            )

    def check_area(self, pixels: int, what: str, planes: int = 1) -> None:
        """Raises SourceTooManyPixels where more would be decoded, and says `what` they are."""
        limit = planes * self.source_pixels
        if pixels > limit:
            raise SourceTooManyPixels(
                f"{what}; at most {limit} pixels are decoded.", limit=limit, actual=pixels
            )


def check_at_most(limit: int, actual: int, what: str) -> None:
    """Raises SourceUnreadable where there is more of `what`; `actual` may have been counted only so far."""
    if actual > limit:
        raise SourceUnreadable(f"It has more than {limit} {what}.", limit=limit, actual=actual)
