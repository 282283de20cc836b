"""Transactions that want the same rows at once: one waits for the other, or has to give way."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from infra.gateway.asgi import load_app
from shared.config import DatabaseSettings
from shared.db.session import Database, database
from shared.errors import DatabaseUnavailable
from shared.on_startup.database import create_engine
from shared.repositories.sessions import Sessions
from shared.repositories.users import Users
from shared.security.refresh_tokens import RefreshToken, RefreshTokens
from tests.accounts import PASSWORD, SignedIn
from tests.integration.problems import assert_problem

PATIENCE_SECONDS = 20
ADD_SESSIONS = """
WITH owner AS (
    INSERT INTO identity.users (username, username_folded, password_hash)
    VALUES (:name, :name, '')
    RETURNING id
)
INSERT INTO identity.sessions (id, user_id, expires_at)
SELECT session.id, owner.id, now() + interval '1 day' FROM owner, unnest(CAST(:ids AS uuid[])) AS session (id)
"""
COUNT_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""


@pytest.fixture
def pool(login_app: FastAPI) -> Database:
    opened: Database = login_app.state.database
    return opened


@pytest.fixture
def refresh_tokens(login_app: FastAPI) -> RefreshTokens:
    opened: RefreshTokens = login_app.state.token_issuer.refresh_tokens
    return opened


async def add_sessions(pool: Database, *ids: UUID) -> None:
    """Store the sessions of one user, in this order."""
    async with pool.transaction() as transaction:
        await transaction.execute(text(ADD_SESSIONS), {"name": f"user-{uuid4()}", "ids": list(ids)})


async def lock(transaction: AsyncSession, session_id: UUID) -> None:
    statement = text("SELECT FROM identity.sessions WHERE id = :id FOR UPDATE")
    await transaction.execute(statement, {"id": session_id})


async def end_all(pool: Database, session_id: UUID) -> None:
    async with pool.transaction() as transaction:
        await Sessions(transaction).end_all(session_id)


async def all_ended(pool: Database, *ids: UUID) -> bool:
    async with pool.transaction() as transaction:
        states = [await Sessions(transaction).find(session_id) for session_id in ids]
    return all(state is not None and state.revoked for state in states)


async def until_waiting(pool: Database, *others: asyncio.Future[Any]) -> None:
    """Return once each of the others waits for a lock."""
    waiting = 0
    while waiting < len(others):
        assert not any(other.done() for other in others), others
        async with pool.transaction() as transaction:
            waiting = (await transaction.scalars(text(COUNT_WAITING))).one()


@pytest.mark.parametrize("stored_the_other_way", [False, True])
async def test_everywhere_takes_the_rows_in_one_order_however_they_are_stored(
    pool: Database, stored_the_other_way: bool
) -> None:
    first, second = ids = sorted((uuid4(), uuid4()))
    await add_sessions(pool, *sorted(ids, reverse=stored_the_other_way))
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks, pool.transaction() as ours:
        await lock(ours, first)
        await until_waiting(pool, tasks.create_task(end_all(pool, first)))
        await lock(ours, second)
    assert await all_ended(pool, *ids)


async def test_everywhere_ends_a_session_that_is_refreshed_meanwhile(pool: Database) -> None:
    refreshed, other = uuid4(), uuid4()
    await add_sessions(pool, refreshed, other)
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks, pool.transaction() as ours:
        await Sessions(ours).rotate(RefreshToken(refreshed, 0))
        await until_waiting(pool, tasks.create_task(end_all(pool, other)))
    assert await all_ended(pool, refreshed, other)


@pytest.mark.parametrize("moved_is_first", [True, False])
async def test_everywhere_twice_while_a_refresh_moves_a_row(
    client: httpx.AsyncClient, pool: Database, refresh_tokens: RefreshTokens, moved_is_first: bool
) -> None:
    """The one that began before the refresh finds the rows at other places than the one that began after it.

    A third transaction, which is next in the row's queue, keeps both waiting until both have begun.
    """
    moved, other = ids = sorted((uuid4(), uuid4()), reverse=not moved_is_first)
    await add_sessions(pool, *ids)

    async def logout(session_id: UUID) -> httpx.Response:
        token = refresh_tokens.encode(RefreshToken(session_id, 0))
        return await client.post("/auth/logout", json={"refresh_token": token, "everywhere": True})

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks, pool.transaction() as third:
        async with pool.transaction() as refresh:
            await Sessions(refresh).rotate(RefreshToken(moved, 0))
            next_in_queue = tasks.create_task(lock(third, moved))
            await until_waiting(pool, next_in_queue)
            before = tasks.create_task(logout(moved))
            await until_waiting(pool, next_in_queue, before)
        await next_in_queue
        await until_waiting(pool, before)
        after = tasks.create_task(logout(other))
        await until_waiting(pool, before, after)
    assert [before.result().status_code, after.result().status_code] == [204, 204]
    assert await all_ended(pool, *ids)


async def test_sign_in_waits_for_a_change_of_the_password_and_then_starts_no_session(
    client: httpx.AsyncClient, pool: Database, signed_in: SignedIn
) -> None:
    """The session would have begun too late to be ended with the others."""
    credentials = {"username": signed_in.username, "password": PASSWORD}
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks, pool.transaction() as ours:
        user = await Users(ours).by_username(signed_in.username)
        assert user is not None
        assert await Users(ours).replace_password(user.id, user.password_hash, "another hash")
        theirs = tasks.create_task(client.post("/auth/login", json=credentials))
        await until_waiting(pool, theirs)
        assert await Sessions(ours).end_all_of_user(user.id) == 1
    assert_problem(theirs.result(), 401, "invalid_credentials")


async def test_change_of_the_password_waits_for_a_sign_in_and_ends_its_session_too(
    client: httpx.AsyncClient, pool: Database, signed_in: SignedIn
) -> None:
    body = {"password": PASSWORD, "new_password": f"new {PASSWORD}"}
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks, pool.transaction() as ours:
        user = await Users(ours).by_username(signed_in.username)
        assert user is not None
        started = await Sessions(ours).start(user.id, user.password_hash, b"")
        assert started is not None
        change = client.post("/auth/password", json=body, headers=signed_in.authorization)
        theirs = tasks.create_task(change)
        await until_waiting(pool, theirs)
    assert theirs.result().status_code == 204
    assert await all_ended(pool, started.id)


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_transaction_that_had_to_give_way_may_come_again(pool: Database, code: str) -> None:
    with pytest.raises(DatabaseUnavailable) as refused:
        async with pool.transaction() as transaction:
            await transaction.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$"))
    assert refused.value.retry_after == 1


async def test_other_failure_of_a_statement_is_ours(pool: Database) -> None:
    with pytest.raises(DBAPIError):
        async with pool.transaction() as transaction:
            await transaction.execute(text("DO $$ BEGIN RAISE SQLSTATE '40002'; END $$"))


async def test_caller_whose_transaction_had_to_give_way_is_told_to_come_again(
    client: httpx.AsyncClient,
    pool: Database,
    signed_in: SignedIn,
    refresh_tokens: RefreshTokens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strict = {"default_transaction_isolation": "repeatable read"}
    url = create_engine(DatabaseSettings.from_environment()).url
    engine = create_async_engine(url, connect_args={"server_settings": strict})
    monkeypatch.setitem(load_app("refresh").dependency_overrides, database, lambda: Database(engine))
    body = {"refresh_token": signed_in.refresh_token}
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks, pool.transaction() as ours:
        await Sessions(ours).rotate(refresh_tokens.decode(signed_in.refresh_token))
        theirs = tasks.create_task(client.post("/auth/refresh", json=body))
        await until_waiting(pool, theirs)
    refused = theirs.result()
    assert_problem(refused, 503, "database_unavailable")
    assert refused.headers["retry-after"] == "1"
    assert (await client.post("/auth/refresh", json=body)).status_code == 200
    await engine.dispose()
