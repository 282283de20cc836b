from __future__ import annotations

from typing import get_args

import pytest

from shared.images.formats import OutputFormat
from shared.images.limits import Limits
from shared.images.pipeline import resize
from tests.pictures import GREYS, SIZE, decoded, encoded, furthest, means, options, quadrants

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)


@pytest.mark.parametrize("output", get_args(OutputFormat))
@pytest.mark.parametrize("cut", [False, True], ids=["another size", "cut off"])
def test_of_a_tiff_the_first_page_alone_is_written(output: OutputFormat, cut: bool) -> None:
    first, second = quadrants(GREYS).convert("L"), quadrants(size=(30, 20)).convert("L")
    source = encoded(first, "TIFF", save_all=True, append_images=[second])
    if cut:
        source = source[: len(encoded(first, "TIFF"))]
    image = decoded(resize(source, options(SIZE[0], None, output), LIMITS).content)
    assert (image.size, getattr(image, "n_frames", 1)) == (SIZE, 1)
    assert furthest(means(image), GREYS) <= 8
