"""Each function under AWS's Runtime Interface Emulator: three events in a row."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from PIL import Image

from infra.local.kafka import kafka
from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.messages.record import NOT_BEFORE_HEADER, Record
from shared.messages.resize_requested import InlineSource, ResizeRequested
from shared.messages.topics import REQUESTED, RETRY
from shared.on_startup.database import create_engine
from shared.repositories.unit_of_work import unit_of_work
from tests.accounts import PASSWORD, SignedIn, user_id
from tests.events.api_gateway_v2 import http_event
from tests.events.kafka import msk_event, self_managed_event
from tests.events.scheduled import scheduler_event
from tests.functions.rie import Emulated, emulated, emulator
from tests.integration.conftest import client, signed_in
from tests.integration.storage import put
from tests.jobs import add_job, add_user, failed_job
from tests.sessions import DAY, add_session

__all__ = ["client", "signed_in"]

pytestmark = pytest.mark.usefixtures("environment")

Run = Callable[[str], Emulated]


@pytest.fixture(scope="module")
def program() -> Path:
    return emulator()


@pytest.fixture
def run(program: Path) -> Iterator[Run]:
    with ExitStack() as running:
        yield lambda function: running.enter_context(emulated(program, function))


def posted(path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    return http_event("POST", path, headers=headers, body=orjson.dumps(body))


def test_register(run: Run) -> None:
    function, name = run("register"), f"user-{uuid4()}"
    credentials = {"username": name, "password": PASSWORD}
    answers = [function.invoke(posted("/auth/register", credentials)) for _ in range(3)]
    assert [answer["statusCode"] for answer in answers] == [201, 409, 409]
    assert orjson.loads(answers[0]["body"])["username"] == name


async def test_login(run: Run, signed_in: SignedIn) -> None:
    function = run("login")
    passwords = [PASSWORD, "not it", PASSWORD]
    events = [posted("/auth/login", {"username": signed_in.username, "password": each}) for each in passwords]
    answers = [function.invoke(event) for event in events]
    assert [answer["statusCode"] for answer in answers] == [200, 401, 200]
    assert orjson.loads(answers[2]["body"])["token_type"] == "Bearer"


async def test_refresh(run: Run, signed_in: SignedIn) -> None:
    function, token = run("refresh"), signed_in.refresh_token
    for _ in range(3):
        answer = function.invoke(posted("/auth/refresh", {"refresh_token": token}))
        assert answer["statusCode"] == 200
        token, before = orjson.loads(answer["body"])["refresh_token"], token
        assert token != before


async def test_sessions_of_refresh(run: Run, signed_in: SignedIn) -> None:
    function, headers = run("refresh"), signed_in.authorization
    listed = function.invoke(http_event("GET", "/auth/sessions", headers=headers))
    assert listed["statusCode"] == 200
    [session] = orjson.loads(listed["body"])["sessions"]
    end = http_event("DELETE", f"/auth/sessions/{session['id']}", headers=headers)
    assert [function.invoke(end)["statusCode"] for _ in range(2)] == [204, 401]


async def test_password_of_login(run: Run, signed_in: SignedIn) -> None:
    function = run("login")
    event = posted("/auth/password", {"password": PASSWORD, "new_password": f"new {PASSWORD}"})
    event["headers"] |= signed_in.authorization
    assert [function.invoke(event)["statusCode"] for _ in range(3)] == [204, 401, 401]


async def test_logout(run: Run, signed_in: SignedIn) -> None:
    function = run("logout")
    for _ in range(3):
        answer = function.invoke(posted("/auth/logout", {"refresh_token": signed_in.refresh_token}))
        assert (answer["statusCode"], answer["body"]) == (204, "")


async def test_resize(run: Run, signed_in: SignedIn, photograph: bytes) -> None:
    function = run("resize")
    for width in (100, 200, 300):
        event = http_event(
            "POST",
            "/file/resize",
            query=f"width={width}&format=png",
            headers={"content-type": "image/jpeg", **signed_in.authorization},
            body=photograph,
        )
        answer = function.invoke(event)
        assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
        picture = Image.open(io.BytesIO(base64.b64decode(answer["body"])))
        assert (picture.format, picture.width) == ("PNG", width)


async def test_upload_and_resize_by_source(run: Run, signed_in: SignedIn, photograph: bytes) -> None:
    function, body = run("upload"), {"content_type": "image/jpeg", "content_length": len(photograph)}
    events = [posted("/file/upload", body) for _ in range(3)]
    for event in events:
        event["headers"] |= signed_in.authorization
    answers = [function.invoke(event) for event in events]
    assert [answer["statusCode"] for answer in answers] == [201, 201, 201]
    sources = [await put(orjson.loads(answer["body"]), photograph) for answer in answers]
    function = run("resize")
    for source in sources:
        event = posted("/file/resize", {"source": source})
        event |= {"rawQueryString": "width=100", "headers": event["headers"] | signed_in.authorization}
        answer = function.invoke(event)
        assert answer["statusCode"] == 200
        assert Image.open(io.BytesIO(base64.b64decode(answer["body"]))).width == 100


async def test_jobs(run: Run, signed_in: SignedIn, database_url: str) -> None:
    function, job = run("jobs"), await failed_job(database_url, user_id(signed_in.access_token))
    paths = ("/file/jobs", f"/file/jobs/{job}", f"/file/jobs/{uuid4()}")
    answers = [function.invoke(http_event("GET", path, headers=signed_in.authorization)) for path in paths]
    assert [answer["statusCode"] for answer in answers] == [200, 200, 404]
    assert orjson.loads(answers[1]["body"])["status"] == "failed"


@pytest.mark.parametrize("event", [msk_event, self_managed_event])
async def test_worker(
    run: Run,
    database_url: str,
    photograph: bytes,
    monkeypatch: pytest.MonkeyPatch,
    event: Callable[[Iterable[Record]], dict[str, Any]],
) -> None:
    """A Kafka event, with poison and a record whose end cannot be told among those that are done."""
    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": database_url}))
    begin = await unit_of_work(Database(engine))
    with kafka() as broker:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", broker())
        function = run("worker")
        user = await add_user(begin)
        jobs = [await add_job(begin, user, [{"width": 50}]) for _ in range(3)]
        source = InlineSource(bytes=photograph)
        requests = [
            ResizeRequested(user=user, job=job, attempt=1, source=source, outputs=[{"width": 50}])
            for job in jobs
        ]
        records = [Record(REQUESTED, n, n, None, each.encode()) for n, each in enumerate(requests)]
        late = Record(RETRY, 0, 9, None, requests[0].encode(), ((NOT_BEFORE_HEADER, b"9999999999999"),))
        poison = Record(REQUESTED, 0, 7, None, b"no message")
        for each in ([records[0]], [records[1], poison, late, records[2]], records):
            expected = [{"itemIdentifier": {"partition": f"{RETRY}-0", "offset": 9}}] if late in each else []
            assert function.invoke(event(each)) == {"batchItemFailures": expected}
    async with begin() as repositories:
        assert {job.status for job in await repositories.jobs.list_of_user(user, 10, None)} == {"done"}
    await engine.dispose()


async def test_janitor(run: Run, database_url: str) -> None:
    function = run("janitor")
    for _ in range(3):
        await add_session(database_url, ended=8 * DAY)
        assert function.invoke(scheduler_event()) == {
            "expired_sessions": 1,
            "forgotten_attempts": 0,
            "old_audit_events": 0,
            "stalled_jobs": 0,
            "old_uploads": 0,
            "old_results": 0,
            "old_jobs": 0,
            "stale_groups": 0,
        }
