"""The topics, made where they are missing."""

from __future__ import annotations

import asyncio
import time

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from infra.operators import Refused
from shared.config import KafkaSettings
from shared.messages.topics import DEAD, TOPICS
from shared.on_startup.kafka import connection_options

DEAD_MILLISECONDS = 30 * 24 * 3600 * 1000
"""What is dead waits for a person; the others are kept as long as the broker keeps all else."""
EXISTS = 36
"""TOPIC_ALREADY_EXISTS (Kafka protocol, error codes)."""
PAUSE_SECONDS = 0.5


async def make_topics(settings: KafkaSettings, partitions: int, replicas: int, patience: float) -> list[str]:
    """Make what is missing, and return it. Raises Refused when no broker answers for so many seconds."""
    until = time.monotonic() + patience
    while True:
        admin = AIOKafkaAdminClient(**connection_options(settings))
        try:
            await admin.start()
            return await _make(admin, partitions, replicas)
        except KafkaError as error:
            if time.monotonic() > until:
                raise Refused(f"{settings.kafka_bootstrap_servers}: {type(error).__name__}") from error
            await asyncio.sleep(PAUSE_SECONDS)
        finally:
            await admin.close()


async def _make(admin: AIOKafkaAdminClient, partitions: int, replicas: int) -> list[str]:
    wanted = [NewTopic(name, partitions, replicas, topic_configs=_config(name)) for name in TOPICS]
    answer = await admin.create_topics(wanted)
    made = []
    for name, code, *_ in answer.topic_errors:
        if code not in (0, EXISTS):
            raise for_code(code)(name)
        if code == 0:
            made.append(name)
    return made


def _config(topic: str) -> dict[str, str]:
    return {"retention.ms": str(DEAD_MILLISECONDS)} if topic == DEAD else {}
