from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from prometheus_client import Counter
from starlette.exceptions import HTTPException
from starlette.types import Message

from shared.app import create_app
from shared.errors import ConfigurationError, TooBusy
from shared.responses import problems
from shared.types import Resource
from tests.integration.problems import assert_problem

REQUESTS = "passepartout_http_requests_total"
DURATION = "passepartout_http_request_duration_seconds_count"
SECRET = "hunter2"
FAILURES = {"/broken": "LookupError", "/exiting": "SystemExit"}

router = APIRouter()


@router.get("/pictures/{name}", responses=problems(TooBusy))
async def show(name: str) -> dict[str, str]:
    return {"name": name}


@router.post("/pictures", status_code=201)
async def store(request: Request) -> str:
    return (await request.body()).decode()


@router.get("/busy")
async def refuse() -> None:
    raise TooBusy("Later.", retry_after=7)


@router.get("/teapot")
async def refuse_as_the_framework_does() -> None:
    raise HTTPException(400, "no tea", headers={"X-Pot": "tea"})


@router.get("/broken")
async def fail() -> None:
    raise LookupError(SECRET)


@router.get("/exiting")
async def end_the_process() -> None:
    raise SystemExit(SECRET)


@router.get("/broken/midway")
async def fail_midway() -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"half"
        raise LookupError(SECRET)

    return StreamingResponse(chunks())


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine, and the root logger as it was when the test is over."""
    for name in ("PUSHGATEWAY_URL", "LOG_FORMAT", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)


@pytest.fixture
def app() -> FastAPI:
    return create_app("pictures", router)


@asynccontextmanager
async def _started(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=transport, base_url="http://app.test") as client:
            yield client


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with _started(app) as client:
        yield client


def _metric(app: FastAPI, name: str, **labels: str) -> float | None:
    value: float | None = app.state.registry.get_sample_value(name, {"function": "pictures", **labels})
    return value


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("given", ["a", "x" * 128, "!~", 'a"b,c;d=e', "550e8400-e29b-41d4-a716-446655440000"])
@pytest.mark.parametrize("path", ["/health", "/nowhere", "/broken", "/busy"])
async def test_request_id_of_the_caller_is_sent_back(api: httpx.AsyncClient, given: str, path: str) -> None:
    answer = await api.get(path, headers={"X-Request-Id": given})
    assert answer.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize(
    "given", [b"", b"x" * 129, b"a b", b" ", b"\t", b"a\x7f", b"a\0", b"\xe9", b"a\r\nX-Evil: 1", b"a\n"]
)
async def test_request_id_of_another_shape_is_replaced(api: httpx.AsyncClient, given: bytes) -> None:
    answer = await api.get("/health", headers=[(b"X-Request-Id", given)])
    assert UUID(answer.headers["x-request-id"]).version == 4 and "x-evil" not in answer.headers


async def test_each_request_without_an_id_gets_its_own(api: httpx.AsyncClient) -> None:
    ids = [(await api.get("/health")).headers["x-request-id"] for _ in range(3)]
    assert len({UUID(identifier) for identifier in ids}) == 3


async def test_lambdas_request_id_is_taken_where_there_is_one(app: FastAPI) -> None:
    context = SimpleNamespace(aws_request_id="lambda-1")
    sent = await _call(app, {"path": "/health", "aws.context": context}, {"type": "http.request"})
    assert (b"x-request-id", b"lambda-1") in sent[0]["headers"]


@pytest.mark.parametrize(("milliseconds", "status"), [(1100, 503), (0, 503), (20_000, 200), (None, 200)])
async def test_what_lambda_would_end_is_answered_before(
    app: FastAPI, milliseconds: int | None, status: int
) -> None:
    done = asyncio.Event()
    if status == 200:
        done.set()
    app.add_api_route("/waits", done.wait)
    left = {} if milliseconds is None else {"get_remaining_time_in_millis": lambda: milliseconds}
    scope = {"path": "/waits", "aws.context": SimpleNamespace(**left)}
    async with asyncio.timeout(10), _started(app):
        sent = await _call(app, scope, {"type": "http.request"})
    assert sent[0]["status"] == status
    labels = {"method": "GET", "route": "/waits", "status": str(status)}
    assert _metric(app, "passepartout_http_requests_total", **labels) == 1
    if status == 503:
        assert dict(sent[0]["headers"])[b"retry-after"] == b"5"
        assert json.loads(sent[1]["body"])["code"] == "too_slow"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/health/", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/openapi.json", 404, "not_found"),
        ("DELETE", "/health", 405, "method_not_allowed"),
        ("GET", "/busy", 429, "too_busy"),
        ("GET", "/teapot", 400, "request_invalid"),
        ("GET", "/broken", 500, "internal_error"),
    ],
)
async def test_every_refusal_is_a_problem_with_its_request_id(
    api: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await api.request(method, path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_other_methods_are_told_which_are_taken(api: httpx.AsyncClient) -> None:
    assert (await api.delete("/pictures")).headers["allow"] == "POST"


async def test_headers_of_the_frameworks_own_refusal_are_sent(api: httpx.AsyncClient) -> None:
    assert (await api.get("/teapot")).headers["x-pot"] == "tea"


async def test_busy_says_when_to_come_again(api: httpx.AsyncClient) -> None:
    assert (await api.get("/busy")).headers["retry-after"] == "7"


async def test_health(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health")).json() == {"status": "ok"}


@pytest.mark.parametrize("path", FAILURES)
async def test_unexpected_failure_tells_the_caller_nothing(api: httpx.AsyncClient, path: str) -> None:
    problem = assert_problem(await api.get(path), 500, "internal_error")
    assert problem["detail"] == "It has been logged under this request id."
    assert not any(word in str(problem) for word in (SECRET, FAILURES[path], "Traceback", "test_app"))


@pytest.mark.parametrize("path", FAILURES)
async def test_unexpected_failure_is_logged_once_under_its_request_id(
    app: FastAPI, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    async with _started(app) as api:
        await api.get(path, headers={"X-Request-Id": "request-1"})
    lines = _lines(capsys)
    [failure] = [line for line in lines if SECRET in json.dumps(line)]
    assert (failure["request_id"], failure["level"]) == ("request-1", "ERROR")
    assert f"{FAILURES[path]}: hunter2" in failure["exc_info"]
    assert [line["status"] for line in lines if line is not failure] == [500]


async def test_failure_amid_the_answer_breaks_it_off(api: httpx.AsyncClient, app: FastAPI) -> None:
    with pytest.raises(LookupError):
        await api.get("/broken/midway")
    assert _metric(app, REQUESTS, method="GET", route="/broken/midway", status="200") == 1


async def test_each_request_is_one_line_in_the_log(app: FastAPI, capsys: pytest.CaptureFixture[str]) -> None:
    async with _started(app) as api:
        answer = await api.get("/pictures/secret-cat")
    [line] = _lines(capsys)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["function"], line["method"], line["route"]) == ("pictures", "GET", "/pictures/{name}")
    assert line["status"] == 200 and line["duration_ms"] >= 0 and "secret-cat" not in json.dumps(line)


async def test_requests_are_counted_by_their_route(api: httpx.AsyncClient, app: FastAPI) -> None:
    for name in ("cat", "dog", "a%2Fb"):
        await api.get(f"/pictures/{name}")
    await api.post("/pictures", content=b"x")
    assert _metric(app, REQUESTS, method="GET", route="/pictures/{name}", status="200") == 2
    assert _metric(app, REQUESTS, method="POST", route="/pictures", status="201") == 1
    assert _metric(app, DURATION, route="/pictures/{name}") == 2


async def test_paths_that_match_no_route_are_counted_as_one(api: httpx.AsyncClient, app: FastAPI) -> None:
    for path in ("/a", "/b", "/pictures/", "/%00"):
        await api.get(path)
    assert _metric(app, REQUESTS, method="GET", route="unmatched", status="404") == 4
    assert _metric(app, DURATION, route="unmatched") == 4


async def test_methods_made_up_by_the_caller_are_no_labels(api: httpx.AsyncClient, app: FastAPI) -> None:
    for method in ("BREW", "WHEN"):
        await api.request(method, "/nowhere")
        await api.request(method, "/health")
    samples = [
        one for family in app.state.registry.collect() for one in family.samples if one.name == REQUESTS
    ]
    assert sum(one.value for one in samples) == 4
    assert not {"BREW", "WHEN"} & {one.labels["method"] for one in samples}


def test_series_of_documented_answers_start_at_zero(app: FastAPI) -> None:
    assert _metric(app, REQUESTS, method="GET", route="/pictures/{name}", status="200") == 0
    assert _metric(app, REQUESTS, method="GET", route="/pictures/{name}", status="429") == 0
    assert _metric(app, REQUESTS, method="GET", route="/pictures/{name}", status="500") == 0
    assert _metric(app, REQUESTS, method="POST", route="/pictures", status="201") == 0
    assert _metric(app, REQUESTS, method="POST", route="/pictures", status="200") is None
    assert _metric(app, REQUESTS, method="GET", route="/health", status="200") == 0
    assert _metric(app, DURATION, route="/pictures/{name}") == 0


def test_instruments_given_are_in_the_apps_registry_alone() -> None:
    jobs = Counter("jobs", "Jobs.", registry=None)
    mine, other = create_app("mine", APIRouter(), instruments=[jobs]), create_app("other", APIRouter())
    jobs.inc()
    assert mine.state.registry.get_sample_value("jobs_total") == 1
    assert other.state.registry.get_sample_value("jobs_total") is None


async def _call(app: FastAPI, scope: dict[str, Any], *received: Message) -> list[Message]:
    """Call the app as a server does, which says no more than this."""
    messages, sent = iter(received), list[Message]()

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    whole = {"type": "http", "method": "GET", "headers": [], "query_string": b"", "root_path": ""}
    await app(whole | scope, receive, send)
    return sent


async def test_caller_who_left_is_answered_nothing_and_counted_as_499(app: FastAPI) -> None:
    half: Message = {"type": "http.request", "body": b"half", "more_body": True}
    sent = await _call(app, {"method": "POST", "path": "/pictures"}, half, {"type": "http.disconnect"})
    assert sent == []
    assert _metric(app, REQUESTS, method="POST", route="/pictures", status="499") == 1


def _resource(name: str, seen: list[str], failure: Exception | None = None) -> Resource:
    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        if failure is not None:
            raise failure
        seen.append(f"open {name} of {app.state.function}")
        try:
            yield
        finally:
            seen.append(f"close {name}")

    return opened


async def test_resources_are_opened_in_order_and_closed_in_reverse_once() -> None:
    seen: list[str] = []
    app = create_app("pictures", router, [_resource("a", seen), _resource("b", seen)])
    async with _started(app) as api:
        for _ in range(3):
            await api.get("/health")
        assert seen == ["open a of pictures", "open b of pictures"]
    assert seen[2:] == ["close b", "close a"]


async def test_resources_opened_are_closed_when_a_later_one_fails() -> None:
    seen: list[str] = []
    failing = _resource("b", seen, ConfigurationError("B: is not set"))
    app = create_app("pictures", router, [_resource("a", seen), failing, _resource("c", seen)])
    with pytest.raises(ConfigurationError, match="B: is not set"):
        async with _started(app):
            raise AssertionError("the app has started")
    assert seen == ["open a of pictures", "close a"]


async def test_start_fails_on_a_wrong_setting_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    app = create_app("pictures", router, [_resource("a", seen)])
    with pytest.raises(ConfigurationError, match="LOG_LEVEL"):
        async with _started(app):
            raise AssertionError("the app has started")
    assert seen == []


async def test_server_is_told_of_a_wrong_setting_in_one_line() -> None:
    app = create_app("pictures", router, [_resource("a", [], ConfigurationError("A: is not set"))])
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(ConfigurationError):
        await app({"type": "lifespan", "app": app, "state": {}}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": "A: is not set"}]


async def test_head_is_answered_as_get_without_the_content(api: httpx.AsyncClient, app: FastAPI) -> None:
    got, asked = await api.get("/pictures/moon"), await api.head("/pictures/moon")
    assert (asked.status_code, asked.content) == (200, b"")
    assert {**asked.headers, "x-request-id": ""} == {**got.headers, "x-request-id": ""}
    assert _metric(app, REQUESTS, method="HEAD", route="/pictures/{name}", status="200") == 1
    assert _metric(app, REQUESTS, method="GET", route="/pictures/{name}", status="200") == 1


async def test_head_of_what_cannot_be_got_is_refused(api: httpx.AsyncClient) -> None:
    refused = await api.head("/pictures")
    assert (refused.status_code, refused.headers["allow"], refused.content) == (405, "POST", b"")
