"""GIF: where its frames lie, as Pillow finds them."""

from __future__ import annotations

import io
import struct
from random import Random

import pytest
from PIL import Image

from shared.errors import SourceUnreadable
from shared.images.limits import Limits
from shared.images.pipeline import resize
from shared.images.structure.gif import count_frames
from tests.pictures import COLOURS, encoded, options, quadrants

LIMITS = Limits(source_bytes=1_000_000, source_pixels=1_000_000)
FILM = encoded(
    quadrants(), "GIF", save_all=True, append_images=[quadrants(COLOURS[::-1]), quadrants()], loop=0
)
PLACE = struct.Struct("<4H")


def frames(source: bytes) -> list[int]:
    """Return where each descriptor begins, by its size: the frames of FILM are whole."""
    places = range(len(source) - 10)
    return [at for at in places if source[at] == 0x2C and PLACE.unpack_from(source, at + 1) == (0, 0, 64, 48)]


def with_last_frame_at(left: int, top: int, width: int, height: int) -> bytes:
    source = bytearray(FILM)
    PLACE.pack_into(source, frames(FILM)[-1] + 1, left, top, width, height)
    return bytes(source)


def between_frames(blocks: bytes) -> bytes:
    at = FILM.rindex(b"!\xf9", 0, frames(FILM)[-1])
    return with_last_frame_at(60_000, 60_000, 5000, 5000).replace(
        FILM[at - 1 : at + 2], b"\0" + blocks + b"!\xf9"
    )


@pytest.mark.parametrize(
    "place", [(1, 0, 64, 48), (0, 1, 64, 48), (0, 0, 65, 48), (60_000, 60_000, 5535, 5535)]
)
def test_frame_that_reaches_beyond_the_picture_is_unreadable(place: tuple[int, int, int, int]) -> None:
    with pytest.raises(SourceUnreadable, match="beyond"):
        resize(with_last_frame_at(*place), options(32, format="webp"), LIMITS)


@pytest.mark.parametrize(
    "blocks",
    [b"junk", b"!\xf9\0\1x\0", b"!\xfe\0", b"!\xfe\1x\0", b"!\xff\x0bNETSCAPE2.0\0"],
    ids=repr,
)
def test_frame_that_reaches_beyond_is_found_behind_whatever_pillow_skips(blocks: bytes) -> None:
    with pytest.raises(SourceUnreadable):
        resize(between_frames(blocks), options(32, format="webp"), LIMITS)


@pytest.mark.parametrize("seed", range(300))
def test_as_many_frames_are_counted_as_pillow_finds(seed: int) -> None:
    random, source = Random(seed), bytearray(FILM)
    for _ in range(random.randint(1, 6)):
        at = random.randrange(13, len(source))
        source[at : at + random.randint(0, 3)] = random.choice(
            (b"!\xff", b"!\xf9\0", b",", b"\0", b"\1", b"!\xfe\0")
        )
    try:
        image = Image.open(io.BytesIO(source))
        found = getattr(image, "n_frames")
    except Exception:
        # It is no GIF to Pillow, or one whose frames end within one of them.
        return
    assert count_frames(bytes(source), 2000) == found


def test_frames_that_are_broken_are_unreadable() -> None:
    with pytest.raises(SourceUnreadable):
        resize(FILM[: frames(FILM)[-1] + 10], options(32, format="webp"), LIMITS)
