from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize
from shared.images.png_writer import COLOUR_TYPES, encode
from shared.images.structure.png import chunks
from tests.pictures import decoded, encoded, exif, options, quadrants

LIMITS = Limits(source_bytes=10_000_000, source_pixels=10_000_000)
ROCKET = Path("infra/local/samples/rocket.jpg")

stable = settings(derandomize=True, database=None, deadline=None)
sides = st.integers(1, 40)


def photograph() -> Image.Image:
    with Image.open(ROCKET) as image:
        return image.resize((320, 214), Image.Resampling.LANCZOS)


def drawing() -> Image.Image:
    image = Image.new("RGB", (320, 214), "white")
    draw = ImageDraw.Draw(image)
    for row in range(20):
        draw.text((10, row * 10), f"Invoice {row}: {row * 17} of {row * 31}", fill="black")
        draw.rectangle((200, row * 10, 200 + row * 5, row * 10 + 6), fill=(row * 12, 120, 200))
    return image


def gradient() -> Image.Image:
    return Image.merge(
        "RGB", [Image.linear_gradient("L"), Image.radial_gradient("L"), Image.new("L", (256, 256))]
    )


@stable
@given(st.sampled_from(sorted(COLOUR_TYPES)), sides, sides, st.data())
def test_pixels_are_what_they_were(mode: str, width: int, height: int, data: st.DataObject) -> None:
    length = width * height * len(Image.new(mode, (1, 1)).getbands())
    content = data.draw(st.binary(min_size=length, max_size=length))
    image = decoded(encode(Image.frombytes(mode, (width, height), content)))
    assert (image.format, image.mode, image.size) == ("PNG", mode, (width, height))
    assert image.tobytes() == content


@pytest.mark.parametrize("mode", COLOUR_TYPES)
@pytest.mark.parametrize("picture", [photograph, drawing, gradient])
def test_pixels_of_pictures_are_what_they_were_in_about_as_few_bytes(
    picture: Callable[[], Image.Image], mode: str
) -> None:
    image = picture().convert(mode)
    content = encode(image)
    assert decoded(content).tobytes() == image.tobytes()
    assert len(content) <= 1.05 * len(encoded(image, "PNG"))


def test_greyscale_stays_greyscale_and_transparency_is_kept() -> None:
    for mode in COLOUR_TYPES:
        source = encoded(photograph().convert(mode), "PNG")
        picture = resize(source, ProcessingOptions(width=100, height=None), LIMITS)
        assert decoded(picture.content).mode == mode


@pytest.mark.parametrize("mode", COLOUR_TYPES)
def test_exif_is_what_pillow_would_have_written(mode: str) -> None:
    image, tags = photograph().convert(mode), exif(orientation=1, description="Ada")
    ours, theirs = encode(image, tags), encoded(image, "PNG", exif=tags)
    assert decoded(ours).info["exif"] == decoded(theirs).info["exif"] == tags
    assert decoded(ours).tobytes() == image.tobytes()
    assert b"Exif\0\0" not in ours


def test_metadata_costs_a_chunk_before_the_pixels_and_nothing_else() -> None:
    source = encoded(quadrants(), "JPEG", exif=exif(orientation=1, description="Ada"))
    without = resize(source, options(32, None, "png"), LIMITS).content
    kept = resize(source, options(32, None, "png", keep_metadata=True), LIMITS).content
    found = {chunk.kind: chunk for chunk in chunks(kept)}
    assert list(found) == [b"IHDR", b"eXIf", b"IDAT", b"IEND"]
    start, end = found[b"eXIf"].start - 8, found[b"IDAT"].start - 8
    assert kept[:start] + kept[end:] == without
