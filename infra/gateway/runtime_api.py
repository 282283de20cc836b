"""AWS Lambda's Runtime API and Extensions API: environments take events here, and bring the answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infra.gateway.environments import Address, Environment
from infra.gateway.errors import AnswerTooLarge, FunctionFailed
from infra.gateway.invocations import FunctionQueue, Invocation
from infra.gateway.limits import GatewayLimits

RUNTIME = "/2018-06-01/runtime"
EXTENSIONS = "/2020-01-01/extension"
IDENTIFIER = "Lambda-Extension-Identifier"
NAME = "Lambda-Extension-Name"
FRONT_DOOR = "front-door"
"""What containers call it, after the name of their function."""

Key = tuple[int, str]
"""The port called and the address that the call came from."""

logger = logging.getLogger("passepartout.gateway")


class RuntimeApi:
    """The ASGI app of both APIs, for all environments.

    An environment here on the machine is told by the port that it calls, which is its own. Containers share
    one port: what they call it by names their function, `login.front-door`, and has to be the name of the
    address that they reach it at, so that one in a network of its own can be no other function.
    """

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits
        self._doors: dict[int, Door] = {}
        self._shared: dict[str, Shared] = {}
        self._environments: dict[Key, Environment] = {}
        self._app = Starlette(
            routes=[
                Route(f"{RUNTIME}/invocation/next", self._next),
                Route(f"{RUNTIME}/invocation/{{id}}/response", self._response, methods=["POST"]),
                Route(f"{RUNTIME}/invocation/{{id}}/error", self._error, methods=["POST"]),
                Route(f"{RUNTIME}/init/error", self._init_error, methods=["POST"]),
                Route(f"{EXTENSIONS}/register", self._register, methods=["POST"]),
                Route(f"{EXTENSIONS}/event/next", self._next_event),
                Route(f"{EXTENSIONS}/exit/error", self._exit_error, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_from_a_page(scope) or self._environment(scope) is None:
            response = _refused(404, "UnknownFunction")
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def share(self, shared: Mapping[str, Shared]) -> None:
        """Take what calls by a function's name, on a port that is no door's, for its environment."""
        self._shared = dict(shared)

    def open_door(self, port: int, door: Door) -> None:
        """Take what calls on this port for environments of one function."""
        self._doors[port] = door

    def close_door(self, port: int, how: str) -> bool:
        """Forget the environments that called on this port; `how` they ended is told to who waits.

        Returns whether one of them was ever ready for an event.
        """
        del self._doors[port]
        ended = [self._environments.pop(key) for key in list(self._environments) if key[0] == port]
        for environment in ended:
            environment.end(how)
        return any(environment.is_ready for environment in ended)

    def is_ready(self, port: int) -> bool:
        """Return whether an environment has asked for an event on this port."""
        return any(each.is_ready for key, each in self._environments.items() if key[0] == port)

    async def retire(self, port: int) -> None:
        """Hand no more events to the environments that call on this port; wait for their answers."""
        environments = [self._environments[key] for key in self._environments if key[0] == port]
        await asyncio.gather(*(environment.retire() for environment in environments))

    def lost(self, server: Address | None, client: Address | None) -> None:
        """Note that a connection was closed."""
        if server is None or client is None:
            return
        key = server[1], client[0]
        environment = self._environments.get(key)
        if environment is None:
            return
        environment.forget_extension(client)
        if environment.connection != client:
            return
        environment.lose("its connection was closed")
        if key[0] not in self._doors:
            # A container that is started again comes from another address, and would be counted twice.
            self._environments.pop(key).end("its connection was closed")

    def _environment(self, scope: Scope) -> Environment | None:
        """Return the environment that calls, which may be its first word; None where it is of no function."""
        key = scope["server"][1], scope["client"][0]
        if (door := self._doors.get(key[0])) is not None:
            if key not in self._environments:
                self._environments[key] = Environment(door.queue, door.kill, door.started_at)
            return self._environments[key]
        shared = self._shared.get(_first_label(scope))
        if shared is None or scope["server"][0] not in shared.addresses:
            return None
        if key not in self._environments:
            self._environments[key] = Environment(shared.queue)
        return self._environments[key] if self._environments[key].queue is shared.queue else None

    def _caller(self, request: Request) -> Environment:
        environment = self._environment(request.scope)
        assert environment is not None
        return environment

    async def _next(self, request: Request) -> Response:
        environment = self._caller(request)
        taking = asyncio.ensure_future(environment.next(request.scope["client"]))
        if not await done_before_disconnect(taking, request):
            environment.give_back()
            return Response(status_code=499)
        return _event_response(environment, taking.result())

    async def _response(self, request: Request) -> Response:
        environment = self._caller(request)
        if not environment.is_answering(request.path_params["id"]):
            return _refused(400, "InvalidRequestID")
        payload = await self._payload(request)
        # It may have timed out meanwhile, and have another event.
        if not environment.is_answering(request.path_params["id"]):
            return _refused(400, "InvalidRequestID")
        if payload is None:
            limit = self._limits.payload_bytes
            environment.answer(AnswerTooLarge(f"An answer has at most {limit} bytes.", limit=limit))
            return _refused(413, "RequestEntityTooLarge")
        environment.answer(payload)
        return JSONResponse({"status": "OK"}, 202)

    async def _payload(self, request: Request) -> bytes | None:
        """Return the body, or None when it is longer than a payload may be."""
        chunks, length = [], 0
        async for chunk in request.stream():
            length += len(chunk)
            if length <= self._limits.payload_bytes:
                chunks.append(chunk)
        return b"".join(chunks) if length <= self._limits.payload_bytes else None

    async def _error(self, request: Request) -> Response:
        environment = self._caller(request)
        if not environment.is_answering(request.path_params["id"]):
            return _refused(400, "InvalidRequestID")
        # The function has logged it; what it was is not for the caller.
        environment.answer(
            FunctionFailed(f"{environment.function.name} ended with an error, which is in its log.")
        )
        return JSONResponse({"status": "OK"}, 202)

    async def _init_error(self, request: Request) -> Response:
        environment = self._caller(request)
        error = orjson.loads(await request.body() or b"{}")
        logger.error("%s could not start: %s", environment.function.name, error.get("errorMessage"))
        return JSONResponse({"status": "OK"}, 202)

    async def _register(self, request: Request) -> Response:
        environment = self._caller(request)
        function = environment.function
        body = {"functionName": function.name, "functionVersion": "$LATEST", "handler": function.handler}
        return JSONResponse(body, headers={IDENTIFIER: environment.register(request.headers.get(NAME, ""))})

    async def _exit_error(self, request: Request) -> Response:
        self._caller(request).take_no_more()
        return JSONResponse({"status": "OK"}, 202)

    async def _next_event(self, request: Request) -> Response:
        environment = self._caller(request)
        extension = environment.extensions.get(request.headers.get(IDENTIFIER, ""))
        if extension is None:
            return _refused(403, "Extension.UnknownExtensionIdentifier")
        extension.connection = request.scope["client"]
        extension.idle.set()
        waiting = asyncio.ensure_future(extension.events.get())
        if not await done_before_disconnect(waiting, request):
            return Response(status_code=499)
        return JSONResponse(
            {
                "eventType": "INVOKE",
                "deadlineMs": _deadline(environment),
                "requestId": waiting.result().request_id,
                "invokedFunctionArn": environment.function.arn,
            }
        )


@dataclass(frozen=True)
class Door:
    """What stands behind a port of the Runtime API: one environment on this machine."""

    queue: FunctionQueue
    kill: Callable[[], None]
    """Ends the environment."""
    started_at: float
    """By `time.perf_counter`."""


@dataclass(frozen=True)
class Shared:
    """A function whose containers call by its name."""

    queue: FunctionQueue
    addresses: frozenset[str]
    """What that name stands for: our own, in the networks where those containers are."""


def _is_from_a_page(scope: Scope) -> bool:
    """Whether a browser sends this: no environment is one, and a page must neither read nor answer events."""
    headers = Headers(scope=scope)
    host = headers.get("host", "").rpartition(":")[0]
    is_named = host == scope["server"][0] or host.endswith(f".{FRONT_DOOR}")
    return "origin" in headers or "sec-fetch-site" in headers or not is_named


def _first_label(scope: Scope) -> str:
    return Headers(scope=scope).get("host", "").partition(":")[0].partition(".")[0]


def _event_response(environment: Environment, invocation: Invocation) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for part in invocation.event:
            yield part

    headers = {
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(_deadline(environment)),
        "Lambda-Runtime-Invoked-Function-Arn": environment.function.arn,
        "Lambda-Runtime-Trace-Id": _trace_id(invocation),
        "Content-Length": str(sum(map(len, invocation.event))),
    }
    return StreamingResponse(parts(), headers=headers, media_type="application/json")


def _trace_id(invocation: Invocation) -> str:
    return f"Root=1-{int(time.time()):x}-{invocation.request_id.replace('-', '')[:24]}"


def _deadline(environment: Environment) -> int:
    return int((time.time() + environment.function.timeout) * 1000)


def _refused(status: int, error_type: str) -> Response:
    return JSONResponse({"errorType": error_type, "errorMessage": error_type}, status)


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
