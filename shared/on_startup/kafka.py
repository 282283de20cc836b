"""Reaches Kafka, when it is first used: aiokafka takes a tenth of a second to load."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI

from shared.config import KafkaSettings
from shared.db.kafka import Client, KafkaProducer

REQUEST_MILLISECONDS = 2000
"""So that a socket which died in a freeze is given up, and another one tried, while the caller waits."""


@asynccontextmanager
async def open_kafka(app: FastAPI) -> AsyncIterator[None]:
    """Put a KafkaProducer on `app.state`; nothing is loaded or connected before its first record."""
    producer = create_producer(KafkaSettings.from_environment())
    app.state.kafka_producer = producer
    try:
        yield
    finally:
        await producer.close()


def create_producer(settings: KafkaSettings) -> KafkaProducer:
    is_configured = settings.kafka_bootstrap_servers is not None
    return KafkaProducer(partial(_connect, settings) if is_configured else None)


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return what a producer and a consumer are both told of the brokers."""
    password = settings.kafka_sasl_password
    encrypted = settings.kafka_security_protocol.endswith("SSL")
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": ssl.create_default_context(cafile=settings.kafka_ca_file) if encrypted else None,
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": None if password is None else password.get_secret_value(),
    }


def _connect(settings: KafkaSettings) -> Client:
    from aiokafka import AIOKafkaProducer

    client: Client = AIOKafkaProducer(
        **connection_options(settings),
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=REQUEST_MILLISECONDS,
    )
    return client
