"""Requests as API Gateway's HTTP APIs hand them to a function, payload format 2.0, and its answers back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pybase64
from starlette.types import Scope

ACCOUNT_ID = "123456789012"
API_ID = "local"
STAGE = "$default"
TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript")
"""Bodies of these are text in the event; all others, and what is no UTF-8 or is compressed, are base64."""
ROOM = 4096
"""Bytes of an event around its body and headers, at most."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What a header's name may have, in lower case, and its value must not (RFC 9110, 5.1 and 5.5)."""


def build_event(scope: Scope, route_key: str, parameters: dict[str, str], body: bytes) -> list[bytes]:
    """Return the event's JSON text in parts, which are to be sent one after the other.

    The body is a part of its own: megabytes are turned into base64, and not copied again.
    """
    headers, cookies = _headers(scope["headers"])
    query: str = scope["query_string"].decode("latin-1")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": scope["path"],
        "rawQueryString": query,
        **({"cookies": cookies} if cookies else {}),
        "headers": headers,
        **_query_parameters(query),
        "requestContext": _request_context(scope, route_key, headers),
        **({"pathParameters": parameters} if parameters else {}),
    }
    if not body:
        return [orjson.dumps({**event, "isBase64Encoded": False})]
    if (text := _text(headers, body)) is not None:
        return [orjson.dumps({**event, "body": text, "isBase64Encoded": False})]
    start = orjson.dumps({**event, "isBase64Encoded": True})
    return [start[:-1] + b',"body":"', pybase64.b64encode(body), b'"}']


def body_limit(headers: Iterable[tuple[bytes, bytes]], payload_bytes: int) -> int:
    """Return how many bytes a body may have beside these headers, in an event of at most `payload_bytes`."""
    room = payload_bytes - ROOM - sum(len(name) + len(value) for name, value in headers)
    # In base64, three bytes are four.
    return max(0, room // 4 * 3)


def read_answer(payload: bytes) -> Answer:
    """Return the HTTP answer that a function's JSON is. Raises ValueError when it is none.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    document = orjson.loads(payload)
    if not isinstance(document, dict) or "statusCode" not in document:
        # An HTTP API takes what names no status for the content of a 200.
        return Answer(200, [(b"content-type", b"application/json")], payload)
    headers = [_header(name, value) for name, value in (document.get("headers") or {}).items()]
    cookies = document.get("cookies") or []
    if not isinstance(cookies, list):
        raise ValueError("cookies are a list")
    headers += [_header("set-cookie", cookie) for cookie in cookies]
    body = document.get("body") or ""
    content = pybase64.b64decode(body, validate=True) if document.get("isBase64Encoded") else body.encode()
    return Answer(_status(document["statusCode"]), headers, content)


def _status(value: Any) -> int:
    status = int(value)
    if isinstance(value, bool) or not 200 <= status <= 599:
        raise ValueError(f"{value!r} is no status of an answer")
    return status


def _header(name: str, value: Any) -> tuple[bytes, bytes]:
    encoded = name.lower().encode("latin-1"), str(value).encode("latin-1")
    if not TOKEN.fullmatch(encoded[0]) or CONTROLS.search(encoded[1]):
        raise ValueError(f"{name!r} is no header that can be sent")
    return encoded


def scheduled_event(function_arn: str, identifier: str) -> list[bytes]:
    """Return the event of a schedule.

    https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
    """
    event = {
        "version": "0",
        "id": identifier,
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT_ID,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": "eu-west-1",
        "resources": [function_arn],
        "detail": "{}",
    }
    return [orjson.dumps(event)]


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], list[str]]:
    """Return the headers, a repeated one joined by commas, and the cookies, which are none of them."""
    headers: dict[str, list[str]] = {}
    cookies: list[str] = []
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";")]
        else:
            headers.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in headers.items()}, cookies


def _query_parameters(query: str) -> dict[str, dict[str, str]]:
    parameters: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters.setdefault(name, []).append(value)
    joined = {name: ",".join(values) for name, values in parameters.items()}
    return {"queryStringParameters": joined} if joined else {}


def _request_context(scope: Scope, route_key: str, headers: dict[str, str]) -> dict[str, Any]:
    now = time.time()
    domain = headers.get("host", "")
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": scope["method"],
            "path": scope["path"],
            "protocol": f"HTTP/{scope['http_version']}",
            "sourceIp": (scope.get("client") or ("",))[0],
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": f"{int(now * 1e6):x}",
        "routeKey": route_key,
        "stage": STAGE,
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }


def _text(headers: dict[str, str], body: bytes) -> str | None:
    if not headers.get("content-type", "").lower().startswith(TEXT_TYPES) or "content-encoding" in headers:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
