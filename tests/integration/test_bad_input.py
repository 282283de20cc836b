"""Every route with a JSON body against what careless and hostile callers send."""

import httpx
import pytest

from tests.integration.problems import assert_problem

JSON_ROUTES = ["/auth/register", "/auth/login", "/auth/refresh", "/auth/logout"]
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
    "a list": b"[1, 2]",
    "null": b"null",
    "other types": b'{"username": {}, "password": [], "refresh_token": {}}',
    "10 kB name": b'{"username": "%s", "password": "12345678", "refresh_token": 1}' % (b"x" * 10_000),
}


@pytest.mark.parametrize("route", JSON_ROUTES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_body_that_is_not_what_it_should_be(client: httpx.AsyncClient, route: str, body: bytes) -> None:
    answer = await client.post(route, content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "body_invalid")


@pytest.mark.parametrize("route", ["/auth/register", "/auth/login"])
async def test_nul_in_a_name(client: httpx.AsyncClient, route: str) -> None:
    answer = await client.post(route, json={"username": "a\x00b", "password": "12345678"})
    problem = assert_problem(answer, 422, "body_invalid")
    assert problem["errors"][0]["name"] == "username"


@pytest.mark.parametrize("route", JSON_ROUTES)
async def test_body_of_two_megabytes(client: httpx.AsyncClient, route: str) -> None:
    body = b'{"username": "%s"}' % (b"x" * 2_000_000)
    answer = await client.post(route, content=body, headers={"Content-Type": "application/json"})
    problem = assert_problem(answer, 413, "body_too_large")
    assert (problem["limit"], problem["actual"]) == (16 * 1024, len(body))


@pytest.mark.parametrize("route", JSON_ROUTES)
async def test_body_of_another_type(client: httpx.AsyncClient, route: str) -> None:
    answer = await client.post(route, content=b"{}", headers={"Content-Type": "text/plain"})
    assert_problem(answer, 415, "media_type_unsupported")


@pytest.mark.parametrize("route", JSON_ROUTES)
async def test_no_body_at_all(client: httpx.AsyncClient, route: str) -> None:
    assert_problem(await client.post(route), 415, "media_type_unsupported")


@pytest.mark.parametrize("route", ["/auth/register", "/auth/login"])
async def test_refusal_never_echoes_a_password(client: httpx.AsyncClient, route: str) -> None:
    for password in (SECRET + "x" * 300, [SECRET], {"password": SECRET}):
        answer = await client.post(route, json={"username": "\x00", "password": password})
        assert_problem(answer, 422, "body_invalid")
        assert SECRET not in answer.text


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
