"""The requests that must be answered alike, however they come: some a route, one a shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import orjson

from shared.requests import FORM, JSON, MAXIMUM_BODY_BYTES
from tests.accounts import PASSWORD
from tests.conftest import PHOTOGRAPH
from tests.events.wire import Headers, pairs
from tests.integration.uploads import FORM as MULTIPART
from tests.integration.uploads import file, form
from tests.runtime.shapes import ETAG, EVERY_BYTE, TEXT
from tests.runtime.transports import make_request

BASE_URL = "https://api.example.com"
SHAPES = "shapes"
"""Stands where the function would, for the app of `tests/runtime/shapes.py`."""
PHOTO = PHOTOGRAPH.read_bytes()
UPLOAD = b'{"content_type": "image/jpeg", "content_length": %d}' % len(PHOTO)


SESSION = "{session}"
"""Stands in a target for the id of a session that nobody else uses."""

JOB = "{job}"
"""Stands in a target for the id of a job."""


@dataclass(frozen=True)
class Account:
    username: str
    access_token: str
    start_session: Callable[[], str]
    """Signs in once more, for a refresh token that nobody else uses."""
    new_session_id: Callable[[], str]
    """The same, for the session's id."""
    source: str
    """Names the photograph, uploaded."""
    job: str
    """The id of a job that has failed."""


@dataclass(frozen=True)
class Case:
    function: str
    method: str
    target: str
    status: int
    headers: Headers = ()
    body: bytes | Callable[[Account], bytes] = b""
    authorized: bool = False

    def request(self, account: Account) -> httpx.Request:
        body = self.body if isinstance(self.body, bytes) else self.body(account)
        target = self.target.replace(JOB, account.job)
        if SESSION in target:
            target = target.replace(SESSION, account.new_session_id())
        headers = [("X-Request-Id", "parity"), *pairs(self.headers)]
        if self.authorized:
            headers.append(("Authorization", f"Bearer {account.access_token}"))
        return make_request(self.method, BASE_URL + target, headers, body)


def content(media_type: str) -> Headers:
    return {"Content-Type": media_type}


def json_case(
    function: str,
    target: str,
    status: int,
    make: Callable[[Account], dict[str, str]],
    *,
    authorized: bool = False,
) -> Case:
    return Case(
        function,
        "POST",
        target,
        status,
        content(JSON),
        lambda account: orjson.dumps(make(account)),
        authorized,
    )


def new_user(_: Account) -> dict[str, str]:
    return {"username": f"user-{uuid4()}", "password": PASSWORD}


def credentials(account: Account) -> dict[str, str]:
    return {"username": account.username, "password": PASSWORD}


def wrong_password(account: Account) -> dict[str, str]:
    return {"username": account.username, "password": "naïve ☕ 𝄞"}


def same_password(_: Account) -> dict[str, str]:
    return {"password": PASSWORD, "new_password": PASSWORD}


def new_password(_: Account) -> dict[str, str]:
    return {"password": "naïve ☕ 𝄞", "new_password": "naïve ☕ 𝄞"}


def refresh_token(account: Account) -> dict[str, str]:
    return {"refresh_token": account.start_session()}


def source(account: Account) -> dict[str, str]:
    return {"source": account.source}


def no_source(_: Account) -> dict[str, str]:
    return {"source": str(UUID(int=0))}


def login_form(account: Account) -> bytes:
    return urlencode({"grant_type": "password", **credentials(account)}).encode()


def resize(query: str, status: int, headers: Headers, body: bytes, *, authorized: bool = True) -> Case:
    return Case("resize", "POST", f"/file/resize?{query}", status, headers, body, authorized)


ROUTES = {
    "register": json_case("register", "/auth/register", 201, new_user),
    "register, the name taken": json_case("register", "/auth/register", 409, credentials),
    "register, empty": Case("register", "POST", "/auth/register", 422, content(JSON)),
    "register, no JSON": Case("register", "POST", "/auth/register", 422, content(JSON), b'{"username": '),
    "register, too large": Case(
        "register", "POST", "/auth/register", 413, content(JSON), b" " * (MAXIMUM_BODY_BYTES + 1)
    ),
    "login, JSON": json_case("login", "/auth/login", 200, credentials),
    "login, form": Case("login", "POST", "/auth/login", 200, content(FORM), login_form),
    "login, wrong password": json_case("login", "/auth/login", 401, wrong_password),
    "login, no type": Case("login", "POST", "/auth/login", 415, (), b"username=ada"),
    "login, two types": Case(
        *(
            "login",
            "POST",
            "/auth/login",
            415,
            [("Content-Type", JSON)] * 2,
            orjson.dumps({"username": "ada"}),
        )
    ),
    "sessions, two tokens": Case(
        *("refresh", "GET", "/auth/sessions", 401, [("Authorization", "Basic YTpi")], b"", True)
    ),
    "login, GET": Case("login", "GET", "/auth/login", 405),
    "password": json_case("login", "/auth/password", 204, same_password, authorized=True),
    "password, wrong": json_case("login", "/auth/password", 401, new_password, authorized=True),
    "password, no token": json_case("login", "/auth/password", 401, same_password),
    "password, empty": Case("login", "POST", "/auth/password", 422, content(JSON), authorized=True),
    "jwks": Case("login", "GET", "/.well-known/jwks.json", 200),
    "jwks, HEAD": Case("login", "HEAD", "/.well-known/jwks.json", 200),
    "health": Case("login", "GET", "/health", 200),
    "health, HEAD": Case("login", "HEAD", "/health", 200),
    "health, OPTIONS": Case("login", "OPTIONS", "/health", 405),
    "health, Host with a port": Case("login", "GET", "/health", 200, {"Host": "[::1]:8443"}),
    "health, Host with no port": Case("login", "GET", "/health", 200, {"Host": "api.example.com:https:1"}),
    "refresh": json_case("refresh", "/auth/refresh", 200, refresh_token),
    "refresh, unknown": json_case("refresh", "/auth/refresh", 401, lambda _: {"refresh_token": "unknown"}),
    "sessions": Case("refresh", "GET", "/auth/sessions", 200, authorized=True),
    "sessions, no token": Case("refresh", "GET", "/auth/sessions", 401),
    "sessions, HEAD": Case("refresh", "HEAD", "/auth/sessions", 200, authorized=True),
    "session, DELETE": Case("refresh", "DELETE", f"/auth/sessions/{SESSION}", 204, authorized=True),
    "session, GET": Case("refresh", "GET", f"/auth/sessions/{UUID(int=0)}", 405, authorized=True),
    "session, unknown": Case("refresh", "DELETE", f"/auth/sessions/{UUID(int=0)}", 404, authorized=True),
    "session, no id": Case("refresh", "DELETE", "/auth/sessions/%E2%98%95", 422, authorized=True),
    "logout": json_case("logout", "/auth/logout", 204, refresh_token),
    "logout, unknown": json_case("logout", "/auth/logout", 204, lambda _: {"refresh_token": "unknown"}),
    "logout, no object": Case("logout", "POST", "/auth/logout", 422, content(JSON), b"[]"),
    "resize, raw": resize("width=40&format=png", 200, content("image/jpeg"), PHOTO),
    "resize, raw, no type": resize("height=20", 200, (), PHOTO),
    "resize, form": resize("width=40", 200, content(MULTIPART), form(file(PHOTO, "naïve ☕.jpg".encode()))),
    "resize, form without a file": resize("width=40", 422, content(MULTIPART), form()),
    "resize, no token": resize("width=40", 401, content("image/jpeg"), PHOTO, authorized=False),
    "resize, no picture": resize("width=40", 415, content("image/jpeg"), EVERY_BYTE),
    "resize, empty": resize("width=40", 422, content("image/jpeg"), b""),
    "resize, width twice": resize("width=40&width=50", 422, content("image/jpeg"), PHOTO),
    "resize, auto": Case(
        *("resize", "POST", "/file/resize?width=40&format=auto", 200, {"Accept": "image/webp"}, PHOTO, True)
    ),
    "resize, not changed": Case(
        *("resize", "POST", "/file/resize?width=40", 304, {"If-None-Match": "*"}, PHOTO, True)
    ),
    "resize, no width": resize("width=%E2%98%95", 422, content("image/jpeg"), PHOTO),
    "resize, source": json_case("resize", "/file/resize?width=40", 200, source, authorized=True),
    "resize, source, no token": json_case("resize", "/file/resize?width=40", 401, source),
    "resize, source unknown": json_case("resize", "/file/resize?width=40", 404, no_source, authorized=True),
    "resize, no source": resize("width=40", 422, content(JSON), b'{"source": "../naive"}'),
    "resize, later, no broker": Case(
        *("resize", "POST", "/file/resize?width=40", 503, {"Prefer": "respond-async"}, PHOTO, True)
    ),
    "jobs": Case("jobs", "GET", "/file/jobs?limit=1", 200, authorized=True),
    "jobs, HEAD": Case("jobs", "HEAD", "/file/jobs", 200, authorized=True),
    "jobs, no token": Case("jobs", "GET", "/file/jobs", 401),
    "jobs, limit twice": Case("jobs", "GET", "/file/jobs?limit=1&limit=2", 422, authorized=True),
    "job": Case("jobs", "GET", f"/file/jobs/{JOB}?wait=20", 200, authorized=True),
    "job, HEAD": Case("jobs", "HEAD", f"/file/jobs/{JOB}", 200, authorized=True),
    "job, unknown": Case("jobs", "GET", f"/file/jobs/{UUID(int=0)}?wait=20", 404, authorized=True),
    "job, no id": Case("jobs", "GET", "/file/jobs/%E2%98%95", 422, authorized=True),
    "upload": Case("upload", "POST", "/file/upload", 201, content(JSON), UPLOAD, authorized=True),
    "upload, no picture": Case(
        "upload", "POST", "/file/upload", 415, content(JSON), UPLOAD.replace(b"jpeg", b"svg"), authorized=True
    ),
    "upload, no token": Case("upload", "POST", "/file/upload", 401, content(JSON), UPLOAD),
    "resize, gzip": resize("width=40", 415, {"Content-Encoding": "gzip"}, PHOTO),
}


def shape(target: str, method: str = "GET", status: int = 200, headers: Headers = ()) -> Case:
    return Case(SHAPES, method, target, status, headers)


def echo(content_type: str | None, body: bytes, headers: Headers = ()) -> Case:
    sent = pairs(headers) + ([("Content-Type", content_type)] if content_type else [])
    return Case(SHAPES, "POST", "/body", 200, sent, body)


SHAPED = {
    "an entity tag": shape("/etag"),
    "304": shape("/etag", status=304, headers={"If-None-Match": ETAG}),
    "304, HEAD": shape("/etag", "HEAD", 304, {"If-None-Match": ETAG}),
    "204": shape("/nothing", "DELETE", 204),
    "no content, no type": shape("/empty"),
    "303": shape("/redirect", "POST", 303),
    "404": shape("/no%20where?a=b", status=404),
    "405": shape("/etag", "PURGE", 405),
    "500": shape("/broken", status=500),
    "500, exiting": shape("/exiting", status=500),
    "500, exiting in a thread": shape("/exiting-in-a-thread", status=500),
    "500, panicking": shape("/panicking", status=500),
    "OPTIONS": shape("/picture", "OPTIONS", 405),
    "cookies": shape("/cookies", headers={"Cookie": 'a=1; b="2, 3"; c='}),
    "cookies in two lines": shape("/cookies", headers=[("Cookie", "a=1; b=2"), ("Cookie", "c=3")]),
    "no cookie": shape("/cookies"),
    "404, two ids": shape("/none", status=404, headers=[("X-Request-Id", "another")]),
    "a header twice": shape("/headers", headers=[("X-Item", "a"), ("X-Item", "b, c"), ("x-item", "d")]),
    "a header in Latin-1": shape("/headers", headers={"X-Item": "café"}),
    "a header empty": shape("/headers", headers={"X-Item": ""}),
    "a caller behind another": shape("/caller?a=b", headers={"X-Forwarded-For": "203.0.113.9, 10.0.0.1"}),
    "query, repeated": shape("/query?b=1&a=2&b=3&b=1"),
    "query, unicode": shape("/query?caf%C3%A9=%E2%98%95&%F0%9D%84%9E=na%c3%afve"),
    "query, no UTF-8": shape("/query?a=%FF"),
    "query, reserved": shape("/query?a=1%262%3D3%3F&b=c=d&e=/?:@!$'()*,;"),
    "query, spaces and plus": shape("/query?a=1+2%202%2B3"),
    "query, encoded twice": shape("/query?a=%2541&b=%252B&%2561=c&d=100%"),
    "query, empty values": shape("/query?a=&b&&c="),
    "path, unicode": shape("/path/caf%C3%A9/%F0%9D%84%9E"),
    "path, reserved": shape("/path/a%2Fb/c%23d/e+f/g=h&i;j@k"),
    "path, encoded twice": shape("/path/%2541/%2520/100%25"),
    "body, JSON": echo(JSON, f'{{"text":"{TEXT}"}}'.encode()),
    "body, JSON with a charset": echo(f"{JSON}; charset=utf-8", f'"{TEXT}"'.encode()),
    "body, form": echo(FORM, b"a=1+2&b=%E2%98%95"),
    "body, text": echo("text/plain", TEXT.encode()),
    "body, lines": echo("text/csv", b'\n a,"b\r\nc\0"\n'),
    "body, bytes": echo("application/octet-stream", EVERY_BYTE),
    "body, unknown type": echo("application/vnd.unknown+json", EVERY_BYTE),
    "body, no type": echo(None, EVERY_BYTE),
    "body, encoded": echo(JSON, EVERY_BYTE, {"Content-Encoding": "br"}),
    "body, empty": echo(None, b""),
    "body, empty JSON": echo(JSON, b""),
    "answer of bytes": shape("/picture"),
    "answer of bytes, HEAD": shape("/picture", "HEAD"),
    "answer of text": shape("/text"),
    "answer of text, HEAD": shape("/text", "HEAD"),
    "answer of text that is no UTF-8": shape("/text/latin-1"),
    "answer of text that is encoded": shape("/text/zipped"),
    "answer in chunks": shape("/stream"),
}

CASES = ROUTES | SHAPED
