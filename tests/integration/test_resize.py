"""POST /file/resize: what comes back, however the picture was sent."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from shared.images.formats import FORMATS, OutputFormat
from tests.integration.problems import assert_problem
from tests.integration.uploads import FORM, Resizer, field, file, form
from tests.pictures import decoded

HUNDRED = "width=100&format=png"
SIZE = (100, 67)
"""What the photograph becomes by HUNDRED."""


CONTENT_TYPES = [
    "image/jpeg",
    "image/png",
    "application/octet-stream",
    "text/plain",
    "multipart/mixed",
    "nonsense",
]


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", *CONTENT_TYPES])
async def test_body_is_the_picture_whatever_its_content_type(
    resizer: Resizer, photograph: bytes, content_type: str | None
) -> None:
    answer = await resizer.post(HUNDRED, photograph, content_type)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert decoded(answer.content).size == SIZE


@pytest.mark.parametrize(
    "content_type", [FORM, FORM.upper().replace("EDGE", "edge"), f'{FORM}; charset="utf-8"']
)
async def test_picture_is_the_field_named_file(
    resizer: Resizer, photograph: bytes, content_type: str
) -> None:
    body = form(field(b"note", b"a note"), file(photograph))
    answer = await resizer.post(HUNDRED, body, content_type)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert decoded(answer.content).size == SIZE


async def test_form_of_a_real_client(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post_file(HUNDRED, "rocket.jpg", photograph)
    assert answer.headers["content-disposition"] == 'inline; filename="rocket-100x67.png"'
    assert decoded(answer.content).size == SIZE


@pytest.mark.parametrize(
    "name, disposition",
    [
        (b"rocket.jpg", 'inline; filename="rocket-100x67.png"'),
        (b"rocket", 'inline; filename="rocket-100x67.png"'),
        (b"a rocket.of.1969.JPEG", 'inline; filename="a rocket.of.1969-100x67.png"'),
        (b"", 'inline; filename="image-100x67.png"'),
        (b"../../etc/rocket.jpg", 'inline; filename="rocket-100x67.png"'),
        (b"x" * 300 + b".jpg", f'inline; filename="{"x" * 100}-100x67.png"'),
        (b"..", 'inline; filename="image-100x67.png"'),
        (b"/", 'inline; filename="image-100x67.png"'),
        (rb"C:\fakepath\rocket.jpg", 'inline; filename="rocket-100x67.png"'),
        (
            "fusée 火箭.jpg".encode(),
            'inline; filename="fus_e __-100x67.png"; '
            "filename*=UTF-8''fus%C3%A9e%20%E7%81%AB%E7%AE%AD-100x67.png",
        ),
        (
            rb"the \"rocket\".jpg",
            "inline; filename=\"the _rocket_-100x67.png\"; filename*=UTF-8''the%20%22rocket%22-100x67.png",
        ),
        (
            b"the %22rocket%22.jpg",
            "inline; filename=\"the _rocket_-100x67.png\"; filename*=UTF-8''the%20%22rocket%22-100x67.png",
        ),
        (b"100%.jpg", "inline; filename=\"100_-100x67.png\"; filename*=UTF-8''100%25-100x67.png"),
        (b"a\x01b\x7f.jpg", "inline; filename=\"a_b_-100x67.png\"; filename*=UTF-8''a%01b%7F-100x67.png"),
        (b"a'b;c.jpg", 'inline; filename="a\'b;c-100x67.png"'),
    ],
)
async def test_result_is_named_after_the_upload(
    resizer: Resizer, photograph: bytes, name: bytes, disposition: str
) -> None:
    answer = await resizer.post(HUNDRED, form(file(photograph, name)), FORM)
    assert answer.headers["content-disposition"] == disposition


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "hex", "punycode", "nonsense", "latin-1"])
async def test_form_of_another_charset_is_refused(resizer: Resizer, photograph: bytes, charset: str) -> None:
    """Python decodes a megabyte of punycode for minutes."""
    answer = await resizer.post(HUNDRED, form(file(photograph)), f"{FORM}; charset={charset}")
    assert_problem(answer, 415, "media_type_unsupported")


async def test_field_as_large_as_a_picture_is_refused(resizer: Resizer, photograph: bytes) -> None:
    note = field(b"note", b"x" * 20_000)
    answer = await resizer.post(HUNDRED, form(note, file(photograph)), FORM)
    assert_problem(answer, 422, "body_invalid")


async def test_result_without_a_name_is_called_image(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post(HUNDRED, photograph)
    assert answer.headers["content-disposition"] == 'inline; filename="image-100x67.png"'


@pytest.mark.parametrize(
    "box, size",
    [
        ("width=200", (200, 133)),
        ("height=100", (150, 100)),
        ("width=200&height=100", (150, 100)),
        ("width=50&height=8192", (50, 33)),
        ("width=8192&height=8192", (640, 427)),
        ("width=1", (1, 1)),
    ],
)
async def test_picture_fits_into_the_box(
    resizer: Resizer, photograph: bytes, box: str, size: tuple[int, int]
) -> None:
    answer = await resizer.post(box, photograph)
    assert decoded(answer.content).size == size
    assert answer.headers["content-disposition"] == f'inline; filename="image-{size[0]}x{size[1]}.jpg"'


@pytest.mark.parametrize("output", get_args(OutputFormat))
async def test_picture_is_in_the_format_asked_for(
    resizer: Resizer, photograph: bytes, output: OutputFormat
) -> None:
    answer = await resizer.post(f"width=100&format={output}", photograph)
    assert answer.headers["content-type"] == FORMATS[output].media_type
    assert decoded(answer.content).format == output.upper()


async def test_quality_is_heeded(resizer: Resizer, photograph: bytes) -> None:
    answers = [await resizer.post(f"width=100&quality={quality}", photograph) for quality in (1, 100)]
    assert [decoded(answer.content).size for answer in answers] == [SIZE, SIZE]
    assert len(answers[0].content) * 2 < len(answers[1].content)


async def test_answer_says_how_long_each_stage_took(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post(HUNDRED, photograph)
    timing = answer.headers["server-timing"]
    stages = re.findall(r"(\w+);dur=\d+\.\d(?:, |$)", timing)
    assert stages == ["queue", "decode", "resize", "encode", "total"], timing


async def test_answer_is_for_the_caller_alone(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post(HUNDRED, photograph)
    assert answer.headers["cache-control"] == "private"
