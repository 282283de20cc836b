"""How the database is opened: the URLs that are taken, and what the pool holds to."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.errors import ConfigurationError, DatabaseUnavailable
from shared.on_startup import database as module
from shared.on_startup.database import create_engine

PATIENCE_SECONDS = 20


def settings(url: str) -> DatabaseSettings:
    return DatabaseSettings.from_environment({"DATABASE_URL": url, "DATABASE_POOL_SIZE": "1"})


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """Give a database of one connection."""
    engine = create_engine(settings(url))
    yield Database(engine)
    await engine.dispose()


async def backend(database: Database) -> int:
    async with database.transaction() as session:
        identifier: int = (await session.scalars(text("SELECT pg_backend_pid()"))).one()
    return identifier


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("hunter2", "is no database URL"),
        ("postgresql://ada:hunter2", "is no database URL"),
        ("mysql://ada:hunter2@db/passepartout", "is no PostgreSQL URL"),
        (
            "postgresql://ada:hunter2@db/x?sslmode=hunter2",
            f"sslmode is none of {', '.join(module.SSL_MODES)}",
        ),
        ("postgresql://ada:hunter2@db/x?sslmode=require&sslmode=disable", "sslmode is none of"),
        ("postgresql://ada:hunter2@db/x?connect_timeout=hunter2", "takes no parameter connect_timeout"),
        ("postgresql://ada:hunter2@db/x?b=1&a=1&sslmode=require&host=db", "takes no parameter a, b"),
    ],
)
def test_url_that_cannot_be_used_is_one_line_without_its_password(url: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        create_engine(settings(url))
    assert str(refusal.value).startswith(f"DATABASE_URL: {fault}")
    assert "hunter2" not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("mode", module.SSL_MODES)
def test_sslmode_of_libpq_is_told_to_asyncpg(mode: str) -> None:
    engine = create_engine(settings(f"postgresql://ada@db/x?host=/tmp&sslmode={mode}"))
    assert engine.url.query == {"host": "/tmp", "ssl": mode}


async def test_database_is_opened_by_a_url_with_sslmode(database_url: str) -> None:
    async with opened(f"{database_url}&sslmode=prefer") as database:
        assert await backend(database)


async def test_caller_waits_for_a_connection_and_is_sent_away_in_the_end(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POOL_TIMEOUT_SECONDS", 0)
    async with opened(database_url) as database, database.transaction() as session:
        await session.execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailable):
            await backend(database)


async def test_connection_is_kept_for_the_next_and_not_beyond_its_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(database_url) as database:
        assert await backend(database) == await backend(database)
    monkeypatch.setattr(module, "POOL_RECYCLE_SECONDS", 0)
    async with opened(database_url) as database:
        assert await backend(database) != await backend(database)


async def test_statement_without_an_end_is_given_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMMAND_TIMEOUT_SECONDS", 1e-9)
    async with opened(database_url) as database:
        with pytest.raises(DatabaseUnavailable):
            async with database.transaction() as session:
                await session.execute(text(f"SELECT pg_sleep({PATIENCE_SECONDS})"))


async def test_connection_that_is_lost_amid_a_transaction_is_no_failure_of_ours(database_url: str) -> None:
    async with opened(database_url) as database:
        with pytest.raises(DatabaseUnavailable):
            async with database.transaction() as session:
                await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert await backend(database)
