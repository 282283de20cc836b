"""Whatever dies meanwhile, every job that was accepted is done, once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

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
    storage.faults = 0
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


@dataclass
class Upheaval:
    """Kills a worker every 5 s, has others join and leave, and does `restart` once."""

    workers: Workers
    restart: Callable[[], None]
    killed_at: float = 0.0
    has_restarted: bool = False

    def __call__(self, passed: float) -> None:
        """Do what is due after so many seconds."""
        if passed - self.killed_at >= KILL_EVERY_SECONDS and passed < KILLING_SECONDS:
            self.killed_at = passed
            self._replace()
        if not self.has_restarted and passed >= 2 * KILL_EVERY_SECONDS:
            self.has_restarted = True
            self.restart()

    def _replace(self) -> None:
        self.workers.kill()
        self.workers.start()
        if self.workers.killed % 3 == 0:
            assert self.workers.end() == 0
            self.workers.start()


async def survive(
    jobs: ManyJobs, broker: Broker, database: Database, storage: FaultyStorage, upheaval: Upheaval
) -> None:
    """Have all jobs done meanwhile, none of them twice with other bytes, and none left over."""
    before, workers, writes = len(await dead(broker.address)), upheaval.workers, storage.writes
    for _ in range(3):
        workers.start()
    submitting = asyncio.create_task(jobs.submit(JOBS))
    seconds = await jobs.wait(submitting, database.url, LIMIT_SECONDS, upheaval)
    storage.fault_every = 0
    await jobs.assert_all_done(database.url, storage)
    await wait_until_committed(broker)
    assert upheaval.has_restarted and workers.killed >= 2 and workers.ended
    # Their acknowledgement, or their commit, was lost: whoever sent them was told so, and sent them again.
    assert set((await dead(broker.address))[before:]) <= {"job_unknown"}
    print(
        f"{JOBS} jobs done in {seconds:.0f} s; {workers.killed} workers killed, {workers.ended} ended; "
        f"{storage.writes - writes} writes of {len(storage.written)} objects; "
        f"object storage failed {storage.faults} times"
    )


async def test_workers_are_killed_join_and_leave_and_the_broker_is_started_again(
    jobs: ManyJobs, broker: Broker, database: Database, storage: FaultyStorage, workers: Workers
) -> None:
    def restart() -> None:
        broker.stop(signal.SIGKILL)
        broker.start()

    await survive(jobs, broker, database, storage, Upheaval(workers, restart))


async def test_workers_are_killed_postgresql_is_started_again_and_object_storage_fails_one_time_in_five(
    jobs: ManyJobs, broker: Broker, database: Database, storage: FaultyStorage, workers: Workers
) -> None:
    def restart() -> None:
        database.stop()
        database.start()

    storage.fault_every = 5
    await survive(jobs, broker, database, storage, Upheaval(workers, restart))
    assert storage.faults
