"""What is fuzzed, in a process that may die of it: `python -m infra.fuzz.worker SEED FOLDER`.

Each case is in the folder before it is tried, so that whoever finds the process dead finds what it died of.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, get_args

from PIL import Image

from infra.bench.engines.loop import peak_bytes
from infra.fuzz.mutations import mutate
from infra.fuzz.seeds import seeds
from shared.errors import Problem
from shared.images.limits import Limits
from shared.images.options import Gravity, ProcessingOptions, RequestedFormat, ResizingType
from shared.images.pipeline import resize

LIMITS = Limits(source_bytes=10**6, source_pixels=4_000_000)
PEAK_BYTES = 400 * 10**6
"""For 4 megapixels; what is above it is told as a fault."""
ADDRESS_SPACE_BYTES = 4 * 2**30
SOURCE, PARAMETERS, FAULT = "source", "parameters.json", "fault.txt"
SLOWEST = "slowest"
"""The folder, in that of the worker, of the case that took longest."""


class Fault(Exception):
    """Raised for a picture that is not what was asked for."""


def main(seed: str, folder: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    random, files, place = Random(seed), seeds(), Path(folder)
    (place / SLOWEST).mkdir()
    slowest = 0.0
    for count in range(sys.maxsize):
        source, parameters = mutate(random, files), _parameters(random)
        _write(place, source, parameters)
        started = time.monotonic()
        try:
            attempt(source, parameters)
        except Exception as fault:
            (place / FAULT).write_text(repr(fault))
            raise
        if (seconds := time.monotonic() - started) > slowest:
            slowest = seconds
            _write(place / SLOWEST, source, parameters)
        if count % 100 == 0:
            print(count, peak_bytes(), slowest, flush=True)


def _write(place: Path, source: bytes, parameters: Mapping[str, Any]) -> None:
    (place / SOURCE).write_bytes(source)
    (place / PARAMETERS).write_text(json.dumps(parameters))


def attempt(source: bytes, parameters: Mapping[str, Any]) -> None:
    """Resize. Raises whatever is neither a picture of the right size nor a refusal, as an exception."""
    try:
        picture = resize(source, ProcessingOptions(**parameters), LIMITS)
    except Problem as problem:
        if problem.status >= 500:
            raise
        return
    finally:
        if peak_bytes() > PEAK_BYTES:
            raise Fault(f"{peak_bytes()} bytes of memory")
    with Image.open(io.BytesIO(picture.content)) as image:
        image.load()
        if image.size != picture.size or image.format != picture.format.name.upper():
            raise Fault(f"{image.format} of {image.size}, not {picture.format.name} of {picture.size}")


def _parameters(random: Random) -> dict[str, Any]:
    """Return what a query may say; each parameter is left out half of the time."""
    sides = (1, 7, 40, 333)
    parameters: dict[str, Any] = {
        "height": random.choice(sides),
        "resizing_type": random.choice(get_args(ResizingType)),
        "gravity": random.choice(get_args(Gravity)),
        "enlarge": random.choice((True, False)),
        "dpr": random.choice((1, 1.5, 4)),
        "format": random.choice(get_args(RequestedFormat)),
        "quality": random.choice((1, 50, 100)),
        "max_bytes": random.choice((100, 1000, 10_000)),
        "background": "336699",
        "keep_metadata": random.choice((True, False)),
    }
    kept = {name: value for name, value in parameters.items() if random.random() < 0.5}
    return {"width": random.choice(sides), **kept}


if __name__ == "__main__":
    main(*sys.argv[1:])
