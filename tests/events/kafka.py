"""Events of Lambda's Kafka event source.

https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from shared.messages.record import Record

CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/pictures/751d2973-a626-431c-9d4e-d7975eb44dd7-2"
SERVERS = "b-2.pictures.a1b2c3.kafka.eu-west-1.amazonaws.com:9092"


def msk_event(records: Iterable[Record]) -> dict[str, Any]:
    return {"eventSource": "aws:kafka", "eventSourceArn": CLUSTER, **_event(records)}


def self_managed_event(records: Iterable[Record]) -> dict[str, Any]:
    return {"eventSource": "SelfManagedKafka", **_event(records)}


def _event(records: Iterable[Record]) -> dict[str, Any]:
    partitions: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        partitions.setdefault(f"{record.topic}-{record.partition}", []).append(
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "timestamp": 1545084650987,
                "timestampType": "CREATE_TIME",
                "key": _text(record.key),
                "value": _text(record.value),
                "headers": [{name: list(value)} for name, value in record.headers],
            }
        )
    return {"bootstrapServers": SERVERS, "records": partitions}


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
