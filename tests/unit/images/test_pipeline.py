"""What comes out: its size, its format, the right way up, as sharp as it can be."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from typing import get_args

import pytest
from PIL import Image, ImageCms, ImageOps

from shared.images.formats import FORMATS, OutputFormat
from shared.images.geometry import Size
from shared.images.limits import MAXIMUM_OUTPUT_PIXELS_A_SIDE, MAXIMUM_SOURCE_PIXELS_A_SIDE, Limits
from shared.images.pipeline import resize
from tests.pictures import (
    BLACK_AND_WHITE,
    COLOURS,
    GREYS,
    SIZE,
    Colour,
    decoded,
    encoded,
    exif,
    furthest,
    interlaced_png,
    means,
    options,
    psnr,
    quadrants,
    sixteen_bit_grey,
    sixteen_bit_png,
)

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
OUTPUTS: Sequence[OutputFormat] = get_args(OutputFormat)

COLOUR = quadrants()
GREY = quadrants(GREYS).convert("L")
SOURCES: dict[str, tuple[bytes, Sequence[Colour]]] = {
    "jpeg": (encoded(COLOUR, "JPEG"), COLOURS),
    "jpeg progressive": (encoded(COLOUR, "JPEG", progressive=True), COLOURS),
    "jpeg grey": (encoded(GREY, "JPEG"), GREYS),
    "jpeg cmyk": (encoded(COLOUR.convert("CMYK"), "JPEG"), COLOURS),
    "jpeg of two": (encoded(COLOUR, "MPO", save_all=True, append_images=[GREY]), COLOURS),
    "png": (encoded(COLOUR, "PNG"), COLOURS),
    "png grey": (encoded(GREY, "PNG"), GREYS),
    "png palette": (encoded(COLOUR.quantize(8), "PNG"), COLOURS),
    "png 1 bit": (encoded(quadrants(BLACK_AND_WHITE).convert("1"), "PNG"), BLACK_AND_WHITE),
    "png 16 bit grey": (encoded(sixteen_bit_grey(), "PNG"), GREYS),
    "png 16 bit": (sixteen_bit_png(COLOUR), COLOURS),
    "png rgba": (encoded(COLOUR.convert("RGBA"), "PNG"), COLOURS),
    "png grey and alpha": (encoded(GREY.convert("LA"), "PNG"), GREYS),
    "png interlaced": (interlaced_png(COLOUR), COLOURS),
    "png animated": (encoded(COLOUR, "PNG", save_all=True, append_images=[COLOUR.rotate(180)]), COLOURS),
    "webp": (encoded(COLOUR, "WEBP"), COLOURS),
    "webp lossless": (encoded(COLOUR.convert("RGBA"), "WEBP", lossless=True), COLOURS),
    "webp animated": (encoded(COLOUR, "WEBP", save_all=True, append_images=[COLOUR.rotate(180)]), COLOURS),
    "avif": (encoded(COLOUR, "AVIF"), COLOURS),
    "avif rgba": (encoded(COLOUR.convert("RGBA"), "AVIF"), COLOURS),
    "gif": (encoded(COLOUR, "GIF"), COLOURS),
    "gif grey": (encoded(GREY, "GIF", interlace=0), GREYS),
    "gif animated": (encoded(COLOUR, "GIF", save_all=True, append_images=[COLOUR.rotate(180)]), COLOURS),
    "tiff": (encoded(COLOUR, "TIFF"), COLOURS),
    "tiff lzw": (encoded(COLOUR, "TIFF", compression="tiff_lzw"), COLOURS),
    "tiff jpeg": (encoded(COLOUR, "TIFF", compression="jpeg"), COLOURS),
    "tiff 16 bit grey": (encoded(sixteen_bit_grey(), "TIFF"), GREYS),
    "tiff cmyk": (encoded(COLOUR.convert("CMYK"), "TIFF"), COLOURS),
    "bmp": (encoded(COLOUR, "BMP"), COLOURS),
    "bmp palette": (encoded(COLOUR.quantize(8), "BMP"), COLOURS),
}
CONTENTS = {name: content for name, (content, _) in SOURCES.items()}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("source, colours", SOURCES.values(), ids=SOURCES)
def test_colours_stay_from_every_format_to_every_other(
    source: bytes, colours: Sequence[Colour], output: OutputFormat
) -> None:
    picture = resize(source, options(width=32, height=None, format=output), LIMITS)
    image = decoded(picture.content)
    assert (image.format, image.size, picture.size) == (output.upper(), (32, 24), (32, 24))
    assert furthest(means(image), colours) <= 8


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("source", CONTENTS.values(), ids=CONTENTS)
def test_picture_is_never_enlarged(source: bytes, output: OutputFormat) -> None:
    picture = resize(source, options(width=65, height=8192, format=output), LIMITS)
    assert (picture.size, decoded(picture.content).size) == (SIZE, SIZE)


@pytest.mark.parametrize(
    "name, written",
    [("jpeg", "jpeg"), ("jpeg of two", "jpeg"), ("png", "png"), ("webp", "webp"), ("avif", "avif")]
    + [("gif", "gif"), ("tiff", "jpeg"), ("bmp", "png")],
)
def test_format_follows_from_the_source(name: str, written: OutputFormat) -> None:
    picture = resize(CONTENTS[name], options(width=32, height=None), LIMITS)
    assert picture.format is FORMATS[written]
    assert decoded(picture.content).format == written.upper()


@pytest.mark.parametrize("source_size", [(1, 1), (1, 300), (300, 1), (641, 427), (101, 97)])
@pytest.mark.parametrize("box", [(1, None), (None, 1), (7, 7), (100, None), (None, 99)])
@pytest.mark.parametrize("name", ["JPEG", "PNG"])
def test_what_comes_out_is_as_large_as_it_says(
    name: str, source_size: Size, box: tuple[int | None, int | None]
) -> None:
    source = encoded(quadrants(size=source_size), name)
    picture = resize(source, options(*box), LIMITS)
    assert picture.source_size == source_size
    assert decoded(picture.content).size == picture.size


@pytest.mark.parametrize("output", OUTPUTS)
def test_side_left_out_has_a_bound_too(output: OutputFormat) -> None:
    source = encoded(Image.new("L", (2, MAXIMUM_SOURCE_PIXELS_A_SIDE)), "PNG")
    picture = resize(source, options(width=2, height=None, format=output), LIMITS)
    assert max(picture.size) <= MAXIMUM_OUTPUT_PIXELS_A_SIDE


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_picture_is_turned_upright(name: str, orientation: int) -> None:
    source = encoded(COLOUR, name, exif=exif(orientation))
    expected = ImageOps.exif_transpose(decoded(source))
    picture = resize(source, options(width=24, height=24, format="png"), LIMITS)
    assert picture.source_size == expected.size
    expected.thumbnail((24, 24))
    assert decoded(picture.content).size == expected.size
    assert furthest(means(decoded(picture.content)), means(expected)) <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_of_its_own_size_is_turned_upright(orientation: int) -> None:
    source = encoded(COLOUR, "PNG", exif=exif(orientation))
    content = resize(source, options(width=8192, height=None), LIMITS).content
    assert decoded(content).tobytes() == ImageOps.exif_transpose(decoded(source)).tobytes()


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif"])
def test_quality_sets_the_size(photograph: bytes, output: OutputFormat) -> None:
    qualities = (1, 30, 60, 90, 100)
    pictures = [resize(photograph, options(100, None, output, quality), LIMITS) for quality in qualities]
    lengths = [len(picture.content) for picture in pictures]
    assert lengths == sorted(set(lengths))


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif"])
def test_default_quality_is_the_formats_own(photograph: bytes, output: OutputFormat) -> None:
    asked = options(100, None, output, FORMATS[output].quality)
    default = options(100, None, output)
    assert resize(photograph, default, LIMITS).content == resize(photograph, asked, LIMITS).content


@pytest.mark.parametrize("output", ["png", "gif"])
def test_quality_means_nothing_to_a_lossless_format(photograph: bytes, output: OutputFormat) -> None:
    pictures = [resize(photograph, options(100, None, output, quality), LIMITS) for quality in (1, 100)]
    assert pictures[0].content == pictures[1].content


@pytest.mark.parametrize("width, decibels", [(50, 40), (100, 40), (200, 45), (500, 45)])
def test_photograph_is_as_sharp_as_a_full_lanczos(photograph: bytes, width: int, decibels: float) -> None:
    full = decoded(photograph)
    profile = ImageCms.ImageCmsProfile(BytesIO(full.info["icc_profile"]))
    reference = ImageCms.profileToProfile(full, profile, ImageCms.createProfile("sRGB"))
    assert reference is not None
    picture = resize(photograph, options(width, height=None, format="png"), LIMITS)
    expected = reference.resize(picture.size, Image.Resampling.LANCZOS)
    assert psnr(decoded(picture.content), expected) >= decibels


@pytest.mark.parametrize("output", OUTPUTS)
def test_eight_threads_at_once_make_the_same_bytes(photograph: bytes, output: OutputFormat) -> None:
    alone = resize(photograph, options(120, None, output), LIMITS).content
    together = Barrier(8)

    def make(_: int) -> bytes:
        together.wait(timeout=30)
        return resize(photograph, options(120, None, output), LIMITS).content

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(make, range(8))) == {alone}


def test_stages_are_timed_in_the_order_of_the_work(photograph: bytes) -> None:
    seconds = resize(photograph, options(120, None), LIMITS).stages.seconds
    assert list(seconds) == ["decode", "resize", "encode"]
    assert min(seconds.values()) >= 0
