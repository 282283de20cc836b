"""The records of Lambda's Kafka event source, of MSK and of brokers elsewhere alike.

https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-process.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pybase64

from shared.messages.record import Headers, Record


def records_of(event: dict[str, Any]) -> Iterator[Record]:
    """Give the records, partition by partition, each in the order of its offsets."""
    for records in event["records"].values():
        for each in records:
            yield Record(
                each["topic"],
                each["partition"],
                each["offset"],
                _bytes(each.get("key")),
                _bytes(each.get("value")),
                _headers(each.get("headers") or ()),
            )


def failures(records: Iterable[Record]) -> dict[str, Any]:
    """Return the answer that has these come again, and none but these (ReportBatchItemFailures)."""
    identifiers = ({"partition": f"{each.topic}-{each.partition}", "offset": each.offset} for each in records)
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else pybase64.b64decode(value, validate=True)


def _headers(given: Iterable[dict[str, list[int]]]) -> Headers:
    # Java's bytes: some runtimes write those from 128 on as negative numbers.
    return tuple(
        (name, bytes(byte % 256 for byte in value)) for header in given for name, value in header.items()
    )
