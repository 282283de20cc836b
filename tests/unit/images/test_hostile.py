"""Whatever the bytes: a picture of the right size, or a refusal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.contact_sheet.profiles import SWAPPED
from shared.errors import SourceTooManyPixels, SourceUnreadable, SourceUnsupported
from shared.images.formats import READERS, OutputFormat
from shared.images.geometry import plan
from shared.images.limits import Limits
from shared.images.pipeline import resize
from tests.pictures import decoded, encoded, exif, half_transparent, options, quadrants, sixteen_bit_grey

LIMITS = Limits(source_bytes=1_000_000, source_pixels=1_000_000)
BOX = (16, 16)
REFUSALS = (SourceUnreadable, SourceUnsupported, SourceTooManyPixels)

# Pillow warns of what it skips over. Here that is no error, as it is none in production.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

COLOUR = quadrants(size=(24, 16))
GREY = COLOUR.convert("L")
RGBA = half_transparent(size=(24, 16))
TURNED = exif(orientation=6, description="a description")
EVERYTHING = {"exif": TURNED, "icc_profile": SWAPPED}
FILES: dict[str, list[bytes]] = {
    "JPEG": [
        encoded(COLOUR, "JPEG", comment=b"a comment", **EVERYTHING),
        encoded(COLOUR, "JPEG", progressive=True),
        encoded(COLOUR.convert("CMYK"), "JPEG", icc_profile=SWAPPED),
        encoded(COLOUR, "MPO", save_all=True, append_images=[GREY]),
    ],
    "PNG": [
        encoded(COLOUR, "PNG", **EVERYTHING),
        encoded(RGBA.quantize(8), "PNG"),
        encoded(sixteen_bit_grey(), "PNG"),
        encoded(RGBA, "PNG", save_all=True, append_images=[RGBA.rotate(180)]),
    ],
    "WEBP": [
        encoded(COLOUR, "WEBP", **EVERYTHING),
        encoded(RGBA, "WEBP", lossless=True),
        encoded(RGBA, "WEBP", save_all=True, append_images=[RGBA.rotate(180)]),
    ],
    "AVIF": [encoded(COLOUR, "AVIF", **EVERYTHING), encoded(RGBA, "AVIF")],
    "GIF": [
        encoded(RGBA, "GIF", comment=b"a comment"),
        encoded(GREY, "GIF", save_all=True, append_images=[GREY.rotate(180)]),
    ],
    "TIFF": [
        encoded(COLOUR, "TIFF", **EVERYTHING),
        encoded(COLOUR, "TIFF", compression="tiff_lzw"),
        encoded(COLOUR.convert("YCbCr"), "TIFF", compression="jpeg"),
        encoded(COLOUR.convert("1"), "TIFF", compression="packbits"),
        encoded(sixteen_bit_grey(), "TIFF"),
    ],
    "BMP": [encoded(COLOUR, "BMP"), encoded(COLOUR.quantize(8), "BMP")],
}

stable = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
outputs = st.sampled_from([None, "jpeg", "png", "webp", "avif", "gif"])
positions = st.integers(0, 2000)


def flip(content: bytes, at: int, value: int) -> bytes:
    at %= len(content)
    return content[:at] + bytes([content[at] ^ value]) + content[at + 1 :]


def cut(content: bytes, at: int, _: int) -> bytes:
    return content[: at % len(content) + 1]


def remove(content: bytes, at: int, count: int) -> bytes:
    at %= len(content)
    return content[: at + 1] + content[at + 1 + count :]


def repeat(content: bytes, at: int, count: int) -> bytes:
    at %= len(content)
    return content[:at] + content[at : at + count] + content[at:]


def overwrite(content: bytes, at: int, value: int) -> bytes:
    """Four bytes at once: what makes a length or an offset absurd."""
    at %= len(content)
    return content[:at] + bytes([value]) * 4 + content[at + 4 :]


Damage = Callable[[bytes, int, int], bytes]
damages: st.SearchStrategy[list[tuple[Damage, int, int]]] = st.lists(
    st.tuples(st.sampled_from([flip, cut, remove, repeat, overwrite]), positions, st.integers(1, 255)),
    min_size=1,
    max_size=8,
)


def check(source: bytes, output: OutputFormat | None) -> None:
    try:
        picture = resize(source, options(*BOX, output), LIMITS)
    except REFUSALS:
        return
    assert picture.size == plan(picture.source_size, options(*BOX)).size
    image = decoded(picture.content)
    assert (image.size, image.format) == (picture.size, picture.format.name.upper())


def test_every_format_that_is_read_is_damaged_here() -> None:
    assert set(FILES) == set(READERS)


@stable
@given(st.binary(max_size=2000), outputs)
def test_random_bytes(source: bytes, output: OutputFormat | None) -> None:
    check(source, output)


@pytest.mark.parametrize("files", FILES.values(), ids=FILES)
@stable
@given(data=st.data(), damage=damages, output=outputs)
def test_damaged_file(
    files: list[bytes],
    data: st.DataObject,
    damage: list[tuple[Damage, int, int]],
    output: OutputFormat | None,
) -> None:
    source = data.draw(st.sampled_from(files))
    for harm, at, value in damage:
        source = harm(source, at, value)
    check(source, output)


@stable
@given(data=st.data(), at=positions, other_at=positions, output=outputs)
def test_two_files_in_one(data: st.DataObject, at: int, other_at: int, output: OutputFormat | None) -> None:
    every = st.sampled_from([file for files in FILES.values() for file in files])
    one, other = data.draw(every), data.draw(every)
    check(one[: at % len(one)] + other[other_at % len(other) :], output)
