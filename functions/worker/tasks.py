from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from fastapi import FastAPI

from functions.worker.events import failures, records_of
from functions.worker.pictures import Pictures
from functions.worker.service import Worker
from shared.messages.record import Record
from shared.repositories.unit_of_work import unit_of_work
from shared.runtime import Event

AT_ONCE = 4
"""Records in hand: while pictures are resized, others are read and stored."""
LONGEST_WAIT_SECONDS = 60.0
"""For a record of the retry topic to be due; one that is due later has to come again."""

logger = logging.getLogger("passepartout.worker")


class NotDue(Exception):
    """Raised for a record of the retry topic that has come too early."""


async def worker_of(app: FastAPI) -> Worker:
    state = app.state
    pictures = Pictures(state.threads, state.picture_limits, state.picture_seconds, state.object_storage)
    return Worker(await unit_of_work(state.database), state.kafka_producer, pictures)


async def process_event(app: FastAPI, event: Event) -> dict[str, Any]:
    """Process the records of a Kafka event, and answer those that have to come again."""
    worker, slots = await worker_of(app), asyncio.Semaphore(AT_ONCE)

    async def process(record: Record) -> Record | None:
        async with slots:
            try:
                await _until_due(record)
                await worker.process(record)
            except Exception as error:
                logger.error("%s has to come again: %s: %s", record, type(error).__name__, error)
                return record
        return None

    outcomes = await asyncio.gather(*map(process, records_of(event)))
    return failures(record for record in outcomes if record is not None)


async def _until_due(record: Record) -> None:
    wait = record.not_before / 1000 - time.time()
    if wait > LONGEST_WAIT_SECONDS:
        raise NotDue(f"in {wait:.0f} s")
    await asyncio.sleep(max(0.0, wait))
