from __future__ import annotations

from typing import Any

import pytest

from shared.images.geometry import Size, seen_size
from shared.images.limits import Limits
from shared.images.pipeline import resize
from tests.pictures import decoded, encoded, exif, options, quadrants

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
FORCED = {"resizing_type": "force"}


def _filled(gravity: str) -> dict[str, str]:
    return {"resizing_type": "fill-down", "gravity": gravity}


@pytest.mark.parametrize(
    ("name", "stored", "orientation", "asked", "how", "size"),
    [
        pytest.param("PNG", (23, 144), 3, (123, 286), _filled("south"), (23, 53), id="above"),
        pytest.param("PNG", (199, 13), 2, (18, 93), _filled("east"), (3, 13), id="left of"),
        pytest.param("PNG", (45, 289), 6, (33, 39), _filled("northeast"), (33, 39), id="lying"),
        pytest.param("JPEG", (256, 149), 1, (34, None), FORCED, (34, 20), id="below, of a draft"),
        pytest.param("JPEG", (89, 49), 3, (None, 4), {"dpr": 1.5}, (11, 6), id="right of, of a draft"),
        pytest.param("JPEG", (3, 272), 4, (211, 15), _filled("south"), (3, 1), id="above, of a draft"),
    ],
)
def test_crop_that_rounding_puts_outside_of_the_picture(
    name: str, stored: Size, orientation: int, asked: tuple[int | None, int | None], how: Any, size: Size
) -> None:
    source = encoded(quadrants(size=stored), name, exif=exif(orientation))
    picture = resize(source, options(*asked, "png", **how), LIMITS)
    assert picture.source_size == seen_size(stored, orientation)
    assert decoded(picture.content).size == picture.size == size
