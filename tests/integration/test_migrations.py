from __future__ import annotations

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from infra.migrations import alembic_config, upgrade
from shared.config import DatabaseSettings
from shared.models.base import Base
from shared.on_startup.database import create_engine


async def test_migrations_make_what_the_models_say(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"include_schemas": True, "version_table_schema": "identity", "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Base.metadata))

    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": database_url}))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_migrations_run_again_change_nothing_and_can_be_undone(database_url: str) -> None:
    config = alembic_config(database_url)
    upgrade(database_url)
    command.downgrade(config, "base")
    upgrade(database_url)
