"""The front door as it serves: real processes, in AWS's runtime client, real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from infra.gateway.limits import GatewayLimits
from shared import bodies
from tests.integration.problems import assert_problem
from tests.runtime.front_door import QUIET, ROUTES, front_door, stub


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with front_door(QUIET, [stub()], ROUTES) as client:
        yield client


async def test_event_is_that_of_an_http_api(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/do/echo?a=1&a=2&b=%C3%A9&empty=",
        content=b"\xff\xd8picture",
        headers=[
            ("Content-Type", "image/jpeg"),
            ("X-Many", "one"),
            ("X-Many", "two"),
            ("Cookie", "k=v; l=w"),
            ("User-Agent", "test"),
        ],
    )
    event = answer.json()["event"]
    assert event["version"] == "2.0"
    assert (event["routeKey"], event["rawPath"]) == ("POST /do/{what}", "/do/echo")
    assert event["rawQueryString"] == "a=1&a=2&b=%C3%A9&empty="
    assert event["queryStringParameters"] == {"a": "1,2", "b": "é", "empty": ""}
    assert event["pathParameters"] == {"what": "echo"}
    assert event["cookies"] == ["k=v", "l=w"] and "cookie" not in event["headers"]
    assert event["headers"]["x-many"] == "one,two"
    assert (event["isBase64Encoded"], event["body"]) == (True, "/9hwaWN0dXJl")
    http = event["requestContext"]["http"]
    assert (http["method"], http["path"], http["sourceIp"]) == ("POST", "/do/echo", "127.0.0.1")
    assert (http["protocol"], http["userAgent"]) == ("HTTP/1.1", "test")
    assert event["requestContext"]["stage"] == "$default"


@pytest.mark.parametrize(
    ("content_type", "content", "body", "is_base64"),
    [
        ("application/json; charset=utf-8", '{"a":"é"}'.encode(), '{"a":"é"}', False),
        ("text/plain", b"text", "text", False),
        ("text/plain", b"\xff", "/w==", True),
        ("application/x-www-form-urlencoded", b"a=b", "YT1i", True),
        ("", b"x", "eA==", True),
    ],
)
async def test_only_text_is_not_base64(
    client: httpx.AsyncClient, content_type: str, content: bytes, body: str, is_base64: bool
) -> None:
    answer = await client.post("/do/echo", content=content, headers={"Content-Type": content_type})
    event = answer.json()["event"]
    assert (event["body"], event["isBase64Encoded"]) == (body, is_base64)


async def test_request_without_a_body_has_none(client: httpx.AsyncClient) -> None:
    event = (await client.get("/do/echo")).json()["event"]
    assert "body" not in event and not event["isBase64Encoded"]


async def test_platforms_request_id_is_the_answers_unless_the_caller_chose_it(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/do/echo")
    assert answer.headers["x-request-id"] == answer.json()["context"]
    chosen = await client.post("/do/echo", headers={"X-Request-Id": "mine"})
    assert chosen.headers["x-request-id"] == "mine"
    assert UUID(chosen.json()["context"]).version == 4


async def test_error_of_a_function_is_a_502_without_what_it_says(client: httpx.AsyncClient) -> None:
    answer = await client.post("/do/fail")
    assert_problem(answer, 502, "function_failed")
    assert "secret" not in answer.text
    assert (await client.post("/do/pid")).status_code == 200


@pytest.mark.parametrize("what", ["nonsense", "early", "split"])
async def test_answer_that_is_no_http_answer_is_a_502(client: httpx.AsyncClient, what: str) -> None:
    assert_problem(await client.post(f"/do/{what}"), 502, "function_failed")


async def test_headers_of_a_connection_are_not_the_functions(client: httpx.AsyncClient) -> None:
    answer = await client.post("/do/framed")
    assert answer.text == "framed" and answer.headers["x-a"] == "1"
    assert answer.headers["content-length"] == "6"
    assert not answer.headers.keys() & {"transfer-encoding", "connection"}


async def test_head_tells_the_length_of_what_get_would_have(client: httpx.AsyncClient) -> None:
    answer = await client.head("/do/head")
    assert (answer.headers["content-length"], answer.content) == ("15", b"")


async def test_upgrade_is_ignored_and_nothing_said_of_it(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    assert (await client.post("/do/pid", headers=upgrade)).status_code == 200
    assert [record.message for record in caplog.records if record.name.startswith("uvicorn")] == []


async def test_headers_that_api_gateway_would_not_take_are_refused(client: httpx.AsyncClient) -> None:
    many = [("X-Many", "v" * 20)] * 500
    problem = assert_problem(await client.post("/do/pid", headers=many), 431, "headers_too_large")
    assert problem["limit"] == 10_240 < problem["actual"]


async def test_text_that_json_makes_larger_is_refused_by_its_event(client: httpx.AsyncClient) -> None:
    answer = await client.post("/do/pid", content=b"\0" * 2_000_000, headers={"Content-Type": "text/plain"})
    problem = assert_problem(answer, 413, "payload_too_large")
    assert problem["actual"] > 12_000_000


async def test_caller_who_goes_away_gives_up_his_place() -> None:
    options = replace(QUIET, limits=GatewayLimits(waiting=2))
    async with front_door(options, [stub()], ROUTES) as client:
        left = [asyncio.create_task(client.post("/do/slow")) for _ in range(3)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(left[0]), 0.1)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        answers = await asyncio.gather(*(client.post("/do/pid") for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_answer_over_6_mb_is_a_502(client: httpx.AsyncClient) -> None:
    assert assert_problem(await client.post("/do/large"), 502, "answer_too_large")["limit"] == 6_291_556
    assert (await client.post("/do/pid")).status_code == 200


@pytest.mark.parametrize("is_declared", [True, False])
async def test_request_over_6_mb_is_refused(client: httpx.AsyncClient, is_declared: bool) -> None:
    body = b"\xff" * 6_300_000

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    problem = assert_problem(
        await client.post("/do/echo", content=body if is_declared else chunks()), 413, "payload_too_large"
    )
    assert problem["limit"] < problem["actual"] <= len(body)
    assert "POST /file/upload" not in problem["detail"]


async def test_largest_body_just_fits(client: httpx.AsyncClient) -> None:
    refused = await client.post("/do/pid", content=b"\xff" * 6_300_000)
    fitting = await client.post("/do/pid", content=b"\xff" * (refused.json()["limit"]))
    assert fitting.status_code == 200


async def test_limits_can_be_lifted() -> None:
    options = replace(QUIET, limits=GatewayLimits(payload_bytes=20_000_000))
    async with front_door(options, [stub()], ROUTES) as client:
        assert (await client.post("/do/pid", content=b"\xff" * 7_000_000)).status_code == 200
        assert len((await client.post("/do/large")).content) == 7_000_000


async def test_beyond_the_queue_is_a_429_with_what_the_queue_takes() -> None:
    options = replace(QUIET, limits=GatewayLimits(waiting=2))
    async with front_door(options, [stub()], ROUTES) as client:
        answers = await asyncio.gather(*(client.post("/do/slow") for _ in range(6)))
        statuses = sorted(answer.status_code for answer in answers)
        assert set(statuses) == {200, 429} and statuses.count(200) in (2, 3)
        for refused in (answer for answer in answers if answer.status_code == 429):
            problem = assert_problem(refused, 429, "too_busy")
            assert (problem["limit"], problem["actual"]) == (2, 3)
            assert int(refused.headers["retry-after"]) >= 1


async def test_no_more_is_held_of_bodies_than_there_is_room_for(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "HELD_BYTES", 100_000)
    assert_problem(await client.post("/do/echo", content=b"x" * 100_001), 429, "too_busy")
    assert (await client.post("/do/echo", content=b"x" * 100_000)).status_code == 200


async def test_caller_who_goes_away_takes_no_environment_with_him(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/do/slow", timeout=0.1)
    assert (await client.post("/do/pid")).status_code == 200
