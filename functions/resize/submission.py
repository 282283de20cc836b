"""Makes a job of a request. Imported by name, at the first job: it loads the database."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import orjson
from fastapi import FastAPI

from functions.resize.job_request import Wanted
from shared.db.kafka import KafkaProducer
from shared.db.storage import ObjectStorage, check_length
from shared.errors import NotFound
from shared.images.limits import Limits
from shared.job_document import JobDocument
from shared.messages.envelope import headers_of
from shared.messages.resize_requested import MAXIMUM_INLINE_BYTES, InlineSource, ResizeRequested, StoredSource
from shared.messages.topics import REQUESTED
from shared.object_keys import upload_key
from shared.on_startup.database import open_database
from shared.repositories.jobs import JobState
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work

CONTENT_TYPE = "application/octet-stream"
"""Of a source that came as it is: its own bytes say what it is."""


class _KeyTaken(Exception):
    """Raised to roll back: another request with the same key was quicker."""


@dataclass(frozen=True, slots=True)
class Submissions:
    unit_of_work: UnitOfWork
    producer: KafkaProducer
    storage: ObjectStorage
    limits: Limits

    async def submit(self, user: UUID, source: UUID | bytes, wanted: Wanted) -> JobDocument:
        """Store a job and send its record; the same request with the same key finds the job that it made.

        Raises SourceNotFound, SourceTooLarge, IdempotencyKeyReused, QueueUnavailable, StorageUnavailable or
        DatabaseUnavailable, and then there is no job.
        """
        key = wanted.idempotency_key
        fingerprint = await asyncio.to_thread(_fingerprint, source, wanted)
        if key is not None and (job := await self._earlier(user, key, fingerprint)):
            return JobDocument.of(job)
        read = await self._source(user, source)
        try:
            return JobDocument.of(await self._new(user, read, wanted, fingerprint))
        except _KeyTaken:
            job = await self._earlier(user, str(key), fingerprint)
            if job is None:
                raise NotFound("The job of this Idempotency-Key has just been deleted.") from None
            return JobDocument.of(job)

    async def _earlier(self, user: UUID, key: str, fingerprint: bytes) -> JobState | None:
        async with self.unit_of_work() as repositories:
            job_id = await repositories.idempotency_keys.job_of(user, key, fingerprint)
            return None if job_id is None else await repositories.jobs.of_user(job_id, user)

    async def _new(
        self, user: UUID, source: InlineSource | StoredSource, wanted: Wanted, fingerprint: bytes
    ) -> JobState:
        """The record is sent before the job is committed: a broker that is down leaves no job behind."""
        place = (source.key, source.etag) if isinstance(source, StoredSource) else None
        async with self.unit_of_work() as repositories:
            job = await repositories.jobs.add(user, wanted.params, place, wanted.accepted)
            key = wanted.idempotency_key
            if key is not None:
                claimed = await repositories.idempotency_keys.claim(user, key, fingerprint, job.id)
                if not claimed:
                    raise _KeyTaken
            await self._send(job, source, wanted)
        return job

    async def _send(self, job: JobState, source: InlineSource | StoredSource, wanted: Wanted) -> None:
        message = ResizeRequested(
            user=job.user_id,
            job=job.id,
            attempt=1,
            source=source,
            outputs=wanted.params,
            accepted=None if wanted.accepted is None else list[str](wanted.accepted),
        )
        headers = headers_of(1, wanted.traceparent)
        await self.producer.publish(REQUESTED, str(job.id).encode(), message.encode(), headers)

    async def _source(self, user: UUID, source: UUID | bytes) -> InlineSource | StoredSource:
        """Return what the message says of the source; one that is too large for it goes to object storage."""
        if isinstance(source, bytes):
            if len(source) <= MAXIMUM_INLINE_BYTES:
                return InlineSource(bytes=source)
            digest = await asyncio.to_thread(lambda: hashlib.sha256(source).digest())
            name = upload_key(user, UUID(bytes=digest[:16]))
            etag = await self.storage.put(name, source, CONTENT_TYPE)
        else:
            name = upload_key(user, source)
            found = await self.storage.head(name)
            check_length(found.length, self.limits.source_bytes)
            etag = found.etag
        return StoredSource(bucket=self.storage.bucket, key=name, etag=etag)


def _fingerprint(source: UUID | bytes, wanted: Wanted) -> bytes:
    named = source.bytes if isinstance(source, UUID) else hashlib.sha256(source).digest()
    asked = orjson.dumps([wanted.params, wanted.accepted], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(named + asked).digest()


@asynccontextmanager
async def open_submissions(app: FastAPI) -> AsyncIterator[Submissions]:
    """Open the database, and give Submissions with it."""
    async with open_database(app):
        state = app.state
        begin = await unit_of_work(state.database)
        yield Submissions(begin, state.kafka_producer, state.object_storage, state.picture_limits)
