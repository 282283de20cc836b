"""Typed access to the database that `on_startup.database` opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import Request
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from shared.errors import DatabaseUnavailable

RETRY_AFTER_SECONDS = 5


class Database:
    """Gives out transactions; a connection is taken from the pool only for the time of one."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Commit at the end, roll back on an error. Raises DatabaseUnavailable when it cannot be reached."""
        try:
            async with self._sessions.begin() as session:
                yield session
        except (OSError, InterfaceError, OperationalError, PoolTimeout) as error:
            raise _unavailable() from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise _unavailable() from error
            raise


def _unavailable() -> DatabaseUnavailable:
    return DatabaseUnavailable("Please try again shortly.", retry_after=RETRY_AFTER_SECONDS)


async def database(request: Request) -> Database:
    """The app's database, for an endpoint to depend on."""
    return cast(Database, request.app.state.database)
