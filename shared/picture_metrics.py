"""What is counted of every picture, whichever way it was asked for."""

from __future__ import annotations

from shared.images.pipeline import Picture
from shared.metrics.instruments import IMAGE_BYTES, IMAGE_PIXELS, IMAGE_STAGE_DURATION

IN, OUT = "in", "out"


def observe_picture(picture: Picture, source_bytes: int) -> None:
    for stage, seconds in picture.stages.seconds.items():
        IMAGE_STAGE_DURATION.labels(stage, picture.format.name).observe(seconds)
    IMAGE_BYTES.labels(IN).inc(source_bytes)
    IMAGE_BYTES.labels(OUT).inc(len(picture.content))
    width, height = picture.source_size
    IMAGE_PIXELS.inc(width * height * picture.frames)
