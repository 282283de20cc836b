from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from shared.images.geometry import LYING, UPRIGHT, Size, fit, seen_size
from shared.images.limits import MAXIMUM_OUTPUT_PIXELS_A_SIDE as LARGEST

ORIENTATIONS = range(1, 9)
NO_ORIENTATIONS = [-1, 0, 9, 65535]

sizes = st.tuples(st.integers(1, 100_000), st.integers(1, 100_000))
sides = st.none() | st.integers(1, 8192)


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
