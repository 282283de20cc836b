"""The Lambda entry: one event loop and one set of resources per execution environment, never per event."""

from __future__ import annotations

import asyncio
import os
from typing import Any, cast

from fastapi import FastAPI
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import LambdaContext

from shared.errors import ConfigurationError
from shared.responses import PROBLEM_MEDIA_TYPE

TEXT_MEDIA_TYPES = [*DEFAULT_TEXT_MIME_TYPES, PROBLEM_MEDIA_TYPE]
"""Answers of these are text in the event; everything else, a picture above all, is base64."""


class LambdaEntry:
    """A function as AWS Lambda calls it.

    - The app's lifespan is entered once: on Lambda as the environment is made, elsewhere at the first event.
    - Every event runs on the one loop that its resources belong to.
    - Mangum's own lifespan stays off: it would open and close everything for each event.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        if "AWS_LAMBDA_RUNTIME_API" in os.environ:
            self._start()

    def __call__(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        """Answer one API Gateway or ALB event."""
        loop = self._loop or self._start()
        asyncio.set_event_loop(loop)
        return self._mangum(event, cast(LambdaContext, context))

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._lifespan = self._app.router.lifespan_context(self._app)
        try:
            loop.run_until_complete(self._lifespan.__aenter__())
        except BaseException as error:
            loop.close()
            if isinstance(error, ConfigurationError):
                raise SystemExit(f"configuration: {error}") from None
            raise
        self._mangum = Mangum(self._app, lifespan="off", text_mime_types=TEXT_MEDIA_TYPES)
        self._loop = loop
        return loop

    def close(self) -> None:
        """Close the resources; the next event would open them anew."""
        if self._loop is not None:
            self._loop.run_until_complete(self._lifespan.__aexit__(None, None, None))
            self._loop.close()
            self._loop = None
