"""What a record has done to it, whoever hands it over: the consumer that lives long, or Lambda."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from uuid import UUID, uuid4, uuid5

from functions.worker.attempts import (
    OF_ALL,
    PERMANENT,
    FailedRecords,
    is_last,
    problem_of,
    traceparent,
)
from functions.worker.pictures import Pictures
from shared.db.kafka import KafkaProducer
from shared.errors import DatabaseUnavailable, JobUnknown, MessageInvalid, Problem
from shared.logging import request_id
from shared.messages.envelope import headers_of
from shared.messages.record import Record
from shared.messages.resize_completed import CompletedOutput, ResizeCompleted
from shared.messages.resize_requested import ResizeRequested
from shared.messages.topics import COMPLETED
from shared.metrics.instruments import JOB_ATTEMPTS, JOB_DURATION, JOB_QUEUE_DURATION, JOB_WORK_DURATION, JOBS
from shared.repositories.jobs import LEASE, JobState
from shared.repositories.unit_of_work import UnitOfWork

RENEWALS = 3
"""Times that a lease is renewed before it would be over."""
COMMIT_SECONDS = 2.0
"""How long a job may be missing: its record is sent before it is committed, never the other way round."""
FIRST_LOOK_SECONDS = 0.01
LONGEST_LOOK_SECONDS = 1.0

DONE, FAILED, REPEATED, PUT_OFF, GIVEN_UP = "done", "failed", "repeated", "put_off", "given_up"

logger = logging.getLogger("passepartout.worker")


@dataclass(frozen=True, slots=True)
class Worker:
    """Processes records: each at least once, with its effect once.

    - A job is leased before it is worked on, and the lease renewed. Whoever has lost it stores nothing.
    - Outputs are named after what they are made of, so that made twice they are the same object.
    - When `process` returns, the record is needed no more: its job is finished, or it is put off or given up.
    """

    unit_of_work: UnitOfWork
    producer: KafkaProducer
    pictures: Pictures

    async def process(self, record: Record) -> None:
        """Raises DatabaseUnavailable or QueueUnavailable: then the record has to come again."""
        try:
            request = ResizeRequested.decode(record.value)
        except MessageInvalid as problem:
            await self._failed.give_up(record, problem)
            JOB_ATTEMPTS.labels(GIVEN_UP).inc()
            logger.error("%s given up: %s", record, problem.detail)
            return
        reset = request_id.set(str(request.job))
        try:
            JOB_ATTEMPTS.labels(await self._attempt(record, request)).inc()
        finally:
            request_id.reset(reset)

    async def _attempt(self, record: Record, request: ResizeRequested) -> str:
        try:
            return await self._run(record, request)
        except PERMANENT as problem:
            return await self._give_up(record, request, problem)
        except OF_ALL:
            raise
        except Exception as error:
            foreseen = isinstance(error, Problem)
            logger.error("%s: attempt %s: %s", record, request.attempt, error, exc_info=not foreseen)
            if is_last(request, error):
                return await self._give_up(record, request, problem_of(error))
            await self._failed.put_off(record, request)
            return PUT_OFF

    async def _run(self, record: Record, request: ResizeRequested) -> str:
        lease = uuid4()
        finished = await self._take(request, lease)
        if finished is None:
            async with self._held(request.job, lease):
                outputs = await self.pictures.make(request)
            async with self.unit_of_work() as repositories:
                finished = await repositories.jobs.finish(request.job, lease, outputs)
            if finished is None:
                logger.warning("%s: another has taken the job meanwhile", record)
                return REPEATED
            _observe(finished)
            await self._tell(record, finished)
            return DONE
        if finished.outputs:
            # It may have been killed between the two.
            await self._tell(record, finished)
        return REPEATED

    async def _take(self, request: ResizeRequested, lease: UUID) -> JobState | None:
        """Lease the job, and wait while another has it. Returns it where it is finished; else None."""
        looked, pause = 0.0, FIRST_LOOK_SECONDS
        while True:
            async with self.unit_of_work(atomic=False) as repositories:
                if await repositories.jobs.take(request.job, lease, request.attempt):
                    return None
                job = await repositories.jobs.find(request.job)
            if job is not None and job.is_finished:
                return job
            if job is None and looked >= COMMIT_SECONDS:
                raise JobUnknown("Its job was never committed, or has been deleted.")
            await asyncio.sleep(pause)
            looked, pause = looked + pause, min(2 * pause, LONGEST_LOOK_SECONDS)

    @asynccontextmanager
    async def _held(self, job_id: UUID, lease: UUID) -> AsyncIterator[None]:
        """Renew the lease until the end of the block; give it back when the block fails."""
        renewing = asyncio.create_task(self._renew(job_id, lease))
        try:
            yield
        except BaseException:
            # Shielded: a drain that runs out of time cancels what is under way.
            await asyncio.shield(self._release(job_id, lease))
            raise
        finally:
            renewing.cancel()

    async def _renew(self, job_id: UUID, lease: UUID) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / RENEWALS)
            try:
                async with self.unit_of_work() as repositories:
                    await repositories.jobs.renew(job_id, lease)
            except DatabaseUnavailable:
                continue

    async def _release(self, job_id: UUID, lease: UUID) -> None:
        try:
            async with self.unit_of_work() as repositories:
                await repositories.jobs.release(job_id, lease)
        except DatabaseUnavailable:
            # It will be over by itself.
            pass

    async def _give_up(self, record: Record, request: ResizeRequested, problem: Problem) -> str:
        """Put the record among the dead, then fail the job: killed between the two, it is done again."""
        await self._failed.give_up(record, problem, request)
        async with self.unit_of_work() as repositories:
            has_failed = await repositories.jobs.fail(request.job, problem.as_json())
        logger.warning("%s given up: %s: %s", record, problem.code, problem.detail)
        if has_failed:
            JOBS.labels(FAILED).inc()
        return GIVEN_UP

    async def _tell(self, record: Record, job: JobState) -> None:
        message = ResizeCompleted(
            # The same each time that it is told.
            id=uuid5(job.id, COMPLETED),
            user=job.user_id,
            job=job.id,
            attempt=job.attempt,
            outputs=[
                CompletedOutput(params=params, **asdict(output))
                for params, output in zip(job.params, job.outputs)
            ],
        )
        headers = headers_of(job.attempt, traceparent(record))
        await self.producer.publish(COMPLETED, str(job.id).encode(), message.encode(), headers)

    @property
    def _failed(self) -> FailedRecords:
        return FailedRecords(self.producer)


def _observe(job: JobState) -> None:
    JOBS.labels(DONE).inc()
    if job.started_at is not None and job.finished_at is not None:
        JOB_QUEUE_DURATION.observe((job.started_at - job.created_at).total_seconds())
        JOB_WORK_DURATION.observe((job.finished_at - job.started_at).total_seconds())
        JOB_DURATION.observe((job.finished_at - job.created_at).total_seconds())
