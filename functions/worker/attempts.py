"""What becomes of a record that could not be processed: it is given up, put off, or comes again at once."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from shared.db.kafka import KafkaProducer
from shared.errors import (
    DatabaseUnavailable,
    InternalError,
    JobUnknown,
    MessageInvalid,
    ParametersInvalid,
    Problem,
    QueueUnavailable,
    SourceNotFound,
    SourceTooLarge,
    SourceTooManyPixels,
    SourceUnreadable,
    SourceUnsupported,
)
from shared.messages.envelope import headers_of
from shared.messages.record import NOT_BEFORE_HEADER, TRACEPARENT_HEADER, Record
from shared.messages.resize_dead import ResizeDead, dead_headers
from shared.messages.resize_requested import ResizeRequested
from shared.messages.topics import DEAD, RETRY

PERMANENT = (
    MessageInvalid,
    ParametersInvalid,
    SourceNotFound,
    SourceTooLarge,
    SourceTooManyPixels,
    SourceUnreadable,
    SourceUnsupported,
)
"""Another attempt would meet the same."""

OF_ALL = (DatabaseUnavailable, QueueUnavailable)
"""These concern every record alike: none is to blame, and none could be put off or given up."""

DELAYS = (2.0, 10.0, 60.0, 300.0)
"""Seconds before the second attempt, the third and so on; after the last, the record is given up."""
LAST_LOOK = 2
"""Attempts after which a job that is not there will never be: some 18 s after its record was sent."""
JITTER = 0.2
"""So that what failed together does not come again together."""


@dataclass(frozen=True, slots=True)
class FailedRecords:
    """Publishes what could not be processed, to where it is looked for."""

    producer: KafkaProducer

    async def give_up(self, record: Record, problem: Problem, request: ResizeRequested | None = None) -> None:
        """Put the record among the dead, with the reason and where it was."""
        attempt, job = (request.attempt, request.job) if request else (1, None)
        dead = ResizeDead.of(record, problem.code, problem.detail, attempt, job)
        headers = (*headers_of(attempt, traceparent(record)), *dead_headers(dead.code, dead.origin))
        await self.producer.publish(DEAD, record.key, dead.encode(), headers)

    async def put_off(self, record: Record, request: ResizeRequested) -> None:
        """Send the record to the retry topic, to be tried again when its delay is over."""
        delay = DELAYS[request.attempt - 1] * (1 + JITTER * random.random())
        not_before = b"%d" % ((time.time() + delay) * 1000)
        again = request.model_copy(update={"attempt": request.attempt + 1})
        headers = (*headers_of(again.attempt, traceparent(record)), (NOT_BEFORE_HEADER, not_before))
        await self.producer.publish(RETRY, record.key, again.encode(), headers)


def is_last(request: ResizeRequested, error: Exception) -> bool:
    """Tell whether no other attempt is worth it: of a job that is not there, no transaction takes longer."""
    return request.attempt > (LAST_LOOK if isinstance(error, JobUnknown) else len(DELAYS))


def problem_of(error: Exception) -> Problem:
    """Return what the caller is told: of what was not foreseen, only that it has been logged."""
    return error if isinstance(error, Problem) else InternalError("It failed each time, and has been logged.")


def traceparent(record: Record) -> str | None:
    value = record.header(TRACEPARENT_HEADER)
    return None if value is None else value.decode("ascii", "replace")[:64]
