"""Each mode with each gravity, beside what plain Pillow makes of a photograph by the same words."""

from __future__ import annotations

import pytest

from infra.contact_sheet.modes import TALL, WIDE, gravities
from shared.images.geometry import Size

MODES_AND_GRAVITIES = 4 * 9


@pytest.mark.parametrize("box", [TALL, WIDE])
def test_what_a_crop_keeps_is_what_pillow_keeps(box: Size) -> None:
    cells = list(gravities(box))
    assert len(cells) == MODES_AND_GRAVITIES
    # A hair is what decoding a JPEG to less than all of it makes; another crop differs by tens.
    assert max(cell.difference for cell in cells) < 2
