"""Invokes functions on their schedules, as EventBridge does."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from uuid import uuid4

from infra.gateway.events import scheduled_event
from infra.gateway.invocations import FunctionQueue, Invocation
from shared.errors import Problem

RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}

logger = logging.getLogger("passepartout.gateway")


def interval_seconds(expression: str) -> int:
    """Return the interval of a rate expression. Raises ValueError for any other.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """
    if not (match := RATE.fullmatch(expression)):
        raise ValueError(f"{expression}: only rate(...) can be run here")
    return int(match[1]) * UNIT_SECONDS[match[2]]


async def run_schedules(queues: Iterable[FunctionQueue]) -> None:
    """Run every schedule of every function, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for queue in queues:
            for expression in queue.function.schedules:
                group.create_task(_run(queue, interval_seconds(expression)))


async def _run(queue: FunctionQueue, seconds: int) -> None:
    while True:
        await invoke_as_scheduled(queue)
        await asyncio.sleep(seconds)


async def invoke_as_scheduled(queue: FunctionQueue) -> None:
    """Invoke the function once; a failure is logged, and its next time comes all the same."""
    identifier = str(uuid4())
    try:
        await queue.invoke(Invocation(identifier, scheduled_event(queue.function.arn, identifier)))
    except Problem as problem:
        logger.error("schedule of %s: %s", queue.function.name, problem.detail)
