"""PNG: how many chunks are read besides those of the pixels. Writers make some dozens."""

from __future__ import annotations

import zlib

import pytest

from infra.contact_sheet.profiles import SWAPPED
from shared.errors import SourceUnreadable
from shared.images.limits import Limits
from shared.images.pipeline import resize
from shared.images.reader import MAXIMUM_READS
from shared.images.structure.png import MAXIMUM_CHUNK_BYTES, MAXIMUM_CHUNKS, MAXIMUM_TEXTS
from tests.pictures import COLOURS, SIZE, decoded, encoded, furthest, means, options, png, quadrants
from tests.unit.images.files import chunk, png_with

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
SMALLER = options(width=32, height=None)

PROFILE = chunk(b"iCCP", b"profile\0\0" + zlib.compress(SWAPPED))
INFLATED = chunk(b"zTXt", b"\0\0" + zlib.compress(bytes(1000)))

TOO_MUCH = {
    "chunks": png_with(*[chunk(b"abCd")] * MAXIMUM_CHUNKS),
    "texts to inflate": png_with(*[INFLATED] * (MAXIMUM_TEXTS + 1)),
    "texts to inflate behind the pixels": png_with(*[INFLATED] * (MAXIMUM_TEXTS + 1), after=True),
    "profiles": png_with(PROFILE, PROFILE),
    "a profile behind the pixels": png_with(PROFILE, source=png_with(PROFILE, after=True)),
    "bytes of chunks": png_with(chunk(b"abCd", bytes(MAXIMUM_CHUNK_BYTES))),
}


@pytest.mark.parametrize("source", TOO_MUCH.values(), ids=TOO_MUCH)
@pytest.mark.usefixtures("_no_decoding")
def test_more_than_is_read_is_refused_without_decoding(source: bytes) -> None:
    with pytest.raises(SourceUnreadable) as refusal:
        resize(source, SMALLER, LIMITS)
    assert refusal.value.limit is not None and isinstance(refusal.value.actual, int)
    assert refusal.value.actual > refusal.value.limit


def test_pixels_in_nothing_but_empty_chunks_are_unreadable() -> None:
    with pytest.raises(SourceUnreadable):
        resize(png_with(*[chunk(b"IDAT")] * (MAXIMUM_READS // 2)), SMALLER, LIMITS)


def test_many_chunks_are_read() -> None:
    source = png_with(*[chunk(b"tEXt", b"key\0value")] * 800, *[INFLATED] * 100, PROFILE)
    picture = resize(source, SMALLER, LIMITS)
    assert furthest(means(decoded(picture.content)), [colour[::-1] for colour in COLOURS]) <= 4


def test_pixels_in_a_chunk_a_byte_are_read() -> None:
    width, height = SIZE
    rows = (b"\0" + bytes(3 * width)) * height
    whole = png(SIZE, rows)
    data = zlib.compress(rows)
    split = b"".join(chunk(b"IDAT", data[at : at + 1]) for at in range(len(data)))
    picture = resize(whole.replace(chunk(b"IDAT", data), split), SMALLER, LIMITS)
    assert picture.source_size == SIZE


def test_animation_of_many_frames_is_read() -> None:
    frames = [quadrants(size=(16, 16)).rotate(turn % 360) for turn in range(0, 90 * 600, 90)]
    source = encoded(quadrants(size=(16, 16)), "PNG", save_all=True, append_images=frames)
    assert source.count(b"fcTL") > MAXIMUM_CHUNKS // 2
    assert resize(source, options(width=8, height=None), LIMITS).source_size == (16, 16)
