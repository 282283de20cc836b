"""The real Apache Kafka, a PostgreSQL and an S3 that can be made to fail, and the functions that queue."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from infra.gateway.asgi import open_front_door
from infra.local.ports import listen
from infra.local.postgres import postgres
from infra.local.server import served_in_thread
from infra.queue.topics import make_topics
from shared.config import KafkaSettings
from tests.conftest import STORAGE_URL
from tests.kafka.broker import Broker, fetch_libraries
from tests.kafka.storage import FaultyStorage
from tests.kafka.workers import Workers


class Database:
    """PostgreSQL on a folder of its own, which can be started again."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "postgres"
        self._running = ExitStack()
        self.url = self._running.enter_context(postgres(self._data))

    def stop(self) -> None:
        self._running.close()

    def start(self) -> None:
        assert self._running.enter_context(postgres(self._data)) == self.url


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    # Not one of pytest's: of those of root, PostgreSQL's own user cannot enter one.
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def database(folder: Path) -> Iterator[Database]:
    from infra.migrations import upgrade

    database = Database(folder)
    upgrade(database.url)
    yield database
    database.stop()


@pytest.fixture(scope="session")
def database_url(database: Database) -> str:
    return database.url


@pytest.fixture(scope="session")
def broker(folder: Path) -> Iterator[Broker]:
    fetch_libraries()
    broker = Broker(folder)
    try:
        broker.start()
        settings = KafkaSettings.from_environment({"KAFKA_BOOTSTRAP_SERVERS": broker.address})
        asyncio.run(make_topics(settings, partitions=6, replicas=1, patience=60))
        yield broker
    finally:
        broker.close()


@pytest.fixture(scope="session")
def storage() -> Iterator[FaultyStorage]:
    listener = listen(0)
    storage = FaultyStorage(os.environ[STORAGE_URL], "{}:{}".format(*listener.getsockname()))
    with served_in_thread(storage.app, listener):
        yield storage


@pytest.fixture(scope="session")
def storage_host(storage: FaultyStorage) -> str:
    return storage.address


@pytest.fixture(scope="session")
async def client(environment: pytest.MonkeyPatch, broker: Broker) -> AsyncIterator[httpx.AsyncClient]:
    environment.setenv("KAFKA_BOOTSTRAP_SERVERS", broker.address)
    async with open_front_door() as front_door:
        transport = httpx.ASGITransport(front_door, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            yield client


@pytest.fixture
def workers(client: httpx.AsyncClient, folder: Path) -> Iterator[Workers]:
    workers = Workers(folder / "workers.log")
    yield workers
    workers.close()
