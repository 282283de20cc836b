"""A function as Lambda runs it: one process, one handler, event after event."""

from __future__ import annotations

import asyncio
import base64
import io
import socket
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot
from PIL import Image

import shared.on_startup.database as database_module
from shared.runtime import LambdaEntry
from tests.accounts import PASSWORD
from tests.events.api_gateway_v2 import http_event

JSON = {"content-type": "application/json"}
CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")

Load = Callable[[str], LambdaEntry]


@pytest.fixture
def load(environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads a function's handler as a new execution environment would."""
    entries: list[LambdaEntry] = []

    def load_entry(function: str) -> LambdaEntry:
        name = f"functions.{function}.handler"
        monkeypatch.delitem(sys.modules, name, raising=False)
        entry: LambdaEntry = import_module(name).handler
        entries.append(entry)
        return entry

    yield load_entry
    for entry in entries:
        entry.close()


def post(entry: LambdaEntry, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = entry(http_event("POST", path, headers=JSON, body=orjson.dumps(body)), CONTEXT)
    return answer["statusCode"], orjson.loads(answer["body"])


def signed_in(load: Load, username: str) -> dict[str, str]:
    credentials = {"username": username, "password": PASSWORD}
    assert post(load("register"), "/auth/register", credentials)[0] == 201
    _, tokens = post(load("login"), "/auth/login", credentials)
    return {"authorization": f"Bearer {tokens['access_token']}"}


def kill_connections(database_url: str) -> int:
    """Kill every other connection to the database, as a server's restart does; return how many there were."""

    async def kill() -> int:
        connection = await asyncpg.connect(database_url)
        try:
            rows = await connection.fetch(
                # With a time-out it returns when they are gone, not when they have been told to go.
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        finally:
            await connection.close()
        return len(rows)

    return asyncio.run(kill())


@pytest.fixture
def engines_made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    made: list[object] = []
    create_engine = database_module.create_engine

    def create_and_note(*args: Any) -> Any:
        made.append(create_engine(*args))
        return made[-1]

    monkeypatch.setattr(database_module, "create_engine", create_and_note)
    return made


def test_three_events_with_the_connection_killed_between_two(
    load: Load, engines_made: list[object], database_url: str
) -> None:
    credentials = {"username": "lambda", "password": PASSWORD}
    assert post(load("register"), "/auth/register", credentials)[0] == 201
    engines_made.clear()
    login = load("login")

    statuses = [post(login, "/auth/login", credentials)[0]]
    assert kill_connections(database_url) >= 1
    statuses.append(post(login, "/auth/login", credentials)[0])
    statuses.append(post(login, "/auth/login", {**credentials, "password": "not it"})[0])

    assert statuses == [200, 200, 401]
    assert len(engines_made) == 1


def test_storage_that_hangs_is_told_before_the_function_s_time_is_over(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorization = signed_in(load, "lambda-hanging")
    context = SimpleNamespace(**vars(CONTEXT), get_remaining_time_in_millis=lambda: 1500)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("LOCALSTACK_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        body = orjson.dumps({"source": str(uuid4())})
        event = http_event("POST", "/file/resize", query="width=9", headers=JSON | authorization, body=body)
        answer = load("resize")(event, context)
    problem = orjson.loads(answer["body"])
    assert (answer["statusCode"], problem["code"], answer["headers"]["retry-after"]) == (503, "too_slow", "5")
    assert problem["request_id"] == CONTEXT.aws_request_id


def test_picture_goes_in_and_out_as_base64(load: Load, photograph: bytes) -> None:
    authorization = signed_in(load, "lambda-pictures")
    event = http_event(
        "POST",
        "/file/resize",
        query="width=200&format=png",
        headers=authorization | {"content-type": "image/jpeg"},
        body=photograph,
    )
    answer = load("resize")(event, CONTEXT)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    picture = Image.open(io.BytesIO(base64.b64decode(answer["body"])))
    assert (picture.format, picture.size) == ("PNG", (200, 133))


def test_refusal_is_text_and_carries_the_platforms_request_id(load: Load) -> None:
    answer = load("resize")(http_event("POST", "/file/resize", query="width=200", body=b"x"), CONTEXT)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (401, False)
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert orjson.loads(answer["body"])["request_id"] == CONTEXT.aws_request_id
    assert answer["headers"]["x-request-id"] == CONTEXT.aws_request_id


def test_resources_are_opened_while_lambda_makes_the_environment(
    load: Load, engines_made: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    load("login")
    assert engines_made == []
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    load("login")
    assert len(engines_made) == 1


def test_missing_setting_stops_the_start_with_one_line(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFRESH_TOKEN_KEY")
    with pytest.raises(SystemExit) as stopped:
        post(load("login"), "/auth/login", {})
    assert stopped.value.code == "configuration: REFRESH_TOKEN_KEY: is not set"


@pytest.mark.usefixtures("pushgateway")
def test_closed_for_a_snapshot_it_opens_again(load: Load, engines_made: list[object]) -> None:
    login = load("login")
    assert post(login, "/auth/login", {"username": "nobody", "password": PASSWORD})[0] == 401
    login.close()
    assert post(login, "/auth/login", {"username": "nobody", "password": PASSWORD})[0] == 401
    assert len(engines_made) == 2


def test_snapshot_is_taken_closed_and_restored_open(
    load: Load, engines_made: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As AWS's runtime client calls the hooks that were registered (SnapStart)."""
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    login = load("login")
    assert post(login, "/auth/login", {"username": "nobody", "password": PASSWORD})[0] == 401
    run_before_snapshot()
    assert len(engines_made) == 1
    run_after_restore()
    assert len(engines_made) == 2
    assert post(login, "/auth/login", {"username": "nobody", "password": PASSWORD})[0] == 401
    assert len(engines_made) == 2
