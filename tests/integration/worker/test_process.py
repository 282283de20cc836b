"""What a record has done to it: on a real database and a real S3."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from uuid import uuid4

import msgpack
import pytest
from sqlalchemy import text

from functions.worker import service
from functions.worker.attempts import DELAYS
from functions.worker.pictures import Pictures
from functions.worker.service import Worker
from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.db.storage import ObjectStorage
from shared.errors import DatabaseUnavailable, QueueUnavailable, StorageUnavailable
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize
from shared.messages.record import Record
from shared.messages.resize_completed import ResizeCompleted
from shared.messages.resize_dead import ResizeDead
from shared.messages.resize_requested import InlineSource, Parameters, ResizeRequested, StoredSource
from shared.messages.topics import COMPLETED, DEAD, REQUESTED, RETRY
from shared.metrics.instruments import JOBS
from shared.on_startup.database import create_engine
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from tests.fakes.kafka import TestKafkaProducer
from tests.integration.worker.conftest import Submit

OUTPUTS: list[Parameters] = [{"width": 100, "format": "png"}, {"height": "50"}]
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_outputs_are_those_of_the_direct_way(
    worker: Worker, submit: Submit, kafka: TestKafkaProducer, storage: ObjectStorage, photograph: bytes
) -> None:
    job = await submit(await submit.upload(photograph), OUTPUTS)
    await worker.process(job.record)
    state = await job.state()
    assert (state.status, state.problem) == ("done", None)
    assert [(each.width, each.height, each.content_type) for each in state.outputs] == [
        (100, 67, "image/png"),
        (75, 50, "image/jpeg"),
    ]
    direct = [ProcessingOptions(width=100, format="png"), ProcessingOptions(height=50)]
    for output, request in zip(state.outputs, direct):
        stored = await storage.get(output.key, limit=10**6)
        assert stored == resize(photograph, request, Limits(10**6, 10**6)).content
        assert output.bytes == len(stored)
        assert output.key.startswith(f"results/{job.request.user}/")
    [record] = kafka.records
    completed = ResizeCompleted.decode(record.value)
    assert (record.topic, record.key) == (COMPLETED, str(job.request.job).encode())
    assert [each.key for each in completed.outputs] == [each.key for each in state.outputs]


async def test_source_may_travel_in_the_message(worker: Worker, submit: Submit, photograph: bytes) -> None:
    job = await submit(InlineSource(bytes=photograph))
    await worker.process(job.record)
    assert (await job.state()).status == "done"


async def test_record_that_comes_again_changes_nothing(
    worker: Worker, submit: Submit, kafka: TestKafkaProducer, photograph: bytes
) -> None:
    job = await submit(InlineSource(bytes=photograph))
    await worker.process(job.record)
    before = await job.state()
    await worker.process(job.record)
    assert await job.state() == before
    told = [ResizeCompleted.decode(record.value) for record in kafka.of(COMPLETED)]
    assert len(told) == 2 and told[0].id == told[1].id


async def test_several_workers_at_once_do_it_once(
    worker: Worker, submit: Submit, kafka: TestKafkaProducer, photograph: bytes
) -> None:
    job = await submit(InlineSource(bytes=photograph))
    before = JOBS.labels("done")._value.get()
    await asyncio.gather(*(worker.process(job.record) for _ in range(4)))
    assert JOBS.labels("done")._value.get() == before + 1
    assert len({ResizeCompleted.decode(record.value).id for record in kafka.records}) == 1


@pytest.mark.parametrize(
    "value", [None, b"\xc1", b"hello", msgpack.packb({"v": 99, "type": "image.resize.requested"})]
)
async def test_poison_is_given_up_at_once(
    worker: Worker, kafka: TestKafkaProducer, value: bytes | None
) -> None:
    await worker.process(Record(REQUESTED, 2, 7, b"key", value))
    [record] = kafka.records
    dead = ResizeDead.decode(record.value)
    assert (record.topic, dead.code, dead.job, dead.record) == (DEAD, "message_invalid", None, value or b"")
    assert (dead.origin.topic, dead.origin.partition, dead.origin.offset) == (REQUESTED, 2, 7)
    assert record.header("reason") == b"message_invalid"


@pytest.mark.parametrize(
    ("content", "outputs", "code"),
    [
        (b"", [{"width": 1}], "source_unreadable"),
        (b"no picture", [{"width": 1}], "source_unsupported"),
        (None, [{"width": 1, "colour": "red"}], "parameters_invalid"),
        (None, [{"width": 1}, {}], "parameters_invalid"),
        (b"\xff" * 10**6 + b"\xff", [{"width": 1}], "source_too_large"),
    ],
)
async def test_what_will_never_succeed_fails_at_once_with_its_reason(
    worker: Worker,
    submit: Submit,
    kafka: TestKafkaProducer,
    photograph: bytes,
    content: bytes | None,
    outputs: list[Parameters],
    code: str,
) -> None:
    job = await submit(await submit.upload(photograph if content is None else content), outputs)
    await worker.process(job.record)
    state = await job.state()
    assert state.status == "failed" and state.problem is not None
    assert state.problem["code"] == code and state.problem["detail"]
    [record] = kafka.records
    dead = ResizeDead.decode(record.value)
    assert (record.topic, dead.code, dead.job, dead.record) == (DEAD, code, job.request.job, job.record.value)


async def test_missing_object_and_one_that_was_replaced_fail_at_once(
    worker: Worker, submit: Submit, kafka: TestKafkaProducer, photograph: bytes, bucket: str
) -> None:
    stored = await submit.upload(photograph)
    missing = StoredSource(bucket=bucket, key="uploads/test/none", etag='"1"')
    for source in (missing, stored.model_copy(update={"etag": '"1"'})):
        job = await submit(source)
        await worker.process(job.record)
        state = await job.state()
        assert state.problem is not None and state.problem["code"] == "source_not_found"
    assert [record.topic for record in kafka.records] == [DEAD, DEAD]


async def _fail(self: Pictures, request: ResizeRequested) -> None:
    raise StorageUnavailable("Please try again shortly.")


@pytest.fixture
def failing(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setattr(Pictures, "make", _fail)
    return worker


async def test_passing_failure_is_put_off_longer_each_time(
    failing: Worker, submit: Submit, kafka: TestKafkaProducer, photograph: bytes
) -> None:
    delays = []
    for attempt in range(1, len(DELAYS) + 1):
        job = await submit(InlineSource(bytes=photograph), attempt=attempt, headers=(("traceparent", TRACE),))
        await failing.process(job.record)
        record = kafka.records[-1]
        again = ResizeRequested.decode(record.value)
        assert (record.topic, again.attempt, again.job) == (RETRY, attempt + 1, job.request.job)
        assert (record.header("attempt"), record.header("traceparent")) == (b"%d" % (attempt + 1), TRACE)
        assert (await job.state()).status == "queued"
        delays.append(record.not_before / 1000 - time.time())
    assert delays == sorted(delays)
    assert all(-5 < delay - least <= 0.2 * least for delay, least in zip(delays, DELAYS))


async def test_after_the_last_attempt_it_is_given_up(
    failing: Worker, submit: Submit, kafka: TestKafkaProducer, photograph: bytes
) -> None:
    job = await submit(InlineSource(bytes=photograph), attempt=len(DELAYS) + 1)
    await failing.process(job.record)
    [record] = kafka.records
    assert (record.topic, ResizeDead.decode(record.value).code) == (DEAD, "storage_unavailable")
    state = await job.state()
    assert state.status == "failed" and state.problem is not None
    assert state.problem["code"] == "storage_unavailable"


async def test_put_off_job_is_done_at_a_later_attempt(
    worker: Worker,
    submit: Submit,
    kafka: TestKafkaProducer,
    photograph: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = await submit(InlineSource(bytes=photograph))
    with monkeypatch.context() as patch:
        patch.setattr(Pictures, "make", _fail)
        await worker.process(job.record)
    [again] = kafka.records
    await worker.process(again)
    state = await job.state()
    assert (state.status, state.attempt) == ("done", 2)


async def test_unforeseen_failure_is_put_off_and_at_last_tells_the_caller_nothing_of_itself(
    worker: Worker,
    submit: Submit,
    kafka: TestKafkaProducer,
    photograph: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(self: Pictures, request: ResizeRequested) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(Pictures, "make", fail)
    await worker.process((await submit(InlineSource(bytes=photograph))).record)
    last = await submit(InlineSource(bytes=photograph), attempt=len(DELAYS) + 1)
    await worker.process(last.record)
    assert [record.topic for record in kafka.records] == [RETRY, DEAD]
    state = await last.state()
    assert state.problem is not None
    assert state.problem["code"] == "internal_error" and "hunter2" not in str(state.problem)


async def test_without_a_database_the_record_comes_again(
    worker: Worker, submit: Submit, kafka: TestKafkaProducer, photograph: bytes
) -> None:
    job = await submit(InlineSource(bytes=photograph))
    engine = create_engine(
        DatabaseSettings.from_environment({"DATABASE_URL": "postgresql://postgres@127.0.0.1:1/none"})
    )
    with pytest.raises(DatabaseUnavailable):
        await replace(worker, unit_of_work=await unit_of_work(Database(engine))).process(job.record)
    assert kafka.records == []
    await engine.dispose()


async def test_without_a_broker_nothing_is_given_up(
    worker: Worker, submit: Submit, kafka: TestKafkaProducer, photograph: bytes
) -> None:
    job = await submit(InlineSource(bytes=b"no picture"))
    kafka.error = ConnectionError()
    with pytest.raises(QueueUnavailable):
        await worker.process(job.record)
    assert not (await job.state()).is_finished
    kafka.error = None
    await worker.process(job.record)
    assert (await job.state()).status == "failed"


async def test_completed_is_told_although_the_broker_was_down_when_it_was(
    worker: Worker, submit: Submit, kafka: TestKafkaProducer, photograph: bytes
) -> None:
    job = await submit(InlineSource(bytes=photograph))
    kafka.error = ConnectionError()
    with pytest.raises(QueueUnavailable):
        await worker.process(job.record)
    assert (await job.state()).status == "done"
    kafka.error = None
    await worker.process(job.record)
    assert len(kafka.of(COMPLETED)) == 1


async def test_job_of_a_dead_worker_is_taken_when_its_lease_is_over(
    worker: Worker, submit: Submit, begin: UnitOfWork, database: Database, photograph: bytes
) -> None:
    job = await submit(InlineSource(bytes=photograph))
    async with begin() as repositories:
        assert await repositories.jobs.take(job.request.job, uuid4(), 1)
    processing = asyncio.create_task(worker.process(job.record))
    async with database.transaction() as session:
        statement = "UPDATE media.jobs SET lease_expires_at = now() WHERE id = :id"
        await session.execute(text(statement), {"id": job.request.job})
    await processing
    assert (await job.state()).status == "done"


async def test_worker_that_has_lost_its_lease_stores_nothing(
    worker: Worker,
    submit: Submit,
    begin: UnitOfWork,
    database: Database,
    kafka: TestKafkaProducer,
    photograph: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = await submit(InlineSource(bytes=photograph))
    make = Pictures.make

    async def lose(self: Pictures, request: ResizeRequested) -> object:
        async with database.transaction() as session:
            statement = "UPDATE media.jobs SET lease = :lease WHERE id = :id"
            await session.execute(text(statement), {"id": request.job, "lease": uuid4()})
        return await make(self, request)

    monkeypatch.setattr(Pictures, "make", lose)
    await worker.process(job.record)
    state = await job.state()
    assert (state.status, state.outputs, kafka.records) == ("running", [], [])


async def test_record_may_come_before_its_job_is_committed(
    worker: Worker, submit: Submit, database: Database, photograph: bytes
) -> None:
    late = uuid4()
    job = await submit(InlineSource(bytes=photograph), job=late)
    processing = asyncio.create_task(worker.process(job.record))
    async with database.transaction() as session:
        statement = "INSERT INTO media.jobs (id, user_id, params) VALUES (:id, :user, '[{}]')"
        await session.execute(text(statement), {"id": late, "user": job.request.user})
        assert not processing.done()
    await processing
    assert (await job.state()).status == "done"


async def test_record_whose_job_was_never_committed_is_put_off_and_given_up(
    worker: Worker, submit: Submit, kafka: TestKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "COMMIT_SECONDS", 0)
    for attempt in (1, 2, 3):
        job = await submit(InlineSource(bytes=b"x"), job=uuid4(), attempt=attempt)
        await worker.process(job.record)
    assert [record.topic for record in kafka.records] == [RETRY, RETRY, DEAD]
    assert ResizeDead.decode(kafka.records[2].value).code == "job_unknown"


async def test_lease_is_renewed_while_the_pictures_are_made(
    worker: Worker,
    submit: Submit,
    database: Database,
    photograph: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "RENEWALS", 10_000)
    job = await submit(InlineSource(bytes=photograph))
    make = Pictures.make

    async def make_slowly(self: Pictures, request: ResizeRequested) -> object:
        async with database.transaction() as session:
            statement = "UPDATE media.jobs SET lease_expires_at = now() WHERE id = :id"
            await session.execute(text(statement), {"id": request.job})
        while ((await job.state()).lease_seconds or 0) <= 0:
            await asyncio.sleep(0)
        return await make(self, request)

    monkeypatch.setattr(Pictures, "make", make_slowly)
    await worker.process(job.record)
    assert (await job.state()).status == "done"
