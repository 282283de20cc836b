"""A Pushgateway in Python for machines without the real one: what is pushed stays in memory.

Paths, answers and consistency rules are those of the Prometheus Pushgateway's README, version 1.11.
"""

from __future__ import annotations

import base64
import gzip
import io
import zlib

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from infra.local.pushed_metrics import Labels, PushedMetrics
from infra.local.text_format import LABEL_NAME, Refused, parse

MAXIMUM_BODY_BYTES = 16 * 1024 * 1024


def _read_grouping(path: str) -> Labels:
    if not path.startswith(("job/", "job@base64/")):
        raise HTTPException(404)
    segments = (path[:-1] if path.endswith("/") and path.count("/") == 2 else path).split("/")
    if len(segments) % 2 or "" in segments[2:-1]:
        raise Refused(f"odd number of path segments, or an empty one, in {path!r}")
    labels = list(map(_read_label, segments[::2], segments[1::2]))
    if not labels[0][1]:
        raise Refused("job name is required")
    return dict(labels) | dict(labels[:1])


def _read_label(name: str, value: str) -> tuple[str, str]:
    label = name.removesuffix("@base64")
    if not LABEL_NAME.fullmatch(label):
        raise Refused(f"improper label name {label!r}")
    if label == name:
        return name, value
    try:
        # `+` is not in the URL's alphabet, but altchars would let it pass.
        encoded = value.rstrip("=").replace("+", "?")
        encoded += "=" * (-len(encoded) % 4)
        return label, base64.b64decode(encoded, altchars="-_", validate=True).decode()
    except ValueError as error:
        raise Refused(f"invalid base64 encoding for label {label}={value!r}") from error


async def _read_body(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        _demand_small(body)
    try:
        if request.headers.get("content-encoding", "").lower() == "gzip":
            with gzip.open(io.BytesIO(body)) as plain:
                body = bytearray(plain.read(MAXIMUM_BODY_BYTES + 1))
        _demand_small(body)
        return body.decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise Refused(f"unreadable body: {error}") from error


def _demand_small(body: bytearray) -> None:
    if len(body) > MAXIMUM_BODY_BYTES:
        raise HTTPException(413, f"the body is over {MAXIMUM_BODY_BYTES} bytes")


async def _refuse(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 400)


def create_pushgateway() -> Starlette:
    """Make a Pushgateway with nothing pushed yet."""
    metrics = PushedMetrics()

    # Async all: one thread, so that nothing reads the groups in the midst of a push.
    async def push(request: Request) -> Response:
        grouping = _read_grouping(request.path_params["group"])
        families = parse(await _read_body(request))
        metrics.push(grouping, families, replace=request.method == "PUT")
        return Response()

    async def delete(request: Request) -> Response:
        metrics.delete(_read_grouping(request.path_params["group"]))
        return Response(status_code=202)

    async def expose(_request: Request) -> Response:
        return Response(metrics.expose(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    healthy = PlainTextResponse("OK")
    routes = [
        Route("/metrics/{group:path}", push, methods=["PUT", "POST"]),
        Route("/metrics/{group:path}", delete, methods=["DELETE"]),
        Route("/metrics", expose),
        Route("/-/healthy", healthy, methods=["GET"]),
        Route("/-/ready", healthy, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={Refused: _refuse})
