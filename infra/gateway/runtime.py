"""The front door in the `runtime` way: the functions run in environments of their own, as on Lambda."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.gateway.asgi import load_app
from infra.gateway.callers import FRONT_DOOR, Shared
from infra.gateway.disconnects import done_before_disconnect
from infra.gateway.docs import create_docs
from infra.gateway.errors import EnvironmentLost, FunctionFailed, HeadersTooLarge, PayloadTooLarge
from infra.gateway.events import body_limit, build_event, read_answer
from infra.gateway.functions import Function, read_functions
from infra.gateway.invocations import FunctionQueue, Invocation
from infra.gateway.limits import HEADER_BYTES, GatewayLimits
from infra.gateway.openapi import merged_document
from infra.gateway.processes import Print, Processes
from infra.gateway.reload import reload_on_change
from infra.gateway.routes import Route, read_routes
from infra.gateway.runtime_api import RuntimeApi
from infra.gateway.runtime_server import RuntimeServer
from infra.gateway.schedules import run_schedules
from shared.errors import Problem
from shared.header_lines import in_one_line
from shared.logging import request_id
from shared.middleware import REQUEST_ID_HEADER, RequestIdMiddleware
from shared.requests import read_body
from shared.responses import problem_response

FRAMING = {
    *(b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade", b"trailer", b"te")
}
"""Headers that belong to a connection, which a function's answer has none of (RFC 9110, 7.6.1)."""

PICTURES = "/file/resize"
"""The route that has another way in for a larger body."""

logger = logging.getLogger("passepartout.gateway")


class RuntimeFrontDoor:
    """Hands a request, as an event, to the function whose route has its path; that one judges the method.

    Every other path is the documentation's.
    """

    def __init__(self, queues: dict[str, FunctionQueue], routes: Sequence[Route], docs: ASGIApp) -> None:
        self._queues = queues
        self._routes = [(compile_path(route.path)[0], route) for route in routes]
        self._docs = docs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] = in_one_line(scope["headers"])
        for path, route in self._routes:
            if match := path.fullmatch(scope["path"]):
                await RequestIdMiddleware(partial(self._invoke, route, match.groupdict()))(
                    scope, receive, send
                )
                return
        await self._docs(scope, receive, send)

    async def _invoke(
        self, route: Route, parameters: dict[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        queue = self._queues[route.function]
        request = Request(scope, receive)
        try:
            _check_headers(request)
            body = await _body(request, route.path, queue.limits.payload_bytes)
            event = build_event(scope, f"{scope['method']} {route.path}", parameters, body)
            _check_event(event, queue.limits.payload_bytes)
            payload = await _unless_gone(request, queue.invoke(Invocation(_aws_request_id(scope), event)))
            await _send(payload, route.function, scope["method"], send)
        except Problem as problem:
            logger.warning("%s %s %s %s", scope["method"], route.path, problem.status, problem.code)
            await problem_response(problem)(scope, receive, send)
        except ClientDisconnect:
            logger.info("%s %s: the caller went away", scope["method"], route.path)
        except asyncio.CancelledError:
            # The server waits no longer, and would answer 500 in words of its own.
            logger.warning("%s %s: not answered before the front door stops", scope["method"], route.path)
            lost = EnvironmentLost(f"The front door stops, and {route.function} has not answered yet.")
            await problem_response(lost)(scope, receive, send)


def _check_headers(request: Request) -> None:
    actual = sum(len(name) + len(value) for name, value in request.headers.raw)
    if actual > HEADER_BYTES:
        detail = f"The headers have at most {HEADER_BYTES} bytes together."
        raise HeadersTooLarge(detail, limit=HEADER_BYTES, actual=actual)


async def _body(request: Request, path: str, payload_bytes: int) -> bytes:
    """Return the body. Raises PayloadTooLarge before it is read, where its length is declared."""
    limit = body_limit(request.headers.raw, payload_bytes)
    try:
        return await read_body(request, limit, PayloadTooLarge)
    except PayloadTooLarge as refusal:
        instead = ": send a larger picture by POST /file/upload" if path == PICTURES else ""
        room = f"A function's event has at most {payload_bytes} bytes, which leaves {limit} for this body"
        raise PayloadTooLarge(f"{room}{instead}.", limit=limit, actual=refusal.actual) from None


def _check_event(event: list[bytes], payload_bytes: int) -> None:
    """Raise PayloadTooLarge for an event that JSON's escapes have made larger than its body."""
    if (actual := sum(map(len, event))) > payload_bytes:
        detail = f"A function's event has at most {payload_bytes} bytes."
        raise PayloadTooLarge(detail, limit=payload_bytes, actual=actual)


async def _unless_gone(request: Request, answer: Coroutine[Any, Any, bytes]) -> bytes:
    """Return the answer; give its place up and raise ClientDisconnect when the caller goes away before."""
    answering = asyncio.ensure_future(answer)
    if not await done_before_disconnect(answering, request):
        raise ClientDisconnect
    return answering.result()


async def _send(payload: bytes, function: str, method: str, send: Send) -> None:
    try:
        answer = read_answer(payload)
    except (ValueError, TypeError, UnicodeError, AttributeError) as error:
        logger.error("%s answered no HTTP answer: %s", function, error)
        raise FunctionFailed(f"{function} did not answer as an HTTP API takes it.") from None
    headers = [(name, value) for name, value in answer.headers if name not in FRAMING]
    if method == "HEAD":
        # That of the content which GET would have.
        headers += [(name, value) for name, value in answer.headers if name == b"content-length"]
    elif answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _aws_request_id(scope: Scope) -> str:
    """Return the id of this request, where it is not one that a caller chose, and may choose again."""
    current = request_id.get()
    given = Request(scope).headers.get(REQUEST_ID_HEADER)
    return str(uuid4()) if current is None or current == given else current


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
