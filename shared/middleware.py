"""What surrounds every request: its id, metrics, line in the log, and the answer when all else fails."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import ConfigurationError, InternalError
from shared.logging import REQUEST_LOGGER, request_id
from shared.metrics.instruments import HttpInstruments
from shared.responses import problem_response

REQUEST_ID_HEADER = "X-Request-Id"
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
UNMATCHED = "unmatched"
"""The route of a request that matched none: its path is the caller's to choose, so it is no label."""
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"))
OTHER_METHOD = "other"
"""For a method that RFC 9110 and 5789 do not know: a caller may make up any number of them."""
CLIENT_CLOSED_REQUEST = 499
"""As nginx counts a caller who went away before the answer."""

logger = logging.getLogger(REQUEST_LOGGER)


class RequestIdMiddleware:
    """Gives the request its id: the caller's where that is one, and sends it with the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = _request_id(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = identifier
            await send(message)

        reset = request_id.set(identifier)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            request_id.reset(reset)


class RequestMiddleware:
    """Counts, times and logs the request, and answers what the app did not foresee."""

    def __init__(self, app: ASGIApp, function: str, instruments: HttpInstruments) -> None:
        self.app = app
        self.function = function
        self.instruments = instruments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._observed(scope, receive, _Answer(send))
        else:
            await self.app(scope, receive, send)

    async def _observed(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        started = time.perf_counter()
        try:
            await self.app(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = CLIENT_CLOSED_REQUEST
        except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
            # The server ends, not the function.
            raise
        except BaseException:
            # Neither what would end the process (SystemExit) nor a panic in Rust is an Exception.
            logger.exception("unexpected failure")
            if answer.status is not None:
                raise
            problem = InternalError("It has been logged under this request id.")
            await problem_response(problem)(scope, receive, answer.send)
        finally:
            self._record(scope, answer.status or 500, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", UNMATCHED)
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        self.instruments.requests.labels(self.function, method, route, status).inc()
        self.instruments.duration.labels(self.function, route).observe(seconds)
        logger.info(
            "%s %s %s in %.1f ms",
            method,
            route,
            status,
            seconds * 1000,
            extra={
                "function": self.function,
                "method": method,
                "route": route,
                "status": status,
                "duration_ms": round(seconds * 1000, 1),
            },
        )


class HeadMiddleware:
    """Answers HEAD as GET without the content (RFC 9110, 9.3.2), on every server and runtime alike."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_content(message: Message) -> None:
            # Servers look at it again as they send: of a GET, they would miss the content.
            scope["method"] = "HEAD"
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        scope["method"] = "GET"
        try:
            await self.app(scope, receive, send_without_content)
        finally:
            scope["method"] = "HEAD"


class StartupMiddleware:
    """Tells a server that a setting is wrong in the one line which says so: Starlette sends a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_one_line(message: Message) -> None:
            error = sys.exc_info()[1]
            if message["type"] == "lifespan.startup.failed" and isinstance(error, ConfigurationError):
                message = {**message, "message": str(error)}
            await send(message)

        await self.app(scope, receive, send_one_line)


class _Answer:
    """Sends the answer, and remembers its status once it is under way."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    if REQUEST_ID.fullmatch(given):
        return given
    # On Lambda the platform's own lines carry this id, so that ours can be found beside them.
    return getattr(scope.get("aws.context"), "aws_request_id", None) or str(uuid4())
