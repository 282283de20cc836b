"""POST /file/resize: how many bytes are taken, and that no more are read than it takes to know."""

from __future__ import annotations

import pytest

from infra.gateway.asgi import load_app
from shared.images.limits import MAXIMUM_OUTPUT_PIXELS_A_SIDE, MAXIMUM_SOURCE_PIXELS_A_SIDE, Limits
from shared.on_startup.pictures import picture_limits
from tests.integration.problems import assert_problem
from tests.integration.uploads import FORM, Chunks, Resizer, file, form
from tests.pictures import decoded, encoded, quadrants

HUNDRED = "width=100&format=png"
SIZE = (100, 67)
MORE_THAN_A_FORM_ADDS = 20_000


@pytest.fixture
def limit(photograph: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    """At most this many bytes are taken: as many as the photograph has."""
    limits = Limits(source_bytes=len(photograph), source_pixels=50_000_000)
    monkeypatch.setitem(load_app("resize").dependency_overrides, picture_limits, lambda: limits)
    return limits.source_bytes


@pytest.mark.usefixtures("limit")
async def test_picture_of_as_many_bytes_as_allowed_is_taken(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post(HUNDRED, photograph)
    assert (answer.status_code, decoded(answer.content).size) == (200, SIZE)


@pytest.mark.usefixtures("limit")
async def test_a_form_may_be_larger_than_its_picture(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post(HUNDRED, form(file(photograph)), FORM)
    assert (answer.status_code, decoded(answer.content).size) == (200, SIZE)


@pytest.mark.usefixtures("limit")
async def test_picture_may_come_in_chunks(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post(HUNDRED, Chunks(photograph))
    assert (answer.status_code, decoded(answer.content).size) == (200, SIZE)


async def test_one_byte_too_many_is_refused(resizer: Resizer, photograph: bytes, limit: int) -> None:
    answer = await resizer.post(HUNDRED, photograph + b"x")
    problem = assert_problem(answer, 413, "source_too_large")
    assert (problem["limit"], problem["actual"]) == (limit, limit + 1)


async def test_length_that_is_too_large_is_refused_unread(resizer: Resizer, limit: int) -> None:
    body = Chunks(bytes(limit + 1))
    answer = await resizer.post(HUNDRED, body, **{"Content-Length": str(limit + 1)})
    problem = assert_problem(answer, 413, "source_too_large")
    assert (problem["limit"], problem["actual"]) == (limit, limit + 1)
    assert body.read == 0


@pytest.mark.parametrize("length", ["18446744073709551616", "9" * 30])
async def test_length_that_no_machine_word_holds_is_refused_unread(resizer: Resizer, length: str) -> None:
    body = Chunks(bytes(10))
    answer = await resizer.post(HUNDRED, body, **{"Content-Length": length})
    assert_problem(answer, 413, "source_too_large")
    assert body.read == 0


@pytest.mark.parametrize(
    "headers", [{}, {"Content-Length": "10"}], ids=["no length", "a length that is a lie"]
)
async def test_body_is_read_no_further_than_its_limit(
    resizer: Resizer, limit: int, headers: dict[str, str]
) -> None:
    body = Chunks(bytes(2 * limit), size=1000)
    answer = await resizer.post(HUNDRED, body, **headers)
    problem = assert_problem(answer, 413, "source_too_large")
    assert problem["limit"] == limit
    assert limit < problem["actual"] == body.read <= limit + 1000


async def test_picture_in_a_form_is_measured_alone(resizer: Resizer, photograph: bytes, limit: int) -> None:
    answer = await resizer.post(HUNDRED, form(file(photograph + b"x")), FORM)
    problem = assert_problem(answer, 413, "source_too_large")
    assert (problem["limit"], problem["actual"]) == (limit, limit + 1)


async def test_form_is_read_no_further_than_its_limit(resizer: Resizer, limit: int) -> None:
    body = Chunks(form(file(bytes(2 * limit))), size=1000)
    answer = await resizer.post(HUNDRED, body, FORM)
    assert_problem(answer, 413, "source_too_large")
    assert limit < body.read <= limit + MORE_THAN_A_FORM_ADDS


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif", "gif"])
async def test_side_that_was_left_out_has_a_bound_too(resizer: Resizer, output: str) -> None:
    tall = encoded(quadrants(size=(2, MAXIMUM_SOURCE_PIXELS_A_SIDE)), "PNG")
    answer = await resizer.post(f"width=2&format={output}", tall)
    assert answer.status_code == 200, answer.text
    assert max(decoded(answer.content).size) <= MAXIMUM_OUTPUT_PIXELS_A_SIDE
