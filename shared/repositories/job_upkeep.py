from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models.media.job import FAILED, QUEUED, RUNNING, Job
from shared.repositories.deletion import delete_oldest
from shared.repositories.jobs import ENDED, FREE, TOLD, UNFINISHED


@dataclass(frozen=True, slots=True)
class Stalled:
    """A job that nobody seems to have, and what is known of its source."""

    id: UUID
    user_id: UUID
    params: list[dict[str, Any]]
    accepted: list[str] | None
    attempt: int
    source_key: str | None
    source_etag: str | None
    age: timedelta


class JobUpkeep:
    """What the janitor does about jobs. Every judgement of time is made by the database."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def stalled(
        self, queued: timedelta, running: timedelta, expired: timedelta, at_most: int
    ) -> list[Stalled]:
        """Lock and return jobs whose record may be lost, the oldest first.

        They wait since `queued` or longer, or their lease is over for longer than `running`.
        One whose source is not stored comes only when it is `expired`.
        """
        now = func.clock_timestamp()
        age = (now - Job.created_at).label("age")
        waits = (Job.status == QUEUED) & (Job.sent_at < now - queued)
        abandoned = (Job.status == RUNNING) & (Job.lease_expires_at < now - running)
        is_due = Job.source_key.is_not(None) | (Job.created_at < now - expired)
        wanted = (Job.params, Job.accepted, Job.attempt, Job.source_key, Job.source_etag)
        statement = (
            select(Job.id, Job.user_id, *wanted, age)
            .where(waits | abandoned, is_due)
            .order_by(Job.sent_at)
            .limit(at_most)
            .with_for_update(skip_locked=True)
        )
        return [Stalled(*row) for row in await self._session.execute(statement)]

    async def fail_unfinished(self, problem: dict[str, Any]) -> int:
        """Set every job failed that is not finished, and return how many."""
        values = {"status": FAILED, "problem": problem, **ENDED}
        ended = update(Job).where(Job.status.in_(UNFINISHED)).values(values).returning(Job.id, TOLD)
        return len((await self._session.execute(ended)).all())

    async def resend(self, job_id: UUID) -> None:
        """Note that the job's record has been sent again."""
        unfinished = (Job.id == job_id) & Job.status.in_(UNFINISHED)
        queued = {"status": QUEUED, "sent_at": func.clock_timestamp(), **FREE}
        await self._session.execute(update(Job).where(unfinished).values(queued).returning(TOLD))

    async def delete_finished(self, retention: timedelta, at_most: int) -> int:
        """Delete the jobs that were finished that long ago, the oldest first, and return how many."""
        before = func.now() - retention
        return await delete_oldest(self._session, Job.id, Job.finished_at, before, at_most)

    async def oldest_seconds(self) -> float:
        """Return the age of the oldest job that is not finished; 0 where there is none."""
        age = func.extract("epoch", func.clock_timestamp() - func.min(Job.created_at))
        oldest = await self._session.scalar(select(age).where(Job.status.in_(UNFINISHED)))
        return float(oldest or 0)
