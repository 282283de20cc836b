"""Whatever dies meanwhile, every job that was accepted is done, once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.accounts import sign_in
from tests.integration.storage import put
from tests.kafka.broker import Broker
from tests.kafka.conftest import Database
from tests.kafka.jobs import ManyJobs, dead, lag
from tests.kafka.storage import FaultyStorage
from tests.kafka.workers import Workers

JOBS = 1000
KILL_EVERY_SECONDS = 5.0
KILLING_SECONDS = 90.0
"""On a slow machine a worker takes as long to start as it is left to live: then it is let be in the end."""
LIMIT_SECONDS = 240.0


@pytest.fixture
async def jobs(
    client: httpx.AsyncClient, photograph: bytes, storage: FaultyStorage
) -> AsyncIterator[ManyJobs]:
    storage.written.clear()
    user = await sign_in(client)
    many = ManyJobs(client, user, photograph)
    wanted = {"content_type": "image/jpeg", "content_length": len(photograph)}
    ticket = await client.post("/file/upload", json=wanted, headers=user.authorization)
    many.source = await put(ticket.json(), photograph)
    yield many


async def wait_until_committed(broker: Broker) -> None:
    async with asyncio.timeout(90):
        while await lag(broker.address):
            await asyncio.sleep(0.5)


async def test_workers_are_killed_join_and_leave_and_the_broker_is_started_again(
    jobs: ManyJobs, broker: Broker, database: Database, storage: FaultyStorage, workers: Workers
) -> None:
    for _ in range(3):
        workers.start()
    killed_at, restarted = 0.0, False

    def disturb(passed: float) -> None:
        nonlocal killed_at, restarted
        if passed - killed_at >= KILL_EVERY_SECONDS and passed < KILLING_SECONDS:
            killed_at = passed
            workers.kill()
            workers.start()
            if workers.killed % 3 == 0:
                assert workers.end() == 0
                workers.start()
        if not restarted and passed >= 2 * KILL_EVERY_SECONDS:
            restarted = True
            broker.stop(signal.SIGKILL)
            broker.start()

    submitting = asyncio.create_task(jobs.submit(JOBS))
    seconds = await jobs.wait(submitting, database.url, LIMIT_SECONDS, disturb)
    await jobs.assert_all_done(database.url, storage)
    await wait_until_committed(broker)
    assert restarted and workers.killed >= 2
    # Their acknowledgement was lost with the broker: whoever sent them was told so, and sent them again.
    assert set(await dead(broker.address)) <= {"job_unknown"}
    print(
        f"{JOBS} jobs done in {seconds:.0f} s; {workers.killed} workers killed, {workers.ended} ended; "
        f"{storage.writes} writes of {len(storage.written)} objects"
    )


async def test_postgresql_is_started_again_and_object_storage_fails_one_time_in_five(
    jobs: ManyJobs, broker: Broker, database: Database, storage: FaultyStorage, workers: Workers
) -> None:
    before = len(await dead(broker.address))
    submitting = asyncio.create_task(jobs.submit(JOBS // 4))
    storage.fault_every = 5
    restarted = False

    def disturb(passed: float) -> None:
        nonlocal restarted
        if not restarted and passed >= 3:
            restarted = True
            database.stop()
            database.start()

    for _ in range(2):
        workers.start()
    seconds = await jobs.wait(submitting, database.url, LIMIT_SECONDS, disturb)
    storage.fault_every = 0
    await jobs.assert_all_done(database.url, storage)
    await wait_until_committed(broker)
    assert restarted and storage.faults
    # Their commit was lost with the database: whoever sent them was told so, and sent them again.
    assert set((await dead(broker.address))[before:]) <= {"job_unknown"}
    print(f"{JOBS // 4} jobs done in {seconds:.0f} s; object storage failed {storage.faults} times")
