"""POST /file/resize for later, and GET /file/jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID, uuid4

import httpx
import pytest

from functions.jobs import service
from infra.gateway.asgi import load_app
from shared.config import DatabaseSettings
from shared.messages.resize_requested import (
    MAXIMUM_INLINE_BYTES,
    InlineSource,
    ResizeRequested,
    StoredSource,
)
from shared.messages.topics import REQUESTED
from shared.on_startup.database import create_engine
from shared.on_startup.presets import presets
from shared.repositories.jobs import Jobs, OutputState
from shared.repositories.unit_of_work import UnitOfWork
from tests.accounts import sign_in, user_id
from tests.fakes.kafka import TestKafkaProducer
from tests.integration.problems import assert_problem
from tests.integration.queueing import ASYNC, ROUTE, Queueing
from tests.pictures import decoded, options

PRESETS = {"small": options(None, quality=50)}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def kafka(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> TestKafkaProducer:
    kafka = TestKafkaProducer()
    producer = load_app("resize").state.kafka_producer
    monkeypatch.setattr(producer, "_connect", lambda: kafka)
    monkeypatch.setattr(producer, "_starting", None)
    return kafka


@pytest.fixture
async def queueing(client: httpx.AsyncClient, kafka: TestKafkaProducer) -> Queueing:
    return Queueing(client, await sign_in(client), kafka)


async def test_picture_is_resized_later(queueing: Queueing, photograph: bytes) -> None:
    accepted = await queueing.post("width=100&format=png", photograph, traceparent=TRACE)
    job = accepted.json()
    assert (accepted.status_code, accepted.headers["preference-applied"]) == (202, "respond-async")
    assert accepted.headers["location"] == f"/file/jobs/{job['id']}"
    assert accepted.headers["cache-control"] == "no-store"
    assert (job["status"], job["finished_at"], job["problem"]) == ("queued", None, None)
    assert [output["params"] for output in job["outputs"]] == [{"width": 100, "format": "png"}]
    [record] = queueing.kafka.of(REQUESTED)
    request = ResizeRequested.decode(record.value)
    assert (record.key, record.header("traceparent")) == (job["id"].encode(), TRACE.encode())
    assert request.source == InlineSource(bytes=photograph)
    assert (await queueing.get(accepted.headers["location"])).json() == job
    await queueing.work_off()
    done = (await queueing.get(accepted.headers["location"])).json()
    [output] = done["outputs"]
    assert (done["status"], output["width"], output["height"], output["content_type"]) == (
        *("done", 100, 67, "image/png"),
    )
    async with httpx.AsyncClient() as storage:
        picture = await storage.get(output["url"])
    assert picture.headers["content-disposition"] == 'inline; filename="image-100x67.png"'
    assert decoded(picture.content).size == (100, 67) and len(picture.content) == output["bytes"]


async def test_later_is_byte_for_byte_what_at_once_is(queueing: Queueing, photograph: bytes) -> None:
    accepted = await queueing.post("width=120", photograph)
    at_once = await queueing.client.post(
        f"{ROUTE}?width=120", content=photograph, headers=queueing.user.authorization
    )
    await queueing.work_off()
    [output] = (await queueing.get(accepted.headers["location"])).json()["outputs"]
    async with httpx.AsyncClient() as storage:
        assert (await storage.get(output["url"])).content == at_once.content


async def test_format_may_be_what_the_caller_would_rather_have(queueing: Queueing, photograph: bytes) -> None:
    accept = {"Accept": "image/webp, image/png;q=0.5"}
    accepted = await queueing.post("width=50&format=auto", photograph, **accept)
    own = await queueing.post("width=50&format=auto", photograph)
    await queueing.work_off()
    for location, content_type in ((accepted, "image/webp"), (own, "image/jpeg")):
        job = (await queueing.get(location.headers["location"])).json()
        assert job["outputs"][0]["content_type"] == content_type
        assert job["outputs"][0]["params"] == {"width": 50, "format": "auto"}


async def test_batch_makes_many_of_one_upload(queueing: Queueing, photograph: bytes) -> None:
    source = await queueing.upload(photograph)
    outputs = [{"width": 10 * number} for number in range(1, 7)]
    accepted = await queueing.post_json("", {"source": source, "outputs": outputs})
    assert accepted.status_code == 202 and "preference-applied" not in accepted.headers
    [record] = queueing.kafka.of(REQUESTED)
    named = ResizeRequested.decode(record.value).source
    assert isinstance(named, StoredSource) and named.key.endswith(source)
    await queueing.work_off()
    done = (await queueing.get(accepted.headers["location"])).json()
    assert done["status"] == "done"
    assert [output["params"] for output in done["outputs"]] == outputs
    assert [output["width"] for output in done["outputs"]] == [10, 20, 30, 40, 50, 60]


async def test_upload_is_resized_later_where_that_is_preferred(queueing: Queueing, photograph: bytes) -> None:
    source = await queueing.upload(photograph)
    accepted = await queueing.post_json("width=30", {"source": source}, **ASYNC)
    assert accepted.status_code == 202
    at_once = await queueing.post_json("width=30", {"source": source})
    assert at_once.status_code == 200


async def test_body_too_large_for_a_message_goes_to_object_storage(
    queueing: Queueing, photograph: bytes
) -> None:
    # What follows a JPEG's end is no part of the picture.
    large = photograph + bytes(MAXIMUM_INLINE_BYTES)
    accepted = await queueing.post("width=50", large)
    [record] = queueing.kafka.of(REQUESTED)
    assert record.value is not None and len(record.value) < 1000
    await queueing.work_off()
    assert (await queueing.get(accepted.headers["location"])).json()["status"] == "done"


async def test_broken_picture_fails_with_its_reason(queueing: Queueing) -> None:
    accepted = await queueing.post("width=50", b"no picture")
    await queueing.work_off()
    failed = (await queueing.get(accepted.headers["location"])).json()
    assert (failed["status"], failed["problem"]["code"]) == ("failed", "source_unsupported")
    assert failed["finished_at"] is not None and failed["outputs"][0]["url"] is None


async def test_broker_that_is_down_leaves_no_job_behind(queueing: Queueing, photograph: bytes) -> None:
    queueing.kafka.error = ConnectionError()
    key = {"Idempotency-Key": "one"}
    refused = await queueing.post("width=50", photograph, **key)
    assert_problem(refused, 503, "queue_unavailable")
    assert refused.headers["retry-after"] == "5"
    assert (await queueing.get("/file/jobs")).json() == {"jobs": [], "next": None}
    queueing.kafka.error = None
    assert (await queueing.post("width=50", photograph, **key)).status_code == 202


async def test_same_key_and_request_make_one_job(queueing: Queueing, photograph: bytes) -> None:
    key = {"Idempotency-Key": "one"}
    answers = await asyncio.gather(*(queueing.post("width=50", photograph, **key) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(queueing.kafka.of(REQUESTED)) == 1
    await queueing.work_off()
    again = await queueing.post("width=50", photograph, **key)
    assert (again.status_code, again.json()["status"]) == (202, "done")


async def test_same_key_with_another_request_is_refused(queueing: Queueing, photograph: bytes) -> None:
    key = {"Idempotency-Key": "one"}
    await queueing.post("width=50", photograph, **key)
    for query, content in (("width=51", photograph), ("width=50", photograph + b"\0")):
        assert_problem(await queueing.post(query, content, **key), 422, "idempotency_key_reused")
    assert len(queueing.kafka.of(REQUESTED)) == 1


async def test_another_user_s_key_is_another_key(queueing: Queueing, photograph: bytes) -> None:
    other = Queueing(queueing.client, await sign_in(queueing.client), queueing.kafka)
    jobs = [
        await each.post("width=50", photograph, **{"Idempotency-Key": "one"}) for each in (queueing, other)
    ]
    assert jobs[0].json()["id"] != jobs[1].json()["id"]


@pytest.mark.parametrize("key", ["", "a b", "a,b", "x" * 256, "caf\u00e9"])
async def test_key_that_is_none_is_refused(queueing: Queueing, photograph: bytes, key: str) -> None:
    headers = httpx.Headers({**queueing.user.authorization, **ASYNC, "Idempotency-Key": key}, "utf-8")
    answer = await queueing.client.post(f"{ROUTE}?width=5", content=photograph, headers=headers)
    assert_problem(answer, 422, "parameters_invalid")


async def test_two_keys_are_none(queueing: Queueing, photograph: bytes) -> None:
    headers = [*{**queueing.user.authorization, **ASYNC}.items(), *[("Idempotency-Key", k) for k in "ab"]]
    answer = await queueing.client.post(f"{ROUTE}?width=5", content=photograph, headers=headers)
    assert_problem(answer, 422, "parameters_invalid")


async def test_batch_of_too_many_is_told_how_many_there_may_be(queueing: Queueing) -> None:
    body = {"source": str(uuid4()), "outputs": [{"width": 5}] * 51}
    refused = await queueing.post_json("", body)
    assert_problem(refused, 422, "body_invalid")
    assert (refused.json()["limit"], refused.json()["actual"]) == (50, 51)


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("width=5", {"source": str(uuid4()), "outputs": [{"width": 5}]}, "parameters_invalid"),
        ("", {"source": str(uuid4()), "outputs": []}, "body_invalid"),
        ("", {"source": str(uuid4()), "outputs": [{"width": 5}] * 51}, "body_invalid"),
        ("", {"source": str(uuid4()), "outputs": [{}]}, "body_invalid"),
        ("", {"source": str(uuid4()), "outputs": [{"width": 5, "colour": "red"}]}, "body_invalid"),
        ("", {"source": "../other", "outputs": [{"width": 5}]}, "body_invalid"),
        ("", {"source": "https://example.com/a.jpg", "outputs": [{"width": 5}]}, "body_invalid"),
        ("", {"source": "s3://other/a.jpg", "outputs": [{"width": 5}]}, "body_invalid"),
        ("", {"source": {"bucket": "other", "key": "a.jpg"}, "outputs": [{"width": 5}]}, "body_invalid"),
        ("", {"source": str(uuid4()), "bucket": "other", "outputs": [{"width": 5}]}, "body_invalid"),
        ("", {"source": str(uuid4())}, "parameters_invalid"),
    ],
)
async def test_batch_that_is_none_is_refused(
    queueing: Queueing, query: str, body: dict[str, object], code: str
) -> None:
    assert_problem(await queueing.post_json(query, body), 422, code)
    assert queueing.kafka.records == []


@pytest.mark.parametrize(
    ("outputs", "name"),
    [
        ([{"width": 5}, {"preset": "avatar"}], "outputs.1.preset"),
        ([{"preset": "small"}], "outputs.0.preset"),
        ([{"width": 5}, {"quality": 5}], "outputs.1"),
        ([{"width": "200"}], "outputs.0.width"),
        ([{"width": True}], "outputs.0.width"),
        ([{"width": 5}, {"width": 5.5}], "outputs.1.width"),
        ([{"width": 5, "dpr": "2"}], "outputs.0.dpr"),
        ([{"width": 5, "quality": "50"}], "outputs.0.quality"),
        ([{"width": 5, "max_bytes": "5000"}], "outputs.0.max_bytes"),
        ([{"width": 5, "enlarge": 1}], "outputs.0.enlarge"),
        ([{"width": 5, "keep_metadata": "true"}], "outputs.0.keep_metadata"),
        ([{"width": 5, "background": 336699}], "outputs.0.background"),
    ],
)
async def test_output_that_is_none_is_located(
    queueing: Queueing, monkeypatch: pytest.MonkeyPatch, outputs: list[dict[str, object]], name: str
) -> None:
    monkeypatch.setitem(load_app("resize").dependency_overrides, presets, lambda: PRESETS)
    refused = await queueing.post_json("", {"source": str(uuid4()), "outputs": outputs})
    problem = assert_problem(refused, 422, "body_invalid")
    assert [(error["in"], error["name"]) for error in problem["errors"]] == [("body", name)]
    assert queueing.kafka.records == []


async def test_numbers_of_a_batch_are_those_of_json_and_null_is_as_good_as_nothing(
    queueing: Queueing, photograph: bytes
) -> None:
    numbers = {"width": 200.0, "dpr": 2, "enlarge": True, "quality": 5e1}
    outputs = [{**numbers, "height": None}]
    body = {"source": await queueing.upload(photograph), "outputs": outputs}
    accepted = await queueing.post_json("", body)
    assert accepted.status_code == 202
    await queueing.work_off()
    job = (await queueing.get(accepted.headers["location"])).json()
    [output] = job["outputs"]
    assert (job["status"], output["params"], output["width"]) == ("done", numbers, 400)


async def test_another_user_s_upload_is_as_one_that_never_was(queueing: Queueing, photograph: bytes) -> None:
    other = Queueing(queueing.client, await sign_in(queueing.client), queueing.kafka)
    for source in (await other.upload(photograph), str(uuid4())):
        refused = await queueing.post_json("", {"source": source, "outputs": [{"width": 5}]})
        assert_problem(refused, 404, "source_not_found")
    assert queueing.kafka.records == []


async def test_jobs_are_listed_the_newest_first_a_page_at_a_time(
    queueing: Queueing, photograph: bytes
) -> None:
    made = [(await queueing.post(f"width={width}", photograph)).json()["id"] for width in range(1, 6)]
    listed: list[str] = []
    page: str | None = "/file/jobs?limit=2"
    while page:
        answer = (await queueing.get(page)).json()
        listed += [job["id"] for job in answer["jobs"]]
        page = answer["next"]
    assert listed == made[::-1]


async def test_page_has_no_more_jobs_than_it_has_addresses_for(
    queueing: Queueing, photograph: bytes, begin: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAXIMUM_ADDRESSES", 6)
    user = UUID(user_id(queueing.user.access_token))
    outputs = [OutputState(f"results/{width}.jpg", width, 1, 9, "image/jpeg") for width in range(1, 8)]
    made = []
    for count in (2, 7, 3, 3, 1):
        params = [{"width": output.width} for output in outputs[:count]]
        async with begin() as repositories:
            job = (await repositories.jobs.add(user, params, None)).id
            lease = uuid4()
            assert await repositories.jobs.take(job, lease, 1)
            assert await repositories.jobs.finish(job, lease, outputs[:count])
        made.append(str(job))
    pages: list[list[str]] = []
    page: str | None = "/file/jobs?limit=4"
    while page:
        answer = (await queueing.get(page)).json()
        pages.append([job["id"] for job in answer["jobs"]])
        assert all(output["url"] for job in answer["jobs"] for output in job["outputs"])
        page = answer["next"]
    assert pages == [made[:2:-1], [made[2]], [made[1]], [made[0]]]


async def test_another_user_s_job_is_not_there(queueing: Queueing, photograph: bytes) -> None:
    location = (await queueing.post("width=50", photograph)).headers["location"]
    other = Queueing(queueing.client, await sign_in(queueing.client), queueing.kafka)
    for path in (location, f"/file/jobs/{UUID(int=0)}", f"/file/jobs/{uuid4()}?wait=20"):
        assert_problem(await other.get(path), 404, "not_found")
    assert (await other.get(f"/file/jobs?before={location.rpartition('/')[2]}")).json()["jobs"] == []


@pytest.mark.parametrize(
    "path",
    ["/file/jobs/1", "/file/jobs?limit=0", "/file/jobs?limit=51", "/file/jobs?before=1", "/file/jobs?page=2"]
    + [f"/file/jobs/{UUID(int=0)}?wait={wait}" for wait in ("-1", "21", "soon", "1.5")],
)
async def test_parameters_of_jobs_are_checked(queueing: Queueing, path: str) -> None:
    assert_problem(await queueing.get(path), 422, "parameters_invalid")


async def test_jobs_want_a_token(client: httpx.AsyncClient) -> None:
    for path in ("/file/jobs", f"/file/jobs/{UUID(int=0)}"):
        assert_problem(await client.get(path), 401, "invalid_token")


async def wait_for(queueing: Queueing, locations: list[str]) -> list[asyncio.Task[httpx.Response]]:
    """Return requests that wait for a change, as soon as they would be told of one."""
    changes = load_app("jobs").state.job_changes
    waiting = [asyncio.create_task(queueing.get(f"{each}?wait=20")) for each in locations]
    async with asyncio.timeout(10):
        while sum(map(len, changes._waiting.values())) < len(locations) or changes._connection is None:
            await asyncio.sleep(0)
    return waiting


async def statuses(waiting: list[asyncio.Task[httpx.Response]]) -> list[str]:
    async with asyncio.timeout(10):
        return [answer.json()["status"] for answer in await asyncio.gather(*waiting)]


async def test_waiting_ends_when_the_job_changes(
    queueing: Queueing, photograph: bytes, begin: UnitOfWork
) -> None:
    locations = [(await queueing.post("width=50", photograph)).headers["location"] for _ in range(2)]
    ids = [UUID(each.rpartition("/")[2]) for each in locations]
    lease = uuid4()

    async def change(how: Callable[[Jobs, UUID], Awaitable[object]]) -> list[str]:
        """Change the first job while somebody waits for it, twice, and return what they are told."""
        waiting = await wait_for(queueing, [locations[0]] * 2)
        for job in (ids[1], ids[0]):
            async with begin() as repositories:
                assert await how(repositories.jobs, job)
        return await statuses(waiting)

    take = partial(Jobs.take, lease=lease, attempt=1)
    assert await change(take) == ["running"] * 2
    assert await change(partial(Jobs.release, lease=lease)) == ["queued"] * 2
    assert await change(take) == ["running"] * 2
    outputs = [OutputState("results/1.jpg", 50, 33, 500, "image/jpeg")]
    assert await change(partial(Jobs.finish, lease=lease, outputs=outputs)) == ["done"] * 2
    async with asyncio.timeout(10):
        # What is finished stays so: nobody waits for it.
        assert await statuses([asyncio.create_task(queueing.get(f"{locations[0]}?wait=20"))]) == ["done"]
    assert load_app("jobs").state.job_changes._connection is None


async def test_waiting_ends_when_the_job_fails_and_not_when_it_is_held_for_longer(
    queueing: Queueing, photograph: bytes, begin: UnitOfWork
) -> None:
    location = (await queueing.post("width=50", photograph)).headers["location"]
    job, lease = UUID(location.rpartition("/")[2]), uuid4()
    async with begin() as repositories:
        await repositories.jobs.take(job, lease, 1)
    waiting = await wait_for(queueing, [location])
    async with begin() as repositories:
        assert await repositories.jobs.renew(job, lease)
    async with begin() as repositories:
        assert await repositories.jobs.fail(job, {"code": "source_unreadable"})
    assert await statuses(waiting) == ["failed"]


async def test_waiting_survives_the_loss_of_what_listens(queueing: Queueing, photograph: bytes) -> None:
    location = (await queueing.post("width=50", photograph)).headers["location"]
    changes = load_app("jobs").state.job_changes
    waiting = asyncio.create_task(queueing.get(f"{location}?wait=20"))
    async with asyncio.timeout(10):
        while (lost := changes._connection) is None:
            await asyncio.sleep(0)
        (await lost.get_raw_connection()).driver_connection.terminate()
        while changes._connection in (None, lost):
            await asyncio.sleep(0)
        await queueing.work_off()
        assert (await waiting).json()["status"] in ("running", "done")


async def test_waiting_without_a_database_is_told(
    queueing: Queueing, photograph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = (await queueing.post("width=50", photograph)).headers["location"]
    settings = DatabaseSettings.from_environment({"DATABASE_URL": "postgresql://postgres@127.0.0.1:1/none"})
    engine = create_engine(settings, pooled=False)
    monkeypatch.setattr(load_app("jobs").state.job_changes, "_engine", engine)
    assert_problem(await queueing.get(f"{location}?wait=20"), 503, "database_unavailable")
    assert (await queueing.get(location)).status_code == 200


async def test_waiting_ends_with_its_time(queueing: Queueing, photograph: bytes) -> None:
    location = (await queueing.post("width=50", photograph)).headers["location"]
    assert (await queueing.get(f"{location}?wait=1")).json()["status"] == "queued"
    assert load_app("jobs").state.job_changes._waiting == {}


async def test_preference_is_ignored_where_there_is_no_queue(
    queueing: Queueing, photograph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_app("resize").state.queue, "is_configured", False)
    at_once = await queueing.post("width=50", photograph)
    assert at_once.status_code == 200 and "preference-applied" not in at_once.headers
    batch = await queueing.post_json("", {"source": str(uuid4()), "outputs": [{"width": 5}]})
    assert_problem(batch, 503, "queue_unavailable")


async def test_no_picture_makes_no_job(queueing: Queueing) -> None:
    assert_problem(await queueing.post("width=50", b""), 422, "source_unreadable")
    assert (await queueing.get("/file/jobs")).json()["jobs"] == []
