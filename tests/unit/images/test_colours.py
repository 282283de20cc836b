"""Colours: by the source's own profile into sRGB; and transparency, kept where there is a place for it."""

from __future__ import annotations

import pytest
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin

from infra.contact_sheet.profiles import DARKEST, DISPLAY_P3, LIGHTEST, LINEAR_GREY, PRINT, SWAPPED
from shared.images import colours
from shared.images.formats import OutputFormat
from shared.images.limits import MAXIMUM_PROFILE_BYTES, Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize
from tests.pictures import (
    COLOURS,
    SIZE,
    Colour,
    decoded,
    encoded,
    furthest,
    half_transparent,
    means,
    options,
    pixels,
    quadrants,
)

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
SMALLER = options(width=32, height=None, format="png")
CONVERTED = [colour[::-1] for colour in COLOURS]
"""What COLOURS are by the SWAPPED profile."""
ICC_PROFILE = 34675
"""The TIFF tag."""


def resized_means(source: bytes, request: ProcessingOptions = SMALLER) -> list[Colour]:
    return means(decoded(resize(source, request, LIMITS).content))


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif", "gif"])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_profile_is_converted_to_srgb(name: str, output: OutputFormat) -> None:
    source = encoded(quadrants(), name, icc_profile=SWAPPED)
    assert furthest(resized_means(source, options(32, None, output)), CONVERTED) <= 8


@pytest.mark.parametrize("width", [32, 64])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_profile_is_converted_in_every_colour_mode(mode: str, width: int) -> None:
    image = quadrants().quantize(8) if mode == "P" else quadrants().convert(mode)
    source = encoded(image, "PNG", icc_profile=SWAPPED)
    assert furthest(resized_means(source, options(width, None)), CONVERTED) <= 4


def test_wide_gamut_is_brought_into_srgb() -> None:
    source = encoded(Image.new("RGB", SIZE, (200, 100, 50)), "PNG", icc_profile=DISPLAY_P3)
    assert furthest(resized_means(source), [(215, 93, 31)] * 4) <= 2


@pytest.mark.parametrize("mode, name", [("L", "JPEG"), ("L", "PNG"), ("LA", "PNG")])
def test_grey_profile_is_converted_too(mode: str, name: str) -> None:
    source = encoded(Image.new("L", SIZE, 100).convert(mode), name, icc_profile=LINEAR_GREY)
    # 255 (1.055 (100 / 255)^(1 / 2.4) - 0.055), by IEC 61966-2-1.
    assert furthest(resized_means(source), [(168, 168, 168)] * 4) <= 2


def test_transparency_outlasts_the_profile() -> None:
    source = encoded(half_transparent(), "PNG", icc_profile=SWAPPED)
    image = decoded(resize(source, SMALLER, LIMITS).content)
    assert pixels(image)[0] == (0, 0, 0, 0)
    assert furthest(pixels(image)[-1:], [(*CONVERTED[0], 255)]) <= 1


BROKEN = {
    "a letter": b"x",
    "noise": b"x" * 600,
    "cut in its header": SWAPPED[:100],
    "cut in its table": SWAPPED[:150],
    "cut in its curves": SWAPPED[:-20],
    "of Lab": ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    "of grey": LINEAR_GREY,
}


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("profile", BROKEN.values(), ids=BROKEN)
def test_broken_profile_changes_nothing(profile: bytes, name: str) -> None:
    source = encoded(quadrants(), name, icc_profile=profile)
    assert furthest(resized_means(source), COLOURS) <= 8


def padded(length: int) -> bytes:
    return SWAPPED + bytes(length - len(SWAPPED))


@pytest.mark.parametrize("name", ["JPEG", "WEBP", "AVIF", "TIFF"])
def test_profile_of_megabytes_is_converted(name: str) -> None:
    source = encoded(quadrants(), name, icc_profile=padded(MAXIMUM_PROFILE_BYTES))
    assert furthest(resized_means(source), CONVERTED) <= 8


@pytest.mark.parametrize("name", ["JPEG", "WEBP", "AVIF", "TIFF"])
def test_profile_that_is_larger_changes_nothing(name: str) -> None:
    source = encoded(quadrants(), name, icc_profile=padded(MAXIMUM_PROFILE_BYTES + 1))
    assert furthest(resized_means(source), COLOURS) <= 8


def test_profiles_that_are_kept_are_few_and_small() -> None:
    kept = colours._kept_transform
    kept.cache_clear()
    for number in range(colours.KEPT_PROFILES + 2):
        for length in (1000, colours.KEPT_PROFILE_BYTES, colours.KEPT_PROFILE_BYTES + 1):
            profile = padded(length - 1) + bytes([number])
            resize(encoded(quadrants(), "WEBP", icc_profile=profile), SMALLER, LIMITS)
    assert kept.cache_info().misses == 2 * (colours.KEPT_PROFILES + 2)
    assert kept.cache_info().currsize == kept.cache_info().maxsize == colours.KEPT_PROFILES


@pytest.mark.parametrize("kind, value", [(2, "text"), (3, 7), (4, (7, 8)), (12, (0.5,))])
@pytest.mark.filterwarnings("ignore:Metadata Warning:UserWarning")
def test_profile_that_is_no_bytes_changes_nothing(kind: int, value: object) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[ICC_PROFILE] = kind
    tags[ICC_PROFILE] = value
    source = encoded(quadrants(), "TIFF", tiffinfo=tags)
    assert furthest(resized_means(source), COLOURS) <= 4


@pytest.mark.parametrize("name", ["JPEG", "TIFF"])
def test_print_is_converted_by_its_colours_with_its_black_as_black(name: str) -> None:
    none = Image.new("L", SIZE)
    black = quadrants([(ink,) * 3 for ink in (0, 85, 170, 255)]).convert("L")
    source = encoded(Image.merge("CMYK", (none, none, none, black)), name, icc_profile=PRINT)
    # By CIE 15 from lightness to luminance, which is then stretched until all ink is black.
    darkest = _luminance(100 * DARKEST / LIGHTEST)
    lightness = [100 * (1 - ink * (1 - DARKEST / LIGHTEST)) for ink in (0, 1 / 3, 2 / 3, 1)]
    expected = [_grey((_luminance(each) - darkest) / (1 - darkest)) for each in lightness]
    assert furthest(resized_means(source), expected) <= 2


def _luminance(lightness: float) -> float:
    return ((lightness + 16) / 116) ** 3


def _grey(luminance: float) -> Colour:
    value = 12.92 * luminance if luminance <= 0.0031308 else 1.055 * luminance ** (1 / 2.4) - 0.055
    return (round(255 * value),) * 3


def test_rgb_profile_on_cmyk_changes_nothing() -> None:
    source = encoded(quadrants().convert("CMYK"), "TIFF", icc_profile=SWAPPED)
    assert furthest(resized_means(source), COLOURS) <= 4


RGBA = half_transparent()
OPAQUE = Image.merge("RGB", RGBA.split()[:3])
GREY = ImageOps.colorize(RGBA.getchannel("A"), "black", "#999999").convert("L")
WITH_TRANSPARENCY = {
    "png rgba": encoded(RGBA, "PNG"),
    "png palette": encoded(RGBA.quantize(8), "PNG"),
    "png grey and alpha": encoded(RGBA.convert("LA"), "PNG"),
    "png rgb, black as transparent": encoded(OPAQUE, "PNG", transparency=(0, 0, 0)),
    "png grey, black as transparent": encoded(GREY, "PNG", transparency=0),
    "png 1 bit, black as transparent": encoded(RGBA.getchannel("A").convert("1"), "PNG", transparency=0),
    "webp": encoded(RGBA, "WEBP"),
    "avif": encoded(RGBA, "AVIF"),
    "gif": encoded(RGBA, "GIF"),
    "gif grey": encoded(GREY, "GIF", transparency=0),
    "tiff": encoded(RGBA, "TIFF"),
}
sources = pytest.mark.parametrize("source", WITH_TRANSPARENCY.values(), ids=WITH_TRANSPARENCY)


@sources
@pytest.mark.parametrize("width", [32, 64])
@pytest.mark.parametrize("output", ["png", "webp", "avif", "gif"])
def test_transparency_is_kept(source: bytes, width: int, output: OutputFormat) -> None:
    image = decoded(resize(source, options(width, None, output), LIMITS).content)
    row = pixels(image)[:width]
    assert (row[0][3], row[-1][3]) == (0, 255)


@sources
def test_jpeg_has_white_where_it_was_transparent(source: bytes) -> None:
    fields = resized_means(source, options(32, None, "jpeg"))
    assert furthest(fields[::2], [(255, 255, 255)] * 2) <= 2


def test_jpeg_keeps_what_was_opaque() -> None:
    source = encoded(half_transparent(), "PNG")
    fields = resized_means(source, options(32, None, "jpeg"))
    assert furthest(fields[1::2], [COLOURS[0]] * 2) <= 4


def test_half_transparent_colour_lies_over_white_in_jpeg() -> None:
    source = encoded(Image.new("RGBA", SIZE, (0, 0, 0, 128)), "PNG")
    assert furthest(resized_means(source, options(32, None, "jpeg")), [(127, 127, 127)] * 4) <= 2


def test_what_is_transparent_does_not_darken_its_surroundings() -> None:
    source = encoded(half_transparent((255, 255, 255), size=(66, 48)), "PNG")
    image = decoded(resize(source, options(width=20, height=None), LIMITS).content)
    seen = [colour for *colour, alpha in pixels(image) if alpha > 0]
    assert furthest(seen, [(255, 255, 255)] * len(seen)) <= 1
