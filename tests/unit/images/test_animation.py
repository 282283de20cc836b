"""Animations: every frame, for as long and as often as it was shown, in every format that has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from PIL import Image, ImageSequence

from shared.errors import ParametersInvalid, SourceTooManyPixels, SourceUnreadable
from shared.images.animation import MAXIMUM_FRAMES, plays_of
from shared.images.formats import OutputFormat
from shared.images.limits import Limits
from shared.images.pipeline import resize
from shared.images.structure.gif import count_frames
from tests.pictures import COLOURS, SIZE, Colour, decoded, encoded, exif, furthest, means, options, quadrants

LIMITS = Limits(source_bytes=20_000_000, source_pixels=1_000_000)
TURNS: Sequence[Sequence[Colour]] = [COLOURS, COLOURS[::-1], [COLOURS[1], COLOURS[0], COLOURS[3], COLOURS[2]]]
FRAMES = [quadrants(colours) for colours in TURNS]
DURATIONS = [120, 250, 80]
ANIMATED: Sequence[OutputFormat] = ("gif", "webp", "png")


def film(name: str, frames: Sequence[Image.Image] = FRAMES, **more: Any) -> bytes:
    more = {"duration": DURATIONS, "loop": 0, **more}
    return encoded(frames[0], name, save_all=True, append_images=frames[1:], **more)


FILMS = {name: film(name) for name in ("GIF", "WEBP", "PNG")}


@pytest.mark.parametrize("output", ANIMATED)
@pytest.mark.parametrize("source", FILMS.values(), ids=FILMS)
def test_every_frame_is_resized_and_shown_as_long(source: bytes, output: OutputFormat) -> None:
    picture = resize(source, options(32, None, output), LIMITS)
    image = decoded(picture.content)
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        frames.append(frame.convert("RGB"))
        durations.append(frame.info["duration"])
    assert [frame.size for frame in frames] == [(32, 24)] * 3 and picture.frames == 3
    assert durations == DURATIONS
    for frame, colours in zip(frames, TURNS, strict=True):
        assert furthest(means(frame), colours) <= 12
    assert plays_of(image) == 0


@pytest.mark.parametrize("output", ANIMATED)
@pytest.mark.parametrize(
    "name, loop, plays", [("GIF", None, 1), ("GIF", 2, 3), ("WEBP", 3, 3), ("PNG", 2, 2)]
)
def test_plays_as_often(name: str, loop: int | None, plays: int, output: OutputFormat) -> None:
    picture = resize(film(name, loop=loop), options(32, None, output), LIMITS)
    assert plays_of(decoded(picture.content)) == plays


@pytest.mark.parametrize("output", ["jpeg", "avif"])
def test_format_without_animations_shows_the_first_frame(output: OutputFormat) -> None:
    picture = resize(FILMS["GIF"], options(32, None, output), LIMITS)
    assert picture.frames == 1
    assert furthest(means(decoded(picture.content)), COLOURS) <= 12


def test_animation_stays_in_its_own_format_unless_asked() -> None:
    assert decoded(resize(FILMS["WEBP"], options(32), LIMITS).content).format == "WEBP"


def test_auto_takes_a_format_that_moves() -> None:
    picture = resize(FILMS["GIF"], options(32, format="auto"), LIMITS, ("avif", "webp"))
    assert (picture.format.name, picture.frames) == ("webp", 3)
    still = resize(encoded(FRAMES[0], "GIF"), options(32, format="auto"), LIMITS, ("avif", "webp"))
    assert still.format.name == "avif"


@pytest.mark.parametrize("output", ANIMATED)
def test_what_is_transparent_in_a_frame_does_not_show_the_one_before(output: OutputFormat) -> None:
    full, empty = Image.new("RGBA", SIZE, (200, 60, 40, 255)), Image.new("RGBA", SIZE, (0, 0, 0, 0))
    source = film("WEBP", [full, empty], duration=100, lossless=True)
    image = decoded(resize(source, options(32, None, output), LIMITS).content)
    image.seek(1)
    assert image.convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_every_frame_is_turned_and_cropped() -> None:
    source = film("WEBP", exif=exif(orientation=6))
    picture = resize(source, options(24, 32, "webp", resizing_type="fill"), LIMITS)
    image = decoded(picture.content)
    assert (image.size, picture.source_size) == ((24, 32), (48, 64))
    image.seek(2)
    # A turn to the right: what was below on the left is now above on the left.
    turned = [TURNS[2][2], TURNS[2][0], TURNS[2][3], TURNS[2][1]]
    assert furthest(means(image.convert("RGB")), turned) <= 12


def test_picture_for_those_who_know_no_animation_is_no_frame_of_it() -> None:
    source = film("PNG", default_image=True, duration=DURATIONS[1:])
    picture = resize(source, options(32), LIMITS)
    assert picture.frames == 2
    assert furthest(means(decoded(picture.content).convert("RGB")), TURNS[1]) <= 8


@pytest.mark.parametrize("source", FILMS.values(), ids=FILMS)
def test_pixels_of_all_frames_count(source: bytes) -> None:
    most = SIZE[0] * SIZE[1] * 3
    assert resize(source, options(32), Limits(10**6, most)).frames == 3
    with pytest.raises(SourceTooManyPixels) as refusal:
        resize(source, options(32), Limits(10**6, most - 1))
    assert (refusal.value.limit, refusal.value.actual) == (most - 1, most)
    assert resize(source, options(32, None, "jpeg"), Limits(10**6, most - 1)).frames == 1


def test_frames_are_counted_before_one_is_decoded() -> None:
    frame = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\x01\0"
    source = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + frame * 100_000 + b";"
    with pytest.raises(SourceTooManyPixels) as refusal:
        resize(source, options(1), Limits(10**7, 10**7))
    assert (refusal.value.limit, refusal.value.actual) == (MAXIMUM_FRAMES, MAXIMUM_FRAMES + 1)


def test_result_of_too_many_pixels_in_all_is_refused() -> None:
    with pytest.raises(ParametersInvalid, match="in 3 frames"):
        resize(FILMS["GIF"], options(4096, 3072, enlarge=True), LIMITS)


@pytest.mark.parametrize("name", FILMS)
def test_animation_that_is_cut_off_is_no_half_animation(name: str) -> None:
    source = FILMS[name]
    with pytest.raises(SourceUnreadable):
        resize(source[: len(source) * 4 // 5], options(32, None, "webp"), LIMITS)


@pytest.mark.parametrize("duration", [0, 10])
def test_frame_that_says_no_time_is_shown_as_browsers_do(duration: int) -> None:
    picture = resize(film("GIF", duration=duration), options(32, None, "webp"), LIMITS)
    image = decoded(picture.content)
    image.load()
    assert image.info["duration"] == 100


def test_count_frames() -> None:
    source = FILMS["GIF"]
    assert [count_frames(source, most) for most in (1, 2, 3, 9)] == [2, 3, 3, 3]
    assert count_frames(source[:20], 9) == 0
