"""AV1: the pixels of its frames, from its headers alone."""

from __future__ import annotations

import pytest

from shared.errors import SourceUnreadable
from shared.images.structure import av1
from shared.images.structure.av1 import MAXIMUM_UNITS

SEQUENCE_HEADER, TIME, FRAME_HEADER, FRAME, TILES = 1, 2, 3, 6, 4
KEY, INTER, SWITCH = 0, 1, 3
WIDTH, HEIGHT = 640, 427

Field = tuple[int, int]
"""Value and bits."""


def packed(*fields: Field) -> bytes:
    text = "".join(f"{value:0{bits}b}" for value, bits in fields if bits)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def unit(kind: int, data: bytes = b"", extended: bool = False, sized: bool = True) -> bytes:
    head = bytes([kind << 3 | extended << 2 | sized << 1]) + (b"\0" if extended else b"")
    return head + (bytes([len(data)]) if sized else b"") + data


def size(width: int = WIDTH, height: int = HEIGHT, bits: int = 16) -> list[Field]:
    return [(bits - 1, 4), (bits - 1, 4), (width - 1, bits), (height - 1, bits)]


def reduced(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Return the header of a picture as AVIF has it."""
    return unit(SEQUENCE_HEADER, packed((0, 3), (1, 1), (1, 1), (8, 5), *size(width, height)) + bytes(4))


ONE_POINT: list[Field] = [(0, 1), (0, 1), (0, 5), (0, 12), (8, 5), (0, 1)]
"""No timing, no delays, one operating point of a level that has a tier."""


def full(points: list[Field] = ONE_POINT, tools: list[Field] | None = None, id_bits: int = 0) -> bytes:
    """Return the header of a film."""
    ids: list[Field] = [(1, 1), (id_bits - 3, 4), (0, 3)] if id_bits else [(0, 1)]
    motion: list[Field] = [(0, 1), (0, 2), (0, 4), (0, 1)]
    default_tools: list[Field] = [(1, 1), (1, 1)]
    fields = [(0, 3), (0, 1), (0, 1), *points, *size(), *ids, *motion, *(tools or default_tools)]
    return unit(SEQUENCE_HEADER, packed(*fields) + bytes(4))


def frame(*fields: Field, kind: int = FRAME) -> bytes:
    return unit(kind, packed(*fields, (0, 7)) + bytes(8))


SHOWN_KEY: list[Field] = [(0, 1), (KEY, 2), (1, 1), (0, 1), (0, 1)]
"""Up to whether it has screen content, which it has not."""
OWN_SIZE, SIZE_OF_ALL = (1, 1), (0, 1)


def coded_pixels(stream: bytes) -> int:
    return av1.coded_pixels([stream])


def test_picture_is_one_frame() -> None:
    assert coded_pixels(unit(TIME) + reduced() + frame((0, 1))) == WIDTH * HEIGHT


def test_streams_are_each_their_own() -> None:
    assert av1.coded_pixels([reduced(4096, 4096), frame((0, 1)), reduced(16, 16) + frame((0, 1))]) == 16 * 16


@pytest.mark.parametrize("kind", [FRAME_HEADER, FRAME])
def test_every_frame_counts(kind: int) -> None:
    data = reduced() + frame((0, 1), kind=kind) * 3 + unit(TILES, bytes(50))
    assert coded_pixels(data) == 3 * WIDTH * HEIGHT


def test_header_before_each_frame_is_the_one_that_counts() -> None:
    data = reduced(16, 16) + frame((0, 1)) + reduced(4096, 4096) + frame((0, 1))
    assert coded_pixels(data) == 16 * 16 + 4096 * 4096


def test_unit_may_have_an_extension_and_the_last_no_size() -> None:
    data = unit(TIME, extended=True) + reduced() + unit(FRAME, bytes(8), sized=False)
    assert coded_pixels(data) == WIDTH * HEIGHT


def test_without_a_header_there_is_no_frame() -> None:
    assert coded_pixels(frame((0, 1))) == 0


TIMING: list[Field] = [(1, 1), (1, 32), (1, 32)]
REGULAR: list[Field] = [(1, 1), (1, 3), (0b10, 2)]
"""A tick count of 4, in the code that has as many zeros before it as bits behind its first."""
MODEL: list[Field] = [(1, 1), (9, 5), (1, 32), (9, 5), (19, 5)]
"""Delays of 10 bits, times of 20."""
POINTS: dict[str, tuple[list[Field], int]] = {
    "one": (ONE_POINT, 0),
    "two, of a low level": ([(0, 1), (0, 1), (1, 5), *[(0, 12), (3, 5)] * 2], 0),
    "with timing": ([*TIMING, (0, 1), (0, 1), (0, 1), (0, 5), (0, 12), (3, 5)], 0),
    "with regular timing": ([*TIMING, *REGULAR, (0, 1), (0, 1), (0, 5), (0, 12), (3, 5)], 0),
    "with a model": (
        [*TIMING, (0, 1), *MODEL, (0, 1), (0, 5), (0, 12), (3, 5), (1, 1), (5, 10), (5, 10), (0, 1)],
        20,
    ),
    "with a model and regular timing": (
        [*TIMING, *REGULAR, *MODEL, (0, 1), (0, 5), (0, 12), (3, 5), (0, 1)],
        0,
    ),
    "with delays": ([(0, 1), (1, 1), (1, 5), *[(0, 12), (9, 5), (0, 1), (1, 1), (7, 4)] * 2], 0),
}


@pytest.mark.parametrize("points, time_bits", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("id_bits", [0, 15])
@pytest.mark.parametrize("own_size", [OWN_SIZE, SIZE_OF_ALL])
def test_frame_says_whether_it_has_a_size_of_its_own(
    points: list[Field], time_bits: int, id_bits: int, own_size: Field
) -> None:
    header: list[Field] = [(0, 1), (KEY, 2), (1, 1), (0, time_bits), (0, 1), (0, 1), (0, id_bits), own_size]
    data = full(points, id_bits=id_bits) + frame(*header)
    # Its own may be whatever 16 bits hold.
    assert coded_pixels(data) == (2**32 if own_size == OWN_SIZE else WIDTH * HEIGHT)


TOOLS: dict[str, tuple[list[Field], list[Field]]] = {
    "each frame says it, none": ([(1, 1), (1, 1)], [(0, 1)]),
    "each frame says it, all": ([(1, 1), (1, 1)], [(1, 1), (0, 1)]),
    "none has screen content": ([(0, 1), (0, 1)], []),
    "all have, each says how it moves": ([(0, 1), (1, 1), (1, 1)], [(0, 1)]),
    "all have, and move alike": ([(0, 1), (1, 1), (0, 1), (1, 1)], []),
}


@pytest.mark.parametrize("tools, said", TOOLS.values(), ids=TOOLS)
def test_screen_content_comes_before_the_size(tools: list[Field], said: list[Field]) -> None:
    header: list[Field] = [(0, 1), (KEY, 2), (1, 1), (0, 1)]
    data = full(tools=tools) + frame(*header, *said, SIZE_OF_ALL, (0x7F, 7))
    assert coded_pixels(data) == WIDTH * HEIGHT


def test_hidden_frame_says_whether_it_may_be_shown_and_holds_without_others() -> None:
    hidden: list[Field] = [(0, 1), (INTER, 2), (0, 1), (1, 1), (1, 1), (1, 1), (0, 1), SIZE_OF_ALL]
    assert coded_pixels(full() + frame(*hidden, (0x7F, 7))) == WIDTH * HEIGHT


def test_switch_frame_always_has_its_own_size() -> None:
    assert coded_pixels(full() + frame((0, 1), (SWITCH, 2), (1, 1), (0, 1), (0, 1))) == 2**32


def test_frame_shown_again_counts_as_the_largest() -> None:
    small, again = frame(*SHOWN_KEY, SIZE_OF_ALL), frame((1, 1), (0, 3))
    assert coded_pixels(full() + small + again * 5) == 6 * WIDTH * HEIGHT


@pytest.mark.parametrize("data", [reduced()[:4], full()[:6], unit(FRAME)[:1], full() + unit(FRAME)])
def test_cut_off_is_an_error(data: bytes) -> None:
    with pytest.raises(IndexError):
        coded_pixels(data)


def test_more_units_than_are_read_are_refused() -> None:
    assert coded_pixels(unit(TIME) * MAXIMUM_UNITS) == 0
    with pytest.raises(SourceUnreadable) as refusal:
        av1.coded_pixels([unit(TIME) * MAXIMUM_UNITS, unit(TIME)])
    assert (refusal.value.limit, refusal.value.actual) == (MAXIMUM_UNITS, MAXIMUM_UNITS + 1)
