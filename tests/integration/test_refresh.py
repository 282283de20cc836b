import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.security.access_tokens import AccessTokenVerifier
from tests.accounts import SignedIn
from tests.integration.problems import assert_problem

Age = Callable[..., Awaitable[None]]


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/auth/refresh", json={"refresh_token": token})


async def successor(client: httpx.AsyncClient, token: str) -> str:
    answer = await refresh(client, token)
    assert answer.status_code == 200, answer.text
    refreshed: str = answer.json()["refresh_token"]
    return refreshed


def session_of(app: FastAPI, access_token: str) -> Any:
    verifier = AccessTokenVerifier(app.state.verification_keys, "passepartout", "passepartout")
    return verifier.verify(access_token).session_id


@pytest.fixture
def age(login_app: FastAPI, signed_in: SignedIn) -> Age:
    """Let the session's times lie further back, as if that long had passed."""

    async def move(column: str, seconds: int) -> None:
        statement = f"UPDATE identity.sessions SET {column} = {column} - :age * interval '1 s' WHERE id = :id"
        session_id = session_of(login_app, signed_in.access_token)
        async with login_app.state.database.transaction() as session:
            await session.execute(text(statement), {"age": seconds, "id": session_id})

    return move


async def test_new_pair_belongs_to_the_same_session(
    client: httpx.AsyncClient, signed_in: SignedIn, login_app: FastAPI
) -> None:
    answer = await refresh(client, signed_in.refresh_token)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["refresh_token"] != signed_in.refresh_token
    assert answer.json()["refresh_expires_in"] == 86400
    session = session_of(login_app, signed_in.access_token)
    assert session_of(login_app, answer.json()["access_token"]) == session


async def test_retry_within_the_grace_gets_the_same_successor(
    client: httpx.AsyncClient, signed_in: SignedIn, age: Age
) -> None:
    first = await successor(client, signed_in.refresh_token)
    await age("refreshed_at", 9)
    assert await successor(client, signed_in.refresh_token) == first
    assert await successor(client, first) != first


async def test_retry_does_not_prolong_the_grace(
    client: httpx.AsyncClient, signed_in: SignedIn, age: Age
) -> None:
    await successor(client, signed_in.refresh_token)
    await age("refreshed_at", 6)
    await successor(client, signed_in.refresh_token)
    await age("refreshed_at", 6)
    assert_problem(await refresh(client, signed_in.refresh_token), 401, "refresh_token_reused")


async def test_replay_after_the_grace_ends_the_session(
    client: httpx.AsyncClient, signed_in: SignedIn, age: Age
) -> None:
    newest = await successor(client, signed_in.refresh_token)
    await age("refreshed_at", 11)
    assert_problem(await refresh(client, signed_in.refresh_token), 401, "refresh_token_reused")
    assert_problem(await refresh(client, newest), 401, "refresh_token_invalid")


async def test_replay_of_an_older_token_ends_the_session_at_once(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    newest = await successor(client, await successor(client, signed_in.refresh_token))
    assert_problem(await refresh(client, signed_in.refresh_token), 401, "refresh_token_reused")
    assert_problem(await refresh(client, newest), 401, "refresh_token_invalid")


async def test_fifty_at_once_get_one_successor(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    answers = await asyncio.gather(*(refresh(client, signed_in.refresh_token) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    [newest] = {answer.json()["refresh_token"] for answer in answers}
    listed = await client.get("/auth/sessions", headers=signed_in.authorization)
    assert [each["id"] for each in listed.json()["sessions"]] == [signed_in.session_id]
    assert await successor(client, newest) != newest


async def test_expired_token_is_refused(client: httpx.AsyncClient, signed_in: SignedIn, age: Age) -> None:
    await age("expires_at", 86_401)
    assert_problem(await refresh(client, signed_in.refresh_token), 401, "refresh_token_expired")


async def test_session_ends_after_thirty_days_however_often_refreshed(
    client: httpx.AsyncClient, signed_in: SignedIn, age: Age
) -> None:
    half_a_day = 43_200
    await age("created_at", 30 * 86_400 - half_a_day)
    answer = await refresh(client, signed_in.refresh_token)
    assert half_a_day - 5 <= answer.json()["refresh_expires_in"] <= half_a_day


@pytest.mark.parametrize("token", ["", "x", "A" * 75, "A" * 76, "A" * 512, "\x00" * 75, "é" * 75, "=" * 75])
async def test_forged_token_is_refused(client: httpx.AsyncClient, token: str) -> None:
    assert_problem(await refresh(client, token), 401, "refresh_token_invalid")


async def test_text_longer_than_any_token_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await refresh(client, "A" * 513), 422, "body_invalid")


async def test_access_token_is_no_refresh_token(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    assert_problem(await refresh(client, signed_in.access_token), 401, "refresh_token_invalid")


@pytest.mark.parametrize("place", [3, 30, 50], ids=["session", "counter", "mac"])
async def test_changed_token_is_refused_and_harms_nothing(
    client: httpx.AsyncClient, signed_in: SignedIn, place: int
) -> None:
    token = signed_in.refresh_token
    changed = token[:place] + ("B" if token[place] == "A" else "A") + token[place + 1 :]
    assert_problem(await refresh(client, changed), 401, "refresh_token_invalid")
    assert await successor(client, signed_in.refresh_token)
