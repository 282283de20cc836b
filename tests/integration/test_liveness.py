"""A pooled connection that has died in the meantime is replaced before a statement is lost on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.config import DatabaseSettings
from shared.db import liveness
from shared.on_startup.database import create_engine


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    settings = {"DATABASE_URL": database_url, "DATABASE_POOL_SIZE": "1"}
    engine = create_engine(DatabaseSettings.from_environment(settings))
    yield engine
    await engine.dispose()


@pytest.fixture
def ping(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> Mock:
    dialect = engine.sync_engine.dialect
    ping = Mock(wraps=dialect.do_ping)
    monkeypatch.setattr(dialect, "do_ping", ping)
    return ping


async def backend(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        identifier: int = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    return identifier


async def driver(engine: AsyncEngine) -> Any:
    """Return the one connection of the pool as asyncpg has it."""
    async with engine.connect() as connection:
        return (await connection.get_raw_connection()).driver_connection


async def cut(engine: AsyncEngine) -> None:
    """Break the connection so that nothing is heard of it, as a freeze or a gateway does."""
    transport = (await driver(engine))._transport
    transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


async def test_connection_that_was_just_used_is_not_asked(engine: AsyncEngine, ping: Mock) -> None:
    assert await backend(engine) == await backend(engine)
    ping.assert_not_called()


async def test_connection_that_lay_idle_is_asked_and_kept(
    engine: AsyncEngine, ping: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await backend(engine)
    monkeypatch.setattr(liveness, "TRUSTED_SECONDS", 0)
    assert await backend(engine) == first
    ping.assert_called_once()


async def test_connection_that_died_while_it_lay_idle_is_replaced(
    engine: AsyncEngine, ping: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await backend(engine)
    monkeypatch.setattr(liveness, "TRUSTED_SECONDS", 0)
    await cut(engine)
    assert await backend(engine) != first
    assert ping.call_count == 2


async def test_connection_that_the_server_closed_a_moment_ago_is_replaced(
    engine: AsyncEngine, database_url: str
) -> None:
    first = await backend(engine)
    closed = asyncio.Event()
    (await driver(engine)).add_termination_listener(lambda _: closed.set())
    settings = DatabaseSettings.from_environment({"DATABASE_URL": database_url})
    operator = create_engine(settings, pooled=False)
    async with operator.connect() as other:
        await other.execute(text("SELECT pg_terminate_backend(:first)"), {"first": first})
    await closed.wait()
    assert await backend(engine) != first
