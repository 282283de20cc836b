"""What is dead comes back, as far as its job may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from infra.operators import Refused
from infra.queue.log import DeadRecord
from infra.queue.replay import matching, replay
from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.errors import QueueUnavailable
from shared.messages.envelope import MAXIMUM_BYTES
from shared.messages.record import Record
from shared.messages.resize_dead import ResizeDead
from shared.messages.resize_requested import InlineSource, ResizeRequested
from shared.messages.topics import DEAD, REQUESTED, RETRY
from shared.on_startup.database import create_engine
from shared.repositories.jobs import JobState
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from tests.fakes.kafka import TestKafkaProducer
from tests.jobs import add_job

PROBLEM = {"code": "storage_unavailable", "detail": "Please try again shortly."}


@pytest.fixture(scope="module")
async def begin(database_url: str) -> AsyncIterator[UnitOfWork]:
    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": database_url}))
    yield await unit_of_work(Database(engine))
    await engine.dispose()


@pytest.fixture
def kafka() -> TestKafkaProducer:
    return TestKafkaProducer()


async def failed(begin: UnitOfWork) -> UUID:
    job = await add_job(begin)
    async with begin() as repositories:
        assert await repositories.jobs.fail(job, PROBLEM)
    return job


async def state(begin: UnitOfWork, job: UUID) -> JobState:
    async with begin() as repositories:
        found = await repositories.jobs.find(job)
    assert found is not None
    return found


def dead_record(value: bytes, job: UUID | None = None, code: str = "storage_unavailable") -> DeadRecord:
    origin = Record(RETRY, 1, 5, b"key", value)
    message = ResizeDead.of(origin, code, "", 5, job)
    return DeadRecord(Record(DEAD, 0, 3, b"key", message.encode()), message)


def of_job(job: UUID) -> DeadRecord:
    source = InlineSource(bytes=b"picture")
    request = ResizeRequested(user=uuid4(), job=job, attempt=5, source=source, outputs=[{"width": 5}])
    return dead_record(request.encode(), job)


async def test_dead_record_is_sent_as_a_first_attempt_and_its_job_queued(
    begin: UnitOfWork, kafka: TestKafkaProducer
) -> None:
    job = await failed(begin)
    assert await replay(of_job(job), kafka.producer(), begin) == str(job)
    [record] = kafka.records
    request = ResizeRequested.decode(record.value)
    assert (record.topic, record.key, request.job, request.attempt) == (REQUESTED, str(job).encode(), job, 1)
    assert request.source == InlineSource(bytes=b"picture")
    after = await state(begin, job)
    assert (after.status, after.problem, after.finished_at) == ("queued", None, None)


async def test_job_is_queued_before_its_record_is_sent(begin: UnitOfWork, kafka: TestKafkaProducer) -> None:
    """A worker that is quicker than a commit would find it failed, and leave it so."""
    job, seen = await failed(begin), []
    send = kafka.send_and_wait

    async def look_and_send(*args: object, **kwargs: object) -> Record:
        seen.append((await state(begin, job)).status)
        return await send(*args, **kwargs)  # type: ignore[arg-type]

    kafka.send_and_wait = look_and_send  # type: ignore[method-assign]
    await replay(of_job(job), kafka.producer(), begin)
    assert seen == ["queued"]


async def test_without_a_broker_the_job_stays_as_it_was(begin: UnitOfWork, kafka: TestKafkaProducer) -> None:
    job = await failed(begin)
    kafka.error = ConnectionError()
    with pytest.raises(QueueUnavailable):
        await replay(of_job(job), kafka.producer(), begin)
    after = await state(begin, job)
    assert (after.status, after.problem) == ("failed", PROBLEM)


async def test_job_that_has_not_failed_is_left_alone(begin: UnitOfWork, kafka: TestKafkaProducer) -> None:
    for job in (await add_job(begin), uuid4()):
        with pytest.raises(Refused, match="0:3: its job .* is done, under way, or deleted"):
            await replay(of_job(job), kafka.producer(), begin)
    assert kafka.records == []


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (dead_record(b"no message"), "no worker can read it"),
        (dead_record(bytes(MAXIMUM_BYTES)), "is not whole"),
        (DeadRecord(Record(DEAD, 0, 3), None), "is not whole"),
    ],
)
async def test_poison_is_not_sent_again(
    begin: UnitOfWork, kafka: TestKafkaProducer, record: DeadRecord, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        await replay(record, kafka.producer(), begin)
    assert kafka.records == []


def test_those_of_a_reason_are_chosen() -> None:
    records = [dead_record(b"1", code="a"), dead_record(b"2", code="b"), DeadRecord(Record(DEAD, 0, 1), None)]
    assert matching(records, "b") == records[1:2]
