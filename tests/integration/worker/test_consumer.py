"""The consumer against the broker of `make run`, which speaks Kafka's protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition
from prometheus_client import Gauge

from functions.worker import consumer as consuming_module
from functions.worker.__main__ import HEARTBEAT_MILLISECONDS, SESSION_MILLISECONDS
from functions.worker.consumer import Consumer
from infra.local.kafka import kafka
from shared.config import KafkaSettings
from shared.messages.record import NOT_BEFORE_HEADER, Headers, Record
from shared.messages.topics import DEAD, REQUESTED, RETRY, WORKER_GROUP
from shared.metrics.instruments import CONSUMER_LAG, DEAD_RECORDS
from shared.on_startup.kafka import create_producer

Process = Callable[[Record], Awaitable[None]]


@pytest.fixture
def broker() -> Iterator[str]:
    """One for each test: its groups take seconds to forget a consumer that has left."""
    with kafka() as address:
        yield address()


@pytest.fixture
async def producer(broker: str) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        yield producer


@asynccontextmanager
async def consuming(broker: str, process: Process, at_once: int = 4) -> AsyncIterator[Consumer]:
    client = AIOKafkaConsumer(
        bootstrap_servers=broker,
        group_id=WORKER_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_MILLISECONDS,
        heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
    )
    producer = create_producer(KafkaSettings.from_environment({"KAFKA_BOOTSTRAP_SERVERS": broker}))
    async with client:
        consumer = Consumer(client, producer, process, at_once)
        running = asyncio.create_task(consumer.run())
        try:
            yield consumer
        finally:
            consumer.stop()
            await running
            await producer.close()


async def send(
    producer: AIOKafkaProducer, value: bytes, topic: str = REQUESTED, headers: Headers = ()
) -> None:
    await producer.send_and_wait(topic, value, partition=0, headers=list(headers))


async def committed(broker: str, topic: str = REQUESTED) -> int | None:
    client = AIOKafkaConsumer(bootstrap_servers=broker, group_id=WORKER_GROUP, enable_auto_commit=False)
    async with client:
        client.assign([TopicPartition(topic, 0)])
        offset: int | None = await client.committed(TopicPartition(topic, 0))
        return offset


class Processed:
    """Keeps what was processed, and tells when there is so much of it."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self._changed = asyncio.Condition()

    async def __call__(self, record: Record) -> None:
        async with self._changed:
            self.values.append(record.value or b"")
            self._changed.notify_all()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.values) >= count)


async def test_records_are_processed_and_committed(broker: str, producer: AIOKafkaProducer) -> None:
    processed = Processed()
    values = [b"x" * 500_000, *(b"%d" % number for number in range(9))]
    for value in values:
        await send(producer, value)
    async with consuming(broker, processed):
        await processed.wait_for(10)
    assert sorted(processed.values) == sorted(values)
    assert await committed(broker) == 10


async def test_record_that_fails_comes_again_and_holds_up_no_other(
    broker: str, producer: AIOKafkaProducer
) -> None:
    processed, failures = Processed(), [RuntimeError("1"), RuntimeError("2")]

    async def process(record: Record) -> None:
        if record.value == b"0" and failures:
            raise failures.pop()
        await processed(record)

    for number in range(3):
        await send(producer, b"%d" % number)
    async with consuming(broker, process):
        await processed.wait_for(3)
    assert processed.values[-1] == b"0" and not failures
    assert await committed(broker) == 3


async def test_end_waits_for_those_under_way_and_commits_them(
    broker: str, producer: AIOKafkaProducer
) -> None:
    started, may_end, processed = asyncio.Event(), asyncio.Event(), Processed()

    async def process(record: Record) -> None:
        started.set()
        await may_end.wait()
        await processed(record)

    await send(producer, b"0")
    async with consuming(broker, process) as consumer:
        await asyncio.wait_for(started.wait(), 20)
        consumer.stop()
        asyncio.get_running_loop().call_later(0.1, may_end.set)
    assert processed.values == [b"0"]
    assert await committed(broker) == 1


async def test_record_that_could_not_be_processed_is_not_committed(
    broker: str, producer: AIOKafkaProducer
) -> None:
    tried, processed = asyncio.Event(), Processed()

    async def process(record: Record) -> None:
        if record.value == b"1":
            tried.set()
            raise RuntimeError("the database is down")
        await processed(record)

    for number in range(3):
        await send(producer, b"%d" % number)
    async with consuming(broker, process):
        await asyncio.wait_for(tried.wait(), 20)
        await processed.wait_for(2)
    assert await committed(broker) == 1


async def test_record_of_the_retry_topic_waits_until_it_is_due_and_holds_up_no_other_topic(
    broker: str, producer: AIOKafkaProducer
) -> None:
    processed = Processed()
    await send(producer, b"first")
    async with consuming(broker, processed, at_once=1):
        # Until it has joined its group nothing is consumed, however long that takes.
        await processed.wait_for(1)
        due = b"%d" % ((time.time() + 1.5) * 1000)
        await send(producer, b"later", RETRY, ((NOT_BEFORE_HEADER, due),))
        await send(producer, b"now")
        await processed.wait_for(3)
        assert time.time() * 1000 >= int(due)
    assert processed.values == [b"first", b"now", b"later"]
    assert await committed(broker, RETRY) == 1


async def test_what_waits_and_what_is_dead_is_measured(
    broker: str, producer: AIOKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming_module, "MEASURE_SECONDS", 0)
    started, may_end = asyncio.Event(), asyncio.Event()

    async def process(record: Record) -> None:
        started.set()
        await may_end.wait()

    for topic, count in ((REQUESTED, 3), (DEAD, 2)):
        for _ in range(count):
            await send(producer, b"0", topic)
    async with consuming(broker, process):
        async with asyncio.timeout(20):
            await started.wait()
            while (measured(CONSUMER_LAG, topic=REQUESTED), measured(DEAD_RECORDS)) != (3, 2):
                await asyncio.sleep(0.05)
            may_end.set()
            while measured(CONSUMER_LAG, topic=REQUESTED):
                await asyncio.sleep(0.05)
    assert measured(DEAD_RECORDS) == 2


def measured(gauge: Gauge, **labels: str) -> float | None:
    samples = [sample for family in gauge.collect() for sample in family.samples]
    return next((sample.value for sample in samples if sample.labels == labels), None)
