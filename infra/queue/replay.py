"""What is dead is sent again, as it came."""

from __future__ import annotations

from collections.abc import Iterable

from infra.operators import Refused
from infra.queue.log import DeadRecord
from shared.db.kafka import KafkaProducer
from shared.errors import MessageInvalid, QueueUnavailable
from shared.messages.envelope import headers_of
from shared.messages.resize_requested import ResizeRequested
from shared.messages.topics import REQUESTED
from shared.repositories.unit_of_work import UnitOfWork


async def replay(record: DeadRecord, producer: KafkaProducer, unit_of_work: UnitOfWork) -> str:
    """Queue its job again, and send it to the requested topic as a first attempt; return the job's id.

    The job first: a worker that is quicker than the commit would find it failed, and leave it so.
    Raises Refused for one that no worker could read, and where its job has not failed; or QueueUnavailable.
    """
    request = _request(record)
    async with unit_of_work() as repositories:
        job = await repositories.jobs.find(request.job)
        if not await repositories.jobs.reopen(request.job):
            raise Refused(f"{record.name}: its job {request.job} is done, under way, or deleted")
    again = request.model_copy(update={"attempt": 1})
    try:
        await producer.publish(REQUESTED, str(request.job).encode(), again.encode(), headers_of(1))
    except QueueUnavailable:
        async with unit_of_work() as repositories:
            await repositories.jobs.fail(request.job, (job and job.problem) or {})
        raise
    return str(request.job)


def _request(record: DeadRecord) -> ResizeRequested:
    message = record.message
    if message is None or not message.is_whole:
        raise Refused(f"{record.name}: the record is not whole")
    try:
        return ResizeRequested.decode(message.record)
    except MessageInvalid as problem:
        raise Refused(f"{record.name}: no worker can read it: {problem.detail}") from None


def matching(records: Iterable[DeadRecord], code: str) -> list[DeadRecord]:
    """Return those that were given up for this reason."""
    return [each for each in records if each.message is not None and each.message.code == code]
