"""POST /file/resize: what is refused, by which code, and how early."""

from __future__ import annotations

import struct

import httpx
import pytest

from tests.accounts import SignedIn
from tests.integration.problems import assert_problem
from tests.integration.uploads import FORM, ROUTE, Chunks, Resizer, field, file, form
from tests.pictures import encoded, png, quadrants

HUNDRED = "width=100&format=png"
BEARER = 'Bearer error="invalid_token"'


NO_TOKENS = {
    "none": {},
    "empty": {"Authorization": ""},
    "another scheme": {"Authorization": "Basic dXNlcjpwYXNz"},
    "no token": {"Authorization": "Bearer "},
    "no JWT": {"Authorization": "Bearer token"},
    "unsigned": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."},
}


@pytest.mark.parametrize("headers", NO_TOKENS.values(), ids=NO_TOKENS)
@pytest.mark.parametrize("query", [HUNDRED, "width=abc", ""])
async def test_without_a_token_no_byte_is_read(
    client: httpx.AsyncClient, headers: dict[str, str], query: str
) -> None:
    body = Chunks(bytes(10_000))
    answer = await client.post(f"{ROUTE}?{query}", content=body, headers=headers)
    assert_problem(answer, 401, "invalid_token")
    assert answer.headers["www-authenticate"] == BEARER
    assert body.read == 0


async def test_token_that_was_changed_is_refused(
    client: httpx.AsyncClient, signed_in: SignedIn, photograph: bytes
) -> None:
    claims, _, signature = signed_in.access_token.rpartition(".")
    headers = {"Authorization": f"Bearer {claims}.{signature[::-1]}"}
    answer = await client.post(f"{ROUTE}?{HUNDRED}", content=photograph, headers=headers)
    assert_problem(answer, 401, "invalid_token")
    assert answer.headers["www-authenticate"] == BEARER


@pytest.mark.parametrize(
    "query, limit, actual",
    [
        ("width=0", 1, 0),
        ("width=-1", 1, -1),
        ("width=8193", 8192, 8193),
        ("width=100&height=0", 1, 0),
        ("height=8193", 8192, 8193),
        ("width=100&quality=0", 1, 0),
        ("width=100&quality=101", 100, 101),
    ],
)
async def test_parameter_beyond_its_bound_is_refused(
    resizer: Resizer, photograph: bytes, query: str, limit: int, actual: int
) -> None:
    problem = assert_problem(await resizer.post(query, photograph), 422, "parameters_invalid")
    assert (problem["limit"], problem["actual"]) == (limit, actual)


@pytest.mark.parametrize(
    "query, name",
    [
        ("width=abc", "width"),
        ("width=1.5", "width"),
        ("width=", "width"),
        ("width=1e2", "width"),
        ("width=NaN", "width"),
        ("width=100&quality=high", "quality"),
        ("width=100&format=bmp", "format"),
        ("width=100&format=JPEG", "format"),
        ("width=100&widht=100", "widht"),
        ("width=100&width=200", "width"),
        ("", "query"),
        ("format=png&quality=50", "query"),
    ],
)
async def test_parameter_that_is_not_valid_is_refused(
    resizer: Resizer, photograph: bytes, query: str, name: str
) -> None:
    problem = assert_problem(await resizer.post(query, photograph), 422, "parameters_invalid")
    assert [(error["in"], error["name"]) for error in problem["errors"]] == [("query", name)]
    assert not problem.keys() & {"limit", "actual"}


BEYOND_A_WORD = {
    "2^64": str(2**64),
    "-2^63 - 1": str(-(2**63) - 1),
    "30 digits": "9" * 30,
    "5000 digits": "9" * 5000,
}


@pytest.mark.parametrize("value", BEYOND_A_WORD.values(), ids=BEYOND_A_WORD)
@pytest.mark.parametrize("name", ["width", "height", "quality"])
async def test_number_that_no_machine_word_holds_is_refused(
    resizer: Resizer, photograph: bytes, name: str, value: str
) -> None:
    answer = await resizer.post(f"{name}={value}", photograph)
    problem = assert_problem(answer, 422, "parameters_invalid")
    assert (problem["errors"][0]["in"], problem["errors"][0]["name"]) == ("query", name)


PICTURE = file(b"GIF89a")
BAD_FORMS = {
    "no field": (form(), FORM),
    "no body": (b"", FORM),
    "another field": (form(field(b"picture", b"GIF89a")), FORM),
    "text named file": (form(field(b"file", b"GIF89a")), FORM),
    "a file of another name": (form(file(b"GIF89a", field=b"picture")), FORM),
    "two files": (form(PICTURE, PICTURE), FORM),
    "a field without a name": (b"--edge\r\nX-Name: file\r\n\r\nGIF89a\r\n--edge--\r\n", FORM),
    "many fields": (form(*[field(b"note", b"")] * 100, PICTURE), FORM),
    "a long field": (form(field(b"note", b"x" * 2**21), PICTURE), FORM),
    "no boundary": (form(PICTURE), "multipart/form-data"),
    "an empty boundary": (form(PICTURE), "multipart/form-data; boundary="),
    "another boundary": (form(PICTURE), "multipart/form-data; boundary=other"),
    "a long boundary": (form(PICTURE), f"multipart/form-data; boundary={'x' * 3000}"),
    "cut off": (form(PICTURE)[:-10], FORM),
    "no form": (b"GIF89a", FORM),
}


@pytest.mark.parametrize("body, content_type", BAD_FORMS.values(), ids=BAD_FORMS)
async def test_form_without_the_picture_is_refused(resizer: Resizer, body: bytes, content_type: str) -> None:
    assert_problem(await resizer.post(HUNDRED, body, content_type), 422, "body_invalid")


def bigtiff(side: int) -> bytes:
    """Return the header of a TIFF whose sides take 64 bits each (BigTIFF)."""
    tags = [
        (256, side),
        (257, side),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 16),
        (277, 1),
        (278, side),
        (279, 1),
    ]
    directory = b"".join(struct.pack("<HHQQ", tag, 16, 1, value) for tag, value in tags)
    return b"II" + struct.pack("<HHHQQ", 43, 8, 0, 16, len(tags)) + directory + bytes(8)


async def test_no_body_is_unreadable(resizer: Resizer) -> None:
    problem = assert_problem(await resizer.post(HUNDRED, b""), 422, "source_unreadable")
    assert (problem["limit"], problem["actual"]) == (1, 0)


async def test_empty_file_is_unreadable(resizer: Resizer) -> None:
    answer = await resizer.post(HUNDRED, form(file(b"")), FORM)
    assert_problem(answer, 422, "source_unreadable")


@pytest.mark.parametrize("length", [400, 10_000, 100_000])
async def test_photograph_cut_off_is_unreadable(resizer: Resizer, photograph: bytes, length: int) -> None:
    assert_problem(await resizer.post(HUNDRED, photograph[:length]), 422, "source_unreadable")


@pytest.mark.parametrize("content_type", [None, "image/jpeg", "text/plain"])
async def test_text_is_unsupported(resizer: Resizer, content_type: str | None) -> None:
    answer = await resizer.post(HUNDRED, b'{"source": "a picture"}', content_type)
    assert_problem(answer, 415, "source_unsupported")


async def test_eps_is_unsupported_whatever_it_is_called(resizer: Resizer) -> None:
    answer = await resizer.post(HUNDRED, encoded(quadrants(), "EPS"), "image/jpeg")
    assert_problem(answer, 415, "source_unsupported")


async def test_picture_of_2_5_gigapixels_is_refused(resizer: Resizer) -> None:
    answer = await resizer.post(HUNDRED, png((50_000, 50_000)))
    problem = assert_problem(answer, 422, "source_too_many_pixels")
    assert (problem["limit"], problem["actual"]) == (67_108_864, 2_500_000_000)


async def test_picture_of_more_pixels_than_a_machine_word_holds_is_refused(resizer: Resizer) -> None:
    assert_problem(await resizer.post(HUNDRED, bigtiff(2**63)), 422, "source_too_many_pixels")


async def test_side_that_is_too_long_is_refused(resizer: Resizer) -> None:
    problem = assert_problem(await resizer.post(HUNDRED, png((65_536, 1))), 422, "source_too_many_pixels")
    assert (problem["limit"], problem["actual"]) == (65_535, 65_536)


async def test_fax_is_unsupported(resizer: Resizer) -> None:
    source = encoded(quadrants().convert("1"), "TIFF", compression="group4")
    assert_problem(await resizer.post(HUNDRED, source), 415, "source_unsupported")


async def test_file_that_is_built_to_cost_work_is_unreadable(resizer: Resizer) -> None:
    photograph = encoded(quadrants(), "JPEG")
    answer = await resizer.post(HUNDRED, photograph[:2] + b"\xff\xe5\0\2" * 1024 + photograph[2:])
    problem = assert_problem(answer, 422, "source_unreadable")
    assert (problem["limit"], problem["actual"]) == (1024, 1025)


@pytest.mark.parametrize("output", ["png", "webp", "avif", "gif"])
async def test_result_of_too_many_pixels_is_refused(resizer: Resizer, output: str) -> None:
    whole = encoded(quadrants(size=(8, 8)), "JPEG")
    frame = whole.index(b"\xff\xc0") + 5
    source = whole[:frame] + struct.pack(">HH", 6000, 5000) + whole[frame + 4 :]
    answer = await resizer.post(f"width=8192&format={output}", source)
    problem = assert_problem(answer, 422, "parameters_invalid")
    assert (problem["limit"], problem["actual"]) == (25_000_000, 30_000_000)


@pytest.mark.parametrize("coding, status", [("gzip", 415), ("br", 415), ("identity", 200), ("", 200)])
async def test_body_comes_as_it_is(resizer: Resizer, photograph: bytes, coding: str, status: int) -> None:
    answer = await resizer.post(HUNDRED, photograph, **{"Content-Encoding": coding})
    assert answer.status_code == status
    if status != 200:
        assert_problem(answer, 415, "media_type_unsupported")


async def test_two_tokens_are_none(client: httpx.AsyncClient, signed_in: SignedIn, photograph: bytes) -> None:
    bearer = ("Authorization", f"Bearer {signed_in.access_token}")
    answer = await client.post(f"{ROUTE}?{HUNDRED}", content=photograph, headers=[bearer, bearer])
    assert_problem(answer, 401, "invalid_token")


@pytest.mark.parametrize("key", ["", "two words", "\x7f", "x" * 256])
async def test_idempotency_key_that_is_none_is_refused_though_no_job_is_asked_for(
    resizer: Resizer, photograph: bytes, key: str
) -> None:
    answer = await resizer.post(HUNDRED, photograph, **{"Idempotency-Key": key})
    problem = assert_problem(answer, 422, "parameters_invalid")
    assert [(each["in"], each["name"]) for each in problem["errors"]] == [("header", "Idempotency-Key")]
