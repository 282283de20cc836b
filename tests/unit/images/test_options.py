"""What the options do to the pixels and the bytes."""

from __future__ import annotations

from typing import get_args

import pytest
from PIL import ExifTags, Image
from pydantic import ValidationError

from shared.errors import ParametersInvalid
from shared.images.formats import OutputFormat
from shared.images.limits import Limits
from shared.images.options import Gravity, ProcessingOptions
from shared.images.pipeline import resize
from tests.pictures import (
    COLOURS,
    SIZE,
    Colour,
    decoded,
    encoded,
    exif,
    furthest,
    means,
    options,
    pixels,
    quadrants,
)

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
COLOUR = encoded(quadrants(), "PNG")
ABOVE_LEFT, ABOVE_RIGHT, BELOW_LEFT, BELOW_RIGHT = COLOURS
CORNERS: dict[str, Colour] = {
    "northwest": ABOVE_LEFT,
    "northeast": ABOVE_RIGHT,
    "southwest": BELOW_LEFT,
    "southeast": BELOW_RIGHT,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("gravity, colour", CORNERS.items(), ids=CORNERS)
def test_crop_keeps_the_side_that_is_seen(orientation: int, gravity: str, colour: Colour) -> None:
    upright = quadrants()
    stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    source = encoded(
        upright if stored is None else upright.transpose(stored), "PNG", exif=exif(orientation=orientation)
    )
    # A strip as high, then one as wide, as the picture is seen.
    tall = decoded(resize(source, options(6, 48, resizing_type="fill", gravity=gravity), LIMITS).content)
    wide = decoded(resize(source, options(64, 6, resizing_type="fill", gravity=gravity), LIMITS).content)
    x, y = (0 if "west" in gravity else 1), (0 if "north" in gravity else 1)
    assert furthest([tall.getpixel((3, 40 * y + 4))], [colour]) <= 3  # type: ignore[list-item]
    assert furthest([wide.getpixel((50 * x + 6, 3))], [colour]) <= 3  # type: ignore[list-item]


@pytest.mark.parametrize("gravity", get_args(Gravity))
def test_fill_is_the_box(gravity: Gravity) -> None:
    for box in ((20, 40), (40, 20), (7, 3)):
        picture = resize(COLOUR, options(*box, resizing_type="fill", gravity=gravity), LIMITS)
        assert decoded(picture.content).size == picture.size == box


def test_jpeg_is_cropped_as_sharp_as_it_is_resized() -> None:
    photograph = quadrants(size=(1600, 1200))
    draft = resize(
        encoded(photograph, "JPEG", quality=95), options(100, 300, "png", resizing_type="fill"), LIMITS
    )
    whole = resize(encoded(photograph, "PNG"), options(100, 300, "png", resizing_type="fill"), LIMITS)
    assert draft.size == whole.size == (100, 300)
    assert furthest(means(decoded(draft.content)), means(decoded(whole.content))) <= 3


def test_force_gives_the_shape_asked_for() -> None:
    image = decoded(resize(COLOUR, options(16, 40, resizing_type="force"), LIMITS).content)
    assert image.size == (16, 40)
    assert furthest(means(image), COLOURS) <= 4


def test_enlarge_and_dpr() -> None:
    assert resize(COLOUR, options(128), LIMITS).size == SIZE
    assert resize(COLOUR, options(128, enlarge=True), LIMITS).size == (128, 96)
    assert resize(COLOUR, options(16, dpr=1.5), LIMITS).size == (24, 18)
    assert resize(COLOUR, options(64, dpr=4), LIMITS).size == SIZE


HALF = Image.merge("RGBA", (*quadrants().split(), Image.linear_gradient("L").resize(SIZE)))


@pytest.mark.parametrize("background, edge", [("ffffff", (255, 255, 255)), ("0080FF", (0, 128, 255))])
def test_background_is_under_what_is_transparent(background: str, edge: Colour) -> None:
    source = encoded(HALF, "PNG")
    image = decoded(resize(source, options(64, None, "jpeg", 95, background=background), LIMITS).content)
    assert furthest([image.getpixel((8, 0))], [edge]) <= 12  # type: ignore[list-item]
    assert furthest([image.getpixel((8, 47))], [BELOW_LEFT]) <= 30  # type: ignore[list-item]


def test_soft_edge_is_a_hard_one_in_gif() -> None:
    image = decoded(resize(encoded(HALF, "PNG"), options(64, None, "gif"), LIMITS).content).convert("RGBA")
    alpha = [pixel[3] for pixel in pixels(image)]
    assert set(alpha) == {0, 255}
    assert alpha[: 64 * 20] == [0] * (64 * 20) and alpha[-64 * 20 :] == [255] * (64 * 20)


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif"])
def test_quality_is_lowered_until_the_picture_fits(photograph: bytes, output: OutputFormat) -> None:
    plain = len(resize(photograph, options(400, None, output), LIMITS).content)
    fitting = resize(photograph, options(400, None, output, max_bytes=plain // 2), LIMITS).content
    assert plain // 3 < len(fitting) <= plain // 2
    enough = resize(photograph, options(400, None, output, max_bytes=plain), LIMITS).content
    assert len(enough) == plain


@pytest.mark.parametrize("output", get_args(OutputFormat))
def test_picture_that_cannot_be_made_to_fit_is_refused(photograph: bytes, output: OutputFormat) -> None:
    with pytest.raises(ParametersInvalid) as refusal:
        resize(photograph, options(400, None, output, max_bytes=200), LIMITS)
    assert refusal.value.limit == 200 < int(refusal.value.actual or 0)


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif"])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_metadata_is_kept_without_where_it_was(name: str, output: OutputFormat) -> None:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    tags[ExifTags.Base.Artist] = "Ada"
    tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] = 400
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = b"where it was"
    source = encoded(quadrants(), name, exif=tags)
    kept = decoded(resize(source, options(32, None, output, keep_metadata=True), LIMITS).content).getexif()
    assert kept[ExifTags.Base.Artist] == "Ada"
    assert ExifTags.Base.Orientation not in kept and not kept.get_ifd(ExifTags.IFD.GPSInfo)
    assert ExifTags.Base.MakerNote not in kept.get_ifd(ExifTags.IFD.Exif)
    if name != "TIFF":
        assert kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] == 400
    without = decoded(resize(source, options(32, None, output), LIMITS).content)
    assert not without.getexif()


PRESETS = {"avatar": options(128, 128, resizing_type="fill"), "small": options(None, quality=50)}


def test_preset_is_what_is_not_said_otherwise() -> None:
    asked = ProcessingOptions(preset="avatar", height=64, format="webp").with_preset(PRESETS)
    assert asked.as_parameters() == {
        "width": 128,
        "height": 64,
        "resizing_type": "fill",
        "format": "webp",
    }
    assert ProcessingOptions.model_validate(asked.as_parameters()) == asked


def test_null_undoes_what_the_preset_says() -> None:
    asked = ProcessingOptions(preset="avatar", height=None).with_preset(PRESETS)
    assert asked.as_parameters() == {"width": 128, "resizing_type": "fill"}


def test_text_is_a_number_where_it_comes_from_a_query_or_is_stored() -> None:
    asked = ProcessingOptions.model_validate(
        {"width": "200", "quality": "50", "dpr": "1.5", "enlarge": "true", "keep_metadata": 1}
    )
    assert asked == options(200, None, None, 50, dpr=1.5, enlarge=True, keep_metadata=True)


def test_preset_that_there_is_not_is_refused_by_those_there_are() -> None:
    with pytest.raises(ParametersInvalid, match="avatar, small"):
        ProcessingOptions(preset="Avatar").with_preset(PRESETS)


@pytest.mark.parametrize("asked", [ProcessingOptions(), ProcessingOptions(preset="small")])
def test_side_is_needed(asked: ProcessingOptions) -> None:
    with pytest.raises(ParametersInvalid, match="width, height or both"):
        asked.with_preset(PRESETS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dpr": 0.5},
        {"dpr": 5},
        {"dpr": float("nan")},
        {"dpr": float("inf")},
        {"gravity": "middle"},
        {"resizing_type": "crop"},
        {"background": "fff"},
        {"background": "ffffff\n"},
        {"max_bytes": 0},
        {"format": "bmp"},
    ],
)
def test_option_that_is_not_valid(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ProcessingOptions.model_validate({"width": 1, **wrong})
