from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from shared.concurrency import BoundedThreads
from shared.images.entity_tag import entity_tag, is_listed
from shared.images.formats import OutputFormat
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import Picture, resize
from shared.images.receipt import image_receipt, lambda_dollars
from shared.picture_metrics import observe_picture


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller wants made of a source, and what he has already."""

    options: ProcessingOptions
    accepted: Sequence[OutputFormat] = ()
    """Formats for `auto`, the best first."""
    if_none_match: str = ""


@dataclass(frozen=True, slots=True)
class Resized:
    picture: Picture
    source_bytes: int
    seconds: dict[str, float] = field(default_factory=dict)
    """By stage, the wait for a thread as `queue` first and the `total` last."""

    def receipt(self, memory_megabytes: int) -> str:
        """Return the Image-Receipt, with what it costs in a function of this memory."""
        picture = self.picture
        dollars = lambda_dollars(self.seconds["total"], memory_megabytes)
        return image_receipt(
            *(self.source_bytes, len(picture.content), picture.source_size, picture.size),
            *(picture.peak_bytes, dollars),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """`resized` is None where the caller has it already."""

    tag: str
    resized: Resized | None


@dataclass(frozen=True, slots=True)
class ResizeService:
    threads: BoundedThreads[tuple[str, Picture | None]]
    limits: Limits
    seconds: float
    """How long a picture may take, its wait for a thread included."""

    async def resize(self, source: bytes, asked: Asked) -> Answer:
        """Resize on a thread. Raises TooBusy, TooSlow and what `pipeline.resize` raises."""
        started = time.perf_counter()
        work = partial(_resized_unless_had, source, asked, self.limits)
        tag, picture = await self.threads.run(work, self.seconds)
        if picture is None:
            return Answer(tag, None)
        total = time.perf_counter() - started
        stages = picture.stages.seconds
        queued = max(0.0, total - sum(stages.values()))
        observe_picture(picture, len(source))
        return Answer(tag, Resized(picture, len(source), {"queue": queued, **stages, "total": total}))


def _resized_unless_had(source: bytes, asked: Asked, limits: Limits) -> tuple[str, Picture | None]:
    tag = entity_tag(source, asked.options, asked.accepted)
    if asked.if_none_match and is_listed(tag, asked.if_none_match):
        return tag, None
    return tag, resize(source, asked.options, limits, asked.accepted)
