from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from infra.migrations import alembic_config, upgrade
from shared.config import DatabaseSettings
from shared.models.base import Base
from shared.on_startup import database
from shared.on_startup.database import create_engine

PATIENCE_SECONDS = 20
LOCK = 7_270_172
IS_WAITED_FOR = """
SELECT EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
)
"""

Result = TypeVar("Result")


def ask(url: str, question: Callable[[Connection], Result]) -> Result:
    async def connect() -> Result:
        engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": url}))
        async with engine.connect() as connection:
            answer = await connection.run_sync(question)
        await engine.dispose()
        return answer

    return asyncio.run(connect())


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names("identity"))


def test_migrations_make_what_the_models_say(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"include_schemas": True, "version_table_schema": "identity", "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Base.metadata))

    assert ask(database_url, differences) == []


async def test_migration_waits_as_long_as_another_runs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "COMMAND_TIMEOUT_SECONDS", 1e-9)
    other = await asyncpg.connect(database_url)
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks, other.transaction():
        await other.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        migration = tasks.create_task(asyncio.to_thread(upgrade, database_url))
        while not await other.fetchval(IS_WAITED_FOR):
            assert not migration.done()
    await other.close()


def test_migrations_can_be_undone_and_done_again(database_url: str) -> None:
    command.downgrade(alembic_config(database_url), "base")
    assert ask(database_url, tables) == {"alembic_version"}
    upgrade(database_url)
    upgrade(database_url)
    assert ask(database_url, tables) == {"alembic_version", "users", "sessions", "attempts", "audit_events"}
