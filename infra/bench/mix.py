"""Every format in and out, animations, what is refused, what has not changed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, get_args
from urllib.parse import urlencode

from PIL import Image

from infra.bench.inputs import inputs, mosaic
from infra.fuzz.mutations import mutate
from infra.fuzz.seeds import seeds
from shared.images.formats import READERS
from shared.images.options import Gravity, RequestedFormat, ResizingType

PHOTOGRAPH = (1600, 1200)
FRAME, FRAMES = (320, 240), 12
TOO_MANY_PIXELS = (9000, 9000)
WIDTHS = (64, 200, 400, 800)


@dataclass(frozen=True, slots=True)
class Sent:
    query: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def mixed(count: int, token: str) -> Iterator[Sent]:
    """Yield so many, the same each time."""
    random, kinds = Random(1), _kinds({"Authorization": f"Bearer {token}"})
    chosen = random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds], k=count)
    return (kind(random) for kind in chosen)


Kind = Callable[[Random], Sent]


def _kinds(token: Mapping[str, str]) -> Sequence[tuple[Kind, int]]:
    """Return what there is, and how many in a hundred are of it."""
    small, photographs, animations = seeds(), _photographs(), _animations()
    bomb = _encoded(Image.new("1", TOO_MANY_PIXELS), "PNG")
    return (
        (lambda random: Sent(_query(random), random.choice(small), token), 45),
        (lambda random: Sent(_query(random), random.choice(photographs), token), 25),
        (lambda random: Sent(_query(random), random.choice(animations), token), 8),
        (lambda random: Sent(_query(random), mutate(random, small), token), 10),
        (lambda random: Sent(_query(random), random.choice(photographs), {**token, "If-None-Match": "*"}), 6),
        (lambda random: Sent(_query(random), bomb, token), 2),
        (lambda random: Sent(_query(random), b"no picture", token), 2),
        (lambda random: Sent("width=0", small[0], token), 1),
        (lambda random: Sent(_query(random), small[0]), 1),
    )


def _query(random: Random) -> str:
    parameters: dict[str, Any] = {
        "height": random.choice(WIDTHS),
        "resizing_type": random.choice(get_args(ResizingType)),
        "gravity": random.choice(get_args(Gravity)),
        "dpr": random.choice((1, 2)),
        "format": random.choice([name for name in get_args(RequestedFormat) if name != "auto"]),
        "keep_metadata": random.choice(("true", "false")),
    }
    kept = {name: value for name, value in parameters.items() if random.random() < 0.5}
    return urlencode({"width": random.choice(WIDTHS), **kept})


def _photographs() -> list[bytes]:
    picture = mosaic(PHOTOGRAPH)
    return [
        *(_encoded(picture, name) for name in READERS),
        _encoded(picture.convert("CMYK"), "JPEG"),
        (inputs() / "jpeg-12mp.jpg").read_bytes(),
    ]


def _animations() -> list[bytes]:
    first, *others = [mosaic(FRAME) for _ in range(FRAMES)]
    return [_encoded(first, name, save_all=True, append_images=others) for name in ("GIF", "WEBP", "PNG")]


def _encoded(image: Image.Image, name: str, **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, name, **options)
    return output.getvalue()
