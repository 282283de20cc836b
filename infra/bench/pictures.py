"""CPU time of the picture engine, beside what most people write with Pillow."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from PIL import Image

from infra.bench.row import Row
from shared.images.limits import Limits
from shared.images.pipeline import Request, resize

SAMPLE = Path(__file__).parents[1] / "local" / "samples" / "rocket.jpg"
SIZES = {"JPEG 12 MP": (4000, 3000), "JPEG 2 MP": (1600, 1200)}
WIDTH = 800
ROUNDS = 7
LIMITS = Limits(source_bytes=10**8, source_pixels=10**8)


def measure() -> Iterator[Row]:
    for name, size in SIZES.items():
        source = mosaic(size)
        ours, plain = _in_turn(lambda: _ours(source), lambda: _plain(source))
        yield Row(f"{name} to {WIDTH} px JPEG", ours, plain, "ms")


def mosaic(size: tuple[int, int]) -> bytes:
    """Lay the sample side by side: enlarging it would leave nothing of the detail that costs time."""
    with Image.open(SAMPLE) as tile:
        picture = Image.new("RGB", size)
        for left in range(0, size[0], tile.width):
            for top in range(0, size[1], tile.height):
                picture.paste(tile, (left, top))
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=90)
    return output.getvalue()


def _ours(source: bytes) -> None:
    resize(source, Request(WIDTH, None), LIMITS)


def _plain(source: bytes) -> None:
    with Image.open(io.BytesIO(source)) as picture:
        size = WIDTH, round(picture.height * WIDTH / picture.width)
        picture.resize(size, Image.Resampling.LANCZOS).save(io.BytesIO(), "JPEG", quality=80)


def _in_turn(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float]:
    """Return the median CPU milliseconds of each, run A B A B: a machine's speed drifts."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for work, measured in zip((first, second), times, strict=True):
            started = time.process_time()
            work()
            measured.append((time.process_time() - started) * 1000)
    return median(times[0][1:]), median(times[1][1:])
