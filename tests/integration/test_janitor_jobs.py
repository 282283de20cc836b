"""What the janitor does about jobs."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from prometheus_client import Gauge
from sqlalchemy import text

from functions.janitor.jobs import OldJobs, StalledJobs
from functions.janitor.service import Janitor
from infra.local.lost_jobs import fail_lost_jobs
from shared.db.session import Database
from shared.errors import ChoresFailed
from shared.messages.resize_requested import ResizeRequested, StoredSource
from shared.messages.topics import REQUESTED
from shared.metrics.instruments import JOBS_OLDEST
from shared.repositories.jobs import JobState
from shared.repositories.unit_of_work import UnitOfWork
from tests.fakes.kafka import TestKafkaProducer
from tests.jobs import PARAMS, add_user

SOURCE = ("uploads/ada/1", '"abc"')
ACCEPTED = ["webp", "jpeg"]
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
async def _no_jobs(database: Database) -> None:
    """Those of other tests are none of these."""
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM media.jobs"))


@pytest.fixture
def kafka() -> TestKafkaProducer:
    return TestKafkaProducer()


def measured(gauge: Gauge) -> float:
    [family] = gauge.collect()
    return family.samples[0].value


class Jobs:
    def __init__(self, begin: UnitOfWork, database: Database, kafka: TestKafkaProducer) -> None:
        self.begin = begin
        self._database = database
        self.stalled = StalledJobs(begin, kafka.producer(), "pictures")

    async def add(
        self, columns: str, source: tuple[str, str] | None = SOURCE, *, taken: bool = False
    ) -> UUID:
        """Store a job and set its columns, as in SQL."""
        user = await add_user(self.begin)
        async with self.begin() as repositories:
            job = await repositories.jobs.add(user, PARAMS, source, ACCEPTED)
            if taken:
                await repositories.jobs.take(job.id, uuid4(), 2)
        async with self._database.transaction() as session:
            await session.execute(text(f"UPDATE media.jobs SET {columns} WHERE id = :id"), {"id": job.id})
        return job.id

    async def state(self, job_id: UUID) -> JobState | None:
        async with self.begin() as repositories:
            return await repositories.jobs.find(job_id)

    async def clean(self) -> int:
        return (await Janitor([self.stalled]).clean())["stalled_jobs"]


@pytest.fixture
def jobs(begin: UnitOfWork, database: Database, kafka: TestKafkaProducer) -> Jobs:
    return Jobs(begin, database, kafka)


async def test_job_that_waits_for_an_hour_is_sent_again(jobs: Jobs, kafka: TestKafkaProducer) -> None:
    stalled = await jobs.add("sent_at = now() - interval '61 min'")
    await jobs.add("sent_at = now() - interval '59 min'")
    assert await jobs.clean() == 1
    [record] = kafka.of(REQUESTED)
    request = ResizeRequested.decode(record.value)
    assert (request.job, request.attempt, request.outputs) == (stalled, 1, PARAMS)
    assert request.accepted == ACCEPTED
    assert request.source == StoredSource(bucket="pictures", key=SOURCE[0], etag=SOURCE[1])
    assert await jobs.clean() == 0


async def test_job_that_was_left_by_its_worker_is_sent_again(jobs: Jobs, kafka: TestKafkaProducer) -> None:
    stalled = await jobs.add("lease_expires_at = now() - interval '6 min'", taken=True)
    await jobs.add("lease_expires_at = now() - interval '4 min'", taken=True)
    assert await jobs.clean() == 1
    request = ResizeRequested.decode(kafka.of(REQUESTED)[0].value)
    assert (request.job, request.attempt) == (stalled, 2)
    state = await jobs.state(stalled)
    assert state is not None and (state.status, state.lease_seconds) == ("queued", None)


async def test_what_has_been_stalled_for_a_day_fails_with_its_reason(
    jobs: Jobs, kafka: TestKafkaProducer
) -> None:
    old = "sent_at = now() - interval '2 h', created_at = now() - interval '25 h'"
    failed = [await jobs.add(old), await jobs.add(old, None)]
    # What travelled in the message cannot be sent again, and may still be done.
    waiting = await jobs.add("sent_at = now() - interval '2 h'", None)
    assert await jobs.clean() == 2
    for job in failed:
        state = await jobs.state(job)
        assert state is not None and state.problem is not None
        assert (state.status, state.problem["code"]) == ("failed", "job_stalled")
    state = await jobs.state(waiting)
    assert state is not None and state.status == "queued"
    assert kafka.records == []


async def test_without_a_broker_the_job_is_left_as_it_was(jobs: Jobs, kafka: TestKafkaProducer) -> None:
    stalled = await jobs.add("sent_at = now() - interval '2 h'")
    kafka.error = ConnectionError()
    with pytest.raises(ChoresFailed):
        await jobs.clean()
    kafka.error = None
    assert await jobs.clean() == 1
    assert ResizeRequested.decode(kafka.records[0].value).job == stalled


async def test_age_of_the_oldest_job_is_measured(jobs: Jobs) -> None:
    await jobs.clean()
    assert measured(JOBS_OLDEST) == 0
    await jobs.add("created_at = now() - interval '30 min'")
    await jobs.add("created_at = now() - interval '90 min', status = 'done', finished_at = now()")
    await jobs.clean()
    assert 1800 <= measured(JOBS_OLDEST) < 1900


async def test_jobs_go_with_their_results(jobs: Jobs) -> None:
    done = "status = 'done', finished_at = now() - interval "
    gone = [await jobs.add(f"{done} '7 days 1 s'") for _ in range(3)]
    kept = [await jobs.add(f"{done} '6 days 23 h'"), await jobs.add("created_at = now() - interval '9 days'")]
    async with jobs.begin() as repositories:
        owner = await repositories.jobs.find(gone[0])
        assert owner is not None
        assert await repositories.idempotency_keys.claim(owner.user_id, "key", b"1", gone[0])
    assert await Janitor([OldJobs(jobs.begin, WEEK)]).clean() == {"old_jobs": 3}
    assert [await jobs.state(job) for job in gone] == [None] * 3
    assert None not in [await jobs.state(job) for job in kept]
    async with jobs.begin() as repositories:
        assert await repositories.idempotency_keys.job_of(owner.user_id, "key", b"2") is None


async def test_make_run_fails_what_an_earlier_run_has_left(
    jobs: Jobs, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [await jobs.add("attempt = 1"), await jobs.add("attempt = 1", None, taken=True)]
    done = await jobs.add("status = 'done', finished_at = now()")
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert await fail_lost_jobs() == 2
    for job in left:
        state = await jobs.state(job)
        assert state is not None and state.problem is not None
        assert (state.status, state.problem["code"]) == ("failed", "job_stalled")
    state = await jobs.state(done)
    assert state is not None and state.status == "done"
    assert await fail_lost_jobs() == 0
