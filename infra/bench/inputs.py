"""What the engines are given: photographs side by side, with the noise of a sensor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops
from PIL.Image import Transpose

FOLDER = Path(".local/bench")
SAMPLES = (
    *sorted((Path(__file__).parent / "samples").glob("*.jpg")),
    Path(__file__).parents[1] / "local" / "samples" / "rocket.jpg",
)
NOISE = 1.5
"""Standard deviation of the noise. A JPEG of 12 megapixels has 3 MB with it, as a telephone's has."""

INPUTS: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {
    "jpeg-12mp.jpg": ((4000, 3000), {"quality": 90}),
    "jpeg-2mp.jpg": ((1600, 1200), {"quality": 90}),
    "png-4mp.png": ((2304, 1728), {}),
    "webp-4mp.webp": ((2304, 1728), {"quality": 90}),
}
"""Sizes, and what the writer is told."""


def inputs() -> Path:
    """Make what is not there yet. Return the folder."""
    folder = FOLDER / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (size, options) in INPUTS.items():
        if not (folder / name).exists():
            mosaic(size).save(folder / name, **options)
    return folder.absolute()


def mosaic(size: tuple[int, int]) -> Image.Image:
    """Return the samples side by side: one enlarged would have nothing of the detail that costs time."""
    picture = Image.new("RGB", size)
    tiles = _tiles()
    for top in range(0, size[1], 300):
        left = 0
        while left < size[0]:
            tile = next(tiles)
            picture.paste(tile, (left, top))
            left += tile.width
    noise = Image.effect_noise(size, NOISE)
    return ImageChops.add(picture, Image.merge("RGB", (noise, noise, noise)), offset=-128)


def _tiles() -> Iterator[Image.Image]:
    """Yield the upper 300 pixels of each sample, and after all of them mirrored, and so on."""
    turns = cycle((None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM))
    while True:
        turn = next(turns)
        for path in SAMPLES:
            with Image.open(path) as sample:
                tile = sample if turn is None else sample.transpose(turn)
                yield tile.crop((0, 0, tile.width, 300))
