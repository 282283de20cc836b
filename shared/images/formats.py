"""The formats: how each is named, recognised and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from shared.errors import ParametersInvalid

OutputFormat = Literal["jpeg", "png", "webp", "avif", "gif"]


@dataclass(frozen=True, slots=True)
class Format:
    name: OutputFormat
    media_type: str
    extension: str
    has_alpha: bool
    quality: int | None
    """The default; None where there is none to choose."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What Pillow's writer is told besides."""
    maximum_pixels: int | None = None
    """The most that are written; None where that takes next to no time."""

    has_exif: bool = True

    def check_size(self, size: tuple[int, int], frames: int = 1) -> None:
        """Raises ParametersInvalid for more pixels, of all frames together, than are written."""
        width, height = size
        actual = width * height * frames
        if self.maximum_pixels is not None and actual > self.maximum_pixels:
            times = f" in {frames} frames" if frames > 1 else ""
            raise ParametersInvalid(
                f"It would be {width}x{height}{times}; at most {self.maximum_pixels} pixels are written.",
                limit=self.maximum_pixels,
                actual=actual,
            )


SLOW_FORMAT_PIXELS = 25_000_000
"""At most 15 s of one core, for AVIF of noise with transparency at the best quality, and 1.1 GB, for WebP."""

FORMATS: Mapping[OutputFormat, Format] = {
    "jpeg": Format("jpeg", "image/jpeg", "jpg", has_alpha=False, quality=80),
    "png": Format("png", "image/png", "png", True, quality=None, maximum_pixels=SLOW_FORMAT_PIXELS),
    # method=2 takes half the time of the default 4, for 3 % more bytes.
    "webp": Format("webp", "image/webp", "webp", True, 80, {"method": 2}, SLOW_FORMAT_PIXELS),
    # speed=8 takes a third of the time of the default 6, for 1 % more bytes.
    "avif": Format("avif", "image/avif", "avif", True, 65, {"speed": 8}, SLOW_FORMAT_PIXELS),
    "gif": Format("gif", "image/gif", "gif", True, None, maximum_pixels=SLOW_FORMAT_PIXELS, has_exif=False),
}

READERS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP")
"""Pillow's readers that a source may reach: the list is closed, as some of the others run programs."""

SOURCE_MEDIA_TYPES = tuple(f"image/{reader.lower()}" for reader in READERS)
"""Of what these readers take."""

WRITTEN_AS: Mapping[str, OutputFormat] = {
    **{name.upper(): name for name in get_args(OutputFormat)},
    "MPO": "jpeg",
    "TIFF": "jpeg",
    "BMP": "png",
}
"""What a source becomes when no format is asked for, by Pillow's name of its own."""
