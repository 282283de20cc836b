"""The Lambda entry: a Kafka event in, the records that have to come again out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from functions.worker.service import Worker
from functions.worker.tasks import process_event
from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from shared.messages.record import NOT_BEFORE_HEADER, Record
from shared.messages.resize_requested import InlineSource
from shared.messages.topics import COMPLETED, DEAD, REQUESTED, RETRY
from tests.events.kafka import msk_event, self_managed_event
from tests.fakes.kafka import TestKafkaProducer
from tests.integration.worker.conftest import Submit

EVENTS = [msk_event, self_managed_event]
MakeEvent = Callable[[Iterable[Record]], dict[str, Any]]


@pytest.fixture
def app(database: Database, worker: Worker) -> FastAPI:
    app = FastAPI()
    app.state.database = database
    app.state.kafka_producer = worker.producer
    app.state.object_storage = worker.pictures.storage
    app.state.threads = worker.pictures.threads
    app.state.picture_limits = worker.pictures.limits
    app.state.picture_seconds = worker.pictures.seconds
    return app


@pytest.mark.parametrize("event", EVENTS)
async def test_records_of_several_partitions_are_processed_whatever_their_key(
    app: FastAPI, submit: Submit, kafka: TestKafkaProducer, photograph: bytes, event: MakeEvent
) -> None:
    jobs = [await submit(InlineSource(bytes=photograph)) for _ in range(6)]
    records = [
        replace(job.record, partition=number % 3, key=None if number % 2 else job.record.key)
        for number, job in enumerate(jobs)
    ]
    assert await process_event(app, event(records)) == {"batchItemFailures": []}
    assert [(await job.state()).status for job in jobs] == ["done"] * 6
    assert len(kafka.of(COMPLETED)) == 6


@pytest.mark.parametrize("event", EVENTS)
async def test_poison_among_good_ones_holds_up_nobody(
    app: FastAPI, submit: Submit, kafka: TestKafkaProducer, photograph: bytes, event: MakeEvent
) -> None:
    good = [await submit(InlineSource(bytes=photograph)) for _ in range(2)]
    poison = Record(REQUESTED, 0, 500, None, b"\xc1")
    records = [good[0].record, poison, good[1].record]
    assert await process_event(app, event(records)) == {"batchItemFailures": []}
    assert [(await job.state()).status for job in good] == ["done", "done"]
    assert len(kafka.of(DEAD)) == 1


@pytest.mark.parametrize("event", EVENTS)
async def test_exactly_the_record_that_could_not_be_processed_comes_again(
    app: FastAPI,
    submit: Submit,
    photograph: bytes,
    monkeypatch: pytest.MonkeyPatch,
    event: MakeEvent,
) -> None:
    jobs = [await submit(InlineSource(bytes=photograph)) for _ in range(3)]
    bad, process = replace(jobs[1].record, partition=2, key=None), Worker.process

    async def process_or_fail(self: Worker, record: Record) -> None:
        if record == bad:
            raise DatabaseUnavailable("Please try again shortly.")
        await process(self, record)

    monkeypatch.setattr(Worker, "process", process_or_fail)
    answer = await process_event(app, event([jobs[0].record, bad, jobs[2].record]))
    assert answer == {
        "batchItemFailures": [{"itemIdentifier": {"partition": f"{REQUESTED}-2", "offset": bad.offset}}]
    }
    assert [(await job.state()).status for job in jobs] == ["done", "queued", "done"]


async def test_record_of_the_retry_topic_is_not_processed_before_it_is_due(
    app: FastAPI, submit: Submit, photograph: bytes
) -> None:
    def due_in(seconds: float) -> tuple[tuple[str, bytes], ...]:
        return ((NOT_BEFORE_HEADER, b"%d" % ((time.time() + seconds) * 1000)),)

    soon = await submit(InlineSource(bytes=photograph), headers=due_in(0.05))
    late = await submit(InlineSource(bytes=photograph), headers=due_in(3600))
    records = [replace(job.record, topic=RETRY) for job in (soon, late)]
    answer = await process_event(app, msk_event(records))
    assert [each["itemIdentifier"]["offset"] for each in answer["batchItemFailures"]] == [records[1].offset]
    assert [(await job.state()).status for job in (soon, late)] == ["done", "queued"]
