"""Kafka's place in a test: what would be sent is kept."""

from __future__ import annotations

import asyncio

from shared.db.kafka import KafkaProducer
from shared.messages.record import Record


class TestKafkaProducer:
    """A client that keeps what it is given, raises `error` instead, or with `is_hanging` never returns."""

    __test__ = False

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.error: Exception | None = None
        self.is_hanging = False
        self.started = 0
        self.stopped = 0

    async def start(self) -> None:
        self.started += 1
        await self._answer()

    async def stop(self) -> None:
        self.stopped += 1
        if self.is_hanging:
            await asyncio.Event().wait()

    async def partitions_for(self, topic: str) -> set[int]:
        await self._answer()
        return {0}

    async def send_and_wait(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> Record:
        await self._answer()
        record = Record(topic, partition or 0, len(self.records), key, value, tuple(headers or ()))
        self.records.append(record)
        return record

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error

    def of(self, topic: str) -> list[Record]:
        return [record for record in self.records if record.topic == topic]

    def producer(self) -> KafkaProducer:
        return KafkaProducer(lambda: self)
