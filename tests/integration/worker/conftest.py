"""A worker on a real database and a real S3, with a stand-in for Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from functions.worker.pictures import Pictures
from functions.worker.service import Worker
from shared.concurrency import BoundedThreads
from shared.config import StorageSettings
from shared.db.storage import ObjectStorage
from shared.images.limits import Limits
from shared.images.pipeline import Picture
from shared.messages.record import Headers, Record
from shared.messages.resize_requested import InlineSource, Parameters, ResizeRequested, StoredSource
from shared.messages.topics import REQUESTED
from shared.on_startup.storage import create_storage
from shared.repositories.jobs import JobState
from shared.repositories.unit_of_work import UnitOfWork
from tests.fakes.kafka import TestKafkaProducer
from tests.jobs import add_job, add_user


@pytest.fixture(scope="session")
async def storage(bucket: str, storage_host: str) -> AsyncIterator[ObjectStorage]:
    settings = {"S3_BUCKET": bucket, "LOCALSTACK_HOST": storage_host}
    storage = create_storage(StorageSettings.from_environment(settings))
    yield storage
    storage.close()


@pytest.fixture
def kafka() -> TestKafkaProducer:
    return TestKafkaProducer()


@pytest.fixture
def worker(begin: UnitOfWork, storage: ObjectStorage, kafka: TestKafkaProducer) -> Worker:
    threads: BoundedThreads[Picture] = BoundedThreads(1)
    return Worker(begin, kafka.producer(), Pictures(threads, Limits(10**6, 10**6), 20, storage))


class Submitted:
    """A job and the record that asks for it."""

    def __init__(self, begin: UnitOfWork, request: ResizeRequested, record: Record) -> None:
        self._begin = begin
        self.request = request
        self.record = record

    async def state(self) -> JobState:
        async with self._begin() as repositories:
            job = await repositories.jobs.find(self.request.job)
        assert job is not None
        return job


class Submit:
    """Stores a job, and makes its record."""

    def __init__(self, begin: UnitOfWork, storage: ObjectStorage, bucket: str) -> None:
        self._begin = begin
        self._storage = storage
        self._bucket = bucket
        self._offset = 0

    async def __call__(
        self,
        source: InlineSource | StoredSource,
        outputs: list[Parameters] | None = None,
        attempt: int = 1,
        headers: Headers = (),
        job: UUID | None = None,
    ) -> Submitted:
        outputs = outputs or [{"width": 100}]
        user = await add_user(self._begin)
        request = ResizeRequested(
            user=user,
            job=job or await add_job(self._begin, user, outputs),
            attempt=attempt,
            source=source,
            outputs=outputs,
        )
        self._offset += 1
        key = str(request.job).encode()
        return Submitted(
            self._begin, request, Record(REQUESTED, 0, self._offset, key, request.encode(), headers)
        )

    async def upload(self, content: bytes) -> StoredSource:
        key = f"uploads/test/{uuid4()}"
        await self._storage.put(key, content, "image/jpeg")
        stored = await self._storage.head(key)
        return StoredSource(bucket=self._bucket, key=key, etag=stored.etag)


@pytest.fixture
def submit(begin: UnitOfWork, storage: ObjectStorage, bucket: str) -> Submit:
    return Submit(begin, storage, bucket)
