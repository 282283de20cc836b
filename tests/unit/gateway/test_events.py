from __future__ import annotations

from typing import Any

import orjson
import pytest

from infra.gateway.events import body_limit, build_event, read_answer, scheduled_event

HEADERS = [(b"host", b"api.example.com"), (b"user-agent", b"test")]


def scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/file/resize",
        "query_string": b"",
        "headers": HEADERS,
        "client": ("192.0.2.1", 1234),
        **changes,
    }


def event(body: bytes = b"", **changes: Any) -> dict[str, Any]:
    parts = build_event(scope(**changes), "POST /file/resize", {}, body)
    document: dict[str, Any] = orjson.loads(b"".join(parts))
    return document


def test_event_without_query_and_cookies_has_no_such_members() -> None:
    assert event().keys() == {
        *("version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded")
    }


def test_picture_is_a_part_of_its_own() -> None:
    parts = build_event(scope(), "POST /file/resize", {}, b"\xff" * 3000)
    assert b"/" * 4000 in parts


def test_compressed_text_is_base64() -> None:
    headers = [*HEADERS, (b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    assert event(b"{}", headers=headers)["isBase64Encoded"]


@pytest.mark.parametrize("length", [0, 1, 2, 3, 1000, 1001])
def test_body_of_the_limit_just_fits(length: int) -> None:
    payload_bytes = 8192 + length
    limit = body_limit(HEADERS, payload_bytes)
    parts = build_event(scope(), "POST /file/resize", {}, b"\xff" * limit)
    assert payload_bytes - 4096 < sum(map(len, parts)) <= payload_bytes


def test_no_body_fits_beside_headers_that_fill_the_event() -> None:
    assert body_limit([(b"x", b"x" * 9000)], 8192) == 0


@pytest.mark.parametrize(
    ("payload", "status", "headers", "body"),
    [
        ({"statusCode": 204}, 204, [], b""),
        ({"statusCode": "201", "body": "é"}, 201, [], "é".encode()),
        ({"statusCode": 200, "body": "/9g=", "isBase64Encoded": True}, 200, [], b"\xff\xd8"),
        ({"statusCode": 200, "headers": {"X-A": 1}}, 200, [(b"x-a", b"1")], b""),
        (
            {"statusCode": 200, "headers": None, "cookies": ["a=1; Path=/", "b=2"]},
            200,
            [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2")],
            b"",
        ),
        ({"message": "hello"}, 200, [(b"content-type", b"application/json")], b'{"message":"hello"}'),
        ("hello", 200, [(b"content-type", b"application/json")], b'"hello"'),
    ],
)
def test_answer(payload: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    answer = read_answer(orjson.dumps(payload))
    assert (answer.status, answer.headers, answer.body) == (status, headers, body)


def test_scheduled_event_names_the_function() -> None:
    document = orjson.loads(b"".join(scheduled_event("arn:aws:lambda:::function:janitor", "1")))
    assert document["detail-type"] == "Scheduled Event"
    assert document["resources"] == ["arn:aws:lambda:::function:janitor"]
