"""What is refused before any pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import SourceTooManyPixels

MAXIMUM_OUTPUT_PIXELS_A_SIDE = 8192


@dataclass(frozen=True, slots=True)
class Limits:
    source_bytes: int
    source_pixels: int

    def check_pixels(self, size: tuple[int, int]) -> None:
        """Raises SourceTooManyPixels for a source whose header says `(width, height)`."""
        width, height = size
        if width * height > self.source_pixels:
            raise SourceTooManyPixels(
                f"It is {width}x{height}; at most {self.source_pixels} pixels are decoded.",
                limit=self.source_pixels,
                actual=width * height,
            )
