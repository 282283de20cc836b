"""The worker as a process that lives long, and asks Kafka for its records."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from functions.worker.progress import Progress
from shared.db.kafka import KafkaProducer
from shared.errors import QueueUnavailable
from shared.messages.record import Record
from shared.messages.topics import DEAD, REQUESTED, RETRY
from shared.metrics.instruments import CONSUMER_LAG, DEAD_RECORDS

POLL_SECONDS = 0.2
COMMIT_SECONDS = 1.0
"""Between two commits: what is done in between is done again after a kill, to no effect."""
MEASURE_SECONDS = 10.0
DRAIN_SECONDS = 20.0
"""For the records under way when the process is to end; below the 30 s that containers are given."""
REVOKE_SECONDS = 10.0
"""For those whose partition goes to another worker; what takes longer is held by its lease."""
STOP_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0

Process = Callable[[Record], Awaitable[None]]

logger = logging.getLogger("passepartout.worker")


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """Hands records to `process`, some at once, and commits how far each partition has come.

    - A record whose processing fails is handed over again after a pause, until it succeeds or the end comes.
    - A record of the retry topic that is not due pauses its partition until it is.
    - At the end no more records are taken; those under way are finished, and committed.
    """

    def __init__(
        self, client: AIOKafkaConsumer, producer: KafkaProducer, process: Process, at_once: int
    ) -> None:
        self._client = client
        self._producer = producer
        self._process = process
        self._at_once = at_once
        self._under_way: dict[asyncio.Task[None], TopicPartition] = {}
        self._progress: dict[TopicPartition, Progress] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._committed_at = 0.0
        self._measured_at = time.monotonic()
        self._due_at: dict[TopicPartition, float] = {}
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    async def run(self) -> None:
        """Consume until `stop`."""
        self._client.subscribe([REQUESTED, RETRY], listener=self)
        while not self._stop.is_set():
            try:
                await self._take()
                if time.monotonic() - self._committed_at >= COMMIT_SECONDS:
                    await self._commit()
                if time.monotonic() - self._measured_at >= MEASURE_SECONDS:
                    await asyncio.wait_for(self._measure(), STOP_SECONDS)
            except (KafkaError, QueueUnavailable, TimeoutError) as error:
                logger.error("kafka: %s: %s", type(error).__name__, error)
                await self._pause(FIRST_PAUSE_SECONDS)
        await self._finish(set(self._under_way), DRAIN_SECONDS)
        await self._commit()

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        leaving = {task for task, partition in self._under_way.items() if partition in set(revoked)}
        await self._finish(leaving, REVOKE_SECONDS)
        await self._commit()
        for partition in revoked:
            self._progress.pop(partition, None)
            self._committed.pop(partition, None)
            self._due_at.pop(partition, None)

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        logger.info(
            "partitions: %s", ", ".join(f"{each.topic}-{each.partition}" for each in sorted(assigned))
        )

    async def _take(self) -> None:
        """Wait for a free place, then for records, and start with as many as there are places."""
        self._resume()
        if (free := self._at_once - len(self._under_way)) <= 0:
            await asyncio.wait(self._under_way, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return
        batch = await self._client.getmany(timeout_ms=int(POLL_SECONDS * 1000), max_records=free)
        for partition, records in batch.items():
            for each in records:
                record = Record(
                    each.topic, each.partition, each.offset, each.key, each.value, tuple(each.headers)
                )
                if record.not_before > time.time() * 1000:
                    self._put_off(partition, record)
                    break
                self._start(partition, record)

    def _put_off(self, partition: TopicPartition, record: Record) -> None:
        self._client.seek(partition, record.offset)
        self._client.pause(partition)
        self._due_at[partition] = record.not_before / 1000

    def _resume(self) -> None:
        due = [partition for partition, at in self._due_at.items() if at <= time.time()]
        for partition in due:
            del self._due_at[partition]
            self._client.resume(partition)

    def _start(self, partition: TopicPartition, record: Record) -> None:
        progress = self._progress.setdefault(partition, Progress())
        progress.start(record.offset)
        task = asyncio.create_task(self._until_processed(record))
        self._under_way[task] = partition

        def finish(task: asyncio.Task[None]) -> None:
            del self._under_way[task]
            if not task.cancelled() and task.exception() is None:
                progress.finish(record.offset)

        task.add_done_callback(finish)

    async def _until_processed(self, record: Record) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._process(record)
            except Exception as error:
                logger.error("%s comes again in %.1f s: %s: %s", record, pause, type(error).__name__, error)
            await self._pause(pause)
            if self._stop.is_set():
                # It is not committed, so another worker is given it.
                raise asyncio.CancelledError
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _finish(self, tasks: set[asyncio.Task[None]], seconds: float) -> None:
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def _commit(self) -> None:
        self._committed_at = time.monotonic()
        offsets = {
            partition: progress.committable
            for partition, progress in self._progress.items()
            if progress.committable not in (None, self._committed.get(partition))
        }
        if not offsets:
            return
        try:
            await asyncio.wait_for(self._client.commit(offsets), STOP_SECONDS)
            self._committed |= offsets
        except (KafkaError, TimeoutError) as error:
            # After a rebalance the partition is another's, who does again what is done, to no effect.
            logger.warning("not committed: %s: %s", type(error).__name__, error)

    async def _measure(self) -> None:
        """Set how much waits in the partitions that are ours, and how much is dead."""
        self._measured_at = time.monotonic()
        mine = self._client.assignment()
        dead = [TopicPartition(DEAD, number) for number in await self._producer.partitions_of(DEAD)]
        begins = await self._client.beginning_offsets(dead)
        ends = await self._client.end_offsets([*mine, *dead])
        lag = dict.fromkeys((REQUESTED, RETRY), 0)
        for partition in mine:
            done = self._committed.get(partition)
            if done is None:
                done = await self._client.committed(partition) or 0
            lag[partition.topic] += max(0, ends[partition] - done)
        for topic, records in lag.items():
            CONSUMER_LAG.labels(topic).set(records)
        DEAD_RECORDS.set(sum(ends[partition] - begins[partition] for partition in dead))
