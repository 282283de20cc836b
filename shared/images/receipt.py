"""What was done to a picture, and how long each stage took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from PIL import Image

BYTES_A_PIXEL = {"L": 1, "P": 1}
"""In memory; Pillow keeps every other mode in four."""

GIGABYTE_SECOND_DOLLARS = 0.0000166667
REQUEST_DOLLARS = 0.0000002
"""AWS Lambda's prices in us-east-1 on x86 (https://aws.amazon.com/lambda/pricing/), November 2026."""
MEGABYTES_A_GIGABYTE = 1024


@dataclass(slots=True)
class Stages:
    """Seconds by stage, in the order of the work."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds


def server_timing(seconds: dict[str, float]) -> str:
    """Return the stages as a Server-Timing header, in milliseconds (W3C Server Timing)."""
    return ", ".join(f"{stage};dur={value * 1000:.1f}" for stage, value in seconds.items())


def pixel_bytes(image: Image.Image) -> int:
    """Return what the picture takes in memory."""
    return image.width * image.height * BYTES_A_PIXEL.get(image.mode, 4)


def lambda_dollars(seconds: float, memory_megabytes: int) -> float:
    """Return what Lambda asks for one request: its memory for that time, and the request itself."""
    return seconds * memory_megabytes / MEGABYTES_A_GIGABYTE * GIGABYTE_SECOND_DOLLARS + REQUEST_DOLLARS


def image_receipt(
    source_bytes: int,
    result_bytes: int,
    source: tuple[int, int],
    result: tuple[int, int],
    peak_bytes: int,
    dollars: float,
) -> str:
    """Return what was done as an Image-Receipt header, a dictionary of RFC 8941.

    A string for the cost: a decimal of RFC 8941 has three digits after its point, which is too few.
    """
    sizes = f'src="{source[0]}x{source[1]}", dst="{result[0]}x{result[1]}"'
    return f'in={source_bytes}, out={result_bytes}, {sizes}, peak={peak_bytes}, cost="{dollars:.9f}"'
