from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial

from shared.concurrency import BoundedThreads
from shared.images.limits import Limits
from shared.images.pipeline import Picture, Request, resize
from shared.metrics.instruments import IMAGE_BYTES, IMAGE_PIXELS, IMAGE_STAGE_DURATION

IN, OUT = "in", "out"


@dataclass(frozen=True, slots=True)
class Resized:
    picture: Picture
    seconds: dict[str, float] = field(default_factory=dict)
    """By stage, the wait for a thread as `queue` first and the `total` last."""


@dataclass(frozen=True, slots=True)
class Resizing:
    threads: BoundedThreads[Picture]
    limits: Limits
    seconds: float
    """How long a picture may take, its wait for a thread included."""

    async def resize(self, source: bytes, request: Request) -> Resized:
        """Resize on a thread. Raises TooBusy, TooSlow and what `pipeline.resize` raises."""
        started = time.perf_counter()
        picture = await self.threads.run(partial(resize, source, request, self.limits), self.seconds)
        total = time.perf_counter() - started
        stages = picture.stages.seconds
        queued = max(0.0, total - sum(stages.values()))
        _observe(picture, len(source))
        return Resized(picture, {"queue": queued, **stages, "total": total})


def _observe(picture: Picture, source_bytes: int) -> None:
    for stage, seconds in picture.stages.seconds.items():
        IMAGE_STAGE_DURATION.labels(stage, picture.format.name).observe(seconds)
    IMAGE_BYTES.labels(IN).inc(source_bytes)
    IMAGE_BYTES.labels(OUT).inc(len(picture.content))
    IMAGE_PIXELS.inc(picture.source_size[0] * picture.source_size[1])
