import asyncio
from datetime import datetime
from typing import cast

import httpx
import pytest
from fastapi import FastAPI

from shared.models.identity.session import Session
from tests.accounts import PASSWORD, SignedIn
from tests.integration.problems import assert_problem


async def logout(client: httpx.AsyncClient, token: str, everywhere: bool = False) -> httpx.Response:
    return await client.post("/auth/logout", json={"refresh_token": token, "everywhere": everywhere})


async def refreshes(client: httpx.AsyncClient, token: str) -> bool:
    answer = await client.post("/auth/refresh", json={"refresh_token": token})
    return answer.status_code == 200


async def second_session(client: httpx.AsyncClient, user: SignedIn) -> str:
    answer = await client.post("/auth/login", json={"username": user.username, "password": PASSWORD})
    token: str = answer.json()["refresh_token"]
    return token


async def test_session_ends_and_the_others_live_on(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    other = await second_session(client, signed_in)
    answer = await logout(client, signed_in.refresh_token)
    assert (answer.status_code, answer.content, "content-type" in answer.headers) == (204, b"", False)
    assert not await refreshes(client, signed_in.refresh_token)
    assert await refreshes(client, other)


async def test_others_live_on_when_nothing_is_said_of_them(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    other = await second_session(client, signed_in)
    answer = await client.post("/auth/logout", json={"refresh_token": signed_in.refresh_token})
    assert answer.status_code == 204
    assert not await refreshes(client, signed_in.refresh_token)
    assert await refreshes(client, other)


async def test_session_ends_once(client: httpx.AsyncClient, signed_in: SignedIn, login_app: FastAPI) -> None:
    async def ended() -> datetime | None:
        session_id = login_app.state.token_issuer.refresh_tokens.decode(signed_in.refresh_token).session_id
        async with login_app.state.database.transaction() as session:
            return cast(Session, await session.get(Session, session_id)).revoked_at

    assert await ended() is None
    await logout(client, signed_in.refresh_token)
    first = await ended()
    await logout(client, signed_in.refresh_token)
    assert first is not None and await ended() == first


async def test_everywhere_ends_all_of_the_users_sessions_and_no_one_elses(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    other = await second_session(client, signed_in)
    username = f"bystander-of-{signed_in.username}"
    credentials = {"username": username, "password": PASSWORD}
    await client.post("/auth/register", json=credentials)
    bystander = (await client.post("/auth/login", json=credentials)).json()["refresh_token"]
    assert (await logout(client, signed_in.refresh_token, everywhere=True)).status_code == 204
    assert not await refreshes(client, signed_in.refresh_token)
    assert not await refreshes(client, other)
    assert await refreshes(client, bystander)


async def test_token_of_an_ended_session_ends_no_other(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    await logout(client, signed_in.refresh_token)
    later = await second_session(client, signed_in)
    assert (await logout(client, signed_in.refresh_token, everywhere=True)).status_code == 204
    assert await refreshes(client, later)


@pytest.mark.parametrize("token", ["", "no token", "A" * 75, "A" * 512, "\x00"])
async def test_invalid_token_gets_the_same_answer(client: httpx.AsyncClient, token: str) -> None:
    answer = await logout(client, token)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_text_longer_than_any_token_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await logout(client, "A" * 513), 422, "body_invalid")


async def test_nothing_is_alive_after_a_race_with_refreshes(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    token = signed_in.refresh_token
    racing = [client.post("/auth/refresh", json={"refresh_token": token}) for _ in range(5)]
    answers = await asyncio.gather(*racing, logout(client, token))
    alive = {token} | {a.json()["refresh_token"] for a in answers if a.status_code == 200}
    assert [await refreshes(client, each) for each in alive] == [False] * len(alive)


async def test_malformed_body_is_refused(client: httpx.AsyncClient) -> None:
    for body in ({"refresh_token": 7}, {"refresh_token": "x", "everywhere": "yes"}):
        assert_problem(await client.post("/auth/logout", json=body), 422, "body_invalid")
