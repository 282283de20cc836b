"""A front door in the `runtime` way, with real processes behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx

from infra.gateway.functions import Function
from infra.gateway.routes import Route
from infra.gateway.runtime import RuntimeOptions, open_front_door
from infra.local.ports import listen
from infra.local.server import Server

HANDLERS = "tests.runtime.handlers"
TIMEOUT_SECONDS = 2
ROUTES = [Route("stub", "POST", "/do/{what}")]
QUIET = RuntimeOptions(processes=1, reload=False, print_=lambda text: None)


def stub(name: str = "stub") -> Function:
    """Return a function whose path says what it does."""
    return Function(name, timeout=TIMEOUT_SECONDS, memory_megabytes=256, module=HANDLERS)


@asynccontextmanager
async def front_door(
    options: RuntimeOptions, functions: Sequence[Function], routes: Sequence[Route]
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve it on a port of its own; give a client that goes there."""
    async with open_front_door(options, functions, routes) as app:
        server = Server(app)
        listener = listen(0)
        serving = asyncio.create_task(server.serve([listener]))
        await server.ready.wait()
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=base_url, timeout=30, limits=limits) as client:
            try:
                yield client
            finally:
                server.should_exit = True
                await serving
