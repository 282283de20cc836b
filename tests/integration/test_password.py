"""POST /auth/password."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared.concurrency import BoundedThreads
from shared.on_startup.threads import threads
from tests.accounts import PASSWORD, SignedIn, is_alive, sign_in, sign_in_again
from tests.integration.problems import assert_problem
from tests.integration.uploads import Chunks

ROUTE = "/auth/password"
NEW = "another horse, another staple"


async def change(
    client: httpx.AsyncClient, user: SignedIn, password: str = PASSWORD, new_password: str = NEW
) -> httpx.Response:
    body = {"password": password, "new_password": new_password}
    return await client.post(ROUTE, json=body, headers=user.authorization)


async def login(client: httpx.AsyncClient, username: str, password: str) -> int:
    answer = await client.post("/auth/login", json={"username": username, "password": password})
    return answer.status_code


async def test_new_password_is_good_and_the_old_one_no_longer(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    answer = await change(client, signed_in)
    assert (answer.status_code, answer.content, "content-type" in answer.headers) == (204, b"", False)
    assert await login(client, signed_in.username, PASSWORD) == 401
    assert await login(client, signed_in.username, NEW) == 200


async def test_all_other_sessions_end_and_the_callers_own_stays(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    bystander = await sign_in(client)
    others = [await sign_in_again(client, signed_in.username) for _ in range(2)]
    assert (await change(client, signed_in)).status_code == 204
    assert [await is_alive(client, each) for each in (signed_in, bystander, *others)] == [
        True,
        True,
        False,
        False,
    ]
    for other in others:
        answer = await client.post("/auth/refresh", json={"refresh_token": other.refresh_token})
        assert_problem(answer, 401, "refresh_token_invalid")
    answer = await client.post("/auth/refresh", json={"refresh_token": signed_in.refresh_token})
    assert answer.status_code == 200


async def test_wrong_password_changes_nothing(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    other = await sign_in_again(client, signed_in.username)
    answer = await change(client, signed_in, password="not the password")
    assert_problem(answer, 401, "invalid_credentials")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert await is_alive(client, other)
    assert await login(client, signed_in.username, PASSWORD) == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}])
async def test_without_a_token_no_byte_is_read(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = Chunks(bytes(10_000))
    answer = await client.post(ROUTE, content=body, headers={"Content-Type": "application/json", **headers})
    assert_problem(answer, 401, "invalid_token")
    assert body.read == 0


async def test_access_token_of_an_ended_session_changes_nothing(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    await client.post("/auth/logout", json={"refresh_token": signed_in.refresh_token})
    assert_problem(await change(client, signed_in), 401, "invalid_token")
    assert await login(client, signed_in.username, PASSWORD) == 200


@pytest.mark.parametrize("new_password", ["1234567", "x" * 257, "", 12345678, None, ["12345678"]])
async def test_new_password_that_is_none_is_refused_and_not_echoed(
    client: httpx.AsyncClient, signed_in: SignedIn, new_password: Any
) -> None:
    answer = await change(client, signed_in, new_password=new_password)
    problem = assert_problem(answer, 422, "body_invalid")
    assert [each["name"] for each in problem["errors"]] == ["new_password"]
    assert PASSWORD not in answer.text and "1234567" not in answer.text


@pytest.mark.parametrize(
    "content_type, body, status, code",
    [
        ("text/plain", b"{}", 415, "media_type_unsupported"),
        ("application/x-www-form-urlencoded", b"password=a&new_password=b", 415, "media_type_unsupported"),
        ("application/json", b"", 422, "body_invalid"),
        ("application/json", b"[" * 16_000, 422, "body_invalid"),
        ("application/json", b'{"password": NaN, "new_password": 1e999}', 422, "body_invalid"),
        ("application/json", b'{"password": "\\ud800", "new_password": "12345678"}', 422, "body_invalid"),
        ("application/json", b'{"password": "%s"}' % (b"x" * 2_000_000), 413, "body_too_large"),
    ],
)
async def test_body_that_is_not_what_it_should_be(
    client: httpx.AsyncClient, signed_in: SignedIn, content_type: str, body: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": content_type, **signed_in.authorization}
    assert_problem(await client.post(ROUTE, content=body, headers=headers), status, code)


async def test_of_two_changes_at_once_one_succeeds(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    other = await sign_in_again(client, signed_in.username)
    answers = await asyncio.gather(change(client, signed_in, new_password=NEW), change(client, other))
    assert sorted(answer.status_code for answer in answers) == [204, 401]
    assert sorted([await is_alive(client, each) for each in (signed_in, other)]) == [False, True]


class Meanwhile:
    """Threads that do nothing else, but what happens once the first of their work is done."""

    def __init__(self, threads: BoundedThreads[Any], happens: Callable[[], Awaitable[object]]) -> None:
        self._threads = threads
        self._happens = [happens]

    async def run(self, work: Callable[[], Any]) -> Any:
        result = await self._threads.run(work)
        if self._happens:
            await self._happens.pop()()
        return result


async def test_login_that_has_verified_the_old_password_starts_no_session(
    client: httpx.AsyncClient, signed_in: SignedIn, login_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile = Meanwhile(login_app.state.threads, lambda: change(client, signed_in))
    monkeypatch.setitem(login_app.dependency_overrides, threads, lambda: meanwhile)
    assert await login(client, signed_in.username, PASSWORD) == 401
    answer = await client.get("/auth/sessions", headers=signed_in.authorization)
    assert [each["id"] for each in answer.json()["sessions"]] == [signed_in.session_id]


async def test_change_that_has_verified_the_old_password_overwrites_no_newer_one(
    client: httpx.AsyncClient, signed_in: SignedIn, login_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await sign_in_again(client, signed_in.username)
    meanwhile = Meanwhile(login_app.state.threads, lambda: change(client, other))
    monkeypatch.setitem(login_app.dependency_overrides, threads, lambda: meanwhile)
    answer = await change(client, signed_in, new_password="the loser's password")
    assert_problem(answer, 401, "invalid_credentials")
    assert await login(client, signed_in.username, NEW) == 200
    assert await is_alive(client, other)
