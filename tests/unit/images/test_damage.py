"""Files cut off and with single bits flipped, by the thousand: a process that lives, and its memory."""

from __future__ import annotations

from random import Random

import pytest
from PIL import Image

from tests.pictures import SIZE, encoded
from tests.unit.images.child import outcomes

PEAK_BYTES = 100_000_000
"""Of which Python with all libraries is some 43 MB."""
FLIPS = 1000

# Noise, so that the pixels take up most of the file, as in a photograph.
NOISE = Image.merge("RGB", [Image.effect_noise(SIZE, 80).rotate(turn) for turn in (0, 90, 180)])
FILM = {"save_all": True, "append_images": [NOISE.rotate(180)]}
FILES = {
    "jpeg": encoded(NOISE, "JPEG"),
    "progressive": encoded(NOISE, "JPEG", progressive=True),
    "png": encoded(NOISE, "PNG"),
    "webp": encoded(NOISE, "WEBP"),
    "webp film": encoded(NOISE, "WEBP", **FILM),
    "avif": encoded(NOISE, "AVIF"),
    "gif film": encoded(NOISE, "GIF", **FILM),
    "tiff": encoded(NOISE, "TIFF"),
    "tiff deflate": encoded(NOISE, "TIFF", compression="tiff_adobe_deflate"),
    "bmp": encoded(NOISE, "BMP"),
}
files = pytest.mark.parametrize("source", FILES.values(), ids=FILES)


@files
def test_cut_at_every_percent_of_its_length_it_is_refused(source: bytes) -> None:
    starts = {str(percent): source[: len(source) * percent // 100] for percent in range(100)}
    found, peak = outcomes(starts, "gif" if source.startswith(b"GIF") else "jpeg")
    # The end of some files says no more than that it is the end.
    assert {code for name, code in found.items() if int(name) < 99} <= {
        "source_unreadable",
        "source_unsupported",
    }
    assert peak < PEAK_BYTES


@files
def test_with_a_bit_flipped_anywhere_it_is_a_picture_of_the_right_size_or_refused(source: bytes) -> None:
    random = Random(1)
    flipped = {}
    for number in range(FLIPS):
        damaged = bytearray(source)
        damaged[random.randrange(len(source))] ^= 1 << random.randrange(8)
        flipped[str(number)] = bytes(damaged)
    found, peak = outcomes(flipped)
    refusals = {code for code in found.values() if not code[0].isdigit()}
    assert refusals <= {"source_unreadable", "source_unsupported", "source_too_many_pixels"}
    assert len(found) == FLIPS
    assert peak < PEAK_BYTES
