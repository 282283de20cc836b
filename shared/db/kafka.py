"""Typed access to Kafka, which `on_startup.kafka` reaches: what endpoints ask for, to publish a record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol, cast

from fastapi import Request

from shared.errors import QueueUnavailable
from shared.messages.record import Headers

PUBLISH_SECONDS = 4.0
"""Until a record is given up, the connection included: an idempotent producer would never do so by itself."""
STOP_SECONDS = 2.0
RETRY_AFTER_SECONDS = 5

logger = logging.getLogger("passepartout.kafka")


class Client(Protocol):
    """What of an AIOKafkaProducer is used."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def partitions_for(self, topic: str) -> set[int]: ...

    async def send_and_wait(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> Any: ...


class KafkaProducer:
    """Publishes records; `connect` makes the client, at the first record and after every failure.

    A client that has failed still holds the record, and would send it when the broker is back, long after its
    caller was told that it was not sent: so it is dropped.
    """

    def __init__(self, connect: Callable[[], Client] | None) -> None:
        self._connect = connect
        self._starting: asyncio.Task[Client] | None = None
        self._stopping: set[asyncio.Task[None]] = set()

    @property
    def is_configured(self) -> bool:
        return self._connect is not None

    async def publish(self, topic: str, key: bytes | None, value: bytes, headers: Headers = ()) -> None:
        """Return when every in-sync replica has it. Raises QueueUnavailable, within PUBLISH_SECONDS."""
        await self._bounded(lambda client: client.send_and_wait(topic, value, key, headers=list(headers)))

    async def partitions_of(self, topic: str) -> set[int]:
        """Raises QueueUnavailable, as `publish` does."""
        partitions: set[int] = await self._bounded(lambda client: client.partitions_for(topic))
        return partitions

    async def _bounded(self, ask: Callable[[Client], Awaitable[Any]]) -> Any:
        if self._connect is None:
            raise QueueUnavailable("There is no queue here: KAFKA_BOOTSTRAP_SERVERS is not set.")
        if self._starting is None:
            self._starting = asyncio.create_task(_started(self._connect()))
        starting = self._starting
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                return await ask(await asyncio.shield(starting))
        except Exception as error:
            self._drop(starting)
            logger.error("kafka unavailable: %s: %s", type(error).__name__, error)
            raise QueueUnavailable("Please try again shortly.", retry_after=RETRY_AFTER_SECONDS) from error

    async def close(self) -> None:
        """Flush and disconnect, but not for ever: with the broker down, the client would wait for it."""
        if self._starting is not None:
            self._drop(self._starting)
        await asyncio.gather(*self._stopping)

    def _drop(self, starting: asyncio.Task[Client]) -> None:
        if self._starting is not starting:
            # Of several that failed with it, one has dropped it.
            return
        self._starting = None
        stopping = asyncio.create_task(_stopped(starting))
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)


async def _started(client: Client) -> Client:
    try:
        await client.start()
    except BaseException:
        await _stop(client)
        raise
    return client


async def _stopped(starting: asyncio.Task[Client]) -> None:
    starting.cancel()
    with suppress(asyncio.CancelledError, Exception):
        client = await starting
        await _stop(client)


async def _stop(client: Client) -> None:
    with suppress(Exception):
        await asyncio.wait_for(client.stop(), STOP_SECONDS)


async def kafka_producer(request: Request) -> KafkaProducer:
    """The app's producer, for an endpoint to depend on."""
    return cast(KafkaProducer, request.app.state.kafka_producer)
