"""The chores around jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from functions.janitor.service import BATCHES_PER_EVENT, Chore, OldRows
from shared.db.kafka import KafkaProducer
from shared.errors import JobStalled
from shared.messages.envelope import headers_of
from shared.messages.resize_requested import ResizeRequested, StoredSource
from shared.messages.topics import REQUESTED
from shared.metrics.instruments import JOBS_OLDEST
from shared.repositories.job_upkeep import Stalled
from shared.repositories.unit_of_work import Repositories, UnitOfWork

QUEUED_FOR = timedelta(hours=1)
"""A record that waits for longer may be lost: sent again, it is done once all the same."""
ABANDONED_FOR = timedelta(minutes=5)
"""After the end of a lease: far longer than Kafka takes to hand the record to another worker."""
EXPIRED_AFTER = timedelta(days=1)
"""When an upload is gone, and nobody waits for the job any more."""
JOBS_PER_BATCH = 100


@dataclass(frozen=True, slots=True)
class StalledJobs(Chore):
    """Sends the records of stalled jobs again, and fails what has been stalled for too long."""

    kind = "stalled_jobs"
    unit_of_work: UnitOfWork
    producer: KafkaProducer
    bucket: str

    async def remove(self) -> AsyncIterator[int]:
        async with self.unit_of_work() as repositories:
            JOBS_OLDEST.set(await repositories.job_upkeep.oldest_seconds())
        for _ in range(BATCHES_PER_EVENT if self.producer.is_configured else 0):
            async with self.unit_of_work() as repositories:
                stalled = await repositories.job_upkeep.stalled(
                    QUEUED_FOR, ABANDONED_FOR, EXPIRED_AFTER, JOBS_PER_BATCH
                )
                for job in stalled:
                    await self._rescue(repositories, job)
            yield len(stalled)
            if len(stalled) < JOBS_PER_BATCH:
                return

    async def _rescue(self, repositories: Repositories, job: Stalled) -> None:
        if job.source_key is None or job.age > EXPIRED_AFTER:
            problem = JobStalled("Nothing has been heard of it for a day. Please send it again.")
            await repositories.jobs.fail(job.id, problem.as_json())
            return
        source = StoredSource(bucket=self.bucket, key=job.source_key, etag=job.source_etag or "")
        message = ResizeRequested(
            user=job.user_id,
            job=job.id,
            attempt=job.attempt,
            source=source,
            outputs=job.params,
            accepted=job.accepted,
        )
        await self.producer.publish(
            REQUESTED, str(job.id).encode(), message.encode(), headers_of(job.attempt)
        )
        await repositories.job_upkeep.resend(job.id)


@dataclass(frozen=True, slots=True)
class OldJobs(OldRows):
    """When their results have gone, and with them the keys that callers gave them."""

    kind = "old_jobs"
    after = "old_results"
    retention: timedelta

    async def delete(self, repositories: Repositories, at_most: int) -> int:
        return await repositories.job_upkeep.delete_finished(self.retention, at_most)
