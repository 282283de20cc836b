"""The end of the time that Lambda gives an event, seen in time."""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooSlow
from shared.logging import REQUEST_LOGGER
from shared.responses import problem_response

ANSWER_SECONDS = 1.0
"""What is left for the answer, and for what is under way to be rolled back."""
RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(REQUEST_LOGGER)


class DeadlineMiddleware:
    """Answers before Lambda ends the function, however long the time-outs of what it waits for are in all.

    A server sets no such limit, and is given none: a large picture may come over a slow line.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            async with asyncio.timeout(_seconds_left(scope)) as timeout:
                await self.app(scope, receive, send_and_note)
        except TimeoutError:
            if is_begun or not timeout.expired():
                raise
            logger.error("out of time")
            problem = TooSlow("Please try again shortly.", retry_after=RETRY_AFTER_SECONDS)
            await problem_response(problem)(scope, receive, send)


def _seconds_left(scope: Scope) -> float | None:
    remaining = getattr(scope.get("aws.context"), "get_remaining_time_in_millis", None)
    return None if remaining is None else max(0.0, remaining() / 1000 - ANSWER_SECONDS)
