"""`python -m functions.worker`: takes records from Kafka until SIGTERM, then ends with those under way."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from functions.worker.consumer import FIRST_PAUSE_SECONDS, STOP_SECONDS, Consumer, logger
from functions.worker.handler import app
from functions.worker.tasks import worker_of
from shared.config import KafkaSettings
from shared.errors import ConfigurationError
from shared.messages.topics import WORKER_GROUP
from shared.on_startup.kafka import connection_options

SESSION_MILLISECONDS = 6000
"""After which a worker that was killed is missed; the least that a broker takes by default."""
HEARTBEAT_MILLISECONDS = 1500
REBALANCE_MILLISECONDS = 30_000
"""For every worker to end with what goes to another."""
POLL_MILLISECONDS = 900_000
FETCH_MILLISECONDS = 100
"""A broker answers as soon as there is a record; the one of `make run` when this is over."""
READ_AHEAD = 6
"""Records beyond one a core: read and stored while others are resized, or these would wait for them."""


async def main() -> None:
    settings = KafkaSettings.from_environment()
    if settings.kafka_bootstrap_servers is None:
        raise ConfigurationError("KAFKA_BOOTSTRAP_SERVERS: is not set")
    async with app.router.lifespan_context(app):
        worker = await worker_of(app)
        client = _client(settings)
        at_once = worker.pictures.threads.threads + READ_AHEAD
        consumer = Consumer(client, worker.producer, worker.process, at_once)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, consumer.stop)
        await _start(client, consumer)
        try:
            await consumer.run()
        finally:
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(client.stop(), STOP_SECONDS)
    logger.info("the worker has stopped")


def _client(settings: KafkaSettings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **connection_options(settings),
        group_id=WORKER_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_MILLISECONDS,
        heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
        rebalance_timeout_ms=REBALANCE_MILLISECONDS,
        max_poll_interval_ms=POLL_MILLISECONDS,
        fetch_max_wait_ms=FETCH_MILLISECONDS,
    )


async def _start(client: AIOKafkaConsumer, consumer: Consumer) -> None:
    """Connect; where no broker is there yet, try until one is."""
    while not consumer.is_stopping:
        try:
            await client.start()
            return
        except KafkaError as error:
            logger.error("kafka: %s: %s", type(error).__name__, error)
            await asyncio.sleep(FIRST_PAUSE_SECONDS)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except ConfigurationError as error:
        sys.exit(f"configuration: {error}")
