"""Makes the threads for work bound to the processor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio.to_thread
from fastapi import FastAPI, Request

from shared.concurrency import BoundedThreads


@asynccontextmanager
async def open_threads(app: FastAPI) -> AsyncIterator[None]:
    """Put BoundedThreads on `app.state`, one a core."""
    threads: BoundedThreads[Any] = BoundedThreads()
    app.state.threads = threads
    try:
        yield
    finally:
        # It waits for the calls under way.
        await anyio.to_thread.run_sync(threads.close)


async def threads(request: Request) -> BoundedThreads[Any]:
    """The app's threads, for an endpoint to depend on."""
    return cast(BoundedThreads[Any], request.app.state.threads)
