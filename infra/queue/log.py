"""What is in the topics, read without a group: nobody's place in them is moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from infra.operators import Refused
from shared.config import KafkaSettings
from shared.errors import MessageInvalid
from shared.messages.record import Record
from shared.messages.resize_dead import ResizeDead
from shared.messages.topics import DEAD
from shared.on_startup.kafka import connection_options

READ_MILLISECONDS = 5000
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Lag:
    topic: str
    partition: int
    committed: int
    end: int

    @property
    def records(self) -> int:
        return self.end - self.committed


@dataclass(frozen=True, slots=True)
class DeadRecord:
    """A record of the dead topic; `message` is None where it is none of ours."""

    place: Record
    message: ResizeDead | None

    @property
    def name(self) -> str:
        return f"{self.place.partition}:{self.place.offset}"


class Log:
    def __init__(self, client: AIOKafkaConsumer) -> None:
        self._client = client

    async def lag(self, topics: tuple[str, ...]) -> list[Lag]:
        """Return, for each partition, how far the log's group has come, and where the partition ends."""
        found = []
        for topic in topics:
            partitions = await self._partitions(topic)
            begins, ends = await self._bounds(partitions)
            for partition in partitions:
                committed = await self._client.committed(partition)
                place = begins[partition] if committed is None else committed
                found.append(Lag(topic, partition.partition, place, ends[partition]))
        return found

    async def dead(self) -> AsyncIterator[DeadRecord]:
        """Give every record of the dead topic, partition by partition, the oldest first."""
        async for record in self.records(DEAD):
            yield _dead(record)

    async def records(self, topic: str) -> AsyncIterator[Record]:
        """Give every record that a topic has at this moment."""
        partitions = await self._partitions(topic)
        begins, ends = await self._bounds(partitions)
        # All of them once: a client that is stopped just after another assignment may wait for ever.
        self._client.assign(partitions)
        for partition in partitions:
            self._client.seek(partition, begins[partition])
        for partition in partitions:
            while await self._client.position(partition) < ends[partition]:
                batch = await self._client.getmany(partition, timeout_ms=READ_MILLISECONDS)
                if not batch:
                    break
                for each in batch[partition]:
                    headers = tuple(each.headers)
                    yield Record(topic, each.partition, each.offset, each.key, each.value, headers)

    async def one_dead(self, name: str) -> DeadRecord:
        """Return the record of that name. Raises Refused where there is none."""
        number, _, offset = name.partition(":")
        if not (number.isdecimal() and offset.isdecimal()):
            raise Refused(f"{name}: a dead record is named PARTITION:OFFSET, as `dead list` does")
        async for record in self.dead():
            if record.name == name:
                return record
        raise Refused(f"there is no dead record {name}")

    async def _partitions(self, topic: str) -> list[TopicPartition]:
        # What it has been assigned is all that it asks about.
        self._client.unsubscribe()
        await self._client._client.force_metadata_update()
        numbers = self._client.partitions_for_topic(topic)
        if not numbers:
            raise Refused(f"there is no topic {topic}")
        return [TopicPartition(topic, number) for number in sorted(numbers)]

    async def _bounds(
        self, partitions: list[TopicPartition]
    ) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        begins, ends = await asyncio.gather(
            self._client.beginning_offsets(partitions), self._client.end_offsets(partitions)
        )
        return begins, ends


def _dead(place: Record) -> DeadRecord:
    try:
        return DeadRecord(place, ResizeDead.decode(place.value))
    except MessageInvalid:
        return DeadRecord(place, None)


@asynccontextmanager
async def open_log(settings: KafkaSettings, group: str | None = None) -> AsyncIterator[Log]:
    """Give the log; `lag` asks how far the `group` has come, and nothing else wants one.

    A client of a group cannot read while the broker looks for the group's coordinator. Raises Refused when no
    broker answers.
    """
    client = AIOKafkaConsumer(
        **connection_options(settings),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await client.start()
        yield Log(client)
    except KafkaError as error:
        raise Refused(f"{settings.kafka_bootstrap_servers}: {type(error).__name__}: {error}") from error
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(client.stop(), STOP_SECONDS)
