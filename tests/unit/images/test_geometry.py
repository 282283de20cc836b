from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from shared.images.geometry import LYING, UPRIGHT, Box, Size, plan, seen_size, stored_box
from shared.images.limits import MAXIMUM_OUTPUT_PIXELS_A_SIDE as LARGEST
from shared.images.options import Gravity, ProcessingOptions, ResizingType
from tests.pictures import options

ORIENTATIONS = range(1, 9)
NO_ORIENTATIONS = [-1, 0, 9, 65535]

sizes = st.tuples(st.integers(1, 100_000), st.integers(1, 100_000))
sides = st.none() | st.integers(1, 8192)
both = st.tuples(st.integers(1, 8192), st.integers(1, 8192))
dprs = st.floats(1, 4)
gravities = st.sampled_from(get_args(Gravity))


def fit(source: Size, width: int | None, height: int | None) -> Size:
    return plan(source, options(width, height)).size


@pytest.mark.parametrize(
    "source, width, height, expected",
    [
        ((640, 427), 200, None, (200, 133)),
        ((640, 427), None, 200, (300, 200)),
        ((640, 427), 200, 200, (200, 133)),
        ((427, 640), 200, 200, (133, 200)),
        ((640, 427), 640, 427, (640, 427)),
        ((640, 427), 641, None, (640, 427)),
        ((640, 427), 8192, 100, (150, 100)),
        ((640, 427), None, None, (640, 427)),
        ((10_000, 1), 10, None, (10, 1)),
        ((1, 10_000), None, 10, (1, 10)),
        ((1, 1), 8192, 8192, (1, 1)),
        ((20, 81_920), 20, None, (2, 8192)),
        ((81_920, 20), None, 20, (8192, 2)),
    ],
)
def test_fit(source: Size, width: int | None, height: int | None, expected: Size) -> None:
    assert fit(source, width, height) == expected


@given(sizes, sides, sides)
def test_fit_never_exceeds_the_box(source: Size, width: int | None, height: int | None) -> None:
    fitted = fit(source, width, height)
    assert fitted[0] <= (width or LARGEST)
    assert fitted[1] <= (height or LARGEST)


@given(sizes, sides, sides)
def test_fit_never_enlarges(source: Size, width: int | None, height: int | None) -> None:
    fitted = fit(source, width, height)
    assert fitted[0] <= source[0]
    assert fitted[1] <= source[1]


@given(sizes, sides, sides)
@example((100_000, 1), 1, None)
def test_fit_leaves_at_least_a_pixel(source: Size, width: int | None, height: int | None) -> None:
    assert min(fit(source, width, height)) >= 1


@given(sizes, sides, sides)
def test_fit_fills_the_box_or_is_the_source(source: Size, width: int | None, height: int | None) -> None:
    fitted = fit(source, width, height)
    assert fitted == source or fitted[0] == (width or LARGEST) or fitted[1] == (height or LARGEST)


@given(sizes, sides, sides)
def test_fit_keeps_the_shape(source: Size, width: int | None, height: int | None) -> None:
    fitted = fit(source, width, height)
    # Half a pixel either way on each side; a side that would vanish is rounded up to one pixel.
    errors = [1.0 if side == 1 else 0.5 for side in fitted]
    allowed = errors[0] * source[1] + errors[1] * source[0]
    assert abs(fitted[0] * source[1] - fitted[1] * source[0]) <= allowed * (1 + 1e-9)


@given(sizes, sides, sides)
def test_what_fits_already_is_left_alone(source: Size, width: int | None, height: int | None) -> None:
    fitted = fit(source, width, height)
    assert fit(fitted, width, height) == fitted


@given(sizes, st.sampled_from([*ORIENTATIONS, *NO_ORIENTATIONS]))
def test_seen_size_is_its_own_inverse(stored: Size, orientation: int) -> None:
    assert seen_size(seen_size(stored, orientation), orientation) == stored


@pytest.mark.parametrize("orientation", NO_ORIENTATIONS)
def test_what_is_no_orientation_turns_nothing(orientation: int) -> None:
    assert orientation not in UPRIGHT
    assert seen_size((3, 2), orientation) == (3, 2)


@pytest.fixture
def stored() -> Image.Image:
    """Six pixels, no two alike: no turn and no mirroring leaves it as it is."""
    image = Image.new("L", (3, 2))
    image.putdata(range(6))
    return image


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_upright_undoes_the_orientation(stored: Image.Image, orientation: int) -> None:
    upright = stored.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else stored
    stored.getexif()[ExifTags.Base.Orientation] = orientation
    expected = ImageOps.exif_transpose(stored)
    assert (upright.size, upright.tobytes()) == (expected.size, expected.tobytes())


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_seen_size_is_the_size_when_upright(stored: Image.Image, orientation: int) -> None:
    stored.getexif()[ExifTags.Base.Orientation] = orientation
    assert seen_size(stored.size, orientation) == ImageOps.exif_transpose(stored).size


def test_every_orientation_but_the_first_is_undone() -> None:
    assert set(UPRIGHT) == set(ORIENTATIONS) - {1}
    assert LYING <= set(UPRIGHT)


SOURCE = (400, 300)


@pytest.mark.parametrize(
    "resizing_type, source, box, more, crop, size",
    [
        ("fill", SOURCE, (100, 100), {}, (50, 0, 300, 300), (100, 100)),
        ("fill", SOURCE, (100, 100), {"gravity": "west"}, (0, 0, 300, 300), (100, 100)),
        ("fill", SOURCE, (100, 100), {"gravity": "southeast"}, (100, 0, 300, 300), (100, 100)),
        ("fill", SOURCE, (200, 50), {"gravity": "north"}, (0, 0, 400, 100), (200, 50)),
        ("fill", SOURCE, (200, 50), {"gravity": "southwest"}, (0, 200, 400, 100), (200, 50)),
        # Of a source that is too small, what there is; with `fill-down` in the shape asked for.
        ("fill", SOURCE, (800, 200), {}, (0, 50, 400, 200), (400, 200)),
        ("fill-down", SOURCE, (800, 200), {}, (0, 100, 400, 100), (400, 100)),
        ("fill-down", SOURCE, (100, 100), {}, (50, 0, 300, 300), (100, 100)),
        ("fill", SOURCE, (800, 200), {"enlarge": True}, (0, 100, 400, 100), (800, 200)),
        ("force", SOURCE, (100, 100), {}, (0, 0, 400, 300), (100, 100)),
        ("force", SOURCE, (800, 100), {}, (0, 0, 400, 300), (400, 50)),
        ("force", SOURCE, (800, 100), {"enlarge": True}, (0, 0, 400, 300), (800, 100)),
        ("fit", SOURCE, (800, 800), {"enlarge": True}, (0, 0, 400, 300), (800, 600)),
        ("fit", SOURCE, (100, 100), {"dpr": 2}, (0, 0, 400, 300), (200, 150)),
        ("fit", SOURCE, (300, 300), {"dpr": 4}, (0, 0, 400, 300), (400, 300)),
        ("fit", SOURCE, (300, 300), {"dpr": 4, "enlarge": True}, (0, 0, 400, 300), (1200, 900)),
        # As much of `dpr` as there are pixels for, and the shape that was asked for.
        ("fill", SOURCE, (200, 200), {"dpr": 2}, (50, 0, 300, 300), (300, 300)),
        ("fit", SOURCE, (8192, 8192), {"dpr": 4, "enlarge": True}, (0, 0, 400, 300), (8192, 6144)),
        ("force", SOURCE, (8192, 4096), {"dpr": 4, "enlarge": True}, (0, 0, 400, 300), (8192, 4096)),
        ("fill", SOURCE, (8192, 8192), {"dpr": 4, "enlarge": True}, (50, 0, 300, 300), (8192, 8192)),
    ],
)
def test_plan(
    resizing_type: ResizingType,
    source: Size,
    box: Size,
    more: dict[str, Any],
    crop: tuple[float, ...],
    size: Size,
) -> None:
    planned = plan(source, options(*box, resizing_type=resizing_type, **more))
    taken = planned.crop
    assert planned.size == size
    assert (taken.left, taken.top, taken.width, taken.height) == pytest.approx(crop)


@pytest.mark.parametrize("resizing_type", get_args(ResizingType))
def test_one_side_alone_asks_for_no_crop(resizing_type: ResizingType) -> None:
    for width, height in ((100, None), (None, 75)):
        planned = plan(SOURCE, options(width, height, resizing_type=resizing_type))
        assert (planned.crop, planned.size) == (Box(0, 0, 400, 300), (100, 75))


any_options = st.builds(
    lambda box, kind, gravity, enlarge, dpr: options(
        *box, resizing_type=kind, gravity=gravity, enlarge=enlarge, dpr=dpr
    ),
    both,
    st.sampled_from(get_args(ResizingType)),
    gravities,
    st.booleans(),
    dprs,
)


@given(sizes, any_options)
def test_every_plan_takes_a_part_of_the_source_and_gives_it_a_size(
    source: Size, asked: ProcessingOptions
) -> None:
    planned = plan(source, asked)
    crop = planned.crop
    assert min(planned.size) >= 1 and max(planned.size) <= LARGEST
    assert crop.left >= 0 and crop.top >= 0 and min(crop.width, crop.height) > 0
    assert crop.left + crop.width <= source[0] * (1 + 1e-9)
    assert crop.top + crop.height <= source[1] * (1 + 1e-9)
    if not asked.enlarge:
        assert planned.size[0] <= max(1, round(crop.width)) and planned.size[1] <= max(1, round(crop.height))


@given(sizes, both, gravities, dprs)
def test_fill_and_enlarge_is_the_box_exactly(source: Size, box: Size, gravity: str, dpr: float) -> None:
    planned = plan(source, options(*box, resizing_type="fill", gravity=gravity, enlarge=True, dpr=dpr))
    cap = min(1, LARGEST / (max(box) * dpr))
    expected = [max(1, side * dpr * cap) for side in box]
    assert list(planned.size) == pytest.approx(expected, abs=0.5 + 1e-6)
    assert source[0] == pytest.approx(planned.crop.width) or source[1] == pytest.approx(planned.crop.height)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("part", [(0, 0, 2, 1), (1, 2, 3, 1), (4, 0, 1, 3)])
def test_part_that_is_seen_is_cut_from_where_it_is_stored(
    orientation: int, part: tuple[int, int, int, int]
) -> None:
    stored = Image.frombytes("L", seen_size((5, 3), orientation), bytes(range(15)))
    upright = stored.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else stored
    left, top, width, height = part
    part_height = min(height, 3 - top)
    seen = upright.crop((left, top, left + width, top + part_height))
    box = stored_box(Box(left, top, width, part_height), (5, 3), orientation)
    cut = stored.crop((box.left, box.top, box.left + box.width, box.top + box.height))
    turned = cut.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else cut
    assert (turned.size, turned.tobytes()) == (seen.size, seen.tobytes())
