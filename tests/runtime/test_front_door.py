"""The front door as it serves: real processes, in AWS's runtime client, real sockets."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from infra.gateway import reload
from infra.gateway.errors import EnvironmentLost
from infra.gateway.functions import Function
from infra.gateway.limits import GatewayLimits
from infra.gateway.routes import Route
from infra.gateway.runtime import RuntimeOptions, open_front_door
from infra.local.ports import free_port, listen
from infra.local.server import Server
from tests.integration.problems import assert_problem
from tests.runtime.front_door import TIMEOUT_SECONDS, front_door, stub

ROUTES = [Route("stub", "POST", "/do/{what}")]
QUIET = RuntimeOptions(processes=1, reload=False, print_=lambda text: None)


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


async def test_environment_killed_in_the_middle_is_a_502_and_replaced(client: httpx.AsyncClient) -> None:
    before = (await client.post("/do/pid")).text
    assert_problem(await client.post("/do/kill"), 502, "environment_lost")
    after = await client.post("/do/pid")
    assert after.status_code == 200 and after.text != before


async def test_environment_that_exits_is_a_502_and_replaced(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/do/exit"), 502, "environment_lost")
    assert (await client.post("/do/pid")).status_code == 200


async def test_environment_whose_child_holds_its_output_is_replaced(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        assert_problem(await client.post("/do/orphan"), 502, "environment_lost")
    assert (await client.post("/do/pid")).status_code == 200


async def test_function_that_takes_too_long_is_a_504_and_replaced(client: httpx.AsyncClient) -> None:
    before = (await client.post("/do/pid")).text
    problem = assert_problem(await client.post("/do/hang"), 504, "function_timed_out")
    assert problem["limit"] == TIMEOUT_SECONDS
    after = await client.post("/do/pid")
    assert after.status_code == 200 and after.text != before
    with pytest.raises(ProcessLookupError):
        os.kill(int(before), 0)


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
    options = RuntimeOptions(
        processes=1, reload=False, print_=lambda text: None, limits=GatewayLimits(payload_bytes=20_000_000)
    )
    async with front_door(options, [stub()], ROUTES) as client:
        assert (await client.post("/do/pid", content=b"\xff" * 7_000_000)).status_code == 200
        assert len((await client.post("/do/large")).content) == 7_000_000


async def test_beyond_the_queue_is_a_429_with_what_the_queue_takes() -> None:
    options = RuntimeOptions(
        processes=1, reload=False, print_=lambda text: None, limits=GatewayLimits(waiting=2)
    )
    async with front_door(options, [stub()], ROUTES) as client:
        answers = await asyncio.gather(*(client.post("/do/slow") for _ in range(6)))
        statuses = sorted(answer.status_code for answer in answers)
        assert set(statuses) == {200, 429} and statuses.count(200) in (2, 3)
        for refused in (answer for answer in answers if answer.status_code == 429):
            problem = assert_problem(refused, 429, "too_busy")
            assert (problem["limit"], problem["actual"]) == (2, 3)
            assert int(refused.headers["retry-after"]) >= 1


async def test_more_environments_are_started_when_none_is_idle() -> None:
    options = RuntimeOptions(processes=2, reload=False, print_=lambda text: None)
    async with front_door(options, [stub()], ROUTES) as client:
        answers = await asyncio.gather(*(client.post("/do/slow") for _ in range(6)))
        assert len({answer.text for answer in answers}) == 2


async def test_caller_who_goes_away_takes_no_environment_with_him(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/do/slow", timeout=0.1)
    assert (await client.post("/do/pid")).status_code == 200


async def test_frozen_environment_goes_on_where_it_was(client: httpx.AsyncClient) -> None:
    pid = int((await client.post("/do/pid")).text)
    os.kill(pid, signal.SIGSTOP)
    asked = asyncio.create_task(client.post("/do/pid"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asked), 0.2)
    os.kill(pid, signal.SIGCONT)
    assert (await asked).text == str(pid)


async def test_stopping_lets_what_is_under_way_come_to_its_end() -> None:
    async with front_door(QUIET, [stub()], ROUTES) as client:
        pid = int((await client.post("/do/pid")).text)
        under_way = asyncio.create_task(client.post("/do/slow"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(under_way), 0.1)
    assert (await under_way).text == str(pid)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_stopping_waits_only_so_long_and_says_so() -> None:
    listener = listen(0)
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        open_front_door(QUIET, [stub()], ROUTES) as app,
        httpx.AsyncClient(base_url=base_url) as client,
    ):
        server = Server(app, drain_seconds=0)
        serving = asyncio.create_task(server.serve([listener]))
        await server.ready.wait()
        under_way = asyncio.create_task(client.post("/do/hang"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(under_way), 0.3)
        server.should_exit = True
        assert_problem(await under_way, 502, "environment_lost")
        await serving


async def test_function_that_cannot_start_stops_the_front_door() -> None:
    broken = Function("broken", module="tests.runtime.nothing_here")
    printed: list[bytes] = []
    options = RuntimeOptions(processes=1, reload=False, print_=printed.append)
    with pytest.raises(EnvironmentLost, match="broken cannot be started"):
        async with front_door(options, [broken], []):
            pass
    assert b"No module named 'tests.runtime.nothing_here'" in b"".join(printed)


async def test_changed_code_is_loaded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "functions" / "stub").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    monkeypatch.setattr(reload, "FUNCTIONS", tmp_path / "functions")
    monkeypatch.setattr(reload, "SHARED", tmp_path / "shared")
    options = replace(QUIET, reload=True)
    async with front_door(options, [stub()], ROUTES) as client:
        before = (await client.post("/do/pid")).text
        source = tmp_path / "functions" / "stub" / "service.py"
        # Written until it is noticed: nothing says when the watch has begun.
        while (after := (await client.post("/do/pid")).text) == before:
            source.write_text(f"# {time.monotonic_ns()}")
        assert after != before


async def test_function_that_broke_is_told_at_once_and_mended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "mended.py"
    module.write_text("from tests.runtime.handlers import handler")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "functions").mkdir()
    monkeypatch.setattr(reload, "FUNCTIONS", tmp_path / "functions")
    monkeypatch.setattr(reload, "SHARED", tmp_path)
    function = replace(stub(), module="mended")
    async with front_door(replace(QUIET, reload=True), [function], ROUTES) as client:
        assert (await client.post("/do/pid")).status_code == 200
        while (await client.post("/do/pid")).status_code == 200:
            module.write_text(f"this is no Python {time.monotonic_ns()}")
        problem = assert_problem(await client.post("/do/pid"), 502, "environment_lost")
        assert problem["detail"].startswith("stub")
        module.write_text("from tests.runtime.handlers import handler")
        while (await client.post("/do/pid")).status_code != 200:
            await asyncio.sleep(0.01)


RUNTIME = "/2018-06-01/runtime/invocation"


ADDRESSES = {"one.front-door": "127.0.0.2", "two.front-door": "127.0.0.1"}
"""As where each function has a network of its own."""


@pytest.fixture
async def by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A caller, and a container of the function `two` that is played by hand."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: resolve(ADDRESSES.get(host, host), *rest, **more)
    )
    port = free_port(0)
    options = replace(QUIET, processes=0, host="0.0.0.0", port=port)
    routes = [Route("two", "POST", "/do/{what}")]
    host = {"Host": f"two.front-door:{port}"}
    async with front_door(options, [stub("one"), stub("two")], routes) as caller:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=host, timeout=30
        ) as container:
            yield caller, container


async def test_container_asks_by_the_name_of_its_function(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    caller, container = by_hand
    answered = asyncio.create_task(caller.post("/do/anything"))
    event = await container.get(f"{RUNTIME}/next")
    identifier = event.headers["lambda-runtime-aws-request-id"]
    answer = {"statusCode": 200, "body": "by hand"}
    assert (await container.post(f"{RUNTIME}/{identifier}/response", json=answer)).status_code == 202
    assert (await answered).text == "by hand"
    assert (await container.post(f"{RUNTIME}/{identifier}/response", json=answer)).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "three.front-door:9001"},
        {"Host": "one.front-door:9001"},
    ],
)
async def test_page_stranger_and_container_of_another_function_are_no_environments(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient], headers: dict[str, str]
) -> None:
    _, container = by_hand
    assert (await container.get(f"{RUNTIME}/next", headers=headers)).status_code == 404


async def test_process_of_another_user_is_turned_away(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, container = by_hand
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    with pytest.raises(httpx.TransportError):
        await container.get(f"{RUNTIME}/next")


async def test_container_that_comes_back_at_its_address_is_given_events(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """The extension that it had registered before is forgotten: nobody waits for that one any more."""
    caller, container = by_hand
    for _ in range(2):
        name = {"Lambda-Extension-Name": "metrics"}
        registered = await container.post("/2020-01-01/extension/register", headers=name, json={})
        assert registered.headers["lambda-extension-identifier"]
    identifier = {"Lambda-Extension-Identifier": registered.headers["lambda-extension-identifier"]}
    heard = asyncio.create_task(container.get("/2020-01-01/extension/event/next", headers=identifier))
    answered = asyncio.create_task(caller.post("/do/anything"))
    event = await container.get(f"{RUNTIME}/next")
    request_id = event.headers["lambda-runtime-aws-request-id"]
    await container.post(f"{RUNTIME}/{request_id}/response", json={"statusCode": 204})
    assert (await answered).status_code == 204
    assert (await heard).json()["requestId"] == request_id


async def test_scheduled_function_is_invoked_from_the_start() -> None:
    printed: list[bytes] = []
    function = replace(stub(), schedules=("rate(5 minutes)",), module="tests.runtime.scheduled")
    async with front_door(replace(QUIET, print_=printed.append), [function], []):
        while not printed:
            await asyncio.sleep(0.01)
    assert b"Scheduled Event of aws.scheduler" in b"".join(printed)
