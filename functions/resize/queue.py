"""The second way of resizing: later, by a worker. Loaded with it is what a direct answer has no use for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, cast

from fastapi import FastAPI, Request, Response

from functions.resize.job_request import Wanted
from functions.resize.preferences import PREFERENCE_APPLIED, prefers_async
from functions.resize.schemas import StoredSource
from functions.resize.upload import read_upload
from shared.config import JobSettings
from shared.errors import QueueUnavailable
from shared.images.formats import OutputFormat
from shared.images.negotiation import accepted_formats
from shared.images.options import ProcessingOptions
from shared.requests import invalid
from shared.responses import NO_STORE, OrjsonResponse
from shared.security.access_tokens import Identity

if TYPE_CHECKING:
    from functions.resize.submission import Submissions

SUBMISSION = "functions.resize.submission"
JOB_PATH = "/file/jobs"

IDEMPOTENCY_KEY = re.compile(r"[!-+\-.-~]{1,255}")
"""No comma: two headers are joined by one, and the second must not go unseen."""
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, 3.2."""


class Queue:
    """Takes jobs; the database and what speaks to it are loaded and opened at the first."""

    def __init__(self, app: FastAPI, opened: AsyncExitStack, is_configured: bool) -> None:
        self._app = app
        self._opened = opened
        self._lock = asyncio.Lock()
        self._submissions: Submissions | None = None
        self.is_configured = is_configured

    def takes(self, request: Request, named: StoredSource | None) -> bool:
        """Return whether this request becomes a job: a batch always, any other where that is preferred."""
        if named is not None and named.outputs is not None:
            if not self.is_configured:
                raise QueueUnavailable("There is no queue here: KAFKA_BOOTSTRAP_SERVERS is not set.")
            return True
        return self.is_configured and prefers_async(request.headers.getlist("Prefer"))

    async def accept(
        self,
        request: Request,
        caller: Identity,
        named: StoredSource | None,
        outputs: list[ProcessingOptions],
        maximum_bytes: int,
    ) -> Response:
        """Make a job of the request, and answer 202 when the broker has acknowledged it."""
        key = await idempotency_key(request)
        submissions = await self._open()
        params = [each.as_parameters() for each in outputs]
        source = named.source if named else (await read_upload(request, maximum_bytes)).content
        wanted = Wanted(params, _accepted(request, outputs), key, _traceparent(request))
        job = await submissions.submit(caller.user_id, source, wanted)
        headers = {"Location": f"{JOB_PATH}/{job.id}", **NO_STORE}
        if prefers_async(request.headers.getlist("Prefer")):
            headers |= PREFERENCE_APPLIED
        return OrjsonResponse(job.model_dump(mode="json"), 202, headers)

    async def _open(self) -> Submissions:
        async with self._lock:
            if self._submissions is None:
                # By its name: what is imported by a statement is part of the direct way.
                open_submissions = import_module(SUBMISSION).open_submissions
                self._submissions = await self._opened.enter_async_context(open_submissions(self._app))
            return cast("Submissions", self._submissions)


def _accepted(request: Request, outputs: list[ProcessingOptions]) -> list[OutputFormat] | None:
    """Return what `auto` may be, where any output asks for it."""
    if all(each.format != "auto" for each in outputs):
        return None
    return list(accepted_formats(request.headers.get("accept", "")))


async def idempotency_key(request: Request) -> str | None:
    """The key, or None; one that is none is refused, though no job may come of the request."""
    given = request.headers.get("Idempotency-Key")
    if given is not None and not IDEMPOTENCY_KEY.fullmatch(given):
        fault = "one of 1 to 255 visible ASCII characters, none of them a comma"
        raise invalid([{"loc": ("header", "Idempotency-Key"), "msg": fault}])
    return given


def _traceparent(request: Request) -> str | None:
    given = request.headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else None


@asynccontextmanager
async def open_queue(app: FastAPI) -> AsyncIterator[None]:
    """Put a Queue on `app.state`; it needs `open_kafka` and `open_storage` before it."""
    settings = JobSettings.from_environment()
    async with AsyncExitStack() as opened:
        app.state.queue = Queue(app, opened, settings.kafka_bootstrap_servers is not None)
        yield


async def queue(request: Request) -> Queue:
    return cast(Queue, request.app.state.queue)
