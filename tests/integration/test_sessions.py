"""GET /auth/sessions, and DELETE of one of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.repositories import sessions
from tests.accounts import SignedIn, is_alive, sign_in, sign_in_again
from tests.integration.problems import assert_problem

ROUTE = "/auth/sessions"
BEARER = 'Bearer error="invalid_token"'


async def listed(client: httpx.AsyncClient, user: SignedIn) -> list[dict[str, Any]]:
    answer = await client.get(ROUTE, headers=user.authorization)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["sessions"]
    return found


async def end(client: httpx.AsyncClient, user: SignedIn, session_id: str) -> httpx.Response:
    return await client.delete(f"{ROUTE}/{session_id}", headers=user.authorization)


async def refresh(client: httpx.AsyncClient, user: SignedIn) -> httpx.Response:
    return await client.post("/auth/refresh", json={"refresh_token": user.refresh_token})


async def expire(app: FastAPI, session_id: str) -> None:
    statement = text("UPDATE identity.sessions SET expires_at = now() WHERE id = :id")
    async with app.state.database.transaction() as session:
        await session.execute(statement, {"id": session_id})


async def test_session_is_shown_with_its_times(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    answer = await client.get(ROUTE, headers=signed_in.authorization)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    [shown] = answer.json().pop("sessions")
    times = {name: datetime.fromisoformat(shown.pop(name)) for name in [*shown] if name.endswith("_at")}
    assert shown == {"id": signed_in.session_id, "current": True}
    assert times["created_at"] == times["refreshed_at"]
    assert times["expires_at"] - times["created_at"] == timedelta(days=1)
    assert abs(datetime.now(UTC) - times["created_at"]) < timedelta(minutes=1)


async def test_last_refreshed_is_first_and_the_callers_own_is_current(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    second = await sign_in_again(client, signed_in.username)
    assert [each["id"] for each in await listed(client, second)] == [second.session_id, signed_in.session_id]
    await refresh(client, signed_in)
    for user in (signed_in, second):
        shown = await listed(client, user)
        assert [each["id"] for each in shown] == [signed_in.session_id, second.session_id]
        assert [each["id"] for each in shown if each["current"]] == [user.session_id]


async def test_only_live_sessions_and_only_ones_own_are_shown(
    client: httpx.AsyncClient, signed_in: SignedIn, login_app: FastAPI
) -> None:
    await sign_in(client)
    ended, expired = [await sign_in_again(client, signed_in.username) for _ in range(2)]
    await client.post("/auth/logout", json={"refresh_token": ended.refresh_token})
    await expire(login_app, expired.session_id)
    assert [each["id"] for each in await listed(client, signed_in)] == [signed_in.session_id]


async def test_of_very_many_the_last_refreshed_are_shown(
    client: httpx.AsyncClient, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAXIMUM_SHOWN", 1)
    second = await sign_in_again(client, signed_in.username)
    assert [each["id"] for each in await listed(client, signed_in)] == [second.session_id]


async def test_one_session_is_ended_and_the_others_live_on(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    lost, other = [await sign_in_again(client, signed_in.username) for _ in range(2)]
    answer = await end(client, signed_in, lost.session_id)
    assert (answer.status_code, answer.content, "content-type" in answer.headers) == (204, b"", False)
    assert_problem(await refresh(client, lost), 401, "refresh_token_invalid")
    assert [await is_alive(client, each) for each in (signed_in, lost, other)] == [True, False, True]


async def test_own_session_is_ended_without_its_refresh_token(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    assert (await end(client, signed_in, signed_in.session_id)).status_code == 204
    assert_problem(await refresh(client, signed_in), 401, "refresh_token_invalid")


async def test_others_session_looks_like_none_and_lives_on(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    other = await sign_in(client)
    ended = await sign_in_again(client, signed_in.username)
    assert (await end(client, signed_in, ended.session_id)).status_code == 204
    for session_id in (other.session_id, ended.session_id, str(uuid4())):
        problem = assert_problem(await end(client, signed_in, session_id), 404, "not_found")
        assert problem["detail"] == f"You have no live session {session_id}."
    assert await is_alive(client, other)


@pytest.mark.parametrize(
    "session_id", ["x", "%00", "1e999", "'; DROP TABLE users; --", "%ED%A0%80", "9" * 5000]
)
async def test_what_is_no_id_is_refused(
    client: httpx.AsyncClient, signed_in: SignedIn, session_id: str
) -> None:
    problem = assert_problem(await end(client, signed_in, session_id), 422, "parameters_invalid")
    assert [(each["in"], each["name"]) for each in problem["errors"]] == [("path", "session_id")]


@pytest.mark.parametrize(
    "method, path", [("GET", ROUTE), ("DELETE", f"{ROUTE}/{UUID(int=0)}"), ("DELETE", f"{ROUTE}/x")]
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic dTpw"}])
async def test_access_token_is_demanded_first(
    client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await client.request(method, path, headers=headers)
    assert_problem(answer, 401, "invalid_token")
    assert answer.headers["www-authenticate"] == BEARER


async def test_refresh_token_is_no_access_token(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    headers = {"Authorization": f"Bearer {signed_in.refresh_token}"}
    assert_problem(await client.get(ROUTE, headers=headers), 401, "invalid_token")


@pytest.mark.parametrize("expired", [True, False])
async def test_access_token_of_an_ended_session_neither_sees_nor_ends_another(
    client: httpx.AsyncClient, signed_in: SignedIn, login_app: FastAPI, expired: bool
) -> None:
    other = await sign_in_again(client, signed_in.username)
    if expired:
        await expire(login_app, signed_in.session_id)
    else:
        await client.post("/auth/logout", json={"refresh_token": signed_in.refresh_token})
    assert_problem(await client.get(ROUTE, headers=signed_in.authorization), 401, "invalid_token")
    answer = await end(client, signed_in, other.session_id)
    assert_problem(answer, 401, "invalid_token")
    assert answer.headers["www-authenticate"] == BEARER
    assert await is_alive(client, other)


async def test_end_wins_over_refreshes_at_the_same_time(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    other = await sign_in_again(client, signed_in.username)
    racing = [refresh(client, other) for _ in range(5)]
    *answers, ended = await asyncio.gather(*racing, end(client, signed_in, other.session_id))
    assert ended.status_code == 204
    tokens = {a.json()["refresh_token"] for a in answers if a.status_code == 200} | {other.refresh_token}
    for token in tokens:
        answer = await client.post("/auth/refresh", json={"refresh_token": token})
        assert_problem(answer, 401, "refresh_token_invalid")


async def test_head_is_get_without_the_content(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    answer = await client.head(ROUTE, headers=signed_in.authorization)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 100
