"""Work for a caller who may go away."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request


async def done_before_disconnect(task: asyncio.Future[Any], request: Request) -> bool:
    """Wait for the task; cancel it, and return False, when the caller closes the connection first."""

    async def disconnect() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    gone = asyncio.ensure_future(disconnect())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        task.cancel()
        gone.cancel()
        raise
    if task.cancelled():
        # The environment is to end: it is told nothing more.
        await gone
    is_done = task.done() and not gone.done()
    for each in (task, gone):
        each.cancel()
    return is_done
