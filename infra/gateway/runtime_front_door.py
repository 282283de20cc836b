"""The front door in the `runtime` way: a request becomes an event, and the function's answer the answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.gateway.disconnects import done_before_disconnect
from infra.gateway.errors import EnvironmentLost, FunctionFailed, HeadersTooLarge, PayloadTooLarge
from infra.gateway.events import body_limit, build_event, read_answer
from infra.gateway.invocations import FunctionQueue, Invocation
from infra.gateway.limits import HEADER_BYTES
from infra.gateway.routes import Route
from shared.bodies import BodiesMiddleware
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
        self._app = BodiesMiddleware(self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
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
