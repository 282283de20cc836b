"""Every route with a JSON body against what careless and hostile callers send."""

import json
from unittest.mock import MagicMock
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher

from infra.gateway.routes import read_routes
from shared.security import passwords
from tests.accounts import PASSWORD, SignedIn, sign_in
from tests.integration.problems import assert_problem

JSON_ROUTES = [
    "/auth/register",
    "/auth/login",
    "/auth/password",
    "/auth/refresh",
    "/auth/logout",
    "/file/upload",
    "/file/resize?width=20",
]
HASHING_ROUTES = ["/auth/register", "/auth/login", "/auth/password"]
TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "image/png",
]
SECRET = "hunter2-hunter2"

BODIES = {
    "empty": b"",
    "cut off": b'{"username": "ada", "password"',
    "NaN": b'{"username": NaN, "password": NaN, "refresh_token": NaN}',
    "infinite": b'{"username": 1e999, "password": 1e999, "refresh_token": 1e999}',
    "lone surrogate": b'{"username": "\\ud800", "password": "\\ud800aaaaaaaa", "refresh_token": "\\udfff"}',
    "raw surrogate": b'{"username": "\xed\xa0\x80", "password": "12345678", "refresh_token": "x"}',
    "not UTF-8": b'{"username": "\xff", "refresh_token": "\xff"}',
    "UTF-16": '{"username": "ada", "refresh_token": "x"}'.encode("utf-16"),
    "deep": b"[" * 16_000,
    "deep and closed": b'{"x": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    "given twice": b'{"username": "ada", "password": "12345678x", "username": "ada", "refresh_token": "x"}',
    "given twice, deep": b'{"username": "ada", "refresh_token": "x", "x": [{"a": 1, "a": 1}]}',
    "given twice, spelt in two ways": b'{"refresh_token": "x", "refresh\\u005ftoken": "x"}',
    "no end of digits": b'{"username": %s, "refresh_token": %s}' % (b"9" * 5000, b"9" * 5000),
    "SQL": b"'; DROP TABLE identity.users; --",
    "a list": b"[1, 2]",
    "null": b"null",
    "other types": b'{"username": {}, "password": [], "refresh_token": {}}',
    "10 kB name": b'{"username": "%s", "password": "12345678", "refresh_token": 1}' % (b"x" * 10_000),
}


@pytest.fixture(scope="module")
async def caller(client: httpx.AsyncClient) -> SignedIn:
    """For all of these tests: none changes anything."""
    return await sign_in(client)


async def send(
    client: httpx.AsyncClient, caller: SignedIn, route: str, body: bytes, type_: str = "application/json"
) -> httpx.Response:
    headers = {**caller.authorization, "Content-Type": type_}
    return await client.post(route, content=body, headers=headers)


def test_every_route_with_a_body_is_here() -> None:
    posts = {route.path for route in read_routes() if route.method not in ("GET", "HEAD", "DELETE")}
    assert posts == {route.partition("?")[0] for route in JSON_ROUTES}


@pytest.mark.parametrize("route", JSON_ROUTES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_body_that_is_not_what_it_should_be(
    client: httpx.AsyncClient, caller: SignedIn, route: str, body: bytes
) -> None:
    assert_problem(await send(client, caller, route, body), 422, "body_invalid")


@pytest.mark.parametrize("route", JSON_ROUTES)
@pytest.mark.parametrize("type_", TYPES[1:])
async def test_the_same_as_a_form_or_a_picture(
    client: httpx.AsyncClient, caller: SignedIn, route: str, type_: str
) -> None:
    for body in BODIES.values():
        answer = await send(client, caller, route, body, type_)
        assert answer.status_code in (413, 415, 422)
        assert_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("route", JSON_ROUTES)
async def test_hundred_thousand_brackets(client: httpx.AsyncClient, caller: SignedIn, route: str) -> None:
    assert_problem(await send(client, caller, route, b"[" * 100_000), 413, "body_too_large")


@pytest.mark.parametrize("route", ["/auth/register", "/auth/login"])
async def test_nul_in_a_name(client: httpx.AsyncClient, route: str) -> None:
    answer = await client.post(route, json={"username": "a\x00b", "password": "12345678"})
    problem = assert_problem(answer, 422, "body_invalid")
    assert problem["errors"][0]["name"] == "username"


@pytest.mark.parametrize("route", JSON_ROUTES)
async def test_body_of_two_megabytes(client: httpx.AsyncClient, caller: SignedIn, route: str) -> None:
    body = b'{"username": "%s"}' % (b"x" * 2_000_000)
    problem = assert_problem(await send(client, caller, route, body), 413, "body_too_large")
    assert (problem["limit"], problem["actual"]) == (16 * 1024, len(body))


@pytest.mark.parametrize("route", HASHING_ROUTES)
@pytest.mark.parametrize("name", ["username", "password", "new_password"])
async def test_body_that_is_refused_is_never_hashed(
    client: httpx.AsyncClient, caller: SignedIn, route: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = MagicMock(spec=PasswordHasher)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    fields = {"username": "ada", "password": PASSWORD, "new_password": PASSWORD, name: "x" * 2_000_000}
    body = "{%s}" % ",".join(f'"{key}": "{value}"' for key, value in fields.items())
    assert_problem(await send(client, caller, route, body.encode()), 413, "body_too_large")
    if route == "/auth/login":
        answer = await send(client, caller, route, urlencode(fields).encode(), TYPES[1])
        assert_problem(answer, 413, "body_too_large")
    assert hasher.mock_calls == []


@pytest.mark.parametrize("route", JSON_ROUTES)
async def test_body_of_another_type(client: httpx.AsyncClient, caller: SignedIn, route: str) -> None:
    code = "source_unsupported" if route.startswith("/file/resize") else "media_type_unsupported"
    assert_problem(await send(client, caller, route, b"{}", "text/plain"), 415, code)


@pytest.mark.parametrize("route", JSON_ROUTES)
async def test_no_body_at_all(client: httpx.AsyncClient, caller: SignedIn, route: str) -> None:
    is_picture = route.startswith("/file/resize")
    status, code = (422, "source_unreadable") if is_picture else (415, "media_type_unsupported")
    assert_problem(await client.post(route, headers=caller.authorization), status, code)


JSON_LINE = ("Content-Type", "application/json")


@pytest.mark.parametrize("route", JSON_ROUTES)
@pytest.mark.parametrize(
    "lines",
    [
        [JSON_LINE, JSON_LINE],
        [JSON_LINE, ("Content-Type", "text/plain")],
        [("Content-Type", "application/json,application/json")],
        [JSON_LINE, ("Content-Encoding", "gzip")],
        [JSON_LINE, ("Content-Encoding", "identity"), ("Content-Encoding", "gzip")],
        [JSON_LINE, ("Content-Encoding", "identity, br")],
    ],
)
async def test_content_type_or_coding_that_is_two_or_unknown(
    client: httpx.AsyncClient, caller: SignedIn, route: str, lines: list[tuple[str, str]]
) -> None:
    headers = [*caller.authorization.items(), *lines]
    answer = await client.post(route, content=b"{}", headers=headers)
    assert_problem(answer, 415, "media_type_unsupported")


async def test_form_of_thousands_of_fields(client: httpx.AsyncClient, caller: SignedIn) -> None:
    fields = [f"{number:x}=" for number in range(2000)]
    body = "&".join([*fields, f"username=\x00&password={SECRET}"]).encode()
    answer = await send(client, caller, "/auth/login", body, TYPES[1])
    assert SECRET not in str(assert_problem(answer, 422, "body_invalid"))


WITH_SECRET: list[object] = [
    SECRET + "x" * 600,
    [SECRET],
    {"password": SECRET},
    {SECRET: SECRET},
    f"{SECRET}\ud800",
]


@pytest.mark.parametrize("route", JSON_ROUTES)
@pytest.mark.parametrize("member", ["password", "new_password", "refresh_token"])
@pytest.mark.parametrize("value", WITH_SECRET, ids=["long", "list", "object", "name", "surrogate"])
async def test_refusal_never_echoes_a_secret(
    client: httpx.AsyncClient, caller: SignedIn, route: str, member: str, value: object
) -> None:
    body = json.dumps({"username": "\x00", member: value}).encode()
    problem = assert_problem(await send(client, caller, route, body), 422, "body_invalid")
    assert SECRET not in str(problem)
    form = urlencode({"username": "\x00", member: json.dumps(value)}).encode()
    assert SECRET not in (await send(client, caller, route, form, TYPES[1])).text
    assert SECRET not in (await send(client, caller, route, body[:-1])).text


async def test_sql_in_a_name_is_a_name(client: httpx.AsyncClient) -> None:
    username = "x'; DROP TABLE identity.users; --"
    credentials = {"username": username, "password": "correct horse"}
    registered = await client.post("/auth/register", json=credentials)
    assert (registered.status_code, registered.json()["username"]) == (201, username)
    assert (await client.post("/auth/login", json=credentials)).status_code == 200


@pytest.mark.parametrize(
    "method, path, status, code",
    [
        ("GET", "/nothing/here", 404, "not_found"),
        ("GET", "/%00", 404, "not_found"),
        ("POST", "/auth/login/", 404, "not_found"),
        ("GET", "/auth/login", 405, "method_not_allowed"),
        ("DELETE", "/file/resize", 405, "method_not_allowed"),
        ("GET", "/docs/assets/../../template.yaml", 404, "not_found"),
        ("POST", "/docs", 405, "method_not_allowed"),
    ],
)
async def test_address_or_method_that_is_not_there(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    assert_problem(await client.request(method, path), status, code)


VALUES = [
    "NaN",
    "1e999",
    "-1",
    "%ED%A0%80",
    "%00",
    "'; DROP TABLE media.jobs; --",
    "x" * 10_000,
    "[" * 10_000,
    "%FF",
]
QUERIES = [
    ("POST", "/file/resize", "width"),
    ("POST", "/file/resize", "dpr"),
    ("POST", "/file/resize", "preset"),
    ("POST", "/file/resize", "background"),
    ("GET", "/file/jobs", "limit"),
    ("GET", "/file/jobs", "before"),
    ("GET", f"/file/jobs/{UUID(int=0)}", "wait"),
]


@pytest.mark.parametrize(("method", "path", "name"), QUERIES)
@pytest.mark.parametrize("value", VALUES)
async def test_parameter_that_is_not_what_it_should_be(
    client: httpx.AsyncClient, caller: SignedIn, method: str, path: str, name: str, value: str
) -> None:
    answer = await client.request(method, f"{path}?{name}={value}", headers=caller.authorization)
    assert_problem(answer, 422, "parameters_invalid")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("method", "path"), [("GET", "/file/jobs"), ("DELETE", "/auth/sessions")])
async def test_address_that_is_not_what_it_should_be(
    client: httpx.AsyncClient, caller: SignedIn, method: str, path: str, value: str
) -> None:
    answer = await client.request(method, f"{path}/{value}", headers=caller.authorization)
    assert_problem(answer, 422, "parameters_invalid")
