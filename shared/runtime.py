"""The Lambda entries: one event loop and one set of resources per execution environment, never per event."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any, cast

from fastapi import FastAPI
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import LambdaContext

from shared.config import RuntimeSettings
from shared.environment import Environment
from shared.events import HANDLERS
from shared.logging import request_id
from shared.responses import PROBLEM_MEDIA_TYPE

TEXT_MEDIA_TYPES = [*DEFAULT_TEXT_MIME_TYPES, PROBLEM_MEDIA_TYPE]
"""Answers of these are text in the event; everything else, a picture above all, is base64."""

Event = dict[str, Any]
Task = Callable[[FastAPI, Event], Awaitable[Any]]


class _Entry(ABC):
    """A function as AWS Lambda calls it.

    - The app's lifespan is entered once: on Lambda as the environment is made, elsewhere at the first event.
    - Every event runs on the one loop that its resources belong to.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._environment = Environment(app)
        if RuntimeSettings.from_environment().on_lambda:
            self._environment.start()

    def __call__(self, event: Event, context: object) -> Any:
        with self._environment.invocation() as loop:
            return self._answer(loop, event, cast(LambdaContext, context))

    @abstractmethod
    def _answer(self, loop: asyncio.AbstractEventLoop, event: Event, context: LambdaContext) -> Any: ...

    def close(self) -> None:
        """Close the resources; the next event would open them anew."""
        self._environment.close()


class LambdaEntry(_Entry):
    """Answers one API Gateway or ALB event."""

    @cached_property
    def _mangum(self) -> Mangum:
        """Made when there is a loop, or it would make one; its lifespan, off, would be one for each event."""
        return Mangum(self._app, lifespan="off", custom_handlers=HANDLERS, text_mime_types=TEXT_MEDIA_TYPES)

    def _answer(self, loop: asyncio.AbstractEventLoop, event: Event, context: LambdaContext) -> Any:
        return self._mangum(event, context)


class TaskEntry(_Entry):
    """Does one task for an event that is no HTTP request, such as a schedule's, and answers its result."""

    def __init__(self, app: FastAPI, task: Task) -> None:
        self._task = task
        super().__init__(app)

    def _answer(self, loop: asyncio.AbstractEventLoop, event: Event, context: LambdaContext) -> Any:
        reset = request_id.set(context.aws_request_id)
        try:
            return loop.run_until_complete(self._run(event))
        finally:
            request_id.reset(reset)

    async def _run(self, event: Event) -> Any:
        return await self._task(self._app, event)
