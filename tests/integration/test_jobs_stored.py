"""What is stored of jobs, and who may change it."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from shared.db.session import Database
from shared.errors import IdempotencyKeyReused, InvalidToken
from shared.repositories.jobs import JobState
from shared.repositories.unit_of_work import UnitOfWork
from tests.jobs import OUTPUTS, PARAMS, add_job, add_user

PROBLEM = {"code": "source_unreadable", "detail": "It is cut off."}


@pytest.fixture
async def job_id(begin: UnitOfWork) -> UUID:
    return await add_job(begin)


async def found(begin: UnitOfWork, job_id: UUID) -> JobState:
    async with begin() as repositories:
        job = await repositories.jobs.find(job_id)
    assert job is not None
    return job


async def take(begin: UnitOfWork, job_id: UUID, lease: UUID, attempt: int = 1) -> bool:
    async with begin() as repositories:
        return await repositories.jobs.take(job_id, lease, attempt)


async def expire(database: Database, job_id: UUID) -> None:
    """Let the lease be over, as if its holder had died."""
    async with database.transaction() as session:
        statement = "UPDATE media.jobs SET lease_expires_at = now() - interval '1 s' WHERE id = :id"
        await session.execute(text(statement), {"id": job_id})


async def test_new_job_is_queued(begin: UnitOfWork, job_id: UUID) -> None:
    job = await found(begin, job_id)
    assert (job.status, job.params, job.outputs, job.attempt) == ("queued", PARAMS, [], 1)
    assert not job.is_finished
    assert (job.started_at, job.finished_at, job.problem, job.lease_seconds) == (None,) * 4


async def test_job_is_leased_to_one(begin: UnitOfWork, job_id: UUID) -> None:
    taken = await asyncio.gather(*(take(begin, job_id, uuid4()) for _ in range(4)))
    assert sorted(taken) == [False, False, False, True]
    job = await found(begin, job_id)
    assert job.status == "running" and job.started_at is not None
    assert job.lease_seconds is not None and 0 < job.lease_seconds <= 15


async def test_lease_that_is_over_goes_to_another_and_the_first_may_do_nothing_more(
    begin: UnitOfWork, database: Database, job_id: UUID
) -> None:
    first, second = uuid4(), uuid4()
    assert await take(begin, job_id, first)
    await expire(database, job_id)
    assert await take(begin, job_id, second, attempt=2)
    async with begin() as repositories:
        assert not await repositories.jobs.renew(job_id, first)
        assert not await repositories.jobs.release(job_id, first)
        assert not await repositories.jobs.finish(job_id, first, OUTPUTS[:1])
        assert await repositories.jobs.finish(job_id, second, OUTPUTS)
    job = await found(begin, job_id)
    assert (job.status, job.attempt, job.outputs) == ("done", 2, OUTPUTS)
    assert job.finished_at is not None and job.lease_seconds is None


async def test_lease_is_renewed(begin: UnitOfWork, database: Database, job_id: UUID) -> None:
    lease = uuid4()
    await take(begin, job_id, lease)
    await expire(database, job_id)
    async with begin() as repositories:
        assert await repositories.jobs.renew(job_id, lease)
    assert not await take(begin, job_id, uuid4())


async def test_released_job_is_queued_again(begin: UnitOfWork, job_id: UUID) -> None:
    lease = uuid4()
    await take(begin, job_id, lease)
    async with begin() as repositories:
        assert await repositories.jobs.release(job_id, lease)
    assert (await found(begin, job_id)).status == "queued"
    assert await take(begin, job_id, uuid4(), attempt=2)


async def test_failed_job_says_why_and_stays_so(begin: UnitOfWork, job_id: UUID) -> None:
    async with begin() as repositories:
        assert await repositories.jobs.fail(job_id, PROBLEM)
        assert not await repositories.jobs.fail(job_id, {"code": "other"})
    assert not await take(begin, job_id, uuid4())
    job = await found(begin, job_id)
    assert (job.status, job.problem) == ("failed", PROBLEM)


async def test_newest_come_first_a_page_at_a_time(begin: UnitOfWork) -> None:
    user_id = await add_user(begin)
    made = [await add_job(begin, user_id) for _ in range(5)]
    await add_job(begin)
    listed: list[UUID] = []
    async with begin() as repositories:
        while True:
            before = listed[-1] if listed else None
            page = await repositories.jobs.list_of_user(user_id, 2, before)
            if not page:
                break
            listed += [job.id for job in page]
    assert listed == made[::-1]


async def test_job_is_its_user_s_alone(begin: UnitOfWork, job_id: UUID) -> None:
    owner = (await found(begin, job_id)).user_id
    other = await add_user(begin)
    async with begin() as repositories:
        assert (await repositories.jobs.of_user(job_id, other)) is None
        assert (await repositories.jobs.list_of_user(other, 10, before=job_id)) == []
        assert (await repositories.jobs.of_user(job_id, owner)) is not None


async def test_key_names_one_request_of_its_user(begin: UnitOfWork, job_id: UUID) -> None:
    owner = (await found(begin, job_id)).user_id
    other = await add_user(begin)
    async with begin() as repositories:
        keys = repositories.idempotency_keys
        assert await keys.job_of(owner, "key", b"1") is None
        assert await keys.claim(owner, "key", b"1", job_id)
        assert not await keys.claim(owner, "key", b"1", job_id)
        assert await keys.job_of(owner, "key", b"1") == job_id
        assert await keys.job_of(other, "key", b"2") is None
        with pytest.raises(IdempotencyKeyReused):
            await keys.job_of(owner, "key", b"2")


async def test_token_may_outlive_its_user(begin: UnitOfWork) -> None:
    async with begin() as repositories:
        with pytest.raises(InvalidToken):
            await repositories.jobs.add(uuid4(), PARAMS, None)
