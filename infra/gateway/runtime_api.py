"""AWS Lambda's Runtime API and Extensions API: environments take events here, and bring the answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.gateway.callers import Callers
from infra.gateway.disconnects import done_before_disconnect
from infra.gateway.environments import Environment
from infra.gateway.errors import AnswerTooLarge, FunctionFailed
from infra.gateway.invocations import Invocation
from infra.gateway.limits import GatewayLimits

RUNTIME = "/2018-06-01/runtime"
EXTENSIONS = "/2020-01-01/extension"
IDENTIFIER = "Lambda-Extension-Identifier"
NAME = "Lambda-Extension-Name"
HEALTH = "/health"
"""No path of Lambda's: who runs the containers asks whether each function has one that is ready."""

logger = logging.getLogger("passepartout.gateway")


class RuntimeApi:
    """The ASGI app of both APIs, for all environments."""

    def __init__(self, limits: GatewayLimits) -> None:
        self.callers = Callers()
        self._limits = limits
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
        app: ASGIApp = self._app
        if scope["path"] == HEALTH:
            app = self._health()
        elif self.callers.find(scope) is None:
            app = _refused(404, "UnknownFunction")
        await app(scope, receive, send)

    def _health(self) -> Response:
        missing = self.callers.without_environment()
        return JSONResponse({"functions_without_environment": missing}, 503 if missing else 200)

    def _caller(self, request: Request) -> Environment:
        environment = self.callers.find(request.scope)
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
