"""The front door in the `runtime` way, opened: functions run in environments of their own, as on Lambda."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from infra.gateway.asgi import load_app
from infra.gateway.callers import FRONT_DOOR, Shared
from infra.gateway.docs import create_docs
from infra.gateway.functions import Function, read_functions
from infra.gateway.invocations import FunctionQueue
from infra.gateway.limits import GatewayLimits
from infra.gateway.openapi import merged_document
from infra.gateway.processes import Print, Processes
from infra.gateway.reload import reload_on_change
from infra.gateway.routes import Route, read_routes
from infra.gateway.runtime_api import RuntimeApi
from infra.gateway.runtime_front_door import RuntimeFrontDoor
from infra.gateway.runtime_server import RuntimeServer
from infra.gateway.schedules import run_schedules

logger = logging.getLogger("passepartout.gateway")


def _print(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


@dataclass(frozen=True)
class RuntimeOptions:
    """Where the functions' environments are, and what is asked of them."""

    limits: GatewayLimits = GatewayLimits()
    processes: int = 2
    """Environments a function on this machine, at most, where it names no number; 0 where containers ask."""
    host: str = "127.0.0.1"
    port: int = 9001
    """Where containers ask, by the name of their function: `login.front-door:9001`."""
    reload: bool = True
    print_: Print = _print
    """Takes what the processes print."""


@asynccontextmanager
async def open_front_door(
    options: RuntimeOptions,
    functions: Sequence[Function] | None = None,
    routes: Sequence[Route] | None = None,
) -> AsyncIterator[RuntimeFrontDoor]:
    """Give the front door, with the environments ready. What is left out is that of `template.yaml`.

    At its end, each environment ends when it has answered. Raises EnvironmentLost when one cannot be started.
    """
    functions = read_functions() if functions is None else functions
    routes = read_routes() if routes is None else routes
    queues = {function.name: FunctionQueue(function, options.limits) for function in functions}
    docs = create_docs(partial(_document, routes))
    async with AsyncExitStack() as opened:
        server = RuntimeServer(RuntimeApi(options.limits))
        opened.push_async_callback(server.close)
        if options.processes:
            await opened.enter_async_context(_processes(queues, options, server))
        else:
            await opened.enter_async_context(_containers(queues, options, server))
        await opened.enter_async_context(_in_background(run_schedules(queues.values())))
        # What is loaded by now is here to stay: to look through all of it for garbage, again and again, would
        # hold up for a tenth of a second whoever is served.
        gc.freeze()
        yield RuntimeFrontDoor(queues, routes, docs)


def _document(routes: Sequence[Route]) -> dict[str, Any]:
    return merged_document({name: load_app(name) for name in {route.function for route in routes}}, routes)


@asynccontextmanager
async def _containers(
    queues: Mapping[str, FunctionQueue], options: RuntimeOptions, server: RuntimeServer
) -> AsyncIterator[None]:
    async with AsyncExitStack() as opened:
        server.api.callers.share(
            {name: Shared(queue, await _addresses(name)) for name, queue in queues.items()}
        )
        opened.callback((await server.listen(options.host, options.port)).close)
        yield


async def _addresses(function: str) -> frozenset[str]:
    """Return what the name that the function's containers call stands for: nothing, where it is none here."""
    name = f"{function}.{FRONT_DOOR}"
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, family=socket.AF_INET)
    except socket.gaierror:
        logger.warning("no container can ask for events of %s: %s has no address here", function, name)
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)


@asynccontextmanager
async def _processes(
    queues: Mapping[str, FunctionQueue], options: RuntimeOptions, server: RuntimeServer
) -> AsyncIterator[None]:
    running = {
        name: Processes(queue, queue.function.environments or options.processes, server, options.print_)
        for name, queue in queues.items()
    }
    try:
        for processes in running.values():
            processes.start()
        await asyncio.gather(*(queue.first_ready for queue in queues.values()))
        async with AsyncExitStack() as opened:
            if options.reload:
                await opened.enter_async_context(_in_background(reload_on_change(running)))
            yield
    finally:
        await asyncio.gather(*(processes.stop() for processes in running.values()))


@asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
