"""Many jobs, and what must be true of them in the end."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from infra.gateway.asgi import load_app
from infra.queue.log import open_log
from shared.config import KafkaSettings
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize
from shared.messages.topics import REQUESTED, RETRY, WORKER_GROUP
from tests.accounts import SignedIn
from tests.kafka.storage import FaultyStorage

AT_ONCE = 4
LOOK_SECONDS = 0.5
UNFINISHED = "SELECT count(*) FROM media.jobs WHERE status IN ('queued', 'running')"


@dataclass
class ManyJobs:
    client: httpx.AsyncClient
    user: SignedIn
    photograph: bytes
    submitted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The id of each, and its parameters."""
    source: str | None = None

    async def submit(self, count: int) -> None:
        """Submit so many, a few at once, half by object storage; again where the answer asks for that."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            async with slots:
                await self._submit(number)

        await asyncio.gather(*map(one, range(count)))

    async def _submit(self, number: int) -> None:
        params: dict[str, Any] = {
            "width": 20 + number % 200,
            "format": random.choice(["jpeg", "png", "webp"]),
        }
        headers = {
            **self.user.authorization,
            "Prefer": "respond-async",
            "Idempotency-Key": f"{id(self)}-{number}",
        }
        sent: dict[str, Any] = (
            {"json": {"source": self.source}} if number % 2 else {"content": self.photograph}
        )
        while True:
            answer = await self.client.post("/file/resize", params=params, headers=headers, **sent)
            if answer.status_code == 202:
                self.submitted.append((answer.json()["id"], params))
                return
            # A caller does as he is told, and comes again.
            assert answer.status_code == 503 and answer.headers["retry-after"], answer.text
            await asyncio.sleep(1)

    async def wait(
        self,
        submitting: asyncio.Task[None],
        database_url: str,
        seconds: float,
        meanwhile: Callable[[float], None],
    ) -> float:
        """Wait until all are submitted and finished, and return how long that took.

        `meanwhile` is called now and then, with the seconds that have passed.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        while not submitting.done() or await unfinished(database_url):
            passed = loop.time() - started
            assert passed < seconds, f"{await unfinished(database_url)} jobs are left after {passed:.0f} s"
            await asyncio.to_thread(meanwhile, passed)
            await asyncio.sleep(LOOK_SECONDS)
        await submitting
        return loop.time() - started

    async def assert_all_done(self, database_url: str, storage: FaultyStorage) -> None:
        """Every job is done, and its output is byte for byte what the direct way gives."""
        connection = await asyncpg.connect(database_url)
        rows = await connection.fetch(
            "SELECT jobs.id::text, jobs.status, outputs.key, jobs.problem "
            "FROM media.jobs LEFT JOIN media.outputs ON job_id = jobs.id WHERE jobs.id::text = ANY($1)",
            [job for job, _ in self.submitted],
        )
        await connection.close()
        assert Counter(row["status"] for row in rows) == {"done": len(self.submitted)}, [
            row["problem"] for row in rows if row["problem"]
        ][:3]
        keys = {row["id"]: row["key"] for row in rows}
        direct: dict[tuple[Any, ...], bytes] = {}
        stored = load_app("jobs").state.object_storage
        for job, params in self.submitted:
            wanted = tuple(params.values())
            if wanted not in direct:
                request = ProcessingOptions(**params)
                direct[wanted] = resize(self.photograph, request, Limits(10**7, 10**7)).content
                assert await stored.get(keys[job], limit=10**7) == direct[wanted]
        twice = {path: digests for path, digests in storage.written.items() if len(digests) > 1}
        assert not twice, "written again with other bytes"


async def unfinished(database_url: str) -> int:
    """Return how many there are; of a database that is down, that some are."""
    try:
        connection = await asyncpg.connect(database_url, timeout=5)
    except (OSError, asyncpg.PostgresError):
        return 1
    try:
        return int(await connection.fetchval(UNFINISHED))
    finally:
        await connection.close()


async def lag(broker: str) -> int:
    settings = KafkaSettings.from_environment({"KAFKA_BOOTSTRAP_SERVERS": broker})
    async with open_log(settings, WORKER_GROUP) as log:
        return sum(each.records for each in await log.lag((REQUESTED, RETRY)))


async def dead(broker: str) -> list[str]:
    """Return the reasons of all that is dead."""
    settings = KafkaSettings.from_environment({"KAFKA_BOOTSTRAP_SERVERS": broker})
    async with open_log(settings) as log:
        return [each.message.code if each.message else "" async for each in log.dead()]
