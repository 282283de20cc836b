"""The ways in which a request reaches a function, and its answer brought into one form."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import unquote

import httpx
import orjson
from fastapi import FastAPI

from infra.gateway.events import build_event, read_answer
from shared.runtime import LambdaEntry
from tests.events.alb import (
    alb_event,
    alb_multi_value_event,
    read_alb_answer,
    read_alb_multi_value_answer,
    split_query,
)
from tests.events.api_gateway_v1 import http_1_0_event, read_rest_answer, rest_event
from tests.events.api_gateway_v2 import function_url_event, http_event, read_http_answer
from tests.events.wire import CLIENT, Answer, Headers, Pairs, lower_case, pairs

CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
VARYING_HEADERS = {
    "date": re.compile(r".+"),
    "server-timing": re.compile(r"(?<=dur=)[\d.]+"),
    "image-receipt": re.compile(r'(?<=cost=")[\d.]+'),
}
VARYING_MEMBERS = re.compile(rb'"(access_token|refresh_token|id|username|source|url)":"([^"]+)"')


class MakeEvent(Protocol):
    def __call__(
        self, method: str, path: str, *, query: str, headers: Headers, body: bytes
    ) -> dict[str, Any]: ...


def make_request(method: str, url: str, headers: Headers, body: bytes) -> httpx.Request:
    """Return the request with its headers in Latin-1, where httpx would take UTF-8."""
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in pairs(headers)]
    return httpx.Request(method, url, headers=encoded, content=body)


def sent_headers(request: httpx.Request) -> Pairs:
    return [(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw]


def as_sent(request: httpx.Request) -> httpx.Request:
    return request


def last_values(request: httpx.Request) -> httpx.Request:
    """Return what is left of a request where a name can have one value only."""
    path, _, query = request.url.raw_path.decode().partition("?")
    parameters = "&".join(f"{name}={value}" for name, value in dict(split_query(query)).items())
    url = request.url.copy_with(raw_path=f"{path}?{parameters}".rstrip("?").encode())
    headers = dict(lower_case(sent_headers(request)))
    return make_request(request.method, str(url), headers, request.content)


@dataclass(frozen=True)
class Transport:
    """A source of events; `left` is what of a request it is able to tell."""

    make: MakeEvent
    read: Callable[[dict[str, Any]], Answer]
    left: Callable[[httpx.Request], httpx.Request] = as_sent

    def send(self, entry: LambdaEntry, request: httpx.Request) -> Answer:
        path, _, query = request.url.raw_path.decode().partition("?")
        headers = sent_headers(request)
        event = self.make(request.method, path, query=query, headers=headers, body=request.content)
        # As the runtime does, from JSON and to JSON.
        answer = entry(orjson.loads(orjson.dumps(event)), CONTEXT)
        return self.read(orjson.loads(orjson.dumps(answer)))


def front_door_event(method: str, path: str, *, query: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return the event that our own gateway makes of what its server has read."""
    scope = {
        "method": method,
        "path": unquote(path),
        "query_string": query.encode(),
        "http_version": "1.1",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in lower_case(headers)],
        "client": (CLIENT, 0),
    }
    event: dict[str, Any] = orjson.loads(b"".join(build_event(scope, f"{method} {path}", {}, body)))
    return event


def read_front_door_answer(answer: dict[str, Any]) -> Answer:
    read = read_answer(orjson.dumps(answer))
    headers = [(name.decode(), value.decode("latin-1")) for name, value in read.headers]
    return Answer(read.status, headers, read.body)


TRANSPORTS = {
    "rest": Transport(rest_event, read_rest_answer),
    "http-1.0": Transport(http_1_0_event, read_rest_answer),
    "http-2.0": Transport(http_event, read_http_answer),
    "front-door": Transport(front_door_event, read_front_door_answer),
    "function-url": Transport(function_url_event, read_http_answer),
    "alb": Transport(alb_event, read_alb_answer, last_values),
    "alb-multi-value": Transport(alb_multi_value_event, read_alb_multi_value_answer),
}


def send_by_asgi(app: FastAPI, request: httpx.Request, runner: asyncio.Runner) -> Answer:
    async def answered() -> Answer:
        answer = await httpx.ASGITransport(app, client=(CLIENT, 0)).handle_async_request(request)
        # Not `aread`, which would decode a Content-Encoding.
        body = b"".join([chunk async for chunk in answer.aiter_raw()])
        headers = [(name.decode().lower(), value.decode("latin-1")) for name, value in answer.headers.raw]
        return Answer(answer.status_code, headers, body)

    return runner.run(answered())


@dataclass(frozen=True)
class Comparable:
    """An answer without what is another each time: of tokens and the like only the length is left."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes


def comparable(answer: Answer) -> Comparable:
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        value = VARYING_HEADERS[name].sub("…", value) if name in VARYING_HEADERS else value
        if name != "set-cookie":
            # RFC 9110, 5.3: lines of one name are one list.
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    cookies = [value for name, value in answer.headers if name == "set-cookie"]
    body = VARYING_MEMBERS.sub(lambda found: b'"%s":%d' % (found[1], len(found[2])), answer.body)
    return Comparable(answer.status, headers, cookies, body)
