from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

from shared.db.job_changes import JobChanges
from shared.db.storage import ADDRESS_SECONDS, ObjectStorage
from shared.errors import NotFound
from shared.job_document import JobDocument
from shared.repositories.jobs import JobState
from shared.repositories.unit_of_work import UnitOfWork

MAXIMUM_ADDRESSES = 200
"""Of a page. An address takes 0.5 ms of a processor, and four times that of a small function."""


@dataclass(frozen=True, slots=True)
class OwnJobs:
    """The caller's own: another's is as one that never was."""

    unit_of_work: UnitOfWork
    storage: ObjectStorage
    changes: JobChanges
    user: UUID

    async def list(self, limit: int, before: UUID | None) -> tuple[list[JobDocument], bool]:
        """Return the newest jobs, or those made before `before`, and whether there may be more.

        They are fewer than `limit` where their outputs are many: each has an address to be signed.
        """
        async with self.unit_of_work() as repositories:
            found = await repositories.jobs.list_of_user(self.user, limit, before)
        jobs = _page(found)
        more = len(jobs) < len(found) or len(found) == limit
        return [await self._document(job) for job in jobs], more

    async def one(self, job_id: UUID, wait: float) -> JobDocument:
        """Return the job, as soon as it has another status than now, or `wait` seconds are over.

        One that is finished is returned at once. Raises NotFound.
        """
        job = await self._find(job_id)
        if wait and not job.is_finished:
            job = await self._changed(job, wait)
        return await self._document(job)

    async def _changed(self, job: JobState, wait: float) -> JobState:
        before = job.status
        try:
            async with asyncio.timeout(wait):
                while job.status == before:
                    async with self.changes.of(job.id) as changed:
                        # It may have changed just before anybody listened.
                        job = await self._find(job.id)
                        if job.status == before:
                            await changed.wait()
                            job = await self._find(job.id)
        except TimeoutError:
            pass
        return job

    async def _find(self, job_id: UUID) -> JobState:
        async with self.unit_of_work() as repositories:
            job = await repositories.jobs.of_user(job_id, self.user)
        if job is None:
            raise NotFound(f"You have no job {job_id}.")
        return job

    async def _document(self, job: JobState) -> JobDocument:
        """One address after the other: they are made on a few threads, which have a bounded queue."""
        if not self.storage.is_configured:
            return JobDocument.of(job)
        return JobDocument.of(
            job,
            [
                await self.storage.presigned_get(
                    output.key,
                    expires_in=ADDRESS_SECONDS,
                    filename=f"image-{output.width}x{output.height}.{output.key.rpartition('.')[2]}",
                    content_type=output.content_type,
                )
                for output in job.outputs
            ],
        )


def _page(jobs: list[JobState]) -> list[JobState]:
    """Return as many of the first as have MAXIMUM_ADDRESSES together, and one at least."""
    addresses = accumulate(len(job.outputs) for job in jobs)
    fitting = sum(count <= MAXIMUM_ADDRESSES for count in addresses)
    return jobs[: max(1, fitting)]
