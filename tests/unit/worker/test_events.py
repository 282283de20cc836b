from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from functions.worker.events import failures, records_of
from shared.messages.record import Record
from tests.events.kafka import msk_event, self_managed_event

RECORDS = [
    Record("topic", 0, 15, b"key", b"value", (("attempt", b"1"), ("traceparent", b"\xff"))),
    Record("topic", 0, 16, None, b""),
    Record("topic", 1, 15, b"", None),
    Record("other-1", 0, 2, b"\x00", b"\xc1"),
]


@pytest.mark.parametrize("event", [msk_event, self_managed_event])
def test_records_are_read_as_they_were_sent(event: Callable[[Iterable[Record]], dict[str, Any]]) -> None:
    assert list(records_of(json.loads(json.dumps(event(RECORDS))))) == RECORDS


def test_bytes_may_be_those_of_java() -> None:
    event = msk_event(RECORDS[:1])
    event["records"]["topic-0"][0]["headers"] = [{"traceparent": [-1, 65]}]
    [record] = records_of(event)
    assert record.headers == (("traceparent", b"\xffA"),)


def test_records_without_headers_are_read() -> None:
    event = msk_event(RECORDS[:1])
    del event["records"]["topic-0"][0]["headers"]
    [record] = records_of(event)
    assert record.headers == ()


def test_failures_are_named_as_lambda_has_it() -> None:
    assert failures([RECORDS[0], RECORDS[3]]) == {
        "batchItemFailures": [
            {"itemIdentifier": {"partition": "topic-0", "offset": 15}},
            {"itemIdentifier": {"partition": "other-1-0", "offset": 2}},
        ]
    }
    assert failures([]) == {"batchItemFailures": []}
